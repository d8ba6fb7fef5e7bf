package oidc

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
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

// start begins a sign-in: it keeps a flow, ties it to the browser and sends the browser to the provider.
func (h *Handler) start(w http.ResponseWriter, r *http.Request) error {
	meta, err := h.provider.metadata(r.Context())
	if err != nil {
		return h.refuse(r, domain.ReasonUnreachable, err.Error())
	}
	next, ok := LocalPath(r.URL.Query().Get("next"))
	if !ok {
		next = "/"
	}
	state, binding, nonce, verifier := domain.NewOpaque(), domain.NewOpaque(), domain.NewOpaque(), oauth2.GenerateVerifier()
	now := h.provider.config.Now()
	flow := domain.Flow{
		State: domain.DigestOf(state), Binding: domain.DigestOf(binding), Provider: h.provider.config.ID,
		Issuer: h.provider.config.Issuer, RedirectURI: h.provider.redirectURI(), Nonce: nonce, Verifier: verifier,
		Next: next, Purpose: domain.PurposeLogin, CreatedAt: now, ExpiresAt: now.Add(flowLifetime),
	}
	if err := h.rules.BeginFlow(r.Context(), flow); err != nil {
		return err
	}
	h.dropOldFlows(w, r)
	h.cookies.Set(w, flowName(flow.State), flowValue(now, binding), flowLifetime)
	target := meta.oauth.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("nonce", nonce))
	if h.provider.config.URLEncodeScopeSpaces {
		endpoint, query, _ := strings.Cut(target, "?")
		target = endpoint + "?" + strings.ReplaceAll(query, "+", "%20")
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
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
