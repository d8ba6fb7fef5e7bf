package oidc

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"muster/domain"
)

const (
	// flowLifetime is how long a person may take at the provider (item 35).
	flowLifetime = 10 * time.Minute
	flowCookie   = "muster-flow-"
	// maxFlows is the number of sign-ins that one browser may have begun (item 23).
	maxFlows = 5
)

// start begins a sign-in, by the set-up link when there is one.
func (h *Handler) start(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	flow := domain.Flow{Purpose: domain.PurposeLogin, Next: h.destination(query)}
	if token := query.Get("set-up"); token != "" {
		if err := h.rules.CheckSetUpToken(r.Context(), token); domain.IsKind(err, domain.NotFound) {
			return h.refuse(r, domain.ReasonSetUpOver, err.Error())
		} else if err != nil {
			return err
		}
		flow.Purpose = domain.PurposeSetUp
	}
	return h.begin(w, r, flow, passedOn(query))
}

// stepUp has the person of a session prove again who they are (items 110-112).
func (h *Handler) stepUp(w http.ResponseWriter, r *http.Request) error {
	if h.browser.SessionProvider(r) != h.provider.config.ID {
		return h.refuse(r, domain.ReasonFlowLost, "there is no session of this provider to prove")
	}
	flow := domain.Flow{Purpose: domain.PurposeStepUp, Next: h.destination(r.URL.Query()), Session: domain.DigestOf(h.cookies.Session(r))}
	return h.begin(w, r, flow, url.Values{"prompt": {"login"}, "max_age": {"0"}})
}

// initiated begins a sign-in that somebody else asks for, such as a tile at the provider (OpenID Connect Core section 4).
func (h *Handler) initiated(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return domain.Errorf(domain.Invalid, "the form could not be read")
	}
	if issuer := r.Form.Get("iss"); issuer != h.provider.config.Issuer {
		return h.refuse(r, domain.ReasonFlowLost, fmt.Sprintf("a sign-in was asked for at the issuer %.200q", issuer))
	}
	passed := url.Values{}
	if hint := r.Form.Get("login_hint"); hint != "" {
		passed = passedOn(url.Values{"login_hint": {hint}})
	}
	return h.begin(w, r, domain.Flow{Purpose: domain.PurposeLogin, Next: h.target(r.Form.Get("target_link_uri"))}, passed)
}

// target is the local path of an absolute URL below our own, "/" for anything else.
func (h *Handler) target(link string) string {
	path, _ := strings.CutPrefix(link, h.provider.config.PublicURL)
	return h.basePath + nextOr(path)
}

// destination is where to go afterwards: to an application on the same host where the operator allows it, or to a page of ours.
func (h *Handler) destination(query url.Values) string {
	if path, ok := returnPath(query.Get("return_to"), h.ReturnPaths); ok {
		return path
	}
	return h.basePath + nextOr(query.Get("next"))
}

// nextOr is where to go afterwards, "/" when the wish is none that may be followed.
func nextOr(wish string) string {
	if next, ok := LocalPath(wish); ok {
		return next
	}
	return "/"
}

// maxHint is the longest value of a parameter that is passed on.
const maxHint = 255

// passedOn are the parameters that go to the provider as they came (item 28).
func passedOn(query url.Values) url.Values {
	passed := url.Values{}
	for _, name := range []string{"login_hint", "domain_hint", "hd", "acr_values", "ui_locales"} {
		if text := query.Get(name); text != "" && len(text) <= maxHint && plain(text, maxHint) == text {
			passed.Set(name, text)
		}
	}
	if prompt := query.Get("prompt"); slices.Contains([]string{"login", "select_account", "consent"}, prompt) {
		passed.Set("prompt", prompt)
	}
	return passed
}

// begin keeps a flow, ties it to the browser and sends the browser to the provider.
func (h *Handler) begin(w http.ResponseWriter, r *http.Request, flow domain.Flow, extra url.Values) error {
	meta, err := h.provider.metadata(r.Context())
	if err != nil {
		return h.refuse(r, domain.ReasonUnreachable, err.Error())
	}
	if flow.Claims, err = h.rules.NeededClaims(r.Context(), h.provider.config.ID); err != nil {
		return err
	}
	state, binding, now := domain.NewOpaque(), domain.NewOpaque(), h.provider.config.Now()
	flow.State, flow.Binding = domain.DigestOf(state), domain.DigestOf(binding)
	flow.Nonce, flow.Verifier = domain.NewOpaque(), oauth2.GenerateVerifier()
	flow.Provider, flow.Issuer, flow.RedirectURI = h.provider.config.ID, h.provider.config.Issuer, h.provider.redirectURI()
	flow.CreatedAt, flow.ExpiresAt = now, now.Add(flowLifetime)
	if err := h.rules.BeginFlow(r.Context(), flow); err != nil {
		if refusal, ok := errors.AsType[*domain.Refusal](err); ok {
			return h.refuse(r, refusal.Reason, refusal.Detail)
		}
		return err
	}
	h.dropOldFlows(w, r)
	h.cookies.Set(w, flowName(flow.State), flowValue(now, binding), flowLifetime)
	http.Redirect(w, r, h.authorization(meta, state, flow, extra), http.StatusSeeOther)
	return nil
}

// authorization is the request's URL (OpenID Connect Core section 3.1.2.1).
func (h *Handler) authorization(meta *metadata, state string, flow domain.Flow, extra url.Values) string {
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(flow.Verifier), oauth2.SetAuthURLParam("nonce", flow.Nonce)}
	for name := range extra {
		options = append(options, oauth2.SetAuthURLParam(name, extra.Get(name)))
	}
	target := meta.oauth.AuthCodeURL(state, options...)
	if h.provider.config.URLEncodeScopeSpaces {
		endpoint, query, _ := strings.Cut(target, "?")
		target = endpoint + "?" + strings.ReplaceAll(query, "+", "%20")
	}
	return target
}

// flowName is the cookie's name: it tells parallel sign-ins apart and says nothing about the state.
func flowName(state domain.Digest) string {
	sum := sha256.Sum256([]byte(state))
	return flowCookie + base64.RawURLEncoding.EncodeToString(sum[:6])
}

// flowValue is the cookie's value: when the flow began, to know the oldest, and the secret that ties it to this browser.
func flowValue(began time.Time, binding string) string {
	return strconv.FormatInt(began.UnixMilli(), 36) + "." + binding
}

// readFlowValue is the inverse of flowValue; began is zero, which is the oldest, and binding empty for anything else.
func readFlowValue(value string) (began int64, binding string) {
	stamp, binding, ok := strings.Cut(value, ".")
	began, err := strconv.ParseInt(stamp, 36, 64)
	if !ok || err != nil || began < 0 {
		return 0, ""
	}
	return began, binding
}

// dropOldFlows makes room for one more cookie by giving up the oldest sign-ins.
func (h *Handler) dropOldFlows(w http.ResponseWriter, r *http.Request) {
	type begun struct {
		name string
		at   int64
	}
	var flows []begun
	for _, cookie := range r.Cookies() {
		suffix, ok := strings.CutPrefix(cookie.Name, h.cookies.Name(flowCookie))
		if !ok {
			continue
		}
		at, _ := readFlowValue(cookie.Value)
		flows = append(flows, begun{flowCookie + suffix, at})
	}
	slices.SortStableFunc(flows, func(a, b begun) int { return cmp.Compare(a.at, b.at) })
	for len(flows) >= maxFlows {
		h.cookies.Clear(w, flows[0].name)
		flows = flows[1:]
	}
}

// binding returns the secret that this browser got when the flow began; empty when it has none.
func (h *Handler) binding(r *http.Request, state domain.Digest) string {
	_, binding := readFlowValue(h.cookies.Get(r, flowName(state)))
	return binding
}
