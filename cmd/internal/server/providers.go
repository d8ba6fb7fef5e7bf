package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"muster/cmd/internal/config"
	"muster/domain"
	"muster/oidc"
	"muster/web"
)

// newProviders makes the providers that are enabled; it connects to none of them.
func newProviders(cfg *config.Config, watching *monitor, log *slog.Logger) (oidc.Providers, error) {
	providers := oidc.Providers{}
	for _, p := range cfg.Providers {
		made, err := providerConfig(cfg, p)
		if err != nil {
			return nil, err
		}
		made.Log, made.Count = log, watching.metrics.SignIn
		made.Transport = watching.toProvider(made.Transport)
		providers = append(providers, oidc.NewProvider(made))
	}
	return providers, nil
}

func providerConfig(cfg *config.Config, p config.Provider) (oidc.Config, error) {
	transport, err := transportWith(p.CAFile)
	if err != nil {
		return oidc.Config{}, fmt.Errorf("the provider %q: caFile: %w", p.ID, err)
	}
	return oidc.Config{
		ID: p.ID, Issuer: p.IssuerURL, ClientID: p.ClientID, ClientSecret: p.ClientSecret, PreviousSecret: p.ClientSecretPrevious,
		AuthMethod: p.TokenAuthMethod, DisplayName: p.DisplayName, Scopes: p.Scopes, TrustEmail: p.TrustEmail, SubjectClaims: p.SubClaimOverrides,
		URLEncodeScopeSpaces: p.URLEncodeScopeSpaces, NonceOptional: p.NonceOptional, ForeignAzpAllowed: p.ForeignAzpAllowed,
		LogoutTypeRequired: p.LogoutTypeRequired, KeepIDToken: p.IDPLogout, SessionMax: p.SessionMax, OverrideExpiry: p.OverrideTokenExpiry,
		PublicURL: cfg.PublicURL, Transport: transport,
	}, nil
}

// transportWith trusts further certificate authorities beside the system's; nil is the default transport.
func transportWith(caFile string) (http.RoundTripper, error) {
	if caFile == "" {
		return nil, nil //nolint:nilnil // nil is the default one
	}
	pool, err := rootsWith(caFile)
	if err != nil {
		return nil, err
	}
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("the default transport is not the standard library's")
	}
	transport := standard.Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return transport, nil
}

// rootsWith are the system's certificate authorities and those of a file; nil is the system's alone.
func rootsWith(caFile string) (*x509.CertPool, error) {
	if caFile == "" {
		return nil, nil //nolint:nilnil // nil is the system's
	}
	pem, err := os.ReadFile(caFile) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("the file holds no PEM certificate")
	}
	return pool, nil
}

// TestProviders runs the checks of every enabled provider, for the command line.
func TestProviders(ctx context.Context, cfg *config.Config, report func(id string, findings []domain.Finding)) error {
	for _, p := range cfg.Providers {
		made, err := providerConfig(cfg, p)
		if err != nil {
			return err
		}
		report(p.ID, oidc.Inspect(ctx, made))
	}
	return nil
}

// up says of each provider whether its metadata could be read the last time.
func up(providers oidc.Providers) func() map[string]bool {
	return func() map[string]bool {
		all := map[string]bool{}
		for _, provider := range providers {
			ready, problem := provider.Status()
			all[provider.ID()] = ready && problem == ""
		}
		return all
	}
}

// doors lets the pages show the providers.
type doors struct{ providers oidc.Providers }

// List implements web.Doors.
func (d doors) List() []web.Door {
	list := make([]web.Door, len(d.providers))
	for i, provider := range d.providers {
		list[i] = web.Door{ID: provider.ID(), Name: provider.Name(), Ready: provider.Ready()}
	}
	return list
}

// EndSession implements web.Doors.
func (d doors) EndSession(signedOut domain.SignedOut) (target, state string) {
	provider := d.providers.Get(signedOut.Provider)
	if provider == nil {
		return "", ""
	}
	return provider.EndSession(signedOut)
}

// EndSessionOrigins implements web.Doors.
func (d doors) EndSessionOrigins() []string {
	var origins []string
	for _, provider := range d.providers {
		if origin := provider.EndSessionOrigin(); origin != "" {
			origins = append(origins, origin)
		}
	}
	return origins
}

// testers lets the admin API list and test the providers.
type testers struct{ providers oidc.Providers }

// List implements admin.Providers.
func (t testers) List() []domain.ProviderStatus {
	list := []domain.ProviderStatus{}
	for _, provider := range t.providers {
		list = append(list, provider.Describe())
	}
	return list
}

// Test implements admin.Providers.
func (t testers) Test(ctx context.Context, id string) ([]domain.Finding, error) {
	provider := t.providers.Get(id)
	if provider == nil {
		return nil, domain.Errorf(domain.NotFound, "there is no provider %q; GET /orgs/current/login-providers lists them", id)
	}
	return provider.Inspect(ctx), nil
}
