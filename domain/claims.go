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
	// SessionID is the provider's "sid", for back-channel logout; empty when it sent none.
	SessionID string
	// AuthTime is when the person proved who they are; zero when the provider did not say.
	AuthTime time.Time
	// ACR and AMR say how (OpenID Connect Core section 2).
	ACR string
	AMR []string
	// TokenExpiry is the ID token's "exp"; the session's length starts from it (R41).
	TokenExpiry time.Time
	// Orgs are the organizations the provider serves; nil means all of this installation.
	Orgs []OrgID
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
	Next string
	// Purpose is "login"; a callback refuses a flow of another purpose.
	Purpose   string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// PurposeLogin is the purpose of an ordinary sign-in.
const PurposeLogin = "login"

// Client is where a request came from, for the session list and the audit log.
type Client struct {
	IP        string
	UserAgent string
	RequestID string
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
