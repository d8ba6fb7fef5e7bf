package domain

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// DisabledProvider is a provider that an operator has disabled, whatever the configuration says.
type DisabledProvider struct {
	ID string
	At time.Time
}

// DisabledProviders returns those that are disabled now, by id.
func (s *Service) DisabledProviders(ctx context.Context) (map[string]time.Time, error) {
	disabled := map[string]time.Time{}
	err := s.store.Read(ctx, func(tx Tx) error {
		clear(disabled)
		found, err := tx.System(systemScope()).Providers().Disabled()
		for _, provider := range found {
			disabled[provider.ID] = provider.At
		}
		return err
	})
	return disabled, err
}

// DisableProvider is for the command line in an emergency, such as a provider in a stranger's hands: from this commit on nobody signs in
// through it, in any process, and the sessions that it began have ended. It returns how many sessions that were.
// An id that is not configured is NotFound; disabling twice changes nothing.
func (s *Service) DisableProvider(ctx context.Context, id string) (int, error) {
	if !s.policy.knows(id) {
		return 0, Errorf(NotFound, "there is no provider %q; configured and enabled are: %s", id, strings.Join(s.providerIDs(), ", "))
	}
	return s.switchProvider(ctx, id, "disable_login_provider", func(tx SystemTx) (bool, error) { return tx.Providers().Disable(id) })
}

// EnableProvider lets people sign in through the provider again; NotFound is one that is not disabled.
func (s *Service) EnableProvider(ctx context.Context, id string) error {
	_, err := s.switchProvider(ctx, id, "enable_login_provider", func(tx SystemTx) (bool, error) {
		enabled, err := tx.Providers().Enable(id)
		if err == nil && !enabled {
			return false, Errorf(NotFound, "the provider %q is not disabled on the command line; the configuration may have it disabled", id)
		}
		return enabled, err
	})
	return err
}

// switchProvider ends the provider's sessions either way: a sign-in that had passed the check when the provider was disabled
// has left one that no request could use, and it must not revive.
func (s *Service) switchProvider(ctx context.Context, id, operation string, change func(SystemTx) (bool, error)) (int, error) {
	count := 0
	err := s.store.Write(ctx, func(tx Tx) error {
		system := tx.System(systemScope())
		changed, err := change(system)
		if err != nil {
			return err
		}
		ended, err := system.Sessions().DeleteWhere(SessionFilter{Provider: id})
		if err != nil {
			return err
		}
		if count = len(ended); !changed && count == 0 {
			return nil
		}
		return recordForAll(tx, commandLine(), operation, Target{Kind: "login_provider", ID: id, Name: id}, map[string]any{"sessions": count})
	})
	return count, err
}

// providerIDs are the configured and enabled providers, sorted.
func (s *Service) providerIDs() []string {
	return slices.Sorted(maps.Keys(s.policy.Providers))
}

// refuseDisabled refuses a sign-in through a disabled provider.
func refuseDisabled(system SystemTx, provider string) error {
	disabled, err := system.Providers().Disabled()
	if err == nil && slices.ContainsFunc(disabled, func(d DisabledProvider) bool { return d.ID == provider }) {
		return providerDisabled(provider)
	}
	return err
}

func providerDisabled(provider string) *Refusal {
	return &Refusal{Reason: ReasonProviderDisabled, Detail: "the provider " + provider + " is disabled"}
}

// ExamineProviders warns of providers that are disabled.
func (s *Service) ExamineProviders(ctx context.Context) ([]Finding, error) {
	disabled, err := s.DisabledProviders(ctx)
	var findings []Finding
	for _, id := range slices.Sorted(maps.Keys(disabled)) {
		findings = append(findings, Finding{"sign-in", FindingWarning, fmt.Sprintf(
			"the provider %s was disabled on the command line at %s, and nobody can sign in through it; \"muster provider enable %s\" ends that",
			quote(id), disabled[id].UTC().Format(time.RFC3339), id,
		)})
	}
	return findings, err
}
