package admin

import (
	"context"

	"muster/domain"
)

// Providers is what the API shows of the configured OpenID providers.
type Providers interface {
	List() []domain.ProviderStatus
	// Test checks a provider without saving anything, or returns domain.NotFound (item 11).
	Test(ctx context.Context, id string) ([]domain.Finding, error)
}

// loginProvider is a configured OpenID provider, with what has to be registered there.
type loginProvider struct {
	ID                       string  `json:"id"`
	DisplayName              string  `json:"display_name"`
	Issuer                   string  `json:"issuer"`
	ClientID                 string  `json:"client_id"`
	Disabled                 bool    `json:"disabled" doc:"True while the operator has it switched off on the command line: nobody can sign in through it."`
	Ready                    bool    `json:"ready" doc:"False while the provider has not answered since the server started."`
	Problem                  *string `json:"problem" doc:"What went wrong at the last reading of its metadata."`
	RedirectURI              string  `json:"redirect_uri"`
	InitiateLoginURI         string  `json:"initiate_login_uri"`
	BackChannelLogoutURI     string  `json:"backchannel_logout_uri"`
	FrontChannelLogoutURI    string  `json:"frontchannel_logout_uri"`
	GlobalTokenRevocationURI string  `json:"global_token_revocation_uri"`
	PostLogoutRedirectURI    string  `json:"post_logout_redirect_uri"`
}

// listProviders is for those who may see the organization; secrets are not part of it.
func (a *api) listProviders(ctx context.Context, c caller, _ *none) (*out[[]loginProvider], error) {
	if err := c.mayRead(); err != nil {
		return nil, err
	}
	disabled, err := a.Service.DisabledProviders(ctx)
	if err != nil {
		return nil, err
	}
	return found(list(a.Providers.List(), func(p domain.ProviderStatus) loginProvider {
		_, off := disabled[p.ID]
		return loginProvider{
			p.ID, p.Name, p.Issuer, p.ClientID, off, p.Ready, nullable(p.Problem), p.RedirectURI, p.InitiateLoginURI,
			p.BackChannelLogoutURI, p.FrontChannelLogoutURI, p.GlobalTokenRevocationURI, p.PostLogoutRedirectURI,
		}
	}))
}

type finding struct {
	Check  string              `json:"check"`
	Level  domain.FindingLevel `json:"level" enum:"ok,warning,failed"`
	Detail string              `json:"detail"`
}

type providerTest struct {
	OK       bool      `json:"ok" doc:"False when a check failed."`
	Findings []finding `json:"findings" nullable:"false"`
}

type providerPath struct {
	ID string `path:"provider_id"`
}

// testProvider asks the provider now, and looks whether SCIM's people can be matched to its tokens; it changes nothing.
func (a *api) testProvider(ctx context.Context, c caller, in *providerPath) (*out[providerTest], error) {
	if err := c.mayManage(); err != nil {
		return nil, err
	}
	findings, err := a.Providers.Test(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	matching, err := a.Service.ExamineOrg(ctx, c.scope)
	if err != nil {
		return nil, err
	}
	result := providerTest{OK: true, Findings: list(append(findings, matching...), func(f domain.Finding) finding { return finding(f) })}
	for _, one := range result.Findings {
		result.OK = result.OK && one.Level != domain.FindingFailed
	}
	return found(result)
}

// mayRead guards what concerns the installation and is shown to members only.
func (c caller) mayRead() error { return c.needs(domain.PermOrgRead) }

func (c caller) mayManage() error { return c.needs(domain.PermOrgManage) }

func (c caller) needs(permission domain.Permission) error {
	if c.scope.Has(permission) {
		return nil
	}
	return domain.Errorf(domain.Forbidden, "this needs the permission %q in the organization; ask an Organization Admin", permission)
}
