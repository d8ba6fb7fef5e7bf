package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"muster/domain"
)

// Provider is an OpenID provider and how this server is registered there.
type Provider struct {
	// ID is immutable: callback path, sessions and identities carry it.
	ID           string
	Enabled      bool
	ClientID     string
	ClientSecret string
	// ClientSecretPrevious is tried when the provider does not take ClientSecret, for changing it without a gap.
	ClientSecretPrevious string
	IssuerURL            string
	DisplayName          string
	Scopes               []string
	SessionMax           time.Duration
	OverrideTokenExpiry  bool
	IDPLogout            bool
	URLEncodeScopeSpaces bool
	TrustEmail           bool
	// SubClaimOverrides maps an issuer prefix to the claim that holds its subject (R11).
	SubClaimOverrides map[string]string
	// TokenAuthMethod is how the client authenticates itself; empty for what the metadata say.
	TokenAuthMethod string
	// CAFile names further certificate authorities.
	CAFile string
	// The switches for providers that do less than they should; off by default.
	NonceOptional      bool
	ForeignAzpAllowed  bool
	LogoutTypeRequired bool
	// Orgs are the organizations it serves; nil for the whole installation.
	Orgs []domain.OrgID
}

// oauthSettings are the keys of the first provider.
func oauthSettings() []setting {
	return []setting{
		{key: "config.oauth.enabled", help: "sign-in through OpenID Connect; true when an issuer is set", set: optionalFlag(func(c *Config) *bool { return &c.OAuth.Enabled })},
		{key: "config.oauth.oauthClientSecretPrevious", env: []string{"OAUTH_CLIENT_SECRET_PREVIOUS"}, secret: true, help: "the secret before, tried second while the provider changes over", set: plain(func(c *Config) *string { return &c.OAuth.ClientSecretPrevious })},
		{key: "config.oauth.oauthClientId", env: []string{"OAUTH_CLIENT_ID"}, help: "client id at the provider", set: plain(func(c *Config) *string { return &c.OAuth.ClientID })},
		{key: "config.oauth.oauthClientSecret", env: []string{"OAUTH_CLIENT_SECRET"}, secret: true, help: "client secret; without it a public client with PKCE", set: plain(func(c *Config) *string { return &c.OAuth.ClientSecret })},
		{key: "config.oauth.oauthIssuerUrl", env: []string{"OAUTH_ISSUER_URL"}, help: "the provider's issuer; /.well-known/openid-configuration at its end is cut", set: setIssuer},
		{key: "config.oauth.displayName", env: []string{"OAUTH_DISPLAY_NAME"}, def: "single sign-on", help: "what the sign-in page calls the provider", set: plain(func(c *Config) *string { return &c.OAuth.DisplayName })},
		{key: "config.oauth.oauthScopes", env: []string{"OAUTH_SCOPES"}, def: "email,profile,openid", help: "what is asked for, with commas or spaces; offline_access makes sessions renewable", set: setScopes},
		{key: "config.oauth.oauthSessionMaxSec", env: []string{"OAUTH_SESSION_MAX_SEC"}, def: "86400", help: "longest session in seconds, at most 604800", set: setSessionMax},
		{key: "config.oauth.idpLogoutEnabled", env: []string{"OAUTH_IDP_LOGOUT_ENABLED"}, def: "false", help: "signing out ends the provider's session too", set: flag(func(c *Config) *bool { return &c.OAuth.IDPLogout })},
		{key: "config.oauth.tokenAuthMethod", env: []string{"OAUTH_TOKEN_AUTH_METHOD"}, help: "client_secret_basic, client_secret_post or none; empty: what the provider's metadata say", set: setAuthMethod},
		{key: "config.oauth.caFile", env: []string{"OAUTH_CA_FILE"}, help: "PEM file of further certificate authorities for the provider", set: plain(func(c *Config) *string { return &c.OAuth.CAFile })},
		{key: "config.oauth.nonceOptional", env: []string{"OAUTH_NONCE_OPTIONAL"}, def: "false", help: "accept ID tokens without a nonce; a wrong one never is", set: flag(func(c *Config) *bool { return &c.OAuth.NonceOptional })},
		{key: "config.oauth.foreignAzpAllowed", env: []string{"OAUTH_FOREIGN_AZP_ALLOWED"}, def: "false", help: "accept ID tokens that another client of the provider asked for (azp)", set: flag(func(c *Config) *bool { return &c.OAuth.ForeignAzpAllowed })},
		{key: "config.oauth.logoutTokenTypeRequired", env: []string{"OAUTH_LOGOUT_TOKEN_TYPE_REQUIRED"}, def: "false", help: "accept logout tokens of type logout+jwt only", set: flag(func(c *Config) *bool { return &c.OAuth.LogoutTypeRequired })},
		{key: "config.oauth.overrideTokenExpiry", env: []string{"OAUTH_OVERRIDE_TOKEN_EXPIRY"}, def: "false", help: "sessions last the longest time whatever the token says", set: flag(func(c *Config) *bool { return &c.OAuth.OverrideTokenExpiry })},
		{key: "config.oauth.urlEncodeScopeSpaces", env: []string{"OAUTH_URL_ENCODE_SCOPE_SPACES"}, def: "false", help: "%20 instead of + between scopes", set: flag(func(c *Config) *bool { return &c.OAuth.URLEncodeScopeSpaces })},
		{key: "config.oauth.trustEmail", env: []string{"OAUTH_TRUST_EMAIL"}, def: "false", help: "take addresses as verified when the provider does not say", set: flag(func(c *Config) *bool { return &c.OAuth.TrustEmail })},
		{key: "config.oauth.subClaimOverrides", env: []string{"ISSUER_SUB_CLAIM_OVERRIDES"}, help: "JSON: which claim holds the subject, by the issuer's beginning; Entra ID's is oid without it", set: setSubClaims},
	}
}

// listedProvider is an entry of config.providers; its keys are those of config.oauth.
type listedProvider struct {
	ID                       string            `json:"id"`
	DisplayName              string            `json:"displayName"`
	Enabled                  *bool             `json:"enabled"`
	ClientID                 string            `json:"oauthClientId"`
	ClientSecret             string            `json:"oauthClientSecret"`
	ClientSecretFile         string            `json:"oauthClientSecretFile"`
	ClientSecretPrevious     string            `json:"oauthClientSecretPrevious"`
	ClientSecretPreviousFile string            `json:"oauthClientSecretPreviousFile"`
	IssuerURL                string            `json:"oauthIssuerUrl"`
	Scopes                   scopes            `json:"oauthScopes"`
	SessionMaxSec            *int              `json:"oauthSessionMaxSec"`
	OverrideTokenExpiry      bool              `json:"overrideTokenExpiry"`
	IDPLogout                bool              `json:"idpLogoutEnabled"`
	URLEncodeScopeSpaces     bool              `json:"urlEncodeScopeSpaces"`
	TrustEmail               bool              `json:"trustEmail"`
	SubClaimOverrides        map[string]string `json:"subClaimOverrides"`
	TokenAuthMethod          string            `json:"tokenAuthMethod"`
	CAFile                   string            `json:"caFile"`
	NonceOptional            bool              `json:"nonceOptional"`
	ForeignAzpAllowed        bool              `json:"foreignAzpAllowed"`
	LogoutTypeRequired       bool              `json:"logoutTokenTypeRequired"`
	Orgs                     []domain.OrgID    `json:"orgs"`
}

// scopes reads a list, or one text with commas or spaces.
type scopes []string

// UnmarshalJSON implements json.Unmarshaler.
func (s *scopes) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*s = splitScopes(text)
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(s))
}

func splitScopes(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

var errSessionMax = errors.New("allowed are 60 to 604800 seconds")

func sessionMax(seconds int) (time.Duration, error) {
	if seconds < 60 || seconds > 604800 {
		return 0, errSessionMax
	}
	return time.Duration(seconds) * time.Second, nil
}

// setProviders reads the list; secrets can stand in files of their own.
func setProviders(c *Config, text string) error {
	if text == "" {
		return nil
	}
	var listed []listedProvider
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&listed); err != nil {
		// The decoder's own text may quote a secret.
		return fmt.Errorf("a list of providers with the keys of config.oauth, an id and orgs: %s", strings.TrimPrefix(typeOnly(err), "json: "))
	}
	for i, one := range listed {
		provider, err := one.provider()
		if err != nil {
			return fmt.Errorf("entry %d (%q): %w", i+1, one.ID, err)
		}
		c.Providers = append(c.Providers, provider)
	}
	return nil
}

// typeOnly leaves values out of a decoder's message.
func typeOnly(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("%s cannot be of this type", wrong.Field)
	}
	return err.Error()
}

func (l listedProvider) provider() (Provider, error) {
	p := Provider{
		ID: l.ID, DisplayName: l.DisplayName, Enabled: l.Enabled == nil || *l.Enabled, ClientID: l.ClientID,
		Scopes: l.Scopes, OverrideTokenExpiry: l.OverrideTokenExpiry, IDPLogout: l.IDPLogout,
		URLEncodeScopeSpaces: l.URLEncodeScopeSpaces, TrustEmail: l.TrustEmail, SubClaimOverrides: l.SubClaimOverrides,
		TokenAuthMethod: l.TokenAuthMethod, CAFile: l.CAFile, NonceOptional: l.NonceOptional,
		ForeignAzpAllowed: l.ForeignAzpAllowed, LogoutTypeRequired: l.LogoutTypeRequired, Orgs: l.Orgs,
	}
	if p.DisplayName == "" {
		p.DisplayName = l.ID
	}
	if p.Scopes == nil {
		p.Scopes = []string{"email", "profile", "openid"}
	}
	seconds := 86400
	if l.SessionMaxSec != nil {
		seconds = *l.SessionMaxSec
	}
	var err error
	if p.SessionMax, err = sessionMax(seconds); err != nil {
		return Provider{}, fmt.Errorf("oauthSessionMaxSec: %w", err)
	}
	if p.ClientSecret, err = secretOf(l.ClientSecret, l.ClientSecretFile); err != nil {
		return Provider{}, fmt.Errorf("oauthClientSecretFile: %w", err)
	}
	if p.ClientSecretPrevious, err = secretOf(l.ClientSecretPrevious, l.ClientSecretPreviousFile); err != nil {
		return Provider{}, fmt.Errorf("oauthClientSecretPreviousFile: %w", err)
	}
	if p.IssuerURL, err = checkIssuer(l.IssuerURL); err != nil {
		return Provider{}, fmt.Errorf("oauthIssuerUrl: %w", err)
	}
	return p, nil
}

func secretOf(text, path string) (string, error) {
	if path == "" {
		return text, nil
	}
	if text != "" {
		return "", errors.New("the secret is given twice, as text and as a file")
	}
	raw, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	return strings.TrimRight(string(raw), "\r\n"), err
}

// maskProviders hides the secrets in the list.
func maskProviders(text string) string {
	var listed []map[string]any
	if text == "" {
		return ""
	}
	if json.Unmarshal([]byte(text), &listed) != nil {
		return "********"
	}
	for _, one := range listed {
		for _, key := range []string{"oauthClientSecret", "oauthClientSecretPrevious"} {
			if _, ok := one[key]; ok {
				one[key] = "********"
			}
		}
	}
	masked, err := json.Marshal(listed)
	if err != nil {
		return "********"
	}
	return string(masked)
}

// checkIssuer returns the issuer without the path of discovery.
func checkIssuer(text string) (string, error) {
	text = strings.TrimSuffix(text, "/.well-known/openid-configuration")
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.RawQuery != "" {
		return "", errors.New("an issuer is a URL such as https://login.example.com/oauth2/default")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return "", errors.New("an issuer must use https unless it is on this machine")
	}
	if shared := sharedTenant(u); shared != "" {
		return "", fmt.Errorf("the tenant %q stands for every company at Entra; name your own tenant's id in its place", shared)
	}
	return text, nil
}

// sharedTenant returns the name of an Entra tenant that is not one: anybody at all could sign in through it (item 76).
func sharedTenant(u *url.URL) string {
	if u.Hostname() != "login.microsoftonline.com" {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if slices.Contains([]string{"common", "organizations", "consumers"}, strings.ToLower(first)) {
		return first
	}
	return ""
}

// setAuthMethod names one of the ways of client authentication (OpenID Connect Core section 9).
func setAuthMethod(c *Config, text string) error {
	c.OAuth.TokenAuthMethod = text
	return checkAuthMethod(text)
}

func checkAuthMethod(text string) error {
	if slices.Contains([]string{"", "client_secret_basic", "client_secret_post", "none"}, text) {
		return nil
	}
	return errors.New("allowed are client_secret_basic, client_secret_post and none")
}

// providerID is what may stand in a path and in a cookie's name; the words of our own paths are taken.
var providerID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// finishProviders checks every provider by itself and all together, and tells the rules about those that are enabled.
func (c *Config) finishProviders() error {
	c.OAuth.ID = domain.ProviderOIDC
	c.Providers = append([]Provider{c.OAuth}, c.Providers...)
	seen := map[string]bool{}
	for i, p := range c.Providers {
		where := "config.oauth"
		if i > 0 {
			where = fmt.Sprintf("config.providers[%d]", i-1)
		}
		if i > 0 && (!providerID.MatchString(p.ID) || seen[p.ID]) {
			return fmt.Errorf("%s.id = %q: an id has 1 to 40 small letters, digits and hyphens, and no other provider has it", where, p.ID)
		}
		seen[p.ID] = true
		if !p.Enabled {
			continue
		}
		if err := p.check(where); err != nil {
			return err
		}
	}
	c.Providers = slices.DeleteFunc(c.Providers, func(p Provider) bool { return !p.Enabled })
	c.Policy.Providers = map[string]domain.ProviderPolicy{}
	for _, p := range c.Providers {
		c.Policy.Providers[p.ID] = domain.ProviderPolicy{Issuer: p.IssuerURL, Orgs: p.Orgs}
	}
	return c.checkEncryption()
}

func (p Provider) check(where string) error {
	if p.IssuerURL == "" {
		return fmt.Errorf("%s.oauthIssuerUrl is missing: the provider is enabled, so its issuer URL is needed", where)
	}
	if p.ClientID == "" {
		return fmt.Errorf("%s.oauthClientId is missing: with an issuer, the client id registered there is needed", where)
	}
	if !slices.Contains(p.Scopes, "openid") {
		return fmt.Errorf("%s.oauthScopes = %q: the scopes must hold openid", where, strings.Join(p.Scopes, " "))
	}
	if err := checkAuthMethod(p.TokenAuthMethod); err != nil {
		return fmt.Errorf("%s.tokenAuthMethod = %q: %w", where, p.TokenAuthMethod, err)
	}
	for _, org := range p.Orgs {
		if !domain.ValidID(org) {
			return fmt.Errorf("%s.orgs: %q is no organization's id; \"muster org list\" prints them", where, org)
		}
	}
	if p.Orgs != nil && len(p.Orgs) == 0 {
		return fmt.Errorf("%s.orgs is empty: name the organizations that the provider serves, or leave the key out for all", where)
	}
	return nil
}

// KeepsTokens reports whether sessions of the provider keep any of its tokens, which are sealed at rest (item 97).
func (p Provider) KeepsTokens() bool {
	return p.IDPLogout || slices.Contains(p.Scopes, "offline_access")
}
