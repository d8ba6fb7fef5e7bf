package domain

import "slices"

// ProviderPolicy is what the rules know of a configured OpenID provider.
type ProviderPolicy struct {
	Issuer string
	// Orgs are the organizations it serves; nil means the whole installation.
	// People whom it signs in reach these and no others, whatever else they are members of (R9, item 79).
	Orgs []OrgID
}

// knows reports whether a provider is configured and enabled; without a list of providers every one is.
func (p Policy) knows(provider string) bool {
	_, known := p.Providers[provider]
	return known || p.Providers == nil
}

// serves reports whether people whom the provider signs in may act in the organization.
func (p Policy) serves(provider string, org OrgID) bool {
	served := p.Providers[provider].Orgs
	return p.knows(provider) && (served == nil || slices.Contains(served, org))
}

// limited reports whether the provider serves some organizations only.
func (p Policy) limited(provider string) bool { return p.Providers[provider].Orgs != nil }

// issuersOf returns the issuers of the providers that serve an organization, by which SCIM finds people who signed in before (R26).
func (p Policy) issuersOf(org OrgID) []string {
	var issuers []string
	for id, provider := range p.Providers {
		if p.serves(id, org) {
			issuers = append(issuers, provider.Issuer)
		}
	}
	slices.Sort(issuers)
	return slices.Compact(issuers)
}

// ownProviders are the providers that were made for an organization and serve not all of the installation.
func (p Policy) ownProviders(org OrgID) []string {
	var own []string
	for id := range p.Providers {
		if p.limited(id) && p.serves(id, org) {
			own = append(own, id)
		}
	}
	slices.Sort(own)
	return own
}
