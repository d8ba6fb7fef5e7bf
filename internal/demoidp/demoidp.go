// Package demoidp is a small, correct OpenID provider for trying the server out and for browser tests.
// It asks for no password: one picks a person.
package demoidp

import (
	"crypto/rsa"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"sync"
	"time"
)

// Person is somebody who can sign in.
type Person struct {
	Subject, Email, Name, Given, Family string
	// Verified is what the ID token says about the address.
	Verified bool
	// Note says what happens to this person at a first sign-in, for the list that is shown.
	Note string
}

// DefaultPeople are the people of the demo.
func DefaultPeople() []Person {
	return []Person{
		{"ada", "ada@example.com", "Ada Lovelace", "Ada", "Lovelace", true, "the installation's first Organization Admin"},
		{"alice", "alice@example.com", "Alice Liddell", "Alice", "Liddell", true, "joins by signing in"},
		{"bob", "bob@example.com", "Bob Cratchit", "Bob", "Cratchit", true, "joins by signing in"},
		{"carol", "carol@other.example", "Carol Kennicott", "Carol", "Kennicott", true, "joins by signing in, from a second e-mail domain"},
		{"dave", "dave@example.com", "Dave Copperfield", "Dave", "Copperfield", false, "has an unverified address and is refused"},
	}
}

// Config is the provider's one client and its people.
type Config struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	RedirectURIs []string
	// LogoutURIs are where a browser may be sent after signing out.
	LogoutURIs []string
	People     []Person
	// KeyFile keeps the signing key over restarts; empty for a new key at every start.
	KeyFile string
}

// Provider is the running provider.
type Provider struct {
	config Config
	key    *rsa.PrivateKey
	kid    string

	mutex  sync.Mutex
	codes  map[string]grant
	access map[string]grant
}

// grant is what an authorization code stands for until it is redeemed once, and then its access token.
type grant struct {
	person                        Person
	redirectURI, nonce, challenge string
	expires, authTime             time.Time
}

const lifetime = time.Hour

//go:embed *.html *.css
var files embed.FS

// New makes a provider; it reads or makes the signing key.
func New(config Config) (*Provider, error) {
	key, err := signingKey(config.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("the demo identity provider's key: %w", err)
	}
	sum := sha256.Sum256(key.N.Bytes())
	return &Provider{
		config: config, key: key, codes: map[string]grant{}, access: map[string]grant{},
		kid: base64.RawURLEncoding.EncodeToString(sum[:8]),
	}, nil
}

// Handler serves the provider.
func (p *Provider) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /authorize", p.choose)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	mux.HandleFunc("POST /userinfo", p.userinfo)
	mux.HandleFunc("GET /end-session", p.endSession)
	mux.HandleFunc("POST /end-session", p.endSession)
	mux.HandleFunc("GET /style.css", style)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	})
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	at := func(path string) string { return p.config.Issuer + path }
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": p.config.Issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
		"jwks_uri": at("/keys"), "userinfo_endpoint": at("/userinfo"), "end_session_endpoint": at("/end-session"),
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post"},
		"authorization_response_iss_parameter_supported": true, "scopes_supported": []string{"openid", "email", "profile"},
	})
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	public := p.key.PublicKey
	writeJSON(w, http.StatusOK, map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": p.kid,
		"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
	}}})
}
