package admin

import (
	"net/http"
)

// info says what this server is and which flags are on; clients read the flags from here.
func (a *api) info(_ http.ResponseWriter, r *http.Request) (result, error) {
	if a.InfoAuthRequired {
		if _, err := a.principal(r); err != nil {
			return result{}, err
		}
	}
	policy := a.Service.Policy()
	return found(map[string]any{
		"version": a.Version, "git_sha": nullable(a.GitSHA), "license_expiration_time": nil, "customer_info": nil,
		"batch_ingest_config": map[string]any{
			"use_multipart_endpoint": true, "scale_up_qsize_trigger": 1000, "scale_up_nthreads_limit": 16,
			"scale_down_nempty_trigger": 4, "size_limit": 100, "size_limit_bytes": 20971520,
		},
		"instance_flags": map[string]bool{
			"org_creation_disabled": policy.OrgCreationDisabled, "personal_orgs_disabled": policy.PersonalOrgsDisabled,
			"self_hosted_jit_provisioning_enabled": policy.JITEnabled, "workspace_scope_org_invites": policy.WorkspaceInvitesEnabled,
			"pat_creation_disabled": policy.PATCreationDisabled, "search_enabled": false, "payment_enabled": false,
			"playground_auth_bypass_enabled": false, "phone_home_enabled": false,
		},
	})
}

func ok(http.ResponseWriter, *http.Request) (result, error) {
	return found(map[string]bool{"ok": true})
}

// health is asked by the model's clients; there is no such disk here, so none of it is free or full.
func health(http.ResponseWriter, *http.Request) (result, error) {
	return found(map[string]any{"clickhouse_disk_free_pct": 100})
}

func nullable[T ~string](text T) *T {
	if text == "" {
		return nil
	}
	return &text
}
