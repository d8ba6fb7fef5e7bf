package domain

// Finding is one check of a configured provider or of the installation (item 11).
type Finding struct {
	// Check names what was looked at, such as "discovery" or "keys".
	Check string
	// Level is "ok", "warning" or "failed".
	Level FindingLevel
	// Detail says what was found, and what to do about it when that is not well.
	Detail string
}

// FindingLevel is how a check ended.
type FindingLevel string

// The levels.
const (
	FindingOK      FindingLevel = "ok"
	FindingWarning FindingLevel = "warning"
	FindingFailed  FindingLevel = "failed"
)

// ProviderStatus is what may be known about a configured provider; it holds no secret.
type ProviderStatus struct {
	ID, Name, Issuer, ClientID string
	Ready                      bool
	// Problem is what went wrong at the last reading of its metadata; empty when nothing did.
	Problem string
	// The URLs to register at the provider.
	RedirectURI, InitiateLoginURI, BackChannelLogoutURI, FrontChannelLogoutURI, GlobalTokenRevocationURI, PostLogoutRedirectURI string
}
