package oidc

import (
	"net/url"
	"slices"
	"strings"
)

// Microsoft Entra differs from other providers in what names a person and in what it says about addresses
// ("ID token claims reference" and "Migrate away from using email claims" of Microsoft's identity platform).

// entraTenant returns the tenant that an Entra issuer is about; empty for any other provider.
func entraTenant(issuer string) string {
	hosts := []string{"login.microsoftonline.com", "sts.windows.net", "login.microsoftonline.us", "login.partner.microsoftonline.cn"}
	u, err := url.Parse(issuer)
	if err != nil || !slices.Contains(hosts, u.Hostname()) {
		return ""
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return tenant
}

// object names a person over all applications of a tenant, so that a new client id, which changes every "sub", locks nobody out.
func (p *Provider) object(claims claimSet) string {
	tenant, oid := claims.text("tid"), claims.text("oid")
	if entraTenant(p.config.Issuer) == "" || tenant == "" || !isSubject(oid) {
		return ""
	}
	return strings.ToLower(tenant) + "/" + oid
}

// ownsDomain takes Entra's word that the tenant owns the address's domain: the optional claim xms_edov (item 59).
// The tenant is pinned by the issuer, so nobody else's tenant can say it.
func (p *Provider) ownsDomain(claims claimSet) bool {
	if entraTenant(p.config.Issuer) == "" {
		return false
	}
	raw := string(claims["xms_edov"])
	return raw == "1" || raw == `"1"` || claims.saysTrue("xms_edov")
}
