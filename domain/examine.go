package domain

import (
	"context"
	"fmt"
	"strings"
)

// sampled is how many SCIM users are looked at to tell what their externalIds are.
const sampled = 50

// Examine reports what keeps people from being matched or managed, in every organization; it changes nothing.
func (s *Service) Examine(ctx context.Context) ([]Finding, error) {
	var findings []Finding
	err := s.store.Read(ctx, func(tx Tx) error {
		findings = nil
		orgs, err := tx.System(systemScope()).Orgs().List()
		if err != nil {
			return err
		}
		for _, org := range orgs {
			found, err := s.examineOrg(tx, org)
			if err != nil {
				return err
			}
			findings = append(findings, found...)
		}
		return nil
	})
	return findings, err
}

// ExamineOrg is Examine for the scope's organization.
func (s *Service) ExamineOrg(ctx context.Context, scope OrgScope) ([]Finding, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return nil, err
	}
	findings := []Finding{}
	err := s.readOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		settings, err := org.Settings().Get()
		if err != nil {
			return err
		}
		findings, err = s.examineOrg(tx, settings)
		return err
	})
	return findings, err
}

func (s *Service) examineOrg(tx Tx, org Org) ([]Finding, error) {
	scope := tx.Org(within(org.ID, systemActor()))
	admins, err := scope.Members().CountAdmins()
	if err != nil {
		return nil, err
	}
	finding := Finding{"administrators", FindingOK, fmt.Sprintf("active Organization Admins of %s: %d", quote(org.DisplayName), admins)}
	if admins == 0 {
		finding.Level = FindingWarning
		finding.Detail = quote(org.DisplayName) + " has no active Organization Admin; \"muster admin add ADDRESS\" or \"muster admin set-up-link\" makes one"
	}
	matching, err := s.examineExternalIDs(scope, org)
	if err != nil {
		return nil, err
	}
	secrets, err := s.examineSecrets(scope, org)
	return append(append([]Finding{finding}, matching...), secrets...), err
}

// ExamineSecrets reports, for every organization, what the configured encryption keys do not open.
func (s *Service) ExamineSecrets(ctx context.Context) ([]Finding, error) {
	var findings []Finding
	err := s.store.Read(ctx, func(tx Tx) error {
		findings = nil
		orgs, err := tx.System(systemScope()).Orgs().List()
		for _, org := range orgs {
			found, err := s.examineSecrets(tx.Org(within(org.ID, systemActor())), org)
			if err != nil {
				return err
			}
			findings = append(findings, found...)
		}
		return err
	})
	return findings, err
}

// examineSecrets tries the secrets of event hooks, which nobody can give again; a session's tokens come again with the next sign-in.
func (s *Service) examineSecrets(org OrgTx, settings Org) ([]Finding, error) {
	hooks, err := org.Hooks().List()
	if err != nil {
		return nil, err
	}
	closed := 0
	for _, hook := range hooks {
		if _, err := s.policy.Keyring.Open(hook.Secret, sealedHook(hook.ID)); err != nil {
			closed++
		}
	}
	if closed == 0 {
		return nil, nil
	}
	return []Finding{{"encryption key", FindingFailed, fmt.Sprintf(
		"it does not open the secrets of %d of the %d event hooks of %s: set ENCRYPTION_KEY to the one that was in use when they were made, or give the hooks new secrets",
		closed, len(hooks), quote(settings.DisplayName),
	)}}, nil
}

// examineExternalIDs warns when an Entra provider serves the organization and SCIM's externalIds are no object ids:
// then nobody is matched by them at sign-in (S79, item 64).
func (s *Service) examineExternalIDs(org OrgTx, settings Org) ([]Finding, error) {
	if !s.servedByEntra(settings.ID) {
		return nil, nil
	}
	result, err := org.SCIMUsers().Query(Query{Count: sampled})
	if err != nil {
		return nil, err
	}
	with, guids := 0, 0
	for _, user := range result.Items {
		if id := user.ExternalID; id != "" {
			with++
			if isGUID(id) {
				guids++
			}
		}
	}
	if with == 0 || guids == with {
		return nil, nil
	}
	return []Finding{{"externalId", FindingWarning, fmt.Sprintf(
		"%d of %d externalIds looked at in %s are no GUIDs: the mapping at Entra sends mailNickname, and sign-in cannot match people by it; map objectId to externalId",
		with-guids, with, quote(settings.DisplayName),
	)}}, nil
}

func (s *Service) servedByEntra(org OrgID) bool {
	for id, provider := range s.policy.Providers {
		if s.policy.serves(id, org) && (strings.HasPrefix(provider.Issuer, "https://login.microsoftonline.") || strings.HasPrefix(provider.Issuer, "https://sts.windows.net/")) {
			return true
		}
	}
	return false
}

// isGUID reports whether text is 32 hex digits in groups of 8-4-4-4-12, in either case.
func isGUID(text string) bool { return ValidID(MemberID(strings.ToLower(text))) }

// AllOrganizations lists every organization by name, for the command line.
func (s *Service) AllOrganizations(ctx context.Context) ([]Org, error) {
	var orgs []Org
	err := s.store.Read(ctx, func(tx Tx) error {
		var err error
		orgs, err = tx.System(systemScope()).Orgs().List()
		return err
	})
	return orgs, err
}
