package admin

import (
	"net/http"
	"strings"

	"muster/domain"
	"muster/internal/httpx"
)

// operation answers a request with a result, or with the reason for none.
type operation func(w http.ResponseWriter, r *http.Request) (result, error)

// result is a status and a body; a nil body is sent as none.
type result struct {
	status int
	body   any
}

func found(body any) (result, error) { return result{http.StatusOK, body}, nil }

func write(w http.ResponseWriter, result result) error {
	w.Header().Set("Cache-Control", "no-store")
	if result.body == nil {
		w.WriteHeader(result.status)
		return nil
	}
	return httpx.WriteJSON(w, result.status, mediaType, result.body)
}

// caller is who asks, and in which organization.
type caller struct {
	principal domain.Principal
	scope     domain.OrgScope
	// workspace is the one that the request, or else the key, names; it may be empty.
	workspace domain.WorkspaceID
}

// asPerson is for what concerns the signed-in person and no organization.
func (a *api) asPerson(serve func(*http.Request, domain.Principal) (result, error)) operation {
	return func(_ http.ResponseWriter, r *http.Request) (result, error) {
		principal, err := a.principal(r)
		if err != nil {
			return result{}, err
		}
		return serve(r, principal)
	}
}

// inOrg is for what happens in one organization: the one that the key or X-Organization-Id names, or else the default one.
func (a *api) inOrg(serve func(http.ResponseWriter, *http.Request, caller) (result, error)) operation {
	return func(w http.ResponseWriter, r *http.Request) (result, error) {
		principal, err := a.principal(r)
		if err != nil {
			return result{}, err
		}
		org, err := a.org(r, principal)
		if err != nil {
			return result{}, err
		}
		scope, err := principal.In(org)
		if err != nil {
			return result{}, err
		}
		workspace := domain.WorkspaceID(strings.ToLower(r.Header.Get("X-Tenant-Id")))
		if workspace == "" {
			workspace = principal.HomeWorkspace()
		}
		return serve(w, r, caller{principal, scope, workspace})
	}
}

// principal checks the credential. A key wins over a cookie, so that nothing a browser adds changes who a script is (item 100).
func (a *api) principal(r *http.Request) (domain.Principal, error) {
	client := httpx.ClientOf(r)
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return a.Service.Key(r.Context(), key, client)
	}
	if scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return a.Service.Key(r.Context(), strings.TrimSpace(key), client)
	}
	token := a.Session(r)
	if token == "" {
		return domain.Principal{}, domain.Errorf(domain.Unauthenticated, "send a key in X-API-Key or Authorization: Bearer, or sign in")
	}
	if err := a.SameOrigin.Check(r); err != nil {
		return domain.Principal{}, err
	}
	return a.Service.Session(r.Context(), token, client)
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
