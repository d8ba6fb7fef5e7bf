package oidc

import (
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
	h.cookies.Set(w, flowName(flow.State), strconv.FormatInt(now.Unix(), 36)+"."+binding, flowLifetime)
	target := meta.oauth.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("nonce", nonce))
	if h.provider.config.URLEncodeScopeSpaces {
		target = strings.ReplaceAll(target, "+", "%20")
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// flowName is the cookie's name: it tells parallel sign-ins apart and says nothing about the state.
func flowName(state domain.Digest) string {
	sum := sha256.Sum256([]byte(state))
	return flowCookie + base64.RawURLEncoding.EncodeToString(sum[:6])
}

// dropOldFlows makes room for one more cookie by giving up the oldest sign-ins.
func (h *Handler) dropOldFlows(w http.ResponseWriter, r *http.Request) {
	type begun struct {
		name string
		at   int64
	}
	var flows []begun
	for _, cookie := range r.Cookies() {
		base := strings.TrimPrefix(cookie.Name, "__Host-")
		if !strings.HasPrefix(base, flowCookie) {
			continue
		}
		stamp, _, _ := strings.Cut(cookie.Value, ".")
		at, err := strconv.ParseInt(stamp, 36, 64)
		if err != nil {
			at = 0
		}
		flows = append(flows, begun{base, at})
	}
	slices.SortFunc(flows, func(a, b begun) int { return int(a.at - b.at) })
	for len(flows) >= maxFlows {
		h.cookies.Clear(w, flows[0].name)
		flows = flows[1:]
	}
}

// binding returns the secret that this browser got when the flow began; empty when it has none.
func (h *Handler) binding(r *http.Request, state domain.Digest) string {
	_, binding, _ := strings.Cut(h.cookies.Get(r, flowName(state)), ".")
	return binding
}
