package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"muster/domain"
	"muster/internal/httpx"
)

// class is whom an operation is for.
type class int

const (
	// anyone needs no credential.
	anyone class = iota
	// asPerson concerns the signed-in person and no organization.
	asPerson
	// inOrg happens in one organization: the one that the key or X-Organization-Id names, or else the default one.
	inOrg
	// inWorkspace happens in the workspace that X-Tenant-Id or else the key names.
	inWorkspace
)

// caller is who asks, and in which organization.
type caller struct {
	// service does what is asked for; of a request with an idempotency key, once.
	service   *domain.Service
	principal domain.Principal
	scope     domain.OrgScope
	// workspace is the one that the request, or else the key, names; it may be empty but for inWorkspace.
	workspace domain.WorkspaceID
	// named is the one that the request itself names.
	named domain.WorkspaceID
	// again reads the principal once more, to see what this request has changed.
	again func(context.Context) (domain.Principal, error)
}

// caller checks the credential and, for what happens in an organization, the right to act in it.
func (a *api) caller(r *http.Request, who class) (caller, error) {
	c, err := a.resolve(r, who)
	if r.URL.Path == root+checkPath {
		err = passOrNot(err)
	}
	return c, err
}

// checkPath is what reverse proxies ask.
const checkPath = "/auth/check"

// passOrNot turns a refusal into one of the two that reverse proxies understand.
func passOrNot(err error) error {
	switch {
	case domain.IsKind(err, domain.NotFound), domain.IsKind(err, domain.Invalid):
		return domain.Errorf(domain.Forbidden, "%s", domain.AsError(err).Text)
	case domain.IsKind(err, domain.Limited):
		return domain.Errorf(domain.Unauthenticated, "%s", domain.AsError(err).Text)
	default:
		return err
	}
}

func (a *api) resolve(r *http.Request, who class) (caller, error) {
	if who == anyone {
		return caller{service: a.Service}, nil
	}
	read := a.reader(r)
	principal, err := a.admitted(r, read)
	if err != nil {
		return caller{}, err
	}
	httpx.Identify(r.Context(), principal.HomeOrg(), principal.Actor().Credential)
	c := caller{service: a.Service, principal: principal, again: read}
	if who == asPerson {
		return c, mustBePerson(principal)
	}
	org, err := a.org(r, principal)
	if err != nil {
		return caller{}, err
	}
	if c.scope, err = principal.In(org); err != nil {
		return caller{}, err
	}
	httpx.Identify(r.Context(), org, "")
	c.named = domain.WorkspaceID(strings.ToLower(r.Header.Get("X-Tenant-Id")))
	if c.workspace = c.named; c.workspace == "" {
		c.workspace = principal.HomeWorkspace()
	}
	if who == inWorkspace && c.workspace == "" {
		return caller{}, noWorkspace(principal)
	}
	return c, nil
}

// admitted reads the principal within the limits of its credential and its address.
func (a *api) admitted(r *http.Request, read func(context.Context) (domain.Principal, error)) (domain.Principal, error) {
	address, credential := httpx.ClientOf(r).IP, domain.DigestOf(keyOf(r)+"\n"+a.Session(r))
	if err := a.Limits.knock(address, credential); err != nil {
		return domain.Principal{}, err
	}
	principal, err := read(r.Context())
	if err == nil || domain.IsKind(err, domain.Unauthenticated) {
		a.Limits.tried(address, credential, err == nil)
	}
	if err == nil && r.URL.Path != root+checkPath {
		err = a.Limits.request(principal.Actor().Credential)
	}
	return principal, err
}

// mustBePerson keeps service keys from what belongs to a person.
func mustBePerson(principal domain.Principal) error {
	if principal.IsServiceKey() {
		return domain.Errorf(domain.Forbidden, "a service key is no person; send a personal access token, or sign in")
	}
	return nil
}

func noWorkspace(principal domain.Principal) error {
	if principal.IsServiceKey() {
		return errOrgKeyNeedsWorkspace
	}
	return invalid("header", "X-Tenant-Id", "name a workspace by its id")
}

// reader finds the credential of a request.
// A key wins over a cookie, so that nothing a browser adds changes who a script is (item 100).
func (a *api) reader(r *http.Request) func(context.Context) (domain.Principal, error) {
	client := httpx.ClientOf(r)
	if key := keyOf(r); key != "" {
		return func(ctx context.Context) (domain.Principal, error) { return a.Service.Key(ctx, key, client) }
	}
	return func(ctx context.Context) (domain.Principal, error) {
		token := a.Session(r)
		if token == "" {
			return domain.Principal{}, domain.Errorf(domain.Unauthenticated, "send a key in X-API-Key or Authorization: Bearer, or sign in")
		}
		if err := a.SameOrigin.Check(r); err != nil {
			return domain.Principal{}, err
		}
		return a.Service.Session(ctx, token, client)
	}
}

// keyOf returns the key in the request's headers; an Authorization header of another scheme is none.
func keyOf(r *http.Request) string {
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key
	}
	if scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(key)
	}
	return ""
}

// org resolves the organization of a request; a key that is fixed to another one is Forbidden (checklist, item 2).
func (a *api) org(r *http.Request, principal domain.Principal) (domain.OrgID, error) {
	named := domain.OrgID(strings.ToLower(r.Header.Get("X-Organization-Id")))
	home := principal.HomeOrg()
	if named != "" && home != "" && named != home {
		return "", domain.Errorf(domain.Forbidden, "this key belongs to another organization than X-Organization-Id names")
	}
	if named != "" {
		return named, nil
	}
	return a.Service.CurrentOrganization(r.Context(), principal)
}

func requestOf(ctx huma.Context) *http.Request {
	r, _ := humago.Unwrap(ctx)
	return r
}
