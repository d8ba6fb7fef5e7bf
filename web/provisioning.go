package web

import (
	"net/url"
	"time"

	"muster/domain"
)

// provisioningPage is the organization's SCIM endpoint: where it is, who may use it, and what it was asked.
type provisioningPage struct {
	common

	URL    string
	Tokens []domain.SCIMToken
	// Made is a token's secret, shown this once; Rotated the description of the one that it is to replace.
	Made     *madeSecret
	Chart    chart
	Unmapped int
	// Held is how many requests the deprovisioning guard holds back.
	Held     int
	Profiles []option
	Now      time.Time
	Sent     []domain.UndeclaredAttribute
}

// madeSecret is a secret on the only page that ever shows it.
type madeSecret struct {
	Name, Secret, ID string
	// Replaces is the short form of the token that goes on until it is deleted.
	Replaces string
	Expires  time.Time
}

// chartSpan and chartSpans are what the chart of requests covers: a day by the hour.
const (
	chartSpan  = time.Hour
	chartSpans = 24
)

func (v *visit) scimURL() string { return v.Rules.Policy().PublicURL + "/scim/v2" }

func (v *visit) provisioning() error { return v.showProvisioning(nil) }

func (v *visit) showProvisioning(made *madeSecret) error {
	page := provisioningPage{
		common: v.common(), URL: v.scimURL(), Made: made, Now: v.now(),
		Profiles: []option{
			{Value: string(domain.ProfileAuto), Label: "Any provider"},
			{Value: string(domain.ProfileOkta), Label: "Okta"},
			{Value: string(domain.ProfileEntra), Label: "Entra ID"},
			{Value: string(domain.ProfileLenient), Label: "Lenient: takes more mistakes"},
			{Value: string(domain.ProfileStrict), Label: "Strict: refuses what no schema declares"},
		},
	}
	var err error
	if page.Tokens, err = v.Rules.SCIMTokens(v.ctx(), v.scope); err != nil {
		return err
	}
	counts, err := v.Rules.ActivityCounts(v.ctx(), v.scope, chartSpan, chartSpans)
	if err != nil {
		return err
	}
	page.Chart = chartOf(counts, chartSpan)
	unmapped, err := v.Rules.SCIMGroups(v.ctx(), v.scope, domain.GroupQuery{Unmapped: true, Window: domain.Window{Limit: pageSize}})
	if err != nil {
		return err
	}
	page.Unmapped = len(unmapped)
	if page.Held, err = v.Rules.GuardHolds(v.ctx(), v.scope); err != nil {
		return err
	}
	if page.Sent, err = v.Rules.UndeclaredAttributes(v.ctx(), v.scope); err != nil {
		return err
	}
	return v.render("provisioning", "Provisioning", "/provisioning", page)
}

// expiry reads a day; the token lasts until it is over, in UTC.
func (v *visit) expiry() (time.Time, error) {
	text := v.value("expires_at")
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, domain.Invalidf("expires_at", "%q is no day; write it as 2026-12-31, or leave it empty", text)
	}
	return day.AddDate(0, 0, 1), nil
}

func (v *visit) createToken() error {
	expires, err := v.expiry()
	if err != nil {
		return v.retry("token", err, (*visit).provisioning)
	}
	token, secret, err := v.Rules.CreateSCIMToken(v.ctx(), v.scope, domain.NewSCIMToken{
		Description: v.value("description"), Profile: domain.SCIMProfile(v.value("profile")), ExpiresAt: expires,
	})
	if err != nil {
		return v.retry("token", err, (*visit).provisioning)
	}
	return v.showProvisioning(&madeSecret{Name: token.Description, Secret: string(secret), ID: string(token.ID), Expires: token.ExpiresAt})
}

// rotateToken makes a second token beside one, which goes on working until somebody deletes it; it is good for as long as the first was made for.
func (v *visit) rotateToken() error {
	old, err := v.Rules.SCIMTokenByID(v.ctx(), v.scope, domain.TokenID(v.r.PathValue("token")))
	if err != nil {
		return err
	}
	token, secret, err := v.Rules.CreateSCIMToken(v.ctx(), v.scope, domain.NewSCIMToken{
		Description: old.Description, Profile: old.Profile, ExpiresAt: v.anew(old.CreatedAt, old.ExpiresAt),
	})
	if err != nil {
		return v.retry("token", err, (*visit).provisioning)
	}
	return v.showProvisioning(&madeSecret{Name: token.Description, Secret: string(secret), ID: string(token.ID), Replaces: old.Short, Expires: token.ExpiresAt})
}

// anew is an end as far from now as another one was from its beginning; zero stays for ever.
func (v *visit) anew(from, to time.Time) time.Time {
	if to.IsZero() {
		return to
	}
	return v.now().Add(to.Sub(from))
}

func (v *visit) askDeleteToken() error {
	token, err := v.Rules.SCIMTokenByID(v.ctx(), v.scope, domain.TokenID(v.r.PathValue("token")))
	if err != nil {
		return err
	}
	return v.confirm("/provisioning", confirmation{
		Title: "Delete the token “" + token.Description + "” (" + token.Short + ")?", LastUsed: token.LastUsedAt,
		Effects: []string{"The next request with it is refused with 401.", "People and groups stay as they are.", "This cannot be taken back; a new token can be made."},
		Action:  v.at("/provisioning/tokens/" + url.PathEscape(string(token.ID)) + "/delete"), Button: "Delete the token", Back: v.at("/provisioning"),
	})
}

func (v *visit) deleteToken() error {
	if err := v.Rules.DeleteSCIMToken(v.ctx(), v.scope, domain.TokenID(v.r.PathValue("token"))); err != nil {
		return v.retry("token", err, (*visit).provisioning)
	}
	return v.finish(v.at("/provisioning"), "token-deleted")
}
