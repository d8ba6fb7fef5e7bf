package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// metadata is what discovery said, checked, with all that is made from it.
type metadata struct {
	oauth oauth2.Config
	// checks are those that go-oidc makes of an ID token, with keys.
	checks *oidc.Config
	keys   *keySet
	// userinfo is the endpoint's URL, empty when there is none.
	userinfo string
	// endSession is where the provider's own session is ended (RP-Initiated Logout), empty when there is no such place.
	endSession string
	// issInAnswer says that every answer to an authorization request names its issuer (RFC 9207).
	issInAnswer bool
}

// discovery is the part of the metadata that is checked here (OpenID Connect Discovery section 3).
type discovery struct {
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	UserInfo      string   `json:"userinfo_endpoint"`
	EndSession    string   `json:"end_session_endpoint"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	PKCE          []string `json:"code_challenge_methods_supported"`
	IssParameter  bool     `json:"authorization_response_iss_parameter_supported"`
}

// discoverAt reads and checks the metadata of an issuer.
// go-oidc's errors may hold the whole answer; what is returned here is short and has no body of unknown kind in it.
func discoverAt(ctx context.Context, issuer string) (discovery, error) {
	if err := checkEndpoint(issuer); err != nil {
		return discovery{}, fmt.Errorf("the issuer %q: %w", issuer, err)
	}
	provider, err := oidc.NewProvider(ctx, issuer)
	if mismatch, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok {
		return discovery{}, mismatchError(mismatch)
	}
	if err != nil {
		return discovery{}, fmt.Errorf("discovery at %s: %s", issuer, plain(err.Error(), 300))
	}
	var found discovery
	if err := provider.Claims(&found); err != nil {
		return discovery{}, fmt.Errorf("discovery at %s: %w", issuer, err)
	}
	if err := found.check(); err != nil {
		return discovery{}, fmt.Errorf("discovery at %s: %w", issuer, err)
	}
	return found, nil
}

// mismatchError names both issuers: they must be equal to the letter, and most often a slash is missing (item 1).
func mismatchError(mismatch *oidc.IssuerMismatchError) error {
	hint := ""
	if strings.TrimSuffix(mismatch.Provided, "/") == strings.TrimSuffix(mismatch.Discovered, "/") {
		hint = "; mind the slash at the end"
	}
	return fmt.Errorf("the configured issuer is %q and the provider calls itself %.200q%s", mismatch.Provided, mismatch.Discovered, hint)
}

// check refuses metadata that go-oidc lets pass (items 2-4).
func (d discovery) check() error {
	return errors.Join(d.problems()...)
}

// problems lists every rule that the metadata break.
func (d discovery) problems() []error {
	var problems []error
	for _, endpoint := range d.endpoints() {
		switch {
		case endpoint.url == "" && endpoint.optional:
		case endpoint.url == "":
			problems = append(problems, fmt.Errorf("%s is missing", endpoint.name))
		default:
			if err := checkEndpoint(endpoint.url); err != nil {
				problems = append(problems, fmt.Errorf("%s %.200q: %w", endpoint.name, endpoint.url, err))
			}
		}
	}
	if len(d.algorithms()) == 0 {
		problems = append(problems, fmt.Errorf("none of the signing algorithms %.200q is accepted", d.Algorithms))
	}
	return problems
}

type endpoint struct {
	name, url string
	optional  bool
}

func (d discovery) endpoints() []endpoint {
	return []endpoint{
		{"authorization_endpoint", d.Authorization, false},
		{"token_endpoint", d.Token, false},
		{"jwks_uri", d.Keys, false},
		{"userinfo_endpoint", d.UserInfo, true},
		{"end_session_endpoint", d.EndSession, true},
	}
}

func checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return errors.New("not an absolute URL without user and fragment")
	}
	if address, err := netip.ParseAddr(u.Hostname()); err == nil && (address.IsLinkLocalUnicast() || address.IsUnspecified() || address.IsMulticast()) {
		// Metadata services of clouds live there, and no provider does (item 5).
		return errors.New("a link-local, unspecified or multicast address is no provider's")
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return errors.New("https is required unless the host is this machine")
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// algorithms are the asymmetric ones that the provider says it uses; RS256 when it says nothing (item 41).
func (d discovery) algorithms() []string {
	if len(d.Algorithms) == 0 {
		return []string{oidc.RS256}
	}
	accepted := []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}
	return slices.DeleteFunc(slices.Clone(d.Algorithms), func(alg string) bool { return !slices.Contains(accepted, alg) })
}

// authStyle fixes the way of client authentication (item 12): left to itself, oauth2 tries both and burns the code.
func (d discovery) authStyle(secret, method string) oauth2.AuthStyle {
	switch method {
	case "client_secret_basic":
		return oauth2.AuthStyleInHeader
	case "client_secret_post", "none":
		return oauth2.AuthStyleInParams
	}
	onlyPost := len(d.AuthMethods) > 0 && !slices.Contains(d.AuthMethods, "client_secret_basic") && slices.Contains(d.AuthMethods, "client_secret_post")
	if secret == "" || onlyPost {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}
