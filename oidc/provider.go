package oidc

import (
	"context"
	"log/slog"
	"net/http"
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
	// PreviousSecret is tried when the provider does not take ClientSecret: the two overlap while one is changed (item 13).
	PreviousSecret string
	// AuthMethod is client_secret_basic, client_secret_post or none; empty for what the metadata say (item 12).
	AuthMethod string
	// DisplayName is what the sign-in page calls the provider.
	DisplayName string
	// Scopes are asked for; openid is added when it is not among them.
	Scopes []string
	// TrustEmail takes the provider's addresses as verified, whatever the token says about them (R10).
	TrustEmail bool
	// SubjectClaims maps issuer prefixes to the claim that holds the subject; the longest wins (R11).
	SubjectClaims map[string]string
	// URLEncodeScopeSpaces writes %20 between scopes where a provider cannot read "+".
	URLEncodeScopeSpaces bool
	// NonceOptional accepts ID tokens without a nonce, for providers that leave it out; a wrong one is always refused (item 44).
	NonceOptional bool
	// ForeignAzpAllowed accepts ID tokens that another client of the provider asked for (item 42).
	ForeignAzpAllowed bool
	// LogoutTypeRequired accepts logout tokens of the type logout+jwt only (item 104).
	LogoutTypeRequired bool
	// KeepIDToken keeps the ID token with the session, so that signing out can end the provider's session too (item 102).
	KeepIDToken bool
	// SessionMax and OverrideExpiry are passed on to the session (R41).
	SessionMax     time.Duration
	OverrideExpiry bool
	// PublicURL is the server's base URL, base path included.
	PublicURL string
	// Transport overrides the HTTP client's transport; nil means the default one.
	Transport http.RoundTripper
	// Now overrides the clock.
	Now func() time.Time
	Log *slog.Logger
	// Count counts how sign-ins end, "ok" or the reason of a refusal; nil counts nothing.
	Count func(provider, outcome string)
}

const (
	// providerTimeout bounds every request to the provider (item 6).
	providerTimeout = 10 * time.Second
	// refreshAfter is how old metadata may get before it is read again (item 10).
	refreshAfter = 24 * time.Hour
	minBackoff   = 3 * time.Second
	maxBackoff   = 30 * time.Second
	// crowdPause is how long a failure answers for the provider, so that a crowd at the door is no crowd at the provider.
	crowdPause = time.Second
	// doubtPause is the least time between two readings of the metadata that failed signatures ask for.
	doubtPause = time.Minute
)

// Provider is a provider that may be away: it is discovered when it is needed, and again now and then.
type Provider struct {
	config Config
	client *http.Client
	// doubted asks Run to read the metadata before its time.
	doubted chan struct{}

	mutex   sync.Mutex
	running *attempt
	found   *metadata
	keys    *keySet
	triedAt time.Time
	lastErr error
}

// attempt is one discovery; whoever needs its result waits for it.
type attempt struct {
	done  chan struct{}
	found *metadata
	err   error
}

// NewProvider makes a provider; it connects to nothing.
func NewProvider(config Config) *Provider {
	config.Issuer = strings.TrimSuffix(config.Issuer, "/.well-known/openid-configuration")
	if !slices.Contains(config.Scopes, oidc.ScopeOpenID) {
		config.Scopes = append([]string{oidc.ScopeOpenID}, config.Scopes...)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Count == nil {
		config.Count = func(string, string) {}
	}
	if config.AuthMethod == "none" {
		config.ClientSecret, config.PreviousSecret = "", ""
	}
	return &Provider{config: config, client: newClient(config.Transport), doubted: make(chan struct{}, 1)}
}

// Run keeps the metadata fresh until ctx ends: at start-up with growing pauses until the provider answers, then daily,
// and after a token that could not be verified, at most once a minute, so that a moved key set heals (item 10).
func (p *Provider) Run(ctx context.Context) {
	wait := minBackoff
	for {
		pause := refreshAfter
		if _, err := p.discover(ctx); err != nil {
			pause, wait = wait, min(2*wait, maxBackoff)
		} else {
			wait = minBackoff
		}
		select {
		case <-ctx.Done():
			return
		case <-p.doubted:
		case <-time.After(pause):
		}
	}
}

// ID returns the provider's immutable id, and Name what people know it as.
func (p *Provider) ID() string { return p.config.ID }

// Name returns what the sign-in page calls the provider.
func (p *Provider) Name() string { return p.config.DisplayName }

// StartPath is where a sign-in begins, below the base path.
func (p *Provider) StartPath() string { return startPath(p.config.ID) }

// Ready reports whether the provider has been discovered; it stays so while the provider is away.
func (p *Provider) Ready() bool {
	ready, _ := p.Status()
	return ready
}

// Status reports whether people can be sent to the provider, and what was wrong at the last attempt to read its metadata.
// A provider that was there and is away now is ready and has a problem.
func (p *Provider) Status() (ready bool, problem string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.lastErr != nil {
		problem = p.lastErr.Error()
	}
	return p.found != nil, problem
}

// metadata returns what is known, and asks the provider when nothing is (item 8).
func (p *Provider) metadata(ctx context.Context) (*metadata, error) {
	p.mutex.Lock()
	found, failedAt, err := p.found, p.triedAt, p.lastErr
	p.mutex.Unlock()
	switch {
	case found != nil:
		return found, nil
	case err != nil && p.config.Now().Sub(failedAt) < crowdPause:
		return nil, err
	default:
		return p.discover(ctx)
	}
}

// discover reads the metadata, or waits for whoever is reading it already; a failure never erases what was known (item 9).
func (p *Provider) discover(ctx context.Context) (*metadata, error) {
	p.mutex.Lock()
	current := p.running
	if current == nil {
		current = &attempt{done: make(chan struct{})}
		p.running = current
		// The one who asked first may go away; those who wait with it still want the answer.
		go p.try(context.WithoutCancel(ctx), current)
	}
	p.mutex.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-current.done:
		return current.found, current.err
	}
}

func (p *Provider) try(ctx context.Context, current *attempt) {
	defer close(current.done)
	current.found, current.err = p.read(ctx)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.running, p.triedAt, p.lastErr = nil, p.config.Now(), current.err
	if current.err != nil {
		p.config.Log.WarnContext(ctx, "the identity provider cannot be used now", "provider", p.config.ID, "error", current.err)
		return
	}
	if p.found == nil {
		p.config.Log.InfoContext(ctx, "the identity provider is there", "provider", p.config.ID, "issuer", p.config.Issuer)
	}
	p.found, p.keys = current.found, current.found.keys
}

func (p *Provider) read(ctx context.Context) (*metadata, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), providerTimeout)
	defer cancel()
	found, err := discoverAt(ctx, p.config.Issuer)
	if err != nil {
		return nil, err
	}
	if len(found.PKCE) > 0 && !slices.Contains(found.PKCE, "S256") {
		// Item 18: it is sent all the same, and a provider that does not know it ignores it.
		p.config.Log.WarnContext(ctx, "the identity provider does not list PKCE with S256", "provider", p.config.ID)
	}
	return &metadata{
		oauth: oauth2.Config{
			ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Scopes: p.config.Scopes, RedirectURL: p.redirectURI(),
			Endpoint: oauth2.Endpoint{AuthURL: found.Authorization, TokenURL: found.Token, AuthStyle: found.authStyle(p.config.ClientSecret, p.config.AuthMethod)},
		},
		checks: &oidc.Config{
			ClientID: p.config.ClientID, SupportedSigningAlgs: found.algorithms(), Now: p.config.Now,
			// Expiry is checked in verify.go, with a leeway that go-oidc has not.
			SkipExpiryCheck: true,
		},
		keys: p.keysAt(found.Keys), userinfo: found.UserInfo, endSession: found.EndSession, issInAnswer: found.IssParameter,
	}, nil
}

// keysAt keeps the keys that are known as long as they stay at the same place.
func (p *Provider) keysAt(url string) *keySet {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.keys != nil && p.keys.url == url {
		return p.keys
	}
	return newKeySet(url, p.client, p.config.Now)
}

// known returns the metadata without asking for them; nil when they were never read.
func (p *Provider) known() *metadata {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.found
}

// doubt has the metadata read again soon: a signature failed, and the keys may have moved (item 10).
func (p *Provider) doubt() {
	p.mutex.Lock()
	early := p.config.Now().Sub(p.triedAt) < doubtPause
	p.mutex.Unlock()
	if early {
		return
	}
	select {
	case p.doubted <- struct{}{}:
	default:
	}
}

func (p *Provider) redirectURI() string {
	return p.config.PublicURL + callbackPath(p.config.ID)
}
