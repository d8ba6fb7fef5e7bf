// Package badidp is an OpenID provider that misbehaves on demand: one knob for each thing that a relying party must refuse or survive.
package badidp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// The client that the provider knows.
const (
	ClientID     = "relying-party"
	ClientSecret = "a secret with spaces & signs"
)

// Knobs are what is wrong; the zero value is a provider that behaves.
type Knobs struct {
	// Claims and Header edit the ID token before it is signed.
	Claims func(map[string]any)
	Header func(map[string]any)
	// Algorithm is RS256, ES256, PS256, none, HS256 with the secret ("HS256"), or with the public key as secret ("HS256-public").
	Algorithm string
	// BadSignature turns one bit of the signature.
	BadSignature bool
	// Discovery edits the metadata, Keys the published key set, TokenAnswer the token endpoint's answer.
	Discovery   func(map[string]any)
	Keys        func([]map[string]any) []map[string]any
	TokenAnswer func(map[string]any)
	// Callback edits what the provider sends back through the browser.
	Callback func(url.Values)
	// UserInfo is the answer of the userinfo endpoint; nil answers 500.
	UserInfo map[string]any
	// UserInfoHandler, Token, Discover and KeysHandler replace whole endpoints.
	UserInfoHandler http.HandlerFunc
	Token           http.HandlerFunc
	Discover        http.HandlerFunc
	KeysHandler     http.HandlerFunc
	// PublicClient asks for no secret.
	PublicClient bool
	// AuthTime is the claim of that name; nil leaves it out.
	AuthTime func() int64
	// Now is the provider's clock.
	Now func() time.Time
}

// Provider is a running provider.
type Provider struct {
	Server *httptest.Server

	mutex       sync.Mutex
	knobs       Knobs
	rsa         *rsa.PrivateKey
	ec          *ecdsa.PrivateKey
	rsaID       string
	flows       map[string]url.Values
	discoveries int
	fetches     int
	redemptions []Redemption
}

// Redemption is one request at the token endpoint.
type Redemption struct {
	// Basic says that the client authenticated itself in the header.
	Basic bool
	Form  url.Values
}

// New starts a provider that behaves until Set is called.
func New(t testing.TB) *Provider {
	t.Helper()
	p := &Provider{flows: map[string]url.Values{}, rsaID: "rsa-1"}
	p.RotateKeys(t, "rsa-1")
	var err error
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	// Issuers of Entra have a path.
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /moved/keys", p.keys)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	p.Server = httptest.NewUnstartedServer(mux)
	p.Server.Start()
	t.Cleanup(p.Server.Close)
	return p
}

// Issuer is the provider's issuer.
func (p *Provider) Issuer() string { return p.Server.URL }

// Set changes what is wrong.
func (p *Provider) Set(knobs Knobs) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.knobs = knobs
}

func (p *Provider) current() Knobs {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.knobs
}

// RotateKeys replaces the signing key by a new one with the given id.
func (p *Provider) RotateKeys(t testing.TB, id string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.rsa, p.rsaID = key, id
}

// Discoveries counts how often the metadata were asked for.
func (p *Provider) Discoveries() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.discoveries
}

// KeyFetches counts how often the keys were asked for.
func (p *Provider) KeyFetches() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.fetches
}

// Exchanges counts the requests at the token endpoint.
func (p *Provider) Exchanges() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return len(p.redemptions)
}

// Redemptions are the requests at the token endpoint, in their order.
func (p *Provider) Redemptions() []Redemption {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return slices.Clone(p.redemptions)
}

// RoundTrip implements http.RoundTripper: it answers without a network, which is what a test with a fake clock needs.
func (p *Provider) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	recorder := httptest.NewRecorder()
	p.Server.Config.Handler.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// Authorize is the browser's visit: it takes the authorization URL and returns the callback's parameters.
func (p *Provider) Authorize(t testing.TB, authorization string) url.Values {
	t.Helper()
	u, err := url.Parse(authorization)
	if err != nil {
		t.Fatal(err)
	}
	code := rand.Text()
	p.mutex.Lock()
	p.flows[code] = u.Query()
	p.mutex.Unlock()
	answer := url.Values{"code": {code}, "state": {u.Query().Get("state")}, "iss": {p.Issuer()}}
	if edit := p.current().Callback; edit != nil {
		edit(answer)
	}
	return answer
}

func (p *Provider) now() time.Time {
	if now := p.current().Now; now != nil {
		return now()
	}
	return time.Now()
}

func (p *Provider) discovery(w http.ResponseWriter, r *http.Request) {
	p.mutex.Lock()
	p.discoveries++
	knobs := p.knobs
	p.mutex.Unlock()
	if knobs.Discover != nil {
		knobs.Discover(w, r)
		return
	}
	metadata := map[string]any{
		"issuer": p.Issuer(), "authorization_endpoint": p.Issuer() + "/authorize", "token_endpoint": p.Issuer() + "/token",
		"jwks_uri": p.Issuer() + "/keys", "userinfo_endpoint": p.Issuer() + "/userinfo",
		"end_session_endpoint":                           p.Issuer() + "/end-session",
		"id_token_signing_alg_values_supported":          []string{"RS256", "ES256", "HS256", "none"},
		"authorization_response_iss_parameter_supported": true,
	}
	if knobs.Discovery != nil {
		knobs.Discovery(metadata)
	}
	writeJSON(w, http.StatusOK, metadata)
}

func (p *Provider) keys(w http.ResponseWriter, r *http.Request) {
	p.mutex.Lock()
	p.fetches++
	knobs := p.knobs
	p.mutex.Unlock()
	if knobs.KeysHandler != nil {
		knobs.KeysHandler(w, r)
		return
	}
	p.WriteKeys(w, knobs)
}

// WriteKeys answers with the key set as knobs want it; it is for handlers that are to answer well now and then.
func (p *Provider) WriteKeys(w http.ResponseWriter, knobs Knobs) {
	keys := p.PublicKeys()
	if knobs.Keys != nil {
		keys = knobs.Keys(keys)
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": keys})
}

// token answers any code that Authorize gave out, to whoever holds its verifier and names its redirect URI;
// whether a code may be redeemed twice is the client's business here.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = url.QueryEscape(r.FormValue("client_id")), url.QueryEscape(r.FormValue("client_secret"))
	}
	_ = r.ParseForm()
	p.mutex.Lock()
	p.redemptions = append(p.redemptions, Redemption{Basic: basic, Form: r.PostForm})
	knobs := p.knobs
	flow, known := p.flows[r.FormValue("code")]
	p.mutex.Unlock()
	if knobs.Token != nil {
		knobs.Token(w, r)
		return
	}
	if unescape(id) != ClientID || !knobs.PublicClient && unescape(secret) != ClientSecret {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !known || flow.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || flow.Get("redirect_uri") != r.FormValue("redirect_uri") {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	answer := map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 3600, "id_token": p.IDToken(flow.Get("nonce"))}
	if knobs.TokenAnswer != nil {
		knobs.TokenAnswer(answer)
	}
	writeJSON(w, http.StatusOK, answer)
}

func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	knobs := p.current()
	switch {
	case knobs.UserInfoHandler != nil:
		knobs.UserInfoHandler(w, r)
		return
	case knobs.UserInfo != nil && r.Header.Get("Authorization") == "Bearer access":
		writeJSON(w, http.StatusOK, knobs.UserInfo)
		return
	}
	http.Error(w, "no userinfo today", http.StatusInternalServerError)
}

func unescape(text string) string {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		return text
	}
	return plain
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // plain maps of texts and numbers
}
