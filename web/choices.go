package web

import (
	"slices"
	"strings"

	"muster/domain"
)

// maxChoices is how many workspaces a page offers to choose from; among more one types the name, so that no page grows with them.
const maxChoices = 50

// pickField is one workspace: chosen from a list, or typed by name where there are many; none names the choice of none.
func pickField(f form, name, label string, workspaces []option, none, hint string) input {
	if len(workspaces) <= maxChoices {
		return choiceField(f, name, label, noneOf(none, workspaces), "", hint)
	}
	field := textField(f, name, label, "", strings.TrimSpace(hint+" Type its name."))
	field.Typed = true
	return field
}

// severalField are several workspaces: boxes, or names one a line where there are many.
func severalField(f form, name, label string, workspaces []option, hint string) input {
	if len(workspaces) <= maxChoices {
		return checkField(f, name, label, workspaces, hint)
	}
	var chosen []string
	for _, one := range workspaces {
		if one.Chosen {
			chosen = append(chosen, one.Label)
		}
	}
	field := textField(f, name, label, strings.Join(chosen, "\n"), strings.TrimSpace("One name a line. "+hint))
	field.Typed = true
	return field
}

// picked is the workspace that a field names, by its id or by its name; empty when the field is.
func (v *visit) picked(field string) (domain.WorkspaceID, error) {
	found, err := v.pickedOf(field, v.value(field))
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

// pickedAll are all workspaces that the fields of a name name.
func (v *visit) pickedAll(field string) ([]domain.WorkspaceID, error) {
	return v.pickedOf(field, v.r.PostForm[field]...)
}

func (v *visit) pickedOf(field string, texts ...string) ([]domain.WorkspaceID, error) {
	found, names := []domain.WorkspaceID{}, []string{}
	for _, line := range lines(texts) {
		if id := domain.WorkspaceID(line); domain.ValidID(id) {
			found = append(found, id)
		} else {
			names = append(names, line)
		}
	}
	if len(names) == 0 {
		return found, nil
	}
	all, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		at := slices.IndexFunc(all, func(w domain.WorkspaceView) bool { return domain.Fold(w.DisplayName) == domain.Fold(name) })
		if at < 0 {
			return nil, domain.Invalidf(field, "you see no workspace called “%s”", name)
		}
		found = append(found, all[at].ID)
	}
	return found, nil
}

// lines are the lines of several texts that are not empty.
func lines(texts []string) []string {
	var found []string
	for _, text := range texts {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				found = append(found, line)
			}
		}
	}
	return found
}

// maxRowChoices is how many roles all rows of a table together offer; with more, one types the role's name.
const maxRowChoices = 400

// rowRole is the role in one row of a table.
type rowRole struct {
	ID, Label string
	// Value is the id of the role held, or its name where names are typed.
	Value   string
	Options []option
	Typed   bool
}

// rowRoles are the roles that the rows of a table offer.
type rowRoles struct {
	Options []option
	Typed   bool
}

func rowRolesOf(options []option, rows int) rowRoles {
	return rowRoles{options, len(options)*rows > maxRowChoices}
}

// Row is the field of one row.
func (r rowRoles) Row(id, label string, held domain.RoleID) rowRole {
	row := rowRole{ID: "role-" + id, Label: label, Value: string(held), Options: r.Options, Typed: r.Typed}
	for _, one := range r.Options {
		if r.Typed && one.Value == row.Value {
			row.Value, row.Options = one.Label, nil
			break
		}
	}
	return row
}

// workRole is the workspace role that a field names, by its id or by its name.
func (v *visit) workRole(field string) (domain.RoleID, error) {
	text := v.value(field)
	if domain.ValidID(domain.RoleID(text)) {
		return domain.RoleID(text), nil
	}
	roles, err := v.Rules.Roles(v.ctx(), v.scope)
	if err != nil {
		return "", err
	}
	for _, role := range roles {
		if role.Scope == domain.ScopeWorkspace && domain.Fold(role.DisplayName) == domain.Fold(text) {
			return role.ID, nil
		}
	}
	return "", domain.Invalidf(field, "there is no workspace role called “%s”", text)
}
