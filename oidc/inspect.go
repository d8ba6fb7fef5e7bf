package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"muster/domain"
)

// Inspect finds out whether a provider would work, and reports every rule that it breaks; it keeps nothing (item 11).
func Inspect(ctx context.Context, config Config) []domain.Finding {
	return NewProvider(config).Inspect(ctx)
}

// Inspect is the package's Inspect for a provider that is in use, which it leaves as it is.
func (p *Provider) Inspect(ctx context.Context) []domain.Finding {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), providerTimeout)
	defer cancel()
	report := &report{}
	if err := checkEndpoint(p.config.Issuer); err != nil {
		report.failed("issuer", "the issuer %q: %v", p.config.Issuer, err)
		return report.findings
	}
	found, err := p.inspectDiscovery(ctx, report)
	if err != nil {
		return report.findings
	}
	p.inspectKeys(ctx, report, found.Keys)
	p.inspectMetadata(report, found)
	p.inspectSettings(report, found)
	return report.findings
}

// report collects findings in the order of the checks.
type report struct{ findings []domain.Finding }

func (r *report) add(level domain.FindingLevel, check, format string, args ...any) {
	r.findings = append(r.findings, domain.Finding{Check: check, Level: level, Detail: fmt.Sprintf(format, args...)})
}

func (r *report) ok(check, format string, args ...any) {
	r.add(domain.FindingOK, check, format, args...)
}

func (r *report) warn(check, format string, args ...any) {
	r.add(domain.FindingWarning, check, format, args...)
}

func (r *report) failed(check, format string, args ...any) {
	r.add(domain.FindingFailed, check, format, args...)
}

// wideDiscovery are the metadata that an inspection looks at beyond those that sign-in needs.
type wideDiscovery struct {
	discovery

	Issuer          string   `json:"issuer"`
	Scopes          []string `json:"scopes_supported"`
	Claims          []string `json:"claims_supported"`
	ResponseTypes   []string `json:"response_types_supported"`
	GrantTypes      []string `json:"grant_types_supported"`
	BackChannel     bool     `json:"backchannel_logout_supported"`
	FrontChannel    bool     `json:"frontchannel_logout_supported"`
	SessionInLogout bool     `json:"backchannel_logout_session_supported"`
}

// inspectDiscovery reads the metadata itself, so that all that is wrong with them is reported and not the first thing only.
func (p *Provider) inspectDiscovery(ctx context.Context, report *report) (wideDiscovery, error) {
	var found wideDiscovery
	target := strings.TrimSuffix(p.config.Issuer, "/") + "/.well-known/openid-configuration"
	date, err := p.readJSON(ctx, target, &found)
	if err != nil {
		report.failed("discovery", "%s: %s", target, plain(err.Error(), 300))
		return found, err
	}
	report.ok("discovery", "%s answers", target)
	if found.Issuer != p.config.Issuer {
		report.failed("issuer", "%v", mismatchError(&oidc.IssuerMismatchError{Provided: p.config.Issuer, Discovered: found.Issuer}))
	} else {
		report.ok("issuer", "the provider calls itself %q, as configured", found.Issuer)
	}
	p.inspectClock(report, date)
	return found, nil
}

// inspectClock compares the clocks by the answer's Date, which counts whole seconds.
func (p *Provider) inspectClock(report *report, date string) {
	there, err := http.ParseTime(date)
	if err != nil {
		return
	}
	off := p.config.Now().Sub(there).Round(time.Second)
	switch {
	case off.Abs() > skew:
		report.failed("clock", "this server's clock and the provider's differ by %s, and at most %s is accepted: set the clock by NTP", off.Abs(), skew)
	case off.Abs() > skew/2:
		report.warn("clock", "this server's clock and the provider's differ by %s; above %s sign-in fails", off.Abs(), skew)
	default:
		report.ok("clock", "the clocks agree")
	}
}

// readJSON reads a document and returns the answer's Date.
func (p *Provider) readJSON(ctx context.Context, target string, into any) (date string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return "", err
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("it answers %d", answer.StatusCode)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return "", fmt.Errorf("the answer is not the JSON document that it should be (%s)", answer.Header.Get("Content-Type"))
	}
	return answer.Header.Get("Date"), nil
}

func (p *Provider) inspectKeys(ctx context.Context, report *report, target string) {
	if target == "" || checkEndpoint(target) != nil {
		return // reported with the metadata
	}
	var set struct {
		Keys []struct {
			Type      string `json:"kty"`
			ID        string `json:"kid"`
			Use       string `json:"use"`
			Algorithm string `json:"alg"`
		} `json:"keys"`
	}
	if _, err := p.readJSON(ctx, target, &set); err != nil {
		report.failed("keys", "%s: %s", target, plain(err.Error(), 300))
		return
	}
	usable, nameless := 0, 0
	for _, key := range set.Keys {
		if slices.Contains([]string{"RSA", "EC", "OKP"}, key.Type) && key.Use != "enc" {
			usable++
			if key.ID == "" {
				nameless++
			}
		}
	}
	switch {
	case usable == 0:
		report.failed("keys", "%s holds no RSA, EC or OKP key to verify signatures with", target)
	case nameless > 0 && len(set.Keys) > 1:
		report.warn("keys", "%d of %d keys have no kid: a token that names one is refused", nameless, usable)
	default:
		report.ok("keys", "keys to verify signatures with: %d", usable)
	}
}

func (p *Provider) inspectMetadata(report *report, found wideDiscovery) {
	problems := found.problems()
	for _, problem := range problems {
		report.failed("metadata", "%v", problem)
	}
	if len(problems) == 0 {
		report.ok("metadata", "every endpoint that is needed is there; ID tokens are signed with %s", strings.Join(found.algorithms(), ", "))
	}
	if len(found.ResponseTypes) > 0 && !slices.Contains(found.ResponseTypes, "code") {
		report.failed("metadata", "response_types_supported has no \"code\"")
	}
	if len(found.PKCE) > 0 && !slices.Contains(found.PKCE, "S256") {
		report.warn("PKCE", "code_challenge_methods_supported lists %s and not S256, which is sent all the same", strings.Join(found.PKCE, ", "))
	}
}

// inspectSettings compares what is configured here with what the provider says it can do.
func (p *Provider) inspectSettings(report *report, found wideDiscovery) {
	for _, scope := range p.config.Scopes {
		if len(found.Scopes) > 0 && !slices.Contains(found.Scopes, scope) {
			report.warn("scopes", "the scope %q is not among scopes_supported", scope)
		}
	}
	methods := found.AuthMethods
	if wanted := p.config.AuthMethod; wanted != "" && len(methods) > 0 && !slices.Contains(methods, wanted) {
		report.failed("client authentication", "tokenAuthMethod is %q and the provider supports %s", wanted, strings.Join(methods, ", "))
	}
	if p.config.KeepIDToken && found.EndSession == "" {
		report.warn("sign-out", "idpLogoutEnabled is on and the provider has no end_session_endpoint: signing out ends the session here only")
	}
	if !found.BackChannel {
		report.warn("back-channel logout", "the provider does not offer it: sessions here end by their own length, by SCIM and by administrators")
	} else {
		report.ok("back-channel logout", "the provider offers it; register %s", p.config.PublicURL+startPath(p.config.ID)+"/backchannel-logout")
	}
	if claim := subjectClaim(p.config.Issuer, p.config.SubjectClaims); len(found.Claims) > 0 && !slices.Contains(found.Claims, claim) {
		report.warn("subject", "the claim %q names people here and is not among claims_supported", claim)
	}
	if p.config.NonceOptional || p.config.ForeignAzpAllowed {
		report.warn("switches", "nonceOptional or foreignAzpAllowed is on: ID tokens are checked less strictly than they could be")
	}
}

// Describe returns what may be known about the provider and what to register there.
func (p *Provider) Describe() domain.ProviderStatus {
	ready, problem := p.Status()
	base := p.config.PublicURL + startPath(p.config.ID)
	return domain.ProviderStatus{
		ID: p.config.ID, Name: p.config.DisplayName, Issuer: p.config.Issuer, ClientID: p.config.ClientID, Ready: ready, Problem: problem,
		RedirectURI: p.redirectURI(), InitiateLoginURI: base + "/initiate-login", BackChannelLogoutURI: base + "/backchannel-logout",
		FrontChannelLogoutURI: base + "/frontchannel-logout", GlobalTokenRevocationURI: base + "/global-token-revocation",
		PostLogoutRedirectURI: p.config.PublicURL + SignedOutPath,
	}
}
