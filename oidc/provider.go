package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Config is one provider and how this server is registered there.
type Config struct {
	// ID is the provider's immutable id, part of the callback's path.
	ID string
	// Issuer is compared with discovery's as an exact string (item 1).
	Issuer   string
	ClientID string
	// ClientSecret is empty for a public client; PKCE is sent in any case.
	ClientSecret string
	Scopes       []string
	// TrustEmail takes addresses as verified when the provider does not say (R10).
	TrustEmail bool
	// SubjectClaims maps issuer prefixes to the claim that holds the subject; the longest wins (R11).
	SubjectClaims map[string]string
	// URLEncodeScopeSpaces writes %20 between scopes where a provider cannot read "+".
	URLEncodeScopeSpaces bool
	// SessionMax and OverrideExpiry are passed on to the session (R41).
	SessionMax     time.Duration
	OverrideExpiry bool
	// PublicURL is the server's base URL, base path included.
	PublicURL string
	// Client overrides the HTTP client's transport; nil means the default one.
	Transport http.RoundTripper
	// Now overrides the clock.
	Now func() time.Time
	Log *slog.Logger
}

// Provider is a provider that may be away: it is discovered when it is needed, and again now and then.
type Provider struct {
	config Config
	client *http.Client

	mutex   sync.Mutex
	found   *metadata
	foundAt time.Time
	triedAt time.Time
	lastErr error
}

// metadata is what discovery said, checked, with all that is made from it.
type metadata struct {
	oauth     oauth2.Config
	verifier  *oidc.IDTokenVerifier
	userinfo  *oidc.Provider
	issInPath bool
}

const (
	// providerTimeout bounds every request to the provider (item 6).
	providerTimeout = 10 * time.Second
	// refreshAfter is how old metadata may get before it is read again (item 10).
	refreshAfter = 24 * time.Hour
	minBackoff   = 3 * time.Second
	maxBackoff   = 30 * time.Second
)

// NewProvider makes a provider; it connects to nothing.
func NewProvider(config Config) *Provider {
	config.Issuer = strings.TrimSuffix(config.Issuer, "/.well-known/openid-configuration")
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	return &Provider{config: config, client: newClient(config.Transport)}
}

// Run keeps the metadata fresh until ctx ends: at start-up with growing pauses until the provider answers, then daily.
func (p *Provider) Run(ctx context.Context) {
	wait := minBackoff
	for {
		_, err := p.discover(ctx)
		pause := refreshAfter
		if err != nil {
			pause, wait = wait, min(2*wait, maxBackoff)
		} else {
			wait = minBackoff
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// Ready reports whether the provider has been discovered.
func (p *Provider) Ready() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.found != nil
}

// metadata returns what is known, and asks the provider when nothing is (item 8).
func (p *Provider) metadata(ctx context.Context) (*metadata, error) {
	p.mutex.Lock()
	found, failedAt, err := p.found, p.triedAt, p.lastErr
	p.mutex.Unlock()
	switch {
	case found != nil:
		return found, nil
	case err != nil && p.config.Now().Sub(failedAt) < time.Second:
		// A crowd at the door does not become a crowd at the provider.
		return nil, err
	default:
		return p.discover(ctx)
	}
}

// discover reads the metadata; a failure never erases what was known (item 9).
func (p *Provider) discover(ctx context.Context) (*metadata, error) {
	found, err := p.read(ctx)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.triedAt, p.lastErr = p.config.Now(), err
	if err != nil {
		p.config.Log.WarnContext(ctx, "the identity provider cannot be used now", "provider", p.config.ID, "error", err)
		return p.found, err
	}
	if p.found == nil {
		p.config.Log.InfoContext(ctx, "the identity provider is there", "provider", p.config.ID, "issuer", p.config.Issuer)
	}
	p.found, p.foundAt = found, p.triedAt
	return found, nil
}

// discovery is the part of the metadata that is checked here (OpenID Connect Discovery section 3).
type discovery struct {
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	UserInfo      string   `json:"userinfo_endpoint"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	IssParameter  bool     `json:"authorization_response_iss_parameter_supported"`
}

func (p *Provider) read(ctx context.Context) (*metadata, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), providerTimeout)
	defer cancel()
	provider, err := oidc.NewProvider(ctx, p.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discovery at %s: %w", p.config.Issuer, err)
	}
	var found discovery
	if err := provider.Claims(&found); err != nil {
		return nil, fmt.Errorf("discovery at %s: %w", p.config.Issuer, err)
	}
	if err := found.check(); err != nil {
		return nil, fmt.Errorf("discovery at %s: %w", p.config.Issuer, err)
	}
	return &metadata{
		oauth: oauth2.Config{
			ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Scopes: p.config.Scopes, RedirectURL: p.redirectURI(),
			Endpoint: oauth2.Endpoint{AuthURL: found.Authorization, TokenURL: found.Token, AuthStyle: p.authStyle(found.AuthMethods)},
		},
		verifier: oidc.NewVerifier(p.config.Issuer, newKeySet(found.Keys, p.client, p.config.Now), &oidc.Config{ //nolint:contextcheck // a key set outlives every request
			ClientID: p.config.ClientID, SupportedSigningAlgs: found.algorithms(), Now: p.config.Now,
			// Expiry is checked in claims.go, with a leeway that go-oidc has not.
			SkipExpiryCheck: true,
		}),
		userinfo:  provider,
		issInPath: found.IssParameter,
	}, nil
}

func (p *Provider) redirectURI() string {
	return p.config.PublicURL + callbackPath(p.config.ID)
}

// authStyle fixes the way of client authentication (item 12): left to itself, oauth2 tries both and burns the code.
func (p *Provider) authStyle(methods []string) oauth2.AuthStyle {
	if p.config.ClientSecret == "" || len(methods) > 0 && !slices.Contains(methods, "client_secret_basic") && slices.Contains(methods, "client_secret_post") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// check refuses metadata that go-oidc lets pass (items 2-4).
func (d discovery) check() error {
	for name, endpoint := range map[string]string{
		"authorization_endpoint": d.Authorization, "token_endpoint": d.Token, "jwks_uri": d.Keys,
	} {
		if endpoint == "" {
			return fmt.Errorf("%s is missing", name)
		}
		if err := checkEndpoint(endpoint); err != nil {
			return fmt.Errorf("%s %q: %w", name, endpoint, err)
		}
	}
	if d.UserInfo != "" {
		if err := checkEndpoint(d.UserInfo); err != nil {
			return fmt.Errorf("userinfo_endpoint %q: %w", d.UserInfo, err)
		}
	}
	if len(d.algorithms()) == 0 {
		return fmt.Errorf("none of the signing algorithms %q is accepted", d.Algorithms)
	}
	return nil
}

func checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return errors.New("not a plain absolute URL")
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return errors.New("https is required")
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// algorithms are the asymmetric ones that the provider says it uses; RS256 when it says nothing (item 41).
func (d discovery) algorithms() []string {
	if len(d.Algorithms) == 0 {
		return []string{oidc.RS256}
	}
	accepted := []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}
	return slices.DeleteFunc(slices.Clone(d.Algorithms), func(alg string) bool { return !slices.Contains(accepted, alg) })
}
