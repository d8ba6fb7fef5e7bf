package domain

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Policy is what the operator configured for the installation.
type Policy struct {
	// InitialOrgName, DefaultWorkspaceName and InitialAdminEmail are what start-up creates (R7); the address may be empty.
	InitialOrgName       string
	DefaultWorkspaceName string
	InitialAdminEmail    string
	// OrgCreationDisabled is R5, PersonalOrgsDisabled R6, WorkspaceInvitesEnabled R21.
	OrgCreationDisabled     bool
	PersonalOrgsDisabled    bool
	WorkspaceInvitesEnabled bool
	// JITEnabled false beats every organization's own setting (R13).
	JITEnabled bool
	// PATCreationDisabled forbids new personal access tokens everywhere.
	PATCreationDisabled bool
	// PublicURL is where people reach the server, without a trailing slash; MailEnabled says that mail can be sent (R24).
	PublicURL   string
	MailEnabled bool
	// InviteExpiry is how long an invite stays open; zero means for ever (R23).
	InviteExpiry time.Duration
	// Providers are the enabled OpenID providers by id; nil stands for any provider, serving everybody.
	Providers map[string]ProviderPolicy
	// Keyring seals providers' tokens at rest.
	Keyring Keyring
	// SessionIdle is how long a session may go unused, zero for ever; SessionsPerUser is how many one person may have, zero any number (item 93).
	SessionIdle     time.Duration
	SessionsPerUser int
	// StepUpMaxAge is how long a sign-in is recent enough for sensitive changes; zero asks for no step-up (item 110).
	StepUpMaxAge time.Duration
	// Definitions are the SCIM schemas and resource types that every organization has (S17).
	Definitions Definitions
}

// ProviderOIDC is the id of the first configured OpenID provider, as the API's paths spell it.
const ProviderOIDC = "custom-oidc"

// Service is the rules at work on a store: each use case is a method, and each runs in one transaction.
// Every method returns an *Error or a *Refusal, and nothing else.
type Service struct {
	*memory

	store  Store
	policy Policy
	// seen is what the caller saw before a change; empty for most.
	seen Seen
}

// memory is what a process remembers between requests.
type memory struct {
	// definitions remembers what organizations declared, by OrgID.
	definitions sync.Map
	presumed    presumptions
	// signingKey is read once; it never changes.
	signingKey atomic.Pointer[string]
	renewer    Renewer
}

// New returns the use cases over a store.
func New(store Store, policy Policy) *Service {
	policy.Definitions.normalize()
	return &Service{memory: &memory{}, store: store, policy: policy}
}

// Policy returns what the operator configured.
func (s *Service) Policy() Policy { return s.policy }

// readOrg runs fn in a read transaction of one organization.
func (s *Service) readOrg(ctx context.Context, scope OrgScope, fn func(Tx, OrgTx) error) error {
	return s.store.Read(ctx, func(tx Tx) error { return inOrg(tx, scope, fn) })
}

// writeOrg runs fn in a write transaction of one organization.
func (s *Service) writeOrg(ctx context.Context, scope OrgScope, fn func(Tx, OrgTx) error) error {
	return s.store.Write(ctx, func(tx Tx) error { return inOrg(tx, scope, fn) })
}

func inOrg(tx Tx, scope OrgScope, fn func(Tx, OrgTx) error) error {
	org := tx.Org(scope)
	if err := scope.verify(org); err != nil {
		return err
	}
	return fn(tx, org)
}
