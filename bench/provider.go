package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// provider is an OpenID provider that has done its work before a measurement begins:
// its token endpoint hands out tokens that were signed when the sign-in began.
type provider struct {
	issuer string
	server *http.Server
	key    *ecdsa.PrivateKey

	mutex   sync.Mutex
	answers map[string][]byte
}

func newProvider(ctx context.Context) (*provider, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &provider{issuer: "http://" + listener.Addr().String(), key: key, answers: map[string][]byte{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.write(w, map[string]any{
			"issuer": p.issuer, "authorization_endpoint": p.issuer + "/authorize", "token_endpoint": p.issuer + "/token",
			"jwks_uri": p.issuer + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		point, err := key.PublicKey.Bytes()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		p.write(w, map[string]any{"keys": []any{map[string]any{
			"kty": "EC", "crv": "P-256", "kid": "1", "alg": "ES256", "use": "sig", "x": encoded(point[1:33]), "y": encoded(point[33:]),
		}}})
	})
	mux.HandleFunc("POST /token", p.token)
	p.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = p.server.Serve(listener) }()
	return p, nil
}

func (p *provider) write(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // plain maps of texts
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mutex.Lock()
	answer, ok := p.answers[r.FormValue("code")]
	delete(p.answers, r.FormValue("code"))
	p.mutex.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	_, _ = w.Write(answer)
}

// authorize signs a token for a person and returns the code that redeems it.
func (p *provider) authorize(client, nonce, email string) (string, error) {
	now := time.Now()
	head, err := json.Marshal(map[string]string{"alg": "ES256", "kid": "1"})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"iss": p.issuer, "aud": client, "sub": email, "nonce": nonce, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"auth_time": now.Unix(), "email": email, "email_verified": true, "name": "Person " + email,
	})
	if err != nil {
		return "", err
	}
	signed := encoded(head) + "." + encoded(claims)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	answer := fmt.Appendf(nil, `{"access_token":"a","token_type":"Bearer","expires_in":3600,"id_token":%q}`, signed+"."+encoded(signature))
	code := rand.Text()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.answers[code] = answer
	return code, nil
}

func encoded(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }
