package web

import "strings"

// operation is what the audit log records, and how a page calls it.
type operation struct{ name, words string }

// operationTable is everything that the audit log can be filtered by, in the order of the choice.
const operationTable = `
login Sign-in
logout Sign-out
link_identity Sign-in linked to a person
revoke_sessions Signed out by somebody
jit_join_organization Joined at first sign-in
sync_sso_groups Roles by groups at sign-in
invite_user_to_org Invite sent
invite_users_to_org_batch Invites sent
claim_pending_organization_invite Invite accepted
claim_pending_workspace_invite Invite to a workspace accepted
delete_pending_organization_invite Invite declined
delete_pending_workspace_invite Invite to a workspace declined
delete_org_pending_member Invite withdrawn
delete_workspace_pending_member Invite to a workspace withdrawn
update_org_member Member changed
disable_member Member disabled
enable_member Member enabled
delete_org_member Member removed
create_workspace Workspace created
update_workspace Workspace changed
set_tenant_handle Workspace given a short name
delete_workspace Workspace deleted
add_member_to_workspace Put into a workspace
add_members_to_workspace_batch People put into a workspace
update_workspace_member Role in a workspace changed
delete_workspace_member Taken out of a workspace
create_role Role created
update_role Role changed
delete_role Role deleted
create_scim_user Person pushed
update_scim_user Pushed person changed
delete_scim_user Pushed person removed
create_scim_group Group pushed
update_scim_group Group changed
delete_scim_group Group deleted
update_scim_group_mapping Group mapped
create_scim_resource SCIM resource pushed
update_scim_resource SCIM resource changed
delete_scim_resource SCIM resource deleted
update_scim_definitions SCIM schemas changed
create_scim_token SCIM token created
update_scim_token SCIM token changed
delete_scim_token SCIM token deleted
update_deprovision_guard Guard changed
hold_deprovisioning Guard held people back
release_deprovisioning Guard released
refuse_deprovisioning Guard refused
create_personal_access_token Personal token created
revoke_personal_access_token Personal token switched off or on
delete_personal_access_token Personal token deleted
create_service_key Service key created
update_service_key Service key changed
delete_service_key Service key deleted
create_api_key Workspace’s key created
delete_api_key Workspace’s key deleted
create_service_account Service account created
delete_service_account Service account deleted
create_event_hook Event hook created
update_event_hook Event hook changed
delete_event_hook Event hook deleted
create_organization Organization created
update_organization_info Settings changed
update_default_sso_provision_organization Made the default organization
create_sso_settings Sign-in settings restored
update_sso_settings Sign-in settings changed
delete_sso_settings Sign-in settings given up
update_login_methods Ways to sign in changed
disable_login_provider Identity provider disabled
enable_login_provider Identity provider enabled
create_backup Backup made
restore_backup Backup restored
`

func operations() []operation {
	var all []operation
	for line := range strings.Lines(operationTable) {
		if name, words, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			all = append(all, operation{name, words})
		}
	}
	return all
}

// operationWords is what a page calls an operation; one without words of its own is called by its name, "do_this" as "Do this".
func operationWords(name string) string {
	for _, one := range operations() {
		if one.name == name {
			return one.words
		}
	}
	words := strings.ReplaceAll(name, "_", " ")
	if words == "" {
		return words
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
