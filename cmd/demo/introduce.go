package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"muster/domain"
	"muster/internal/demoidp"
)

// credentials are the demo's own; they are kept beside its data so that a second start prints the same ones.
type credentials struct {
	Personal string `json:"personal_access_token"`
	SCIM     string `json:"scim_token"`
}

// introduce prints where to sign in, as whom, and two credentials with lines that work as printed.
func introduce(ctx context.Context, service *domain.Service, data, publicURL string) error {
	made, err := keepCredentials(ctx, service, filepath.Join(data, "demo-credentials.json"))
	if err != nil {
		return err
	}
	fmt.Printf("\nMuster is running.  Sign in:  %s/\n\n", publicURL)
	for _, person := range demoidp.DefaultPeople() {
		fmt.Printf("  %-20s %s\n", person.Email, person.Note)
	}
	fmt.Printf("\nAda's personal access token:   %s\n", made.Personal)
	fmt.Printf("  curl -H 'X-API-Key: %s' %s/api/v1/me\n", made.Personal, publicURL)
	fmt.Printf("SCIM token of “Default”:       %s\n", made.SCIM)
	fmt.Printf("  curl -H 'Authorization: Bearer %s' %s/scim/v2/Users\n", made.SCIM, publicURL)
	fmt.Printf("\nData and log are in %s; make clean forgets them. Ctrl-C stops.\n", data)
	return nil
}

// keepCredentials returns the credentials of an earlier start while they still work, and makes new ones otherwise.
func keepCredentials(ctx context.Context, service *domain.Service, path string) (credentials, error) {
	var kept credentials
	if raw, err := os.ReadFile(path); err == nil { //nolint:gosec // a path of our own
		_ = json.Unmarshal(raw, &kept)
	}
	_, keyErr := service.Key(ctx, kept.Personal, domain.Client{})
	_, tokenErr := service.SCIMToken(ctx, kept.SCIM, domain.Client{})
	if keyErr == nil && tokenErr == nil {
		return kept, nil
	}
	made, err := makeCredentials(ctx, service)
	if err != nil {
		return credentials{}, err
	}
	raw, err := json.Marshal(made)
	if err != nil {
		return credentials{}, err
	}
	return made, os.WriteFile(path, raw, 0o600) //nolint:gosec // a path of our own
}

func makeCredentials(ctx context.Context, service *domain.Service) (credentials, error) {
	scope, err := service.CommandLine(ctx, "")
	if err != nil {
		return credentials{}, err
	}
	_, personal, err := service.CreatePersonalTokenFor(ctx, scope, "ada@example.com", true, "printed by the demo")
	if err != nil {
		return credentials{}, err
	}
	_, token, err := service.CreateSCIMToken(ctx, scope, domain.NewSCIMToken{Description: "printed by the demo"})
	return credentials{Personal: string(personal), SCIM: string(token)}, err
}
