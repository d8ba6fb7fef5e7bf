package web

import (
	"net/http"
	"strings"

	"muster/internal/httpx"
)

// Routes registers every page there is, and the page for all addresses that nothing else serves.
func (w *Web) Routes(mux *http.ServeMux) {
	for _, route := range []struct {
		method, path string
		serve        httpx.Handler
	}{
		{http.MethodGet, "/{$}", w.home},
		{http.MethodGet, "/sign-in", w.signIn},
		{http.MethodGet, "/signed-out", w.signedOut},
		{http.MethodGet, "/set-up", w.setUp},
		{http.MethodGet, "/you", w.you},
		{http.MethodGet, "/you/sessions", w.sessions},
		{http.MethodPost, "/you/sessions/end", w.config.SameOrigin.Protect(w.endSession)},
		{http.MethodPost, "/you/sessions/end-others", w.config.SameOrigin.Protect(w.endOtherSessions)},
		{http.MethodPost, "/you/sessions/end-all", w.config.SameOrigin.Protect(w.endAllSessions)},
		{http.MethodPost, "/sign-out", w.config.SameOrigin.Protect(w.signOut)},
		{http.MethodGet, "/static/{file}", w.file},
		{http.MethodGet, "/signed-in", w.signedInBeside},
	} {
		mux.Handle(route.method+" "+route.path, w.page(route.serve))
		mux.Handle(route.path, w.page(w.notAllowed(route.method)))
	}
	w.console(mux)
	mux.HandleFunc("/", w.NotFound)
}

// console registers the pages of people and organizations; each takes GET, POST or both.
func (w *Web) console(mux *http.ServeMux) {
	type page = func(*visit) error
	mine := func(path string, get, post page) { w.both(mux, path, get, post, w.signedIn) }
	ours := func(path string, get, post page) { w.both(mux, "/orgs/{org}"+path, get, post, w.inOrg) }

	mine("/orgs", (*visit).orgs, (*visit).createOrg)
	mine("/you/invites", (*visit).ownInvites, nil)
	mine("/you/invites/{org}/accept", nil, (*visit).acceptInvite)
	mine("/you/invites/{org}/decline", nil, (*visit).declineInvite)
	mine("/you/tokens", (*visit).ownTokens, (*visit).createOwnToken)
	mine("/you/tokens/{key}/delete", nil, (*visit).deleteOwnToken)

	ours("", (*visit).orgHome, nil)
	ours("/default", (*visit).askDefault, (*visit).setDefault)
	ours("/settings", (*visit).settings, (*visit).saveSettings)
	ours("/health", (*visit).health, nil)

	ours("/members", (*visit).members, nil)
	ours("/members/{member}", (*visit).member, nil)
	ours("/members/{member}/role", nil, (*visit).setRole)
	ours("/members/{member}/status", nil, (*visit).setStatus)
	ours("/members/{member}/disable", (*visit).askDisable, nil)
	ours("/members/{member}/remove", (*visit).askRemove, (*visit).removeMember)
	ours("/members/{member}/sessions/end", nil, (*visit).endSessions)
	ours("/members/{member}/workspaces", nil, (*visit).enterWorkspace)
	ours("/invite", (*visit).invite, (*visit).invite)
	ours("/invites", (*visit).invites, (*visit).sendInvites)
	ours("/invites/{invite}/withdraw", nil, (*visit).withdraw)

	ours("/workspaces", (*visit).workspaces, (*visit).createWorkspace)
	ours("/workspaces/{workspace}", (*visit).workspace, nil)
	ours("/workspaces/{workspace}/rename", nil, (*visit).renameWorkspace)
	ours("/workspaces/{workspace}/handle", nil, (*visit).setHandle)
	ours("/workspaces/{workspace}/delete", (*visit).askDeleteWorkspace, (*visit).deleteWorkspace)
	ours("/workspaces/{workspace}/members", nil, (*visit).bring)
	ours("/workspaces/{workspace}/members/{member}/role", nil, (*visit).placeRole)
	ours("/workspaces/{workspace}/members/{member}/remove", nil, (*visit).leaveWorkspace)
	ours("/workspaces/{workspace}/invites/{invite}/withdraw", nil, (*visit).withdrawHere)

	ours("/roles", (*visit).roles, nil)
	ours("/roles/new", (*visit).newRole, (*visit).createRole)
	ours("/roles/{role}", (*visit).role, (*visit).updateRole)
	ours("/roles/{role}/delete", nil, (*visit).deleteRole)

	ours("/sign-in-settings", (*visit).signInSettings, nil)
	ours("/sign-in-settings/joining", nil, (*visit).saveJoining)
	ours("/sign-in-settings/defaults", nil, (*visit).saveDefaults)
	ours("/sign-in-settings/groups", nil, (*visit).saveGroupsClaim)
	ours("/sign-in-settings/providers/{provider}/test", nil, (*visit).testProvider)
	ours("/sessions/end", (*visit).askEndAll, (*visit).endAll)

	ours("/provisioning", (*visit).provisioning, nil)
	ours("/provisioning/tokens", nil, (*visit).createToken)
	ours("/provisioning/tokens/{token}/rotate", nil, (*visit).rotateToken)
	ours("/provisioning/tokens/{token}/delete", (*visit).askDeleteToken, (*visit).deleteToken)
	ours("/provisioning/connect/{provider}", (*visit).connect, nil)
	ours("/provisioning/waiting", (*visit).waiting, nil)
	ours("/provisioning/groups", (*visit).groups, nil)
	ours("/provisioning/groups/{group}", (*visit).group, (*visit).saveMapping)
	ours("/provisioning/groups/{group}/clear", nil, (*visit).clearMapping)
	ours("/provisioning/activity", (*visit).activity, nil)
	ours("/provisioning/guard", (*visit).guard, (*visit).saveGuard)
	ours("/provisioning/guard/release", (*visit).askRelease, (*visit).release)
	ours("/provisioning/guard/refuse", nil, (*visit).refuseHeld)

	ours("/keys", (*visit).keys, (*visit).createKey)
	ours("/keys/{key}/delete", (*visit).askDeleteKey, (*visit).deleteKey)
	ours("/keys/accounts", nil, (*visit).createAccount)
	ours("/keys/accounts/{account}/delete", (*visit).askDeleteAccount, (*visit).deleteAccount)
	ours("/tokens/{key}/revocation", nil, (*visit).revokeToken)
	ours("/hooks", (*visit).hooks, (*visit).createHook)
	ours("/hooks/{hook}/enabled", nil, (*visit).switchHook)
	ours("/hooks/{hook}/rotate", nil, (*visit).rotateHook)
	ours("/hooks/{hook}/test", nil, (*visit).testHook)
	ours("/hooks/{hook}/redeliver", nil, (*visit).redeliver)
	ours("/hooks/{hook}/delete", (*visit).askDeleteHook, (*visit).deleteHook)
	ours("/audit", (*visit).audit, nil)
	ours("/audit.csv", (*visit).exportAudit, nil)
}

// both registers a page under one pattern for all methods: patterns of one method would stand in each other's way where one path is wider.
func (w *Web) both(mux *http.ServeMux, path string, get, post func(*visit) error, wrap func(func(*visit) error) httpx.Handler) {
	method := http.MethodGet
	if get == nil {
		method = http.MethodPost
	}
	serve := map[string]httpx.Handler{}
	if get != nil {
		serve[http.MethodGet], serve[http.MethodHead] = wrap(get), wrap(get)
	}
	if post != nil {
		serve[http.MethodPost] = wrap(post)
	}
	refuse := w.notAllowed(method)
	if get != nil && post != nil {
		refuse = w.notAllowed(http.MethodGet, http.MethodPost)
	}
	mux.Handle(path, w.page(func(rw http.ResponseWriter, r *http.Request) error {
		if handler, ok := serve[r.Method]; ok {
			return handler(rw, r)
		}
		return refuse(rw, r)
	}))
}

// page gives a handler the headers of a page and errors that are pages.
func (w *Web) page(handler httpx.Handler) http.Handler {
	return w.headers(handler.With(w.Failed))
}

// headers sets those of every page (item 101).
func (w *Web) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		httpx.SecurityHeaders{ContentSecurityPolicy: w.policy(), PublicURL: w.config.PublicURL}.Wrap(next).ServeHTTP(rw, r)
	})
}

// policy lets a page load its own style and script and send its own forms, and nothing else.
// Signing out may lead on to a provider, which browsers count as part of the form's action (item 101).
func (w *Web) policy() string {
	forms := strings.Join(append([]string{"'self'"}, w.config.Doors.EndSessionOrigins()...), " ")
	return "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action " + forms +
		"; frame-ancestors 'none'; base-uri 'none'"
}
