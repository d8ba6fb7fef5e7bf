package domain

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Org is an organization: the tenant that members, workspaces, groups and keys belong to.
type Org struct {
	ID          OrgID
	DisplayName string
	// Personal organizations have one member and never become the default one (R6, R19).
	Personal   bool
	CreatedBy  UserID
	CreatedAt  time.Time
	ModifiedAt time.Time
	Settings   OrgSettings
}

// OrgSettings are what an organization decides for itself.
type OrgSettings struct {
	// JITEnabled lets first-time users join (R12); the installation's flag beats it (R13).
	JITEnabled bool `json:"jit_provisioning_enabled"`
	// InvitesEnabled allows invites in the default organization (R12, R20).
	InvitesEnabled bool `json:"invites_enabled"`
	// WorkspaceAdminCanInvite is R21's switch for one organization.
	WorkspaceAdminCanInvite bool `json:"workspace_admin_can_invite_to_org"`
	PATCreationDisabled     bool `json:"pat_creation_disabled"`
	PublicSharingDisabled   bool `json:"public_sharing_disabled"`
	SSOOnly                 bool `json:"sso_only"`
	// The expiry caps are in days; nil means no cap (R42).
	MaxAPIKeyExpiryDays     *int   `json:"max_api_key_expiry_days"`
	MaxPATExpiryDays        *int   `json:"max_pat_expiry_days"`
	MaxServiceKeyExpiryDays *int   `json:"max_service_key_expiry_days"`
	SecurityContact         string `json:"security_contact"`
	// GroupSeparator stands between the parts of a group's name (R31).
	GroupSeparator string `json:"scim_group_name_separator"`
	// GroupTwinsAllowed lets SCIM groups share a name; by default a name is unique, because names grant roles (K12).
	GroupTwinsAllowed bool `json:"scim_group_twins_allowed"`
}

// GroupSeparators are the characters that may stand between the parts of a group's name (R31).
const GroupSeparators = ":-_ &"

// DefaultSettings is what a new organization starts with.
func DefaultSettings() OrgSettings {
	return OrgSettings{JITEnabled: true, InvitesEnabled: true, GroupSeparator: ":"}
}

// Validate returns Invalid, naming the field, for a setting that is not allowed.
func (s OrgSettings) Validate() error {
	if s.SecurityContact != "" && !IsEmail(s.SecurityContact) {
		return Invalidf("security_contact", "%q is not an e-mail address", s.SecurityContact)
	}
	if len(s.GroupSeparator) != 1 || !strings.Contains(GroupSeparators, s.GroupSeparator) {
		return Invalidf("scim_group_name_separator", "the separator must be one of %q", GroupSeparators)
	}
	for field, days := range map[string]*int{
		"max_api_key_expiry_days":     s.MaxAPIKeyExpiryDays,
		"max_pat_expiry_days":         s.MaxPATExpiryDays,
		"max_service_key_expiry_days": s.MaxServiceKeyExpiryDays,
	} {
		if days != nil && *days < 1 {
			return Invalidf(field, "an expiry limit is at least 1 day; leave it out for none")
		}
	}
	return nil
}

// SSOSettings are the default organization's record of how first-time users join (R14).
type SSOSettings struct {
	ID                   string
	ProviderID           string
	DefaultWorkspaceRole RoleID
	// DefaultWorkspaces may be empty: the person then joins the organization only.
	DefaultWorkspaces []WorkspaceID
	// The groups settings are for SSO groups sync.
	GroupsEnabled  bool
	GroupsClaim    string
	GroupsRequired bool
	GroupsRoleSync bool
	// Removed says that the organization has given the record up; its people join by invite and SCIM only.
	Removed bool
}

// Installation is the one row that says which organization is the default one.
type Installation struct {
	DefaultOrg OrgID
	// InitialOrg is the organization that start-up created (R7).
	InitialOrg OrgID
	// Admin is the user whom start-up's address made an Organization Admin; empty until that first sign-in.
	Admin UserID
	// SigningKey makes what the server hands out and takes back, such as cursors, tamper-evident; it is hex.
	SigningKey string
	// BackupAt is when the command line last made a backup; zero for never.
	BackupAt time.Time
}

// Workspace is a place inside an organization that members have roles in.
type Workspace struct {
	ID          WorkspaceID
	DisplayName string
	CreatedAt   time.Time
	// DeletedAt is zero while the workspace lives; a deleted one is kept but nobody is in it.
	DeletedAt time.Time
	// Handle is a short name for addresses; it may be empty.
	Handle string
}

// Deleted reports whether the workspace was deleted.
func (w Workspace) Deleted() bool { return !w.DeletedAt.IsZero() }

// orgName are the characters of the model's API, in every alphabet, and what addresses and companies have in their names.
var orgName = regexp.MustCompile(`^[\pL\pM\pN\-_ '@().,&+]+$`)

// checkOrgName is checkName for organizations.
func checkOrgName(name string) (string, error) {
	name, err := checkName(name)
	if err == nil && !orgName.MatchString(name) {
		err = Invalidf("display_name", "an organization's name has letters, digits, spaces and any of - _ ' @ ( ) . , & +")
	}
	return name, err
}

const maxName = 200 // characters

// checkName bounds a display name and returns it without outer spaces.
func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return "", Invalidf("display_name", "a name must not be empty")
	}
	if utf8.RuneCountInString(name) > maxName {
		return "", Invalidf("display_name", "a name has at most %d characters", maxName)
	}
	return name, nil
}
