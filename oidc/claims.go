package oidc

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"muster/domain"
)

// The longest values that are kept of what a provider says (item 54).
const (
	maxSubject = 255
	maxName    = 200
	maxMethods = 16
	maxMethod  = 64
)

// claimSet is the claims of a token by their exact names; encoding/json would also take "Email" for "email".
type claimSet map[string]json.RawMessage

// has reports whether the claim is there and not null.
func (c claimSet) has(name string) bool {
	raw, ok := c[name]
	return ok && len(raw) > 0 && string(raw) != "null"
}

// text returns a claim that is a string; one that is not counts as absent.
func (c claimSet) text(name string) string {
	var text string
	if json.Unmarshal(c[name], &text) != nil {
		return ""
	}
	return text
}

// time returns a claim that is a NumericDate (RFC 7519 section 2) before the year 5138.
func (c claimSet) time(name string) (time.Time, bool) {
	var seconds float64
	if !c.has(name) || json.Unmarshal(c[name], &seconds) != nil || seconds < 0 || seconds > 1e11 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), true
}

// saysTrue accepts true and "true" and nothing else (item 53).
func (c claimSet) saysTrue(name string) bool {
	raw := string(c[name])
	return raw == "true" || raw == `"true"`
}

// lacks reports whether userinfo has to be asked for the address or for one of the claims wanted.
func (c claimSet) lacks(wanted []string) bool {
	if c.text("email") == "" {
		return true
	}
	elsewhere := c.overage()
	return slices.ContainsFunc(wanted, func(name string) bool {
		_, there := c[name]
		return !there && !slices.Contains(elsewhere, name)
	})
}

// texts reads a list of strings, or one string, and ignores anything else.
func (c claimSet) texts(name string) []string {
	var list []string
	if json.Unmarshal(c[name], &list) != nil {
		if one := c.text(name); one != "" {
			list = []string{one}
		}
	}
	var kept []string
	for _, text := range list[:min(len(list), maxMethods)] {
		kept = append(kept, plain(text, maxMethod))
	}
	return kept
}

// email returns the address without blanks around it; one with control characters counts as absent,
// because taking them out could make it somebody else's.
func (c claimSet) email() string {
	email := strings.TrimSpace(c.text("email"))
	if strings.ContainsFunc(email, unicode.IsControl) {
		return ""
	}
	return email
}

func (c claimSet) fullName() string {
	if name := plain(c.text("name"), maxName); name != "" {
		return name
	}
	return plain(c.text("given_name")+" "+c.text("family_name"), maxName)
}

// describe turns checked claims into what the rules decide on; wanted are the claims that may hold group names.
func (p *Provider) describe(claims claimSet, wanted []string) (domain.Claims, error) {
	claim := subjectClaim(p.config.Issuer, p.config.SubjectClaims)
	subject := claims.text(claim)
	if !isSubject(subject) {
		return domain.Claims{}, fmt.Errorf("the claim %q, which is this issuer's subject, is missing or no text", claim)
	}
	expiry, _ := claims.time("exp")
	if soon := p.config.Now().Add(skew); expiry.Before(soon) {
		// The provider's clock may be behind by as much: what was accepted as valid lasts at least that long.
		expiry = soon
	}
	authTime, _ := claims.time("auth_time")
	if authTime.After(p.config.Now().Add(skew)) {
		// A time that has not come would count as recent for ever.
		authTime = time.Time{}
	}
	groups := claims.groups(wanted)
	return domain.Claims{
		Provider: p.config.ID, Issuer: p.config.Issuer, Subject: subject, TokenSubject: claims.text("sub"), Object: p.object(claims),
		Groups: groups,
		Email:  claims.email(), EmailTrusted: p.config.TrustEmail || claims.saysTrue("email_verified") || p.ownsDomain(claims),
		FullName: claims.fullName(), SessionID: sessionID(claims.text("sid")), AuthTime: authTime,
		ACR: plain(claims.text("acr"), maxSubject), AMR: claims.texts("amr"),
		TokenExpiry: expiry, SessionMax: p.config.SessionMax, OverrideExpiry: p.config.OverrideExpiry,
	}, nil
}

// subjectClaim finds the claim for an issuer; Entra's sub differs per application, its oid does not (R11).
func subjectClaim(issuer string, overrides map[string]string) string {
	claim, longest := "sub", -1
	if entraTenant(issuer) != "" {
		claim = "oid"
	}
	for prefix, override := range overrides {
		if strings.HasPrefix(issuer, prefix) && len(prefix) > longest {
			claim, longest = override, len(prefix)
		}
	}
	return claim
}

// isSubject reports whether text can name a person: item 45, and nothing that a database or a log cannot hold.
func isSubject(text string) bool {
	return text != "" && utf8.RuneCountInString(text) <= maxSubject && !strings.ContainsFunc(text, unicode.IsControl)
}

// sessionID is kept whole or not at all, because back-channel logout compares it.
func sessionID(sid string) string {
	if !isSubject(sid) {
		return ""
	}
	return sid
}

// plain makes text from outside fit to be kept and shown: one line, no control characters, at most limit characters (A43).
func plain(text string, limit int) string {
	clean := strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
	runes := []rune(clean)
	return string(runes[:min(len(runes), limit)])
}
