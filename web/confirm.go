package web

import (
	"net/url"
	"time"
)

// confirmation asks once before something that cannot simply be taken back.
type confirmation struct {
	common

	Title   string
	Effects []string
	// LastUsed is when what will be deleted was last used; zero for never, or where nothing is said about it.
	LastUsed time.Time
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
