package admin

import "context"

// infoBody is what clients of the model's API read first; what has no meaning here is a constant.
type infoBody struct {
	Version           string            `json:"version"`
	GitSHA            *string           `json:"git_sha"`
	LicenseExpiration *string           `json:"license_expiration_time"`
	CustomerInfo      *string           `json:"customer_info"`
	BatchIngest       batchIngestConfig `json:"batch_ingest_config"`
	InstanceFlags     instanceFlags     `json:"instance_flags"`
}

type batchIngestConfig struct {
	UseMultipartEndpoint   bool `json:"use_multipart_endpoint"`
	ScaleUpQsizeTrigger    int  `json:"scale_up_qsize_trigger"`
	ScaleUpNthreadsLimit   int  `json:"scale_up_nthreads_limit"`
	ScaleDownNemptyTrigger int  `json:"scale_down_nempty_trigger"`
	SizeLimit              int  `json:"size_limit"`
	SizeLimitBytes         int  `json:"size_limit_bytes"`
}

type instanceFlags struct {
	OrgCreationDisabled         bool `json:"org_creation_disabled"`
	PersonalOrgsDisabled        bool `json:"personal_orgs_disabled"`
	JITProvisioningEnabled      bool `json:"self_hosted_jit_provisioning_enabled"`
	WorkspaceScopeOrgInvites    bool `json:"workspace_scope_org_invites"`
	PATCreationDisabled         bool `json:"pat_creation_disabled"`
	SearchEnabled               bool `json:"search_enabled"`
	PaymentEnabled              bool `json:"payment_enabled"`
	PlaygroundAuthBypassEnabled bool `json:"playground_auth_bypass_enabled"`
	ZstdCompressionEnabled      bool `json:"zstd_compression_enabled"`
	PhoneHomeEnabled            bool `json:"phone_home_enabled"`
}

// infoClass is infoEndpointAuthRequired; any credential will do.
func (a *api) infoClass() class {
	if a.InfoAuthRequired {
		return inOrg
	}
	return anyone
}

// info says what this server is and which flags are on; clients read the flags from here.
func (a *api) info(context.Context, caller, *none) (*out[infoBody], error) {
	policy := a.Service.Policy()
	return found(infoBody{
		Version: a.Version, GitSHA: nullable(a.GitSHA),
		BatchIngest: batchIngestConfig{true, 1000, 16, 4, 100, 20971520},
		InstanceFlags: instanceFlags{
			OrgCreationDisabled: policy.OrgCreationDisabled, PersonalOrgsDisabled: policy.PersonalOrgsDisabled,
			JITProvisioningEnabled: policy.JITEnabled, WorkspaceScopeOrgInvites: policy.WorkspaceInvitesEnabled,
			PATCreationDisabled: policy.PATCreationDisabled,
		},
	})
}

type okBody struct {
	OK bool `json:"ok"`
}

func ok(context.Context, caller, *none) (*out[okBody], error) { return found(okBody{true}) }

type healthBody struct {
	DiskFree int `json:"clickhouse_disk_free_pct"`
}

// health is asked by the model's clients; there is no such disk here, so all of it is free.
func health(context.Context, caller, *none) (*out[healthBody], error) { return found(healthBody{100}) }
