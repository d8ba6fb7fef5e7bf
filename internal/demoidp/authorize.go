package demoidp

import (
	"crypto/rand"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

var page = template.Must(template.ParseFS(files, "login.html")) //nolint:gochecknoglobals // parsed once

// authorize shows the people to pick from; a request that is wrong in itself never redirects.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if problem := p.wrong(query); problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	// Who it is, the person says and not the link.
	query.Del("subject")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	// The form's answer redirects to the client, which Chrome counts as part of form-action.
	target, _ := url.Parse(query.Get("redirect_uri"))
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self' "+target.Scheme+"://"+target.Host+"; frame-ancestors 'none'; base-uri 'none'")
	_ = page.Execute(w, map[string]any{"People": p.config.People, "Request": query})
}

func (p *Provider) wrong(query url.Values) string {
	switch {
	case query.Get("client_id") != p.config.ClientID:
		return "unknown client_id"
	case !slices.Contains(p.config.RedirectURIs, query.Get("redirect_uri")):
		return "this redirect_uri is not registered"
	case query.Get("response_type") != "code":
		return "response_type must be code"
	case query.Get("code_challenge_method") != "S256" || query.Get("code_challenge") == "":
		return "a PKCE code_challenge with S256 is required"
	default:
		return ""
	}
}

// choose issues a code for the person picked.
func (p *Provider) choose(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "malformed form", http.StatusBadRequest)
		return
	}
	if problem := p.wrong(r.PostForm); problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	i := slices.IndexFunc(p.config.People, func(person Person) bool { return person.Subject == r.PostForm.Get("subject") })
	if i < 0 {
		http.Error(w, "nobody here has this subject", http.StatusBadRequest)
		return
	}
	now := time.Now()
	code := rand.Text()
	p.mutex.Lock()
	p.codes[code] = grant{
		person: p.config.People[i], redirectURI: r.PostForm.Get("redirect_uri"), nonce: r.PostForm.Get("nonce"),
		challenge: r.PostForm.Get("code_challenge"), expires: now.Add(time.Minute), authTime: now,
	}
	p.mutex.Unlock()
	answer := url.Values{"code": {code}, "iss": {p.config.Issuer}}
	if state := r.PostForm.Get("state"); state != "" {
		answer.Set("state", state)
	}
	redirect(w, r, r.PostForm.Get("redirect_uri"), answer)
}

// endSession ends nothing, because this provider remembers nobody; it sends the browser back where it is allowed to
// (OpenID Connect RP-Initiated Logout section 2), and says so otherwise.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := r.ParseForm(); err != nil {
		http.Error(w, "malformed form", http.StatusBadRequest)
		return
	}
	back := r.Form.Get("post_logout_redirect_uri")
	switch {
	case back == "":
		_, _ = io.WriteString(w, "You are signed out of the demo identity provider.\n")
	case !slices.Contains(p.config.LogoutURIs, back):
		http.Error(w, "this post_logout_redirect_uri is not registered", http.StatusBadRequest)
	default:
		answer := url.Values{}
		if state := r.Form.Get("state"); state != "" {
			answer.Set("state", state)
		}
		redirect(w, r, back, answer)
	}
}

// redirect sends the browser to a registered URI with parameters added to those it has.
func redirect(w http.ResponseWriter, r *http.Request, target string, parameters url.Values) {
	separator := "?"
	switch {
	case len(parameters) == 0:
		separator = ""
	case strings.Contains(target, "?"):
		separator = "&"
	}
	http.Redirect(w, r, target+separator+parameters.Encode(), http.StatusSeeOther)
}
