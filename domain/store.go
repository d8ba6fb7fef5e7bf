package domain

import (
	"context"
	"time"
)

// Store keeps everything. Read and Write are the only ways to it: no statement runs outside a transaction.
type Store interface {
	// Read runs fn with statements that only read; each sees what was committed before it.
	// It may run fn again after a lost connection; fn has no side effects of its own.
	Read(ctx context.Context, fn func(Tx) error) error
	// Write runs fn in a transaction and commits when fn returns nil.
	// It may run fn more than once, after a conflict with another transaction; fn has no side effects of its own.
	// A run before the last one may have been told that a row was written which then turned out to be refused.
	// An error of kind Unknown means that the commit was not answered and no marker could decide.
	Write(ctx context.Context, fn func(Tx) error) error
}

// Tx is a transaction. Its methods return *Error: NotFound for a row that is not there, Unavailable for a database that does not answer.
type Tx interface {
	// Now is the transaction's time, the same throughout.
	Now() time.Time
	System(scope SystemScope) SystemTx
	Org(scope OrgScope) OrgTx
}

// SystemTx is what lies across organizations: people, how they sign in, and where each credential leads.
type SystemTx interface {
	Installation() InstallationStore
	Orgs() OrgStore
	Users() UserStore
	Identities() IdentityStore
	Sessions() SessionStore
	Renewals() RenewalStore
	LogoutTokens() LogoutTokenStore
	Flows() FlowStore
	Credentials() CredentialStore
	Attempts() AttemptStore
	Providers() ProviderStore
	Mails() MailStore
}

// OrgTx is one organization. No method takes an organization's id: the scope has fixed it.
type OrgTx interface {
	Settings() SettingsStore
	Workspaces() WorkspaceStore
	Members() MemberStore
	Access() AccessStore
	Invites() InviteStore
	SCIMUsers() SCIMUserStore
	Groups() GroupStore
	GroupMembers() GroupMemberStore
	NestedGroups() NestedGroupStore
	Tokens() TokenStore
	Definitions() DefinitionStore
	Resources() ResourceStore
	UniqueValues() UniqueValueStore
	Activity() ActivityStore
	Keys() KeyStore
	Accounts() AccountStore
	Roles() RoleStore
	Guard() GuardStore
	Feeds() FeedStore
	Hooks() HookStore
	Outbox() OutboxStore
	Tombstones() TombstoneStore
	Audit() AuditStore
}

// InstallationStore keeps the one row of the installation.
type InstallationStore interface {
	Get() (Installation, error)
	// Door returns what the default organization's door decides by about a person who comes by a provider, in one query.
	Door(user UserID, provider string) (Door, error)
	// Insert reports false when the row is already there; it waits for a concurrent insert to decide.
	Insert(Installation) (bool, error)
	// SetDefaultOrg changes the default organization if it is still from, and reports whether it was (R19).
	SetDefaultOrg(from, to OrgID) (bool, error)
	// SetSigningKey gives the installation its key if it has none yet.
	SetSigningKey(key string) error
	// SetBackupAt remembers when a backup was made.
	SetBackupAt(time.Time) error
	// ClaimAdmin names the first Admin if nobody is named yet, and reports whether it did (R7).
	ClaimAdmin(UserID) (bool, error)
}

// ProviderStore keeps which providers are disabled; the others are what the configuration says.
type ProviderStore interface {
	Disabled() ([]DisabledProvider, error)
	// Disable and Enable report whether that changed anything.
	Disable(id string) (bool, error)
	Enable(id string) (bool, error)
}

// OrgStore keeps the organizations.
type OrgStore interface {
	Get(OrgID) (Org, error)
	// List returns all organizations by name.
	List() ([]Org, error)
	Insert(Org, SSOSettings) error
	// AuditWaiting returns up to limit organizations that have audit rows without a place.
	AuditWaiting(limit int) ([]OrgID, error)
	// FeedsBehind returns up to limit organizations of which a feed has something to deliver now.
	FeedsBehind(id string, limit int) ([]OrgID, error)
	// Hooks returns the enabled event hooks of all organizations.
	Hooks() ([]EventHook, error)
}

// UserStore keeps the people.
type UserStore interface {
	Get(UserID) (User, error)
	// ByEmail finds a person by the folded address.
	ByEmail(key string) (User, error)
	// Insert reports false when the address is taken; it waits for a concurrent insert to decide (R17).
	Insert(User) (bool, error)
	// Update returns Conflict on "emails" when another user has the address.
	Update(User) error
	Delete(UserID) error
	// Lock is Get that holds the person's row until the transaction ends, so that sign-in and deprovisioning cannot pass each other.
	Lock(UserID) (User, error)
	// InvitedTo returns the organizations that have an invite for the folded address, open or expired.
	InvitedTo(emailKey string) ([]OrgID, error)
	// Memberships returns the person's organizations by name.
	Memberships(UserID) ([]Membership, error)
}

// Door is the default organization with its sign-in settings, and a person's membership there.
type Door struct {
	Installation Installation
	SSO          SSOSettings
	// ProviderDisabled says that an operator has disabled the provider.
	ProviderDisabled bool
	// Member is nil for somebody who is no member.
	Member *Member
}

// ExternalMatch is a SCIM user found by externalId over all organizations.
type ExternalMatch struct {
	Org    OrgID
	Member MemberID
	User   UserID
}

// IdentityStore keeps the ways people sign in.
type IdentityStore interface {
	// Find returns the identity, or NotFound.
	Find(issuer, subject string) (Identity, error)
	// Hold returns the person with the identity, or NotFound, and holds their row as UserStore.Lock does.
	Hold(issuer, subject string) (User, error)
	OfUser(UserID) ([]Identity, error)
	// Insert reports false when the pair is taken; it waits for a concurrent insert to decide (R17).
	Insert(Identity) (bool, error)
	DeleteOfUser(UserID) error
	// ByObject returns the identities with that Object at a provider.
	ByObject(provider, object string) ([]Identity, error)
	// ByExternalID returns the SCIM users with that externalId in any organization (R9).
	ByExternalID(externalID string) ([]ExternalMatch, error)
}

// SessionStore keeps the signed-in browsers.
type SessionStore interface {
	// Insert keeps a session; of its person's sessions the newest remain, as many as keep says, or all when that is zero.
	Insert(session Session, keep int) error
	// Find returns a session whose EndsAt has not come, with its user and memberships, in one query.
	// It leaves out what no request needs: the tokens, where and how the person signed in, and the provider's name for the session.
	Find(Digest) (Session, Holder, error)
	// List returns the sessions that a filter selects, the newest first.
	List(SessionFilter) ([]Session, error)
	// UserOf returns the person of the sessions with that "sub" at an issuer, or NotFound.
	UserOf(issuer, tokenSubject string) (UserID, error)
	// Touch records that a session is in use.
	Touch(Digest, time.Time) error
	// Delete ends a session and returns its tokens, or NotFound.
	Delete(Digest) (Tokens, error)
	// DeleteOfUser ends all sessions of a person.
	DeleteOfUser(UserID) error
	// DeleteWhere ends the sessions that a filter selects.
	DeleteWhere(SessionFilter) ([]EndedSession, error)
	// DeleteExpired removes what has expired, at most limit rows.
	DeleteExpired(limit int) (int, error)
}

// RenewalStore renews sessions, one process at a time (item 94).
type RenewalStore interface {
	// Lease hands the session's tokens to the one who may renew it until a time.
	// It is NotFound while another one has the lease or waits, and when the session is gone or not due.
	Lease(session Digest, lease string, until time.Time) (Tokens, error)
	// Renew keeps what the provider gave, where a token that is empty stays as it was; NotFound when the lease or the session is gone.
	Renew(session Digest, lease string, expires time.Time, tokens Tokens) error
	// Pause gives the lease back; nobody gets it before a time.
	Pause(session Digest, lease string, until time.Time) error
	// Sealed returns up to limit sessions with tokens, by digest after the one given, and Reseal replaces a session's tokens.
	Sealed(after Digest, limit int) ([]Session, error)
	Reseal(session Digest, from, to Tokens) error
}

// LogoutTokenStore remembers the tokens by which providers ended sessions, until they expire (item 104).
type LogoutTokenStore interface {
	// Remember reports false for a token that is remembered already.
	Remember(issuer, id string, expires time.Time) (bool, error)
	// DeleteExpired removes what has expired, at most limit rows.
	DeleteExpired(limit int) (int, error)
}

// FlowStore keeps the sign-ins that have been started.
type FlowStore interface {
	Insert(Flow) error
	// Consume deletes and returns the flow; of concurrent calls exactly one gets it.
	Consume(state Digest) (Flow, error)
	// DeleteExpired removes what has expired, at most limit rows.
	DeleteExpired(limit int) (int, error)
}

// CredentialStore finds the organization that a credential leads to.
type CredentialStore interface {
	SCIMToken(Digest) (SCIMToken, error)
	// SCIMTokenByID finds the token that a client names when it asks for an access token.
	SCIMTokenByID(TokenID) (SCIMToken, error)
	// Expiring returns the SCIM tokens that end between two times and were warned of at a lower level.
	Expiring(from, to time.Time, level int) ([]SCIMToken, error)
	// InsertAccess keeps an access token, and Access returns the SCIM token behind one that has not expired.
	InsertAccess(AccessToken) error
	Access(Digest) (SCIMToken, error)
	// DeleteExpired removes access tokens that have expired, at most limit rows.
	DeleteExpired(limit int) (int, error)
	// DeleteActivity removes provisioning activity from before a time, at most limit rows.
	DeleteActivity(before time.Time, limit int) (int, error)
	// Key returns a key and, for a personal one, its holder.
	Key(Digest) (Key, Holder, error)
}

// OutboxStore keeps an organization's mail until it is sent.
type OutboxStore interface {
	Insert(Mail) error
	// List returns what waits and what was given up, the oldest first.
	List(limit int) ([]Mail, error)
}

// MailStore hands out all organizations' mail to whoever sends it.
type MailStore interface {
	// Lease returns up to limit mails that are due, each to one caller until a time.
	Lease(lease string, until time.Time, limit int) ([]Mail, error)
	// Delete forgets a mail that was sent, and Delay tries it again at a time unless it is dead; NotFound when the lease has passed on.
	Delete(mail Mail, lease string) error
	Delay(mail Mail, lease string, until time.Time) error
	// DeleteDead forgets dead mail from before a time, at most limit rows.
	DeleteDead(before time.Time, limit int) (int, error)
}

// AttemptStore remembers requests that carried an idempotency key.
type AttemptStore interface {
	// Get finds an attempt by its credential and key.
	Get(Attempt) (Done, error)
	// Insert reports false when there is one already; it waits for a concurrent insert to decide.
	Insert(Done) (bool, error)
	// Answer keeps status and answer.
	Answer(Done) error
	// DeleteBefore forgets what is older, at most limit rows.
	DeleteBefore(at time.Time, limit int) (int, error)
}

// SettingsStore keeps the organization's own row and its SSO settings.
type SettingsStore interface {
	Get() (Org, error)
	Update(Org) error
	// Lock holds the organization's row until the transaction ends.
	// Whatever changes what a group's name can mean, or who the Admins are, takes it first.
	Lock() (Org, error)
	SSO() (SSOSettings, error)
	UpdateSSO(SSOSettings) error
}

// WorkspaceStore keeps the workspaces.
type WorkspaceStore interface {
	// Get returns a living or deleted workspace.
	Get(WorkspaceID) (Workspace, error)
	// List returns the workspaces by name.
	List(includeDeleted bool) ([]Workspace, error)
	// Insert returns Conflict on "display_name" when a living workspace has the name.
	Insert(Workspace) error
	// Update returns Conflict as Insert does; setting DeletedAt also takes everybody out.
	Update(Workspace) error
}

// MemberStore keeps the memberships.
type MemberStore interface {
	Get(MemberID) (Member, error)
	ByUser(UserID) (Member, error)
	// List returns members with the people behind them.
	List(MemberQuery) ([]MemberView, error)
	// Like lists members by globs in order of creation, and CountLike counts them, without a window.
	Like(PeopleMatch) ([]MemberView, error)
	CountLike(PeopleMatch) (int, error)
	// Insert reports false when the user is already a member; it waits for a concurrent insert to decide (R17).
	Insert(Member) (bool, error)
	SetStatus(MemberID, Status) error
	// Delete removes the membership with everything that hangs on it: workspace and group memberships and the SCIM resource.
	Delete(MemberID) error
	// Lock holds the members' rows until the transaction ends, so that two groups cannot decide about a person at once.
	Lock([]MemberID) error
	// CountAdmins returns the number of active Organization Admins (R8).
	CountAdmins() (int, error)
	// CountActive returns the number of active members.
	CountActive() (int, error)
	// More reports whether there are more members than so many.
	More(than int) (bool, error)
}

// AccessStore keeps what members hold.
type AccessStore interface {
	// Load returns the holdings of those ids that exist.
	Load([]MemberID) (map[MemberID]Holding, error)
	// Groups returns, per member, the groups that give something.
	Groups([]MemberID) (map[MemberID][]GroupGrants, error)
	Save([]AccessChange) error
}

// InviteStore keeps the pending members.
type InviteStore interface {
	Get(InviteID) (Invite, error)
	// ByEmail finds an invite by the folded address, open or expired.
	ByEmail(key string) (Invite, error)
	List(MemberQuery) ([]Invite, error)
	// Like lists invites by globs in order of creation.
	Like(PeopleMatch) ([]Invite, error)
	// Put inserts the invite or replaces the one for the same address (R22).
	Put(Invite) error
	Delete(InviteID) error
}

// TokenStore keeps the SCIM tokens.
type TokenStore interface {
	Get(TokenID) (SCIMToken, error)
	List() ([]SCIMToken, error)
	Insert(SCIMToken) error
	Update(SCIMToken) error
	Delete(TokenID) error
	// Exists reports whether the token is there.
	Exists(TokenID) (bool, error)
	// Touch records a use; the caller coalesces.
	Touch(TokenID, time.Time) error
	// Warned notes that somebody was told of the token's end, and reports whether this level is new.
	Warned(id TokenID, level int) (bool, error)
}

// KeyStore keeps personal access tokens and service keys.
type KeyStore interface {
	Get(KeyID) (Key, error)
	// List returns keys of a kind; of one user when user is not empty.
	List(kind KeyKind, user UserID) ([]Key, error)
	Insert(Key) error
	// Update writes a service key's roles and when a key was revoked.
	Update(Key) error
	Delete(KeyID) error
	// DeleteOfAccount ends all keys of a service account.
	DeleteOfAccount(AccountID) error
	// DeleteOfUser ends all of a person's tokens in this organization.
	DeleteOfUser(UserID) error
	// Touch records a use; the caller coalesces.
	Touch(KeyID, time.Time) error
}

// AccountStore keeps the service accounts.
type AccountStore interface {
	Get(AccountID) (ServiceAccount, error)
	// List returns the accounts by name.
	List() ([]ServiceAccount, error)
	// Insert returns Conflict on "name".
	Insert(ServiceAccount) error
	Delete(AccountID) error
}

// RoleStore keeps the custom roles.
type RoleStore interface {
	Get(RoleID) (Role, error)
	List() ([]Role, error)
	// Insert and Update return Conflict on "display_name".
	Insert(Role) error
	Update(Role) error
	Delete(RoleID) error
	// Use counts what uses a role.
	Use(RoleID) (RoleUse, error)
}

// GuardStore keeps the deprovision guard (R39).
type GuardStore interface {
	// Get returns the guard, or DefaultGuard where nobody has set one.
	Get() (Guard, error)
	// Lock is Get that holds the guard until the transaction ends.
	Lock() (Guard, error)
	Put(Guard) error
	// Spend counts people who lost access at a time, and Spent returns how many did since one.
	Spend(at time.Time, people int) error
	Spent(since time.Time) (int, error)
	// Hold notes a request that was held back; the same one again is counted.
	Hold(HeldRequest) error
	// Held returns up to limit held requests, the latest first, and how many there are.
	Held(limit int) ([]HeldRequest, int, error)
	// Clear forgets what was held and what was counted.
	Clear() error
}

// TombstoneStore remembers, by digest only, who was deleted through SCIM (R30).
type TombstoneStore interface {
	// Put remembers one person under several marks.
	Put(MemberID, []Digest) error
	// Any reports whether one of the marks belongs to somebody remembered.
	Any([]Digest) (bool, error)
	// Clear forgets every person that one of the marks belongs to.
	Clear([]Digest) error
}

// HookStore keeps the event hooks and what could not be delivered to them.
type HookStore interface {
	Get(HookID) (EventHook, error)
	List() ([]EventHook, error)
	Insert(EventHook) error
	Update(EventHook) error
	// Delete takes the dead letters with it.
	Delete(HookID) error
	// Letters returns the dead letters of a hook, the oldest first.
	Letters(HookID) ([]DeadLetter, error)
	// Bury keeps a dead letter; the same one again changes nothing.
	Bury(DeadLetter) error
	Unbury(DeadLetter) error
}

// FeedStore keeps how far the audit log has been sent on.
type FeedStore interface {
	Get(id string) (Feed, error)
	// Lease hands a feed, made where there is none, to one process until a time; NotFound while another one has it or it is paused.
	Lease(id, lease string, until time.Time) (Feed, error)
	// Advance gives the lease back with the place that was reached, and Delay until a time with the reason why it was not;
	// NotFound when the lease has passed to another process.
	Advance(id, lease string, seq int64) error
	Delay(feed Feed, lease string, until time.Time) error
	Delete(id string) error
}

// AuditStore is append-only.
type AuditStore interface {
	Append(AuditEvent) error
	List(AuditQuery) ([]AuditEvent, error)
	// Head returns the end of the chain; in a transaction that writes it holds it until the end.
	Head() (ChainHead, error)
	// Waiting returns up to limit rows that have no place yet, in order of id.
	Waiting(limit int) ([]AuditEvent, error)
	// Place writes the rows' places and hashes, and the chain's new end.
	Place([]AuditEvent, ChainHead) error
	// From returns up to limit rows whose place is behind after, in order.
	From(after int64, limit int) ([]AuditEvent, error)
}
