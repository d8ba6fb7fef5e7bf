package db

// table is one whose rows belong to an installation.
type table struct {
	name string
	// key are the columns of its primary key.
	key []string
}

// tables are all of them, each after those that its rows refer to; what is not here does not move with an installation.
func tables() []table {
	return []table{
		{"installation", []string{"id"}},
		{"users", []string{"id"}},
		{"identities", []string{"id"}},
		{"sessions", []string{"digest"}},
		{"flows", []string{"state"}},
		{"logout_tokens", []string{"issuer", "id"}},
		{"disabled_providers", []string{"id"}},
		{"attempts", []string{"credential", "key_digest"}},
		{"orgs", []string{"id"}},
		{"sso_settings", []string{"org_id"}},
		{"roles", []string{"org_id", "id"}},
		{"workspaces", []string{"org_id", "id"}},
		{"members", []string{"org_id", "id"}},
		{"workspace_members", []string{"org_id", "member_id", "workspace_id"}},
		{"invites", []string{"org_id", "id"}},
		{"scim_users", []string{"org_id", "id"}},
		{"scim_emails", []string{"org_id", "member_id", "value_key"}},
		{"scim_groups", []string{"org_id", "id"}},
		{"group_members", []string{"org_id", "group_id", "member_id"}},
		{"group_groups", []string{"org_id", "group_id", "child_id"}},
		{"scim_tokens", []string{"org_id", "id"}},
		{"scim_access_tokens", []string{"digest"}},
		{"scim_definitions", []string{"org_id"}},
		{"scim_resources", []string{"org_id", "type", "id"}},
		{"scim_unique_values", []string{"org_id", "type", "path", "value_key"}},
		{"scim_counts", []string{"org_id", "shard"}},
		{"scim_activity", []string{"org_id", "id"}},
		{"scim_undeclared", []string{"org_id", "token_id", "resource", "path"}},
		{"service_accounts", []string{"org_id", "id"}},
		{"api_keys", []string{"org_id", "id"}},
		{"tombstones", []string{"org_id", "digest", "member_id"}},
		{"guards", []string{"org_id"}},
		{"guard_spent", []string{"org_id", "id"}},
		{"guard_held", []string{"org_id", "operation", "target_id"}},
		{"audit_log", []string{"org_id", "id"}},
		{"audit_about", []string{"org_id", "member_id", "id"}},
		{"audit_heads", []string{"org_id"}},
		{"feeds", []string{"org_id", "id"}},
		{"event_hooks", []string{"org_id", "id"}},
		{"dead_letters", []string{"org_id", "hook_id", "event_id"}},
		{"outbox", []string{"org_id", "id"}},
	}
}
