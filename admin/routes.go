package admin

import "net/http"

// routes is every operation there is, by path and method.
func (a *api) routes() *http.ServeMux {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	mux := http.NewServeMux()
	for path, methods := range map[string]map[string]operation{
		"/info":        {get: a.info},
		"/info/health": {get: health},
		"/ok":          {get: ok},
		"/me":          {get: a.asPerson(a.me)},
		"/auth/public": {get: a.inOrg(a.authPublic)},
		"/auth/check":  {get: a.inOrg(a.authCheck)},

		"/orgs":              {get: a.asPerson(a.listOrgs), post: a.asPerson(a.createOrg)},
		"/orgs/permissions":  {get: a.inOrg(a.listPermissions)},
		"/orgs/current":      {get: a.inOrg(a.getOrg)},
		"/orgs/current/info": {get: a.inOrg(a.getOrgInfo), patch: a.inOrg(a.updateOrgInfo)},
		"/orgs/current/set-default-sso-provision":   {post: a.inOrg(a.setDefaultOrg)},
		"/orgs/current/roles":                       {get: a.inOrg(a.listRoles)},
		"/orgs/current/members":                     {get: a.inOrg(a.listAllMembers), post: a.inOrg(a.inviteMember)},
		"/orgs/current/members/active":              {get: a.inOrg(a.listActiveMembers)},
		"/orgs/current/members/pending":             {get: a.inOrg(a.listPendingMembers)},
		"/orgs/current/members/{id}":                {patch: a.inOrg(a.updateMember), remove: a.inOrg(a.removeMember)},
		"/orgs/current/members/{id}/pending":        {remove: a.inOrg(a.withdrawInvite)},
		"/orgs/current/members/{id}/access":         {get: a.inOrg(a.explainMember)},
		"/orgs/current/sso-settings":                {get: a.inOrg(a.listSSOSettings)},
		"/orgs/current/sso-settings/{id}":           {patch: a.inOrg(a.updateSSOSettings)},
		"/orgs/current/user/login-methods":          {get: a.inOrg(a.listLoginMethods)},
		"/orgs/current/scim/tokens":                 {get: a.inOrg(a.listTokens), post: a.inOrg(a.createToken)},
		"/orgs/current/scim/tokens/{id}":            {get: a.inOrg(a.getToken), patch: a.inOrg(a.updateToken), remove: a.inOrg(a.deleteToken)},
		"/orgs/current/personal-access-tokens":      {get: a.inOrg(a.listPersonalTokens), post: a.inOrg(a.createPersonalToken)},
		"/orgs/current/personal-access-tokens/{id}": {remove: a.inOrg(a.deletePersonalToken)},
		"/orgs/current/service-keys":                {get: a.inOrg(a.listServiceKeys), post: a.inOrg(a.createServiceKey)},
		"/orgs/current/service-keys/{id}":           {remove: a.inOrg(a.deleteServiceKey)},

		"/workspaces":      {get: a.inOrg(a.listWorkspaces), post: a.inOrg(a.createWorkspace)},
		"/workspaces/{id}": {get: a.inOrg(a.getWorkspace), patch: a.inOrg(a.renameWorkspace), remove: a.inOrg(a.deleteWorkspace)},
	} {
		mux.Handle(root+path, a.route(methods))
	}
	mux.Handle("/", a.route(nil))
	return mux
}
