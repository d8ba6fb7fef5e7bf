package domain

import (
	"time"
)

// SCIMUser is a person as an identity provider pushed it; its id is the membership's id.
type SCIMUser struct {
	ID   MemberID
	User UserID
	// Attributes is the resource as sent, without id, meta and groups; the fields below are read from it.
	// Where a query left the document as Text, it is nil and so is what is read from it.
	Attributes Document
	// Text is the document as it is stored, when a query asked for no more.
	Text string
	Profile
	// Groups are the groups the person is in; read-only, filled when the store was asked for it.
	Groups []GroupRef
	// Unchanged is true in the answer to a change that changed nothing (S21).
	Unchanged bool
	// Version counts the changes, from 1; it makes the ETag (S8).
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Profile is what the rules and the indexes need of a SCIM user.
type Profile struct {
	UserName   string
	ExternalID string
	// DisplayName may be empty; FullName is the best name there is, for the user record.
	DisplayName string
	FullName    string
	Active      bool
	// Email is the person's address by S9; empty when there is none.
	Email  string
	Emails []string
}

// GroupRef is a group as a SCIM user's "groups" shows it.
type GroupRef struct {
	ID   GroupID
	Name string
}

// ReadProfile reads a SCIM user's document: S9 decides which e-mail address is the person's.
func ReadProfile(doc Document) (Profile, error) {
	profile := Profile{
		UserName: text(doc["userName"]), ExternalID: text(doc["externalId"]),
		DisplayName: text(doc["displayName"]), Active: true,
	}
	if active, ok := doc["active"].(bool); ok {
		profile.Active = active
	}
	if profile.UserName == "" {
		return Profile{}, Invalidf("userName", "userName is required and must not be empty")
	}
	for _, field := range []struct{ name, value string }{{"userName", profile.UserName}, {"externalId", profile.ExternalID}} {
		if len(field.value) > maxKey {
			return Profile{}, Invalidf(field.name, "%s is longer than %d bytes", field.name, maxKey)
		}
	}
	profile.Email, profile.Emails = emailsOf(doc, profile.UserName)
	profile.FullName = fullName(doc, profile)
	return profile, nil
}

// maxKey bounds what goes into an index.
const maxKey = 1024

// emailsOf returns the person's address and all addresses.
// The primary one comes first, then the one of type work, then the first, then a userName that is an address (S9).
func emailsOf(doc Document, userName string) (best string, all []string) {
	rank := 0
	list, _ := doc["emails"].([]any)
	for _, element := range list {
		email, _ := element.(map[string]any)
		value := text(email["value"])
		if value == "" || len(value) > maxKey {
			continue
		}
		all = append(all, value)
		score := 1
		if Fold(text(email["type"])) == "work" {
			score = 2
		}
		if primary, _ := email["primary"].(bool); primary {
			score = 3
		}
		if score > rank && IsEmail(value) {
			best, rank = value, score
		}
	}
	if best == "" && IsEmail(userName) {
		best = userName
	}
	return best, all
}

func fullName(doc Document, profile Profile) string {
	name, _ := doc["name"].(map[string]any)
	given, family := text(name["givenName"]), text(name["familyName"])
	switch {
	case profile.DisplayName != "":
		return profile.DisplayName
	case text(name["formatted"]) != "":
		return text(name["formatted"])
	case given != "" && family != "":
		return given + " " + family
	case given != "" || family != "":
		return given + family
	default:
		return profile.UserName
	}
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

// Group is a SCIM group with what it gives.
type Group struct {
	ID          GroupID
	DisplayName string
	ExternalID  string
	// Attributes is the resource as sent, without id, meta and members.
	Attributes Document
	// Mapping is what the group gives now; Unmapped says why it gives nothing (R33).
	Mapping  Mapping
	Unmapped string
	// Explicit is true when an admin set the mapping (R32).
	Explicit bool
	// Twin is true for a group that may share its name (K12).
	Twin bool
	// Members are the first MembersAtOnce when the store was asked for them; MoreMembers says that there are others.
	Members     []GroupMember
	MoreMembers bool
	// Unchanged is true in the answer to a change that changed nothing (S21).
	Unchanged bool
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// MembersAtOnce is how many members of a group are read in one go; a larger group is read and answered in pieces.
const MembersAtOnce = 5000

// GroupMember is one member of a group.
type GroupMember struct {
	Member MemberID
	// Display is the person's or nested group's display name, computed when read.
	Display string
	// Group is true for a group inside the group, which gives nobody anything.
	Group bool
}

// Element is the member as a value of the attribute members.
func (m GroupMember) Element() map[string]any {
	kind := TypeUser
	if m.Group {
		kind = TypeGroup
	}
	return map[string]any{"value": string(m.Member), "display": m.Display, "type": kind}
}

// EnterpriseURN is the Enterprise User extension (RFC 7643 section 4.3).
const EnterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// Person is a User as another resource refers to it.
type Person struct {
	ID   MemberID
	Name string
}

// Manager returns what the person's manager is called by, whether or not there is such a person; empty for none.
func (u SCIMUser) Manager() string {
	extension, _ := u.Attributes[EnterpriseURN].(map[string]any)
	manager, _ := extension["manager"].(map[string]any)
	return text(manager["value"])
}

// NameManager puts the manager's name into the document, where the manager is one of those named (S15).
func (u SCIMUser) NameManager(people map[string]Person) {
	person, ok := people[u.Manager()]
	if !ok {
		return
	}
	extension, _ := u.Attributes[EnterpriseURN].(map[string]any)
	manager, _ := extension["manager"].(map[string]any)
	manager["displayName"] = person.Name
}
