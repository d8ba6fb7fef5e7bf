package demoidp_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/demoidp"
)

const redirect = "http://localhost:1/callback"

// provider is the demo provider behind a server whose address is its issuer.
func provider(t *testing.T, keyFile string) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	p, err := demoidp.New(demoidp.Config{
		Issuer: "http://" + server.Listener.Addr().String(), ClientID: "muster", ClientSecret: "secret",
		RedirectURIs: []string{redirect, redirect + "?tenant=1"}, LogoutURIs: []string{"http://localhost:1/out"}, People: demoidp.DefaultPeople(), KeyFile: keyFile,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = p.Handler()
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func authorization(edit func(url.Values)) url.Values {
	sum := sha256.Sum256([]byte("verifier"))
	values := url.Values{
		"response_type": {"code"}, "client_id": {"muster"}, "redirect_uri": {redirect}, "state": {"s"}, "nonce": {"n"},
		"scope": {"openid email"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	if edit != nil {
		edit(values)
	}
	return values
}

func send(t *testing.T, method, target string, form url.Values) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, target, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// code picks a person and returns the authorization code.
func code(t *testing.T, server *httptest.Server, subject string) string {
	t.Helper()
	form := authorization(nil)
	form.Set("subject", subject)
	answer, body := send(t, http.MethodPost, server.URL+"/authorize", form)
	location, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || answer.StatusCode != http.StatusSeeOther || location.Query().Get("state") != "s" || location.Query().Get("iss") != server.URL {
		t.Fatalf("%d %q %s (%v)", answer.StatusCode, answer.Header.Get("Location"), body, err)
	}
	return location.Query().Get("code")
}

func redemption(code string, edit func(url.Values)) url.Values {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {"verifier"},
		"client_id": {"muster"}, "client_secret": {"secret"},
	}
	if edit != nil {
		edit(form)
	}
	return form
}

// A code is worth one token to the client that it was made for, with its verifier and its redirect URI (A23).
func TestCodes(t *testing.T) {
	server := provider(t, "")
	for name, c := range map[string]struct {
		edit func(url.Values)
		want int
	}{
		"right":            {nil, http.StatusOK},
		"another verifier": {func(f url.Values) { f.Set("code_verifier", "x") }, http.StatusBadRequest},
		"another redirect": {func(f url.Values) { f.Set("redirect_uri", "http://evil.example/") }, http.StatusBadRequest},
		"another secret":   {func(f url.Values) { f.Set("client_secret", "x") }, http.StatusUnauthorized},
		"another client":   {func(f url.Values) { f.Set("client_id", "x") }, http.StatusUnauthorized},
		"another grant":    {func(f url.Values) { f.Set("grant_type", "password") }, http.StatusBadRequest},
		"no code":          {func(f url.Values) { f.Del("code") }, http.StatusBadRequest},
	} {
		if answer, body := send(t, http.MethodPost, server.URL+"/token", redemption(code(t, server, "alice"), c.edit)); answer.StatusCode != c.want {
			t.Errorf("%s: %d %s, want %d", name, answer.StatusCode, body, c.want)
		}
	}
	once := code(t, server, "alice")
	if answer, _ := send(t, http.MethodPost, server.URL+"/token", redemption(once, nil)); answer.StatusCode != http.StatusOK {
		t.Fatalf("the first redemption: %d", answer.StatusCode)
	}
	if answer, _ := send(t, http.MethodPost, server.URL+"/token", redemption(once, nil)); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("the second redemption: %d", answer.StatusCode)
	}
}

// The page is for a request that is right in itself; a wrong one is never redirected anywhere.
func TestAuthorize(t *testing.T) {
	server := provider(t, "")
	answer, page := send(t, http.MethodGet, server.URL+"/authorize?"+authorization(nil).Encode(), nil)
	if answer.StatusCode != http.StatusOK || !strings.Contains(page, `name="subject" value="alice"`) || !strings.Contains(page, `name="nonce" value="n"`) {
		t.Errorf("%d %s", answer.StatusCode, page)
	}
	forced := authorization(func(v url.Values) { v.Set("subject", "ada") })
	if _, page := send(t, http.MethodGet, server.URL+"/authorize?"+forced.Encode(), nil); strings.Contains(page, `type="hidden" name="subject"`) {
		t.Error("a link chose the person")
	}
	for name, edit := range map[string]func(url.Values){
		"unknown client":   func(v url.Values) { v.Set("client_id", "x") },
		"unknown redirect": func(v url.Values) { v.Set("redirect_uri", "http://evil.example/") },
		"implicit":         func(v url.Values) { v.Set("response_type", "token") },
		"no PKCE":          func(v url.Values) { v.Del("code_challenge") },
		"plain PKCE":       func(v url.Values) { v.Set("code_challenge_method", "plain") },
	} {
		answer, _ := send(t, http.MethodGet, server.URL+"/authorize?"+authorization(edit).Encode(), nil)
		if answer.StatusCode != http.StatusBadRequest || answer.Header.Get("Location") != "" {
			t.Errorf("%s: %d to %q", name, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
	form := authorization(nil)
	form.Set("subject", "mallory")
	if answer, _ := send(t, http.MethodPost, server.URL+"/authorize", form); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("nobody of that name: %d", answer.StatusCode)
	}
}

// Dave's address is unverified, and userinfo says the same as the token to its bearer only.
func TestUserInfo(t *testing.T) {
	server := provider(t, "")
	_, body := send(t, http.MethodPost, server.URL+"/token", redemption(code(t, server, "dave"), nil))
	var token struct {
		Access  string `json:"access_token"`
		IDToken string `json:"id_token"`
	}
	if err := json.Unmarshal([]byte(body), &token); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token.IDToken, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	if claims["email_verified"] != false || claims["nonce"] != "n" || claims["sub"] != "dave" {
		t.Errorf("claims %v", claims)
	}
	if answer, _ := send(t, http.MethodGet, server.URL+"/userinfo", nil); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo without a token: %d", answer.StatusCode)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/userinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token.Access)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var info map[string]any
		if err := json.NewDecoder(answer.Body).Decode(&info); err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		want := map[string]any{
			"sub": "dave", "email": "dave@example.com", "email_verified": false,
			"name": "Dave Copperfield", "given_name": "Dave", "family_name": "Copperfield",
		}
		if !maps.Equal(info, want) {
			t.Errorf("%s userinfo is %v", method, info)
		}
	}
	// A code is no access token, nor the other way round.
	if answer, _ := send(t, http.MethodPost, server.URL+"/token", redemption(token.Access, nil)); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("an access token as a code: %d", answer.StatusCode)
	}
}

// Signing out leads to registered places only, with the state that was sent; parameters are added to those that a URI has.
func TestRedirects(t *testing.T) {
	server := provider(t, "")
	for query, want := range map[string]struct {
		status   int
		location string
	}{
		"": {http.StatusOK, ""},
		"?post_logout_redirect_uri=http://evil.example/":               {http.StatusBadRequest, ""},
		"?post_logout_redirect_uri=http://localhost:1/out":             {http.StatusSeeOther, "http://localhost:1/out"},
		"?post_logout_redirect_uri=http://localhost:1/out&state=a%26b": {http.StatusSeeOther, "http://localhost:1/out?state=a%26b"},
	} {
		answer, _ := send(t, http.MethodGet, server.URL+"/end-session"+query, nil)
		if answer.StatusCode != want.status || answer.Header.Get("Location") != want.location {
			t.Errorf("%q: %d to %q", query, answer.StatusCode, answer.Header.Get("Location"))
		}
	}
	form := authorization(func(v url.Values) { v.Set("redirect_uri", redirect+"?tenant=1"); v.Set("subject", "bob") })
	answer, _ := send(t, http.MethodPost, server.URL+"/authorize", form)
	if got := answer.Header.Get("Location"); !strings.HasPrefix(got, redirect+"?tenant=1&code=") {
		t.Errorf("a redirect URI with a query: %q", got)
	}
}

// The key file keeps sign-ins working over a restart; a broken one is an error and not a new key.
func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.pem")
	_, first := send(t, http.MethodGet, provider(t, path).URL+"/keys", nil)
	_, second := send(t, http.MethodGet, provider(t, path).URL+"/keys", nil)
	if first != second || !strings.Contains(first, `"RS256"`) {
		t.Errorf("the keys are %s and %s", first, second)
	}
	if err := os.WriteFile(path, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := demoidp.New(demoidp.Config{KeyFile: path}); err == nil {
		t.Error("a broken key file was accepted")
	}
}
