package web

import "net/url"

// confirmation asks once before something that cannot simply be taken back.
type confirmation struct {
	common

	Title   string
	Effects []string
	// Action gets the form with Fields; Back leads away without doing anything.
	Action, Button, Back string
	Fields               url.Values
	// Typed asks for a word to be typed, where a wrong click would cost many people their access.
	Typed string
}

func (v *visit) confirm(section string, c confirmation) error {
	c.common = v.common()
	c.Action, c.Back = v.config.BasePath+c.Action, v.config.BasePath+c.Back
	return v.render("confirm", c.Title, section, c)
}
