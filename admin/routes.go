package admin

import "net/http"

// routes is every operation there is.
func (a *api) routes() {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete

	at(a, route{get, "/info", a.infoClass(), "What this server is and which flags are on", 0}, a.info)
	at(a, route{get, "/info/health", anyone, "Whether this server is well", 0}, health)
	at(a, route{get, "/ok", anyone, "Whether this server answers", 0}, ok)
	at(a, route{get, "/me", asPerson, "The caller's organizations, workspaces, roles and permissions, and why", 0}, a.me)
	at(a, route{get, "/auth/public", inOrg, "Which user, organization and workspace a credential stands for", 0}, authPublic)
	at(a, route{get, checkPath, inOrg, "Whether a request may pass, for reverse proxies and applications", 0}, a.authCheck)

	at(a, route{get, "/orgs", asPerson, "The caller's organizations", 0}, a.listOrgs)
	at(a, route{post, "/orgs", asPerson, "Create an organization", 0}, a.createOrg)
	at(a, route{get, "/orgs/permissions", inOrg, "Every permission there is", 0}, listPermissions)
	at(a, route{get, "/orgs/pending", asPerson, "The organizations that have invited the caller", 0}, a.listOwnInvites)
	at(a, route{remove, "/orgs/pending/{organization_id}", asPerson, "Decline an invite", 0}, a.declineOwnInvite)
	at(a, route{post, "/orgs/pending/{organization_id}/claim", asPerson, "Join an organization by invite", 0}, a.claimOwnInvite)
	at(a, route{get, "/orgs/current", inOrg, "The organization", 0}, a.getOrg)
	at(a, route{get, "/orgs/current/info", inOrg, "The organization's settings", 0}, a.getOrgInfo)
	at(a, route{patch, "/orgs/current/info", inOrg, "Change the organization's settings", 0}, a.updateOrgInfo)
	at(a, route{post, "/orgs/current/set-default-sso-provision", inOrg, "Make this the organization that first-time users join", 0}, a.setDefaultOrg)
	at(a, route{get, "/orgs/current/roles", inOrg, "The roles that can be held here", 0}, a.listRoles)
	at(a, route{post, "/orgs/current/roles", inOrg, "Create a custom role", 0}, a.createRole)
	at(a, route{patch, "/orgs/current/roles/{role_id}", inOrg, "Change a custom role", 0}, a.updateRole)
	at(a, route{remove, "/orgs/current/roles/{role_id}", inOrg, "Delete a custom role that nothing uses", 0}, a.deleteRole)

	at(a, route{get, "/audit-logs", inOrg, "Who did what, newest first", 0}, a.listAudit)

	a.memberRoutes()
	a.ssoRoutes()
	a.scimRoutes()
	a.eventRoutes()
	a.keyRoutes()
	a.signInRoutes()
	a.workspaceRoutes()
}

// memberRoutes are the operations on members and pending members of the organization.
func (a *api) memberRoutes() {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete

	at(a, route{get, "/orgs/current/members", inOrg, "All members and pending members", 0}, a.listAllMembers)
	at(a, route{post, "/orgs/current/members", inOrg, "Invite somebody", 0}, a.inviteMember)
	at(a, route{post, "/orgs/current/members/batch", inOrg, "Invite up to 500 people, all or none", 0}, a.inviteMembers)
	at(a, route{get, "/orgs/current/members/active", inOrg, "Members, page by page", 0}, a.listActiveMembers)
	at(a, route{get, "/orgs/current/members/pending", inOrg, "Pending members, page by page", 0}, a.listPendingMembers)
	at(a, route{get, "/platform/orgs/current/members", inOrg, "Members and pending members with groups and workspaces, page by page", 0}, a.listEveryone)
	at(a, route{get, "/orgs/current/members/personal-access-tokens", inOrg, "Every member's tokens", 0}, a.listMembersTokens)
	at(a, route{patch, "/orgs/current/members/{identity_id}", inOrg, "Change a member's role, or disable and enable them", 0}, a.updateMember)
	at(a, route{remove, "/orgs/current/members/{identity_id}", inOrg, "Remove a member", 0}, a.removeMember)
	at(a, route{remove, "/orgs/current/members/{identity_id}/pending", inOrg, "Withdraw an invite", 0}, a.withdrawInvite)
	at(a, route{get, "/orgs/current/members/{identity_id}/access", inOrg, "What a member may do, and why", 0}, a.explainMember)
}

// ssoRoutes are the operations on how people sign in and join.
func (a *api) ssoRoutes() {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete

	at(a, route{get, "/orgs/current/user/login-methods", inOrg, "The caller's ways to sign in", 0}, a.listLoginMethods)
	at(a, route{patch, "/orgs/current/login-methods", inOrg, "Whether single sign-on is the only way in", 0}, a.updateLoginMethods)
	at(a, route{get, "/orgs/current/sso-settings", inOrg, "How first-time users join", 0}, a.listSSOSettings)
	at(a, route{post, "/orgs/current/sso-settings", inOrg, "Say how first-time users join, where that was given up", http.StatusCreated}, a.createSSOSettings)
	at(a, route{patch, "/orgs/current/sso-settings/{id}", inOrg, "Change how first-time users join from now on", 0}, a.updateSSOSettings)
	at(a, route{remove, "/orgs/current/sso-settings/{id}", inOrg, "Give up how first-time users join", 0}, a.deleteSSOSettings)
}

// scimRoutes are the operations around provisioning.
func (a *api) scimRoutes() {
	const get, post, put, patch, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete

	at(a, route{get, "/orgs/current/scim/tokens", inOrg, "SCIM tokens", 0}, a.listTokens)
	at(a, route{post, "/orgs/current/scim/tokens", inOrg, "Create a SCIM token; it is shown this once", http.StatusCreated}, a.createToken)
	at(a, route{get, "/orgs/current/scim/tokens/{scim_token_id}", inOrg, "A SCIM token", 0}, a.getToken)
	at(a, route{patch, "/orgs/current/scim/tokens/{scim_token_id}", inOrg, "Describe a SCIM token", 0}, a.updateToken)
	at(a, route{remove, "/orgs/current/scim/tokens/{scim_token_id}", inOrg, "End a SCIM token", http.StatusNoContent}, a.deleteToken)

	at(a, route{get, "/orgs/current/scim/groups", inOrg, "Pushed groups, and what each gives", 0}, a.listGroups)
	at(a, route{get, "/orgs/current/scim/groups/{group_id}", inOrg, "A pushed group, and what it gives", 0}, a.getGroup)
	at(a, route{put, "/orgs/current/scim/groups/{group_id}/mapping", inOrg, "Say what a group gives, in place of its name", 0}, a.setMapping)
	at(a, route{remove, "/orgs/current/scim/groups/{group_id}/mapping", inOrg, "Let the group's name decide again", 0}, a.clearMapping)
	at(a, route{post, "/orgs/current/scim/preview", inOrg, "What a group name or mapping would grant, and whose access would change", 0}, a.preview)
	at(a, route{get, "/orgs/current/scim/guard", inOrg, "The guard against mass deprovisioning", 0}, a.getGuard)
	at(a, route{patch, "/orgs/current/scim/guard", inOrg, "Switch the guard, and set its limits", 0}, a.updateGuard)
	at(a, route{post, "/orgs/current/scim/guard/release", inOrg, "Let pass what the guard holds back", 0}, a.releaseGuard)
	at(a, route{post, "/orgs/current/scim/guard/refuse", inOrg, "Refuse what the guard holds back", 0}, a.refuseGuard)

	at(a, route{get, "/orgs/current/scim/schemas", inOrg, "The SCIM schemas and resource types that the organization declared", 0}, a.getDefinitions)
	at(a, route{put, "/orgs/current/scim/schemas", inOrg, "Declare SCIM schemas and resource types, all at once", 0}, a.putDefinitions)
	at(a, route{get, "/orgs/current/scim/activity", inOrg, "What identity providers asked for, and what became of it", 0}, a.listActivity)
	at(a, route{get, "/orgs/current/scim/undeclared-attributes", inOrg, "Attributes that identity providers sent and no schema declares", 0}, a.listUndeclared)
}

// eventRoutes are the operations on where an organization's events go.
func (a *api) eventRoutes() {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete

	at(a, route{get, "/orgs/current/event-hooks", inOrg, "Where the organization's events go", 0}, a.listHooks)
	at(a, route{post, "/orgs/current/event-hooks", inOrg, "Send events somewhere; the secret is shown this once", http.StatusCreated}, a.createHook)
	at(a, route{patch, "/orgs/current/event-hooks/{hook_id}", inOrg, "Change where events go", 0}, a.updateHook)
	at(a, route{remove, "/orgs/current/event-hooks/{hook_id}", inOrg, "Send no more events there", 0}, a.deleteHook)
	at(a, route{post, "/orgs/current/event-hooks/{hook_id}/rotate-secret", inOrg, "Give a hook a new secret; the old one signs beside it for a day", 0}, a.rotateHookSecret)
	at(a, route{post, "/orgs/current/event-hooks/{hook_id}/test", inOrg, "Send a test event", 0}, a.testHook)
	at(a, route{get, "/orgs/current/event-hooks/{hook_id}/dead-letters", inOrg, "Events that were given up", 0}, a.listDeadLetters)
	at(a, route{post, "/orgs/current/event-hooks/{hook_id}/dead-letters/{event_id}/redeliver", inOrg, "Send a given-up event again", 0}, a.redeliver)
}

// keyRoutes are the operations on tokens, keys and the accounts that keys act for.
func (a *api) keyRoutes() {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete

	at(a, route{get, "/orgs/current/personal-access-tokens", inOrg, "The caller's tokens", 0}, a.listPersonalTokens)
	at(a, route{post, "/orgs/current/personal-access-tokens", inOrg, "Create a token; it is shown this once", 0}, a.createPersonalToken)
	at(a, route{remove, "/orgs/current/personal-access-tokens/{pat_id}", inOrg, "End one of the caller's tokens", 0}, a.deletePersonalToken)
	at(a, route{post, "/orgs/current/personal-access-tokens/{pat_id}/revocation", inOrg, "Switch a member's token off", 0}, a.revokeToken)
	at(a, route{remove, "/orgs/current/personal-access-tokens/{pat_id}/revocation", inOrg, "Switch a member's token on again", 0}, a.restoreToken)
	at(a, route{get, "/orgs/current/service-keys", inOrg, "Service keys", 0}, a.listServiceKeys)
	at(a, route{post, "/orgs/current/service-keys", inOrg, "Create a service key; it is shown this once", 0}, a.createServiceKey)
	at(a, route{patch, "/orgs/current/service-keys/{id}", inOrg, "Change a service key's roles", 0}, a.updateServiceKey)
	at(a, route{remove, "/orgs/current/service-keys/{id}", inOrg, "End a service key", 0}, a.deleteServiceKey)
	at(a, route{get, "/service-accounts", inOrg, "Service accounts", 0}, a.listServiceAccounts)
	at(a, route{post, "/service-accounts", inOrg, "Create a service account", 0}, a.createServiceAccount)
	at(a, route{remove, "/service-accounts/{service_account_id}", inOrg, "End a service account and its keys", 0}, a.deleteServiceAccount)
	at(a, route{get, "/api-key", inWorkspace, "The workspace's service keys", 0}, a.listWorkspaceKeys)
	at(a, route{post, "/api-key", inWorkspace, "Create a service key of the workspace; it is shown this once", 0}, a.createWorkspaceKey)
	at(a, route{remove, "/api-key/{id}", inWorkspace, "End a service key of the workspace", 0}, a.deleteWorkspaceKey)
	at(a, route{get, "/api-key/current", inOrg, "The caller's tokens", 0}, a.listPersonalTokens)
	at(a, route{post, "/api-key/current", inOrg, "Create a token that stands for the workspace; it is shown this once", 0}, a.createTokenHere)
	at(a, route{remove, "/api-key/current/{pat_id}", inOrg, "End one of the caller's tokens", 0}, a.deletePersonalToken)
}

// workspaceRoutes are the operations on workspaces and their members.
func (a *api) workspaceRoutes() {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete

	at(a, route{get, "/workspaces", inOrg, "The workspaces that the caller sees", 0}, a.listWorkspaces)
	at(a, route{post, "/workspaces", inOrg, "Create a workspace", 0}, a.createWorkspace)
	at(a, route{get, "/workspaces/{workspace_id}", inOrg, "A workspace", 0}, a.getWorkspace)
	at(a, route{patch, "/workspaces/{workspace_id}", inOrg, "Rename a workspace", 0}, a.renameWorkspace)
	at(a, route{remove, "/workspaces/{workspace_id}", inOrg, "Delete a workspace", 0}, a.deleteWorkspace)
	at(a, route{get, "/workspaces/pending", asPerson, "The workspaces that wait for the caller", 0}, a.listOwnWorkspaceInvites)
	at(a, route{remove, "/workspaces/pending/{workspace_id}", asPerson, "Decline a workspace", 0}, a.declineOwnWorkspaceInvite)
	at(a, route{post, "/workspaces/pending/{workspace_id}/claim", asPerson, "Join a workspace by invite, and its organization", 0}, a.claimOwnWorkspaceInvite)
	at(a, route{get, "/workspaces/current/members", inWorkspace, "Who is in the workspace, and who was invited to it", 0}, a.listWorkspaceMembers)
	at(a, route{post, "/workspaces/current/members", inWorkspace, "Put a member of the organization into the workspace", 0}, a.addWorkspaceMember)
	at(a, route{post, "/workspaces/current/members/batch", inWorkspace, "Bring up to 500 people into the workspace, all or none", 0}, a.inviteToWorkspace)
	at(a, route{get, "/workspaces/current/members/active", inWorkspace, "Members of the workspace, page by page", 0}, a.listActiveWorkspaceMembers)
	at(a, route{get, "/workspaces/current/members/pending", inWorkspace, "Who was invited to the workspace, page by page", 0}, a.listPendingWorkspaceMembers)
	at(a, route{patch, "/workspaces/current/members/{identity_id}", inWorkspace, "Change a member's role in the workspace", 0}, a.updateWorkspaceMember)
	at(a, route{remove, "/workspaces/current/members/{identity_id}", inWorkspace, "Take a member out of the workspace", 0}, a.removeWorkspaceMember)
	at(a, route{remove, "/workspaces/current/members/{identity_id}/pending", inWorkspace, "Withdraw an invite to the workspace", 0}, a.withdrawWorkspaceInvite)
	at(a, route{get, "/settings", inWorkspace, "The workspace in short", 0}, a.getSettings)
	at(a, route{post, "/settings/handle", inWorkspace, "Give the workspace a short name for addresses", 0}, a.setHandle)
}

// signInRoutes are the operations on sessions and identity providers.
func (a *api) signInRoutes() {
	const get, post, remove = http.MethodGet, http.MethodPost, http.MethodDelete

	at(a, route{get, "/me/sessions", asPerson, "The caller's signed-in browsers", 0}, a.listMySessions)
	at(a, route{remove, "/me/sessions", asPerson, "Sign the caller out everywhere", 0}, a.endMySessions)
	at(a, route{remove, "/me/sessions/{session_id}", asPerson, "End one of the caller's sessions", 0}, a.endMySession)
	at(a, route{get, "/orgs/current/members/{identity_id}/sessions", inOrg, "A member's signed-in browsers", 0}, a.listMemberSessions)
	at(a, route{remove, "/orgs/current/members/{identity_id}/sessions", inOrg, "Sign a member out everywhere", 0}, a.endMemberSessions)
	at(a, route{remove, "/orgs/current/sessions", inOrg, "Sign everybody out, or everybody of one identity provider", 0}, a.endOrgSessions)
	at(a, route{get, "/orgs/current/login-providers", inOrg, "The identity providers, and what to register there", 0}, a.listProviders)
	at(a, route{post, "/orgs/current/login-providers/{provider_id}/test", inOrg, "Check an identity provider; nothing is saved", 0}, a.testProvider)
}
