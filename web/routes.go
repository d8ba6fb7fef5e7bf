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

// register puts a page at a path; it takes GET, POST or both.
type register = func(path string, get, post func(*visit) error)

// console registers the pages of people, and those of an organization below its address.
func (w *Web) console(mux *http.ServeMux) {
	personPages(func(path string, get, post func(*visit) error) { w.both(mux, path, get, post, w.signedIn) })
	for _, pages := range []func(register){orgPages, peoplePages, workspacePages, provisioningPages, machinePages} {
		pages(func(path string, get, post func(*visit) error) { w.both(mux, "/orgs/{org}"+path, get, post, w.inOrg) })
	}
}

// personPages are about the person, and which organization to work in.
func personPages(on register) {
	on("/orgs", (*visit).orgs, (*visit).createOrg)
	on("/you/invites", (*visit).ownInvites, nil)
	on("/you/invites/{org}/accept", nil, (*visit).acceptInvite)
	on("/you/invites/{org}/decline", (*visit).askDecline, (*visit).declineInvite)
	on("/you/tokens", (*visit).ownTokens, (*visit).createOwnToken)
	on("/you/tokens/{key}/delete", (*visit).askDeleteOwnToken, (*visit).deleteOwnToken)
}

// orgPages are the organization as a whole: settings, sign-in, audit log, health.
func orgPages(on register) {
	on("", (*visit).orgHome, nil)
	on("/default", (*visit).askDefault, (*visit).setDefault)
	on("/settings", (*visit).settings, (*visit).saveSettings)
	on("/health", (*visit).health, nil)
	on("/sign-in-settings", (*visit).signInSettings, nil)
	on("/sign-in-settings/joining", nil, (*visit).saveJoining)
	on("/sign-in-settings/defaults", nil, (*visit).saveDefaults)
	on("/sign-in-settings/groups", nil, (*visit).saveGroupsClaim)
	on("/sign-in-settings/providers/{provider}/test", nil, (*visit).testProvider)
	on("/sessions/end", (*visit).askEndAll, (*visit).endAll)
	on("/audit", (*visit).audit, nil)
	on("/audit.csv", (*visit).exportAudit, nil)
}

// peoplePages are members, invites and roles.
func peoplePages(on register) {
	on("/members", (*visit).members, nil)
	on("/members/{member}", (*visit).member, nil)
	on("/members/{member}/role", nil, (*visit).setRole)
	on("/members/{member}/status", nil, (*visit).setStatus)
	on("/members/{member}/disable", (*visit).askDisable, nil)
	on("/members/{member}/remove", (*visit).askRemove, (*visit).removeMember)
	on("/members/{member}/sessions/end", nil, (*visit).endSessions)
	on("/members/{member}/workspaces", nil, (*visit).enterWorkspace)
	on("/invite", (*visit).invite, (*visit).invite)
	on("/invites", (*visit).invites, (*visit).sendInvites)
	on("/invites/{invite}/withdraw", nil, (*visit).withdraw)
	on("/roles", (*visit).roles, nil)
	on("/roles/new", (*visit).newRole, (*visit).createRole)
	on("/roles/{role}", (*visit).role, (*visit).updateRole)
	on("/roles/{role}/delete", (*visit).askDeleteRole, (*visit).deleteRole)
}

// workspacePages are workspaces and who is in them.
func workspacePages(on register) {
	on("/workspaces", (*visit).workspaces, (*visit).createWorkspace)
	on("/workspaces/{workspace}", (*visit).workspace, nil)
	on("/workspaces/{workspace}/rename", nil, (*visit).renameWorkspace)
	on("/workspaces/{workspace}/handle", nil, (*visit).setHandle)
	on("/workspaces/{workspace}/delete", (*visit).askDeleteWorkspace, (*visit).deleteWorkspace)
	on("/workspaces/{workspace}/members", nil, (*visit).bring)
	on("/workspaces/{workspace}/members/{member}/role", nil, (*visit).placeRole)
	on("/workspaces/{workspace}/members/{member}/remove", nil, (*visit).leaveWorkspace)
	on("/workspaces/{workspace}/invites/{invite}/withdraw", nil, (*visit).withdrawHere)
}

// provisioningPages are what the identity provider does: tokens, guides, groups, activity, guard.
func provisioningPages(on register) {
	on("/provisioning", (*visit).provisioning, nil)
	on("/provisioning/tokens", nil, (*visit).createToken)
	on("/provisioning/tokens/{token}/rotate", nil, (*visit).rotateToken)
	on("/provisioning/tokens/{token}/delete", (*visit).askDeleteToken, (*visit).deleteToken)
	on("/provisioning/connect/{provider}", (*visit).connect, (*visit).makeToken)
	on("/provisioning/waiting", (*visit).waiting, nil)
	on("/provisioning/groups", (*visit).groups, nil)
	on("/provisioning/groups/{group}", (*visit).group, (*visit).saveMapping)
	on("/provisioning/groups/{group}/clear", nil, (*visit).clearMapping)
	on("/provisioning/activity", (*visit).activity, nil)
	on("/provisioning/guard", (*visit).guard, (*visit).saveGuard)
	on("/provisioning/guard/release", (*visit).askRelease, (*visit).release)
	on("/provisioning/guard/refuse", nil, (*visit).refuseHeld)
}

// machinePages are keys, tokens and hooks of programs.
func machinePages(on register) {
	on("/keys", (*visit).keys, (*visit).createKey)
	on("/keys/{key}/delete", (*visit).askDeleteKey, (*visit).deleteKey)
	on("/keys/accounts", nil, (*visit).createAccount)
	on("/keys/accounts/{account}/delete", (*visit).askDeleteAccount, (*visit).deleteAccount)
	on("/tokens/{key}/revocation", nil, (*visit).revokeToken)
	on("/hooks", (*visit).hooks, (*visit).createHook)
	on("/hooks/{hook}/enabled", nil, (*visit).switchHook)
	on("/hooks/{hook}/rotate", nil, (*visit).rotateHook)
	on("/hooks/{hook}/test", nil, (*visit).testHook)
	on("/hooks/{hook}/redeliver", nil, (*visit).redeliver)
	on("/hooks/{hook}/delete", (*visit).askDeleteHook, (*visit).deleteHook)
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
