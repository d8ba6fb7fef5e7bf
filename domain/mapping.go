package domain

import (
	"strings"
)

// Mapping is what a group gives its members.
type Mapping struct {
	// OrgRole is empty when the group does not speak about the org role.
	OrgRole    RoleID                 `json:"org_role,omitempty"`
	Workspaces map[WorkspaceID]RoleID `json:"workspaces,omitempty"`
}

// Empty reports whether the group gives nothing.
func (m Mapping) Empty() bool { return m.OrgRole == "" && len(m.Workspaces) == 0 }

// Names is what a group's name is read against: an organization's separator, living workspaces and roles.
type Names struct {
	separator  string
	workspaces map[string]WorkspaceID
	roles      map[string]RoleID
}

// NewNames prepares the workspaces and roles of an organization for reading group names.
func NewNames(separator string, workspaces []Workspace, roles Roles) Names {
	names := Names{separator: separator, workspaces: map[string]WorkspaceID{}, roles: map[string]RoleID{}}
	for _, workspace := range workspaces {
		if !workspace.Deleted() {
			names.workspaces[names.key(workspace.DisplayName)] = workspace.ID
		}
	}
	for _, role := range roles.All() {
		if role.Scope == ScopeWorkspace {
			names.roles[names.key(role.DisplayName)] = role.ID
		}
	}
	return names
}

// key folds a name and drops outer spaces, so that "Editor" and " editor" are the same word.
func (n Names) key(name string) string { return strings.TrimSpace(Fold(name)) }

// Read returns what a group's name means by the convention of R31, or an empty mapping and the reason in words (R33).
func (n Names) Read(name string) (Mapping, string) {
	folded := strings.TrimSpace(Fold(name))
	best := Mapping{}
	longest := -1
	reason := "the name holds no organization role; the convention is “Organization Admins”, or “Organization User" +
		n.separator + "<workspace>" + n.separator + "<workspace role>”"
	for _, word := range orgRoleWords() {
		for _, rest := range after(folded, word.text) {
			if word.role == RoleOrgAdmin && (rest == "" || rest == "s") {
				return Mapping{OrgRole: RoleOrgAdmin}, ""
			}
			mapping, length, why := n.split(word.role, rest)
			if length > longest {
				best, longest = mapping, length
			}
			if longest < 0 && why != "" {
				reason = why
			}
		}
	}
	if longest >= 0 {
		return best, ""
	}
	return Mapping{}, reason
}

// split tries every place at which the rest may fall into workspace and role; the longest existing workspace name wins.
func (n Names) split(orgRole RoleID, rest string) (Mapping, int, string) {
	rest, found := strings.CutPrefix(strings.TrimLeft(rest, n.trim()), n.separator)
	if !found {
		return Mapping{}, -1, ""
	}
	best, longest, why := Mapping{}, -1, "after the organization role the name needs a workspace, “"+n.separator+"” and a workspace role"
	for at := 0; ; {
		next := strings.Index(rest[at:], n.separator)
		if next < 0 {
			return best, longest, why
		}
		at += next
		workspace, role := n.key(rest[:at]), n.key(rest[at+len(n.separator):])
		at += len(n.separator)
		roleID, roleKnown := n.roles[role]
		workspaceID, workspaceKnown := n.workspaces[workspace]
		switch {
		case roleKnown && workspaceKnown:
			if len(workspace) > longest {
				longest = len(workspace)
				best = Mapping{OrgRole: orgRole, Workspaces: map[WorkspaceID]RoleID{workspaceID: roleID}}
			}
		case roleKnown:
			why = "there is no workspace " + quote(workspace) + " yet"
		case workspaceKnown:
			why = "there is no workspace role " + quote(role) + " yet"
		}
	}
}

// trim is the space around separators that is forgiven; with a space as the separator none is.
func (n Names) trim() string {
	if n.separator == " " {
		return ""
	}
	return " "
}

type roleWord struct {
	text string
	role RoleID
}

// orgRoleWords lists the org roles' names, folded, with and without the space (R31).
func orgRoleWords() []roleWord {
	var words []roleWord
	for _, role := range SystemRoles() {
		if role.Scope == ScopeOrganization {
			text := Fold(role.DisplayName)
			words = append(words, roleWord{text, role.ID}, roleWord{strings.ReplaceAll(text, " ", ""), role.ID})
		}
	}
	return words
}

// after returns what follows each occurrence of word: the prefix of a group's name is free.
func after(text, word string) []string {
	var rests []string
	for at := 0; ; {
		next := strings.Index(text[at:], word)
		if next < 0 {
			return rests
		}
		at += next + len(word)
		rests = append(rests, text[at:])
	}
}
