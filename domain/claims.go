package domain

import "time"

// Claims is what an identity provider said about the person who signs in, after every check of the ID token.
type Claims struct {
	// Provider is the configured provider's immutable id ("custom-oidc" for the first one).
	Provider string
	// Issuer and Subject identify the person at the provider; Subject is the resolved one (R11), not always "sub".
	Issuer  string
	Subject string
	// Email is empty when the provider sent none; such a sign-in is refused (R11).
	Email string
	// EmailTrusted is R10: the token said email_verified, or the operator trusts this provider's addresses.
	EmailTrusted bool
	FullName     string
	// TokenSubject is "sub" as it stands in the token.
	TokenSubject string
	// Object names the person over all of the provider's applications: Entra's tenant and object id; empty elsewhere.
	Object string
	// SessionID is the provider's "sid", for back-channel logout; empty when it sent none.
	SessionID string
	// AuthTime is when the person proved who they are; zero when the provider did not say.
	AuthTime time.Time
	// ACR and AMR say how (OpenID Connect Core section 2).
	ACR string
	AMR []string
	// TokenExpiry is the ID token's "exp"; the session's length starts from it (R41).
	TokenExpiry time.Time
	// Groups are the group names in the claims that were asked for, by the claim's name; a claim that the provider
	// left out because it is too long is not in it (Entra's overage).
	Groups map[string][]string
	// RefreshToken and IDToken are in clear, and empty unless the session is to keep them.
	RefreshToken string
	IDToken      string
	// SetUp says that the person came by the set-up link (R7).
	SetUp bool
	// SessionMax is the longest a session of this provider may last; OverrideExpiry makes it that long whatever the token says (R41).
	SessionMax     time.Duration
	OverrideExpiry bool
}

// Flow is one sign-in that has been started and not finished: it is kept on the server, bound to the browser, and used once.
type Flow struct {
	// State is the digest of the "state" parameter: the flow's key.
	State Digest
	// Binding is the digest of the cookie that ties the flow to the browser which started it.
	Binding  Digest
	Provider string
	Issuer   string
	// RedirectURI is the one that was sent; the token request repeats it.
	RedirectURI string
	Nonce       string
	// Verifier is the PKCE code verifier (RFC 7636).
	Verifier string
	// Next is the local path to go to afterwards; it has passed the redirect check.
	Next    string
	Purpose Purpose
	// Session is the digest of the session that a step-up is to prove; empty otherwise.
	Session Digest
	// Claims are those that the organizations need beside the standard ones; userinfo is asked when the token lacks one.
	Claims    []string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Purpose is what a flow was begun for; its callback does that and nothing else (A8).
type Purpose string

// The purposes.
const (
	PurposeLogin  Purpose = "login"
	PurposeStepUp Purpose = "step-up"
	PurposeSetUp  Purpose = "set-up"
)

// Client is where a request came from, for the session list and the audit log.
type Client struct {
	IP        string
	UserAgent string
	RequestID string
	// Method and Path are the request's, where it came by HTTP.
	Method string
	Path   string
	// Session is the digest of the session cookie that came with a sign-in: that session ends with it (item 85).
	Session Digest
}

// Reason says why a sign-in was refused; pages and metrics have one entry for each.
type Reason string

// The reasons for which rules R9 to R12 and R30 refuse a sign-in, and those that the protocol adds.
const (
	ReasonNotInvited      Reason = "not_invited"
	ReasonDisabled        Reason = "disabled"
	ReasonDeprovisioned   Reason = "deprovisioned"
	ReasonEmailMissing    Reason = "email_missing"
	ReasonEmailUnverified Reason = "email_unverified"
	ReasonEmailTaken      Reason = "email_taken"
	ReasonUnreachable     Reason = "provider_unreachable"
	ReasonProviderError   Reason = "provider_error"
	ReasonBadToken        Reason = "bad_token"
	ReasonFlowLost        Reason = "flow_lost"
	ReasonClockSkew       Reason = "clock_skew"
	// ReasonProviderDisabled is a provider that the operator has disabled.
	ReasonProviderDisabled Reason = "provider_disabled"
	// ReasonNoGroup is a token without a group that the organization asks for.
	ReasonNoGroup Reason = "no_group"
	// ReasonNotProved is a step-up that the provider did not answer with a fresh proof; ReasonAnotherPerson one by somebody else.
	ReasonNotProved     Reason = "not_proved"
	ReasonAnotherPerson Reason = "another_person"
	// ReasonNotRenewed is a session whose provider did not renew it.
	ReasonNotRenewed Reason = "not_renewed"
	// ReasonSetUpOver is a set-up link that is no longer good.
	ReasonSetUpOver Reason = "set_up_over"
)

// Refusal is a sign-in that was refused; it is an error whose reason the person may know.
type Refusal struct {
	Reason Reason
	// Email is the address the provider gave, shown back to the person; empty when there is none.
	Email string
	// Detail is for the log and the audit row, never for the page.
	Detail string
}

// Error implements error.
func (r *Refusal) Error() string {
	text := "sign-in refused: " + string(r.Reason)
	if r.Detail != "" {
		text += ": " + r.Detail
	}
	return text
}
