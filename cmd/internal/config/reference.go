package config

import "strings"

// Setting is one key as the reference of all settings shows it.
type Setting struct {
	Key string
	// Environment are its names there; the first that is set wins. Each can also be given as NAME_FILE.
	Environment []string
	Default     string
	Meaning     string
	// Allowed is what a value must be, in the words that refuse any other; empty where every text will do.
	Allowed string
	Secret  bool
}

// Reference returns all that can be configured, in the order in which "muster config" prints it.
func Reference() []Setting {
	var all []Setting
	for _, s := range settings() {
		all = append(all, Setting{s.key, s.env, s.def, s.help, s.allowed(), s.secret})
	}
	return all
}

// allowed asks the setting itself, by what no setting takes that takes not everything.
func (s setting) allowed() string {
	if s.structured {
		return ""
	}
	for _, wrong := range []string{"\x01", "", strings.Repeat("x", 1000)} {
		if err := s.set(&Config{}, wrong); err != nil {
			return err.Error()
		}
	}
	return ""
}
