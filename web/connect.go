package web

import (
	"time"

	"muster/domain"
)

// connectPage leads through connecting one identity provider.
type connectPage struct {
	common

	// Provider is "okta" or "entra".
	Provider, ProviderName string
	URL                    string
	Made                   *madeSecret
	Tokens                 []domain.SCIMToken
	// Last is the newest request there was; Received says that it came just now.
	Last     *domain.ActivityEntry
	Received bool
	Mapping  []attributeRow
	// GroupName is what to call the first group.
	GroupName string
	Separator string
}

// attributeRow is one line to enter at the provider.
type attributeRow struct{ From, To, Note string }

func (v *visit) connect() error { return v.showConnect(v.r.PathValue("provider"), nil) }

func (v *visit) showConnect(provider string, made *madeSecret) error {
	page := connectPage{
		common: v.common(), Provider: provider, URL: v.scimURL(), Made: made, Separator: v.org.Settings.GroupSeparator,
	}
	switch provider {
	case "okta":
		page.ProviderName = "Okta"
		page.Mapping = []attributeRow{
			{"userName", "user.login", "Okta’s default"},
			{"givenName", "user.firstName", "Okta’s default"},
			{"familyName", "user.lastName", "Okta’s default"},
			{"email", "user.email", "Okta’s default"},
			{"displayName", "user.displayName", "Okta’s default"},
		}
	case "entra":
		page.ProviderName = "Entra ID"
		page.Mapping = []attributeRow{
			{"userPrincipalName", "userName", "keep; matching precedence 2"},
			{"objectId", "externalId", "change: Entra’s default is mailNickname. Matching precedence 1"},
			{"Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")", "active", "keep"},
			{"mail", "emails[type eq \"work\"].value", "keep"},
			{"displayName", "displayName", "keep"},
			{"givenName", "name.givenName", "keep"},
			{"surname", "name.familyName", "keep"},
		}
	default:
		return domain.Errorf(domain.NotFound, "there is a guide for okta and for entra")
	}
	workspaces, err := v.Rules.Workspaces(v.ctx(), v.scope, false)
	if err != nil {
		return err
	}
	workspace := "Workspace 1"
	if len(workspaces) > 0 {
		workspace = workspaces[0].DisplayName
	}
	page.GroupName = "Muster" + page.Separator + "Organization User" + page.Separator + workspace + page.Separator + "Editor"
	if page.Tokens, err = v.Rules.SCIMTokens(v.ctx(), v.scope); err != nil {
		return err
	}
	if page.Last, page.Received, err = v.latestRequest(); err != nil {
		return err
	}
	return v.render("connect", "Connect "+page.ProviderName, "/provisioning", page)
}

// justNow is how old a request may be to count as the one that a guide waits for.
const justNow = 15 * time.Minute

// latestRequest is the newest request of an identity provider, and whether it came just now; nil before the first.
func (v *visit) latestRequest() (*domain.ActivityEntry, bool, error) {
	entries, err := v.Rules.Activity(v.ctx(), v.scope, domain.ActivityQuery{Limit: 1})
	if err != nil || len(entries) == 0 {
		return nil, false, err
	}
	return &entries[0], v.now().Sub(entries[0].At) < justNow, nil
}

// waiting is the piece of a guide that tells whether the provider has called; the page's script asks for it again and again.
func (v *visit) waiting() error {
	latest, received, err := v.latestRequest()
	if err != nil {
		return err
	}
	v.rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.rw.Header().Set("Cache-Control", "no-store")
	return v.pages["connect"].ExecuteTemplate(v.rw, "received", connectPage{common: v.common(), Last: latest, Received: received})
}
