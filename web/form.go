package web

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"muster/domain"
)

// refusedForm is a form that was sent in vain: its page is shown again with what was typed.
type refusedForm struct {
	name   string
	err    *domain.Error
	values url.Values
	// now is what a stale form would have changed, and names what its ids are called.
	now   any
	names map[string]string
}

// form is a form as a page shows it: as it is stored, or as it was sent in vain.
type form struct {
	Name string
	sent *refusedForm
}

// difference is a field that somebody else changed meanwhile.
type difference struct{ Label, Now, Yours string }

func formOf(refused *refusedForm, name string) form {
	f := form{Name: name}
	if refused != nil && refused.name == name {
		f.sent = refused
	}
	return f
}

// Value is what was typed, or else what is stored.
func (f form) Value(field, stored string) string {
	if f.sent == nil || !f.sent.values.Has(field) {
		return stored
	}
	return f.sent.values.Get(field)
}

// Sent are all values of a field that were sent; none at a first look.
func (f form) Sent(field string) []string {
	if f.sent == nil {
		return nil
	}
	return f.sent.values[field]
}

// Ticked reports whether a box is ticked.
func (f form) Ticked(field, value string, stored bool) bool {
	if f.sent == nil {
		return stored
	}
	return slices.Contains(f.sent.values[field], value)
}

// Problem is why the form was refused; empty when it was not.
func (f form) Problem() string {
	if f.sent == nil {
		return ""
	}
	return sentence(f.sent.err.Text)
}

// Stale reports whether somebody else changed the thing meanwhile.
func (f form) Stale() bool { return f.sent != nil && f.sent.err.Kind == domain.Stale }

// Differences are what a stale form and the present differ in, field by field.
func (f form) Differences() []difference {
	if !f.Stale() || f.sent.now == nil {
		return nil
	}
	var rows []difference
	for _, row := range flattened("", f.sent.now) {
		yours := strings.Join(f.sent.named(lines(f.sent.values[row.name])), ", ")
		if slices.Contains(f.sent.values["switches"], row.name) {
			yours = factText(f.sent.values.Get(row.name) == "true")
		} else if !f.sent.values.Has(row.name) {
			continue
		}
		if now := f.sent.text(row.value); now != yours {
			rows = append(rows, difference{strings.ReplaceAll(row.name, "_", " "), now, yours})
		}
	}
	return rows
}

// text writes a value as it is now; ids become names.
func (r *refusedForm) text(value any) string {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var texts []string
	for _, one := range list {
		texts = append(texts, factText(one))
	}
	return strings.Join(r.named(texts), ", ")
}

// named puts names in place of ids, in a fixed order.
func (r *refusedForm) named(texts []string) []string {
	named := make([]string, len(texts))
	for i, text := range texts {
		named[i] = cmp.Or(r.names[text], text)
	}
	slices.Sort(named)
	return named
}

// fact is a value with the name of the field that holds it.
type fact struct {
	name  string
	value any
}

// flattened are the values of a face by name, those inside others too.
func flattened(name string, value any) []fact {
	if name == "" {
		value = plain(value)
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return []fact{{name, value}}
	}
	var all []fact
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		all = append(all, flattened(key, fields[key])...)
	}
	return all
}

// plain is a value as JSON would have it.
func plain(value any) any {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	var decoded any
	_ = json.Unmarshal(raw, &decoded)
	return decoded
}

// Wrong is what is wrong with one field; empty when it is not that one.
func (f form) Wrong(field string) string {
	if f.sent == nil || f.sent.err.Field != field {
		return ""
	}
	return sentence(f.sent.err.Text)
}

// input is one field of a form with its label, for the templates that draw fields.
type input struct {
	ID, Name, Label, Value, Hint, Wrong string
	Type                                string
	Options                             []option
	// Typed says that names are typed where there are too many to choose from.
	Typed bool
}

// option is one choice of a field.
type option struct {
	Value, Label string
	Chosen       bool
	// Hint says more about the choice.
	Hint string
}

// textField is a line of text.
func textField(f form, name, label, stored, hint string) input {
	return input{
		ID: f.Name + "-" + name, Name: name, Label: label, Value: f.Value(name, stored), Hint: hint, Wrong: f.Wrong(name), Type: "text",
	}
}

// numberField is a whole number; dateField a day.
func numberField(f form, name, label, stored, hint string) input {
	field := textField(f, name, label, stored, hint)
	field.Type = "number"
	return field
}

func dateField(f form, name, label, stored, hint string) input {
	field := textField(f, name, label, stored, hint)
	field.Type = "date"
	return field
}

// choiceField is one of several.
func choiceField(f form, name, label string, options []option, stored, hint string) input {
	field := textField(f, name, label, stored, hint)
	field.Options = slices.Clone(options)
	for i := range field.Options {
		field.Options[i].Chosen = field.Options[i].Value == field.Value
	}
	return field
}

// checkField are several of many.
func checkField(f form, name, label string, options []option, hint string) input {
	field := textField(f, name, label, "", hint)
	field.Options = slices.Clone(options)
	for i := range field.Options {
		field.Options[i].Chosen = f.Ticked(name, field.Options[i].Value, options[i].Chosen)
	}
	return field
}

// switchField is one box that is ticked or not; an unticked box is sent as nothing.
func switchField(f form, name, label string, stored bool, hint string) input {
	field := textField(f, name, label, "", hint)
	field.Options = []option{{Value: "true", Label: label, Chosen: f.Ticked(name, "true", stored)}}
	return field
}

func roleOptions(roles []domain.Role, scope domain.AccessScope) []option {
	var options []option
	for _, role := range roles {
		if role.Scope == scope {
			options = append(options, option{Value: string(role.ID), Label: role.DisplayName})
		}
	}
	return options
}

func workspaceOptions(workspaces []domain.WorkspaceView, chosen ...domain.WorkspaceID) []option {
	var options []option
	for _, workspace := range workspaces {
		options = append(options, option{Value: string(workspace.ID), Label: workspace.DisplayName, Chosen: slices.Contains(chosen, workspace.ID)})
	}
	return options
}
