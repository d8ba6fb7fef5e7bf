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
	arrival

	Mapping []attributeRow
	// GroupName is what to call the first group.
	GroupName string
	Separator string
}

// arrival is what a guide waits for: a request with the token that it made, or any when it made none.
type arrival struct {
	Token domain.TokenID
	// Last is the newest such request, when the log still has it; Used is when the token was last used.
	Last *domain.ActivityEntry
	Used time.Time
	// Received says that a request came, with the token or else just now.
	Received bool
}

// attributeRow is one line to enter at the provider.
type attributeRow struct{ From, To, Note string }

func (v *visit) connect() error { return v.showConnect(nil) }

// makeToken is the guide's first step; the page stays at its own address.
func (v *visit) makeToken() error {
	token, secret, err := v.Rules.CreateSCIMToken(v.ctx(), v.scope, domain.NewSCIMToken{
		Description: v.value("description"), Profile: domain.SCIMProfile(v.r.PathValue("provider")),
	})
	if err != nil {
		return v.retry("token", err, (*visit).connect)
	}
	return v.showConnect(&madeSecret{Name: token.Description, Secret: string(secret), ID: string(token.ID)})
}

func (v *visit) showConnect(made *madeSecret) error {
	provider := v.r.PathValue("provider")
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
	token := v.value("token")
	if made != nil {
		token = made.ID
	}
	if page.arrival, err = v.arrived(domain.TokenID(token)); err != nil {
		return err
	}
	return v.render("connect", "Connect "+page.ProviderName, "/provisioning", page)
}

// justNow is how old a request may be to count as the one that a guide without a token of its own waits for.
const justNow = 15 * time.Minute

// arrived looks for a request of an identity provider.
func (v *visit) arrived(token domain.TokenID) (arrival, error) {
	found := arrival{Token: token}
	entries, err := v.Rules.Activity(v.ctx(), v.scope, domain.ActivityQuery{Limit: pageSize})
	if err != nil {
		return found, err
	}
	if token != "" {
		known, err := v.Rules.SCIMTokenByID(v.ctx(), v.scope, token)
		if err != nil {
			return found, err
		}
		found.Used = known.LastUsedAt
	}
	for i := range entries {
		if token == "" || entries[i].Token == token {
			found.Last = &entries[i]
			break
		}
	}
	found.Received = !found.Used.IsZero() || found.Last != nil && (token != "" || v.now().Sub(found.Last.At) < justNow)
	return found, nil
}

// waiting is the piece of a guide that tells whether the provider has called; the page's script asks for it again and again.
func (v *visit) waiting() error {
	found, err := v.arrived(domain.TokenID(v.value("token")))
	if err != nil {
		return err
	}
	v.rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.rw.Header().Set("Cache-Control", "no-store")
	return v.pages["connect"].ExecuteTemplate(v.rw, "received", connectPage{common: v.common(), arrival: found})
}
