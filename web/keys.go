package web

import (
	"net/url"
	"strings"

	"muster/domain"
)

// keysPage has what machines use: service keys, and the accounts they act for; and for Admins the members' tokens.
type keysPage struct {
	common

	Keys                            []keyRow
	KeysNote                        string
	Accounts                        []accountRow
	Tokens                          []domain.OwnedKey
	Made                            *madeSecret
	OrgRoles, WorkRoles, Workspaces []option
	AccountOptions                  []option
	// MostDays is the longest life of a service key; nil is no limit.
	MostDays *int
}

type keyRow struct {
	domain.Key

	Where string
	Ended bool
}

type accountRow struct {
	domain.ServiceAccount

	Places []string
}

// maxTokens is how many members' tokens the page shows.
const maxTokens = 100

func (v *visit) keys() error { return v.showKeys(nil) }

func (v *visit) showKeys(made *madeSecret) error {
	page := keysPage{common: v.common(), Made: made, MostDays: v.org.Settings.MaxServiceKeyExpiryDays}
	names, err := v.names()
	if err != nil {
		return err
	}
	keys, err := v.Rules.ServiceKeys(v.ctx(), v.scope)
	if domain.IsKind(err, domain.Forbidden) {
		page.KeysNote = sentence(domain.AsError(err).Text)
		return v.render("keys", "Keys", "/keys", page)
	}
	if err != nil {
		return err
	}
	for _, key := range keys {
		page.Keys = append(page.Keys, keyRow{key, names.reach(key), !key.ExpiresAt.IsZero() && key.ExpiresAt.Before(v.now())})
	}
	accounts, err := v.Rules.ServiceAccounts(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		page.Accounts = append(page.Accounts, accountRow{account, names.gives(domain.Mapping{Workspaces: account.Workspaces})})
		page.AccountOptions = append(page.AccountOptions, option{Value: string(account.ID), Label: account.Name})
	}
	if page.Tokens, err = v.Rules.AllPersonalTokens(v.ctx(), v.scope); err != nil {
		return err
	}
	page.Tokens = page.Tokens[:min(len(page.Tokens), maxTokens)]
	page.OrgRoles, page.WorkRoles = roleOptions(names.roles, domain.ScopeOrganization), roleOptions(names.roles, domain.ScopeWorkspace)
	page.Workspaces = workspaceOptions(names.ordered)
	return v.render("keys", "Keys", "/keys", page)
}

// reach says where a key acts, and as what.
func (n placeNames) reach(key domain.Key) string {
	switch {
	case key.Account != "":
		return strings.Join(n.gives(domain.Mapping{Workspaces: key.AccountRoles}), ", ")
	case len(key.Workspaces) == 0:
		return roleName(n.roles, key.OrgRole) + ", " + roleName(n.roles, key.Role) + " in every workspace"
	}
	var names []string
	for _, id := range key.Workspaces {
		names = append(names, n.workspace(id))
	}
	return roleName(n.roles, key.Role) + " in " + strings.Join(names, ", ")
}

func (v *visit) createKey() error {
	expires, err := v.expiry()
	if err != nil {
		return v.retry("key", err, (*visit).keys)
	}
	workspaces, err := v.pickedAll("workspaces")
	if err != nil {
		return v.retry("key", err, (*visit).keys)
	}
	request := domain.KeyRequest{
		Description: v.value("description"), ExpiresAt: expires, Workspaces: workspaces,
		Role: domain.RoleID(v.value("role_id")), Account: domain.AccountID(v.value("service_account_id")),
	}
	if len(request.Workspaces) == 0 && request.Account == "" {
		request.OrgRole = domain.RoleID(v.value("org_role_id"))
	}
	if request.Account != "" {
		request.Role = ""
	}
	key, secret, err := v.Rules.CreateServiceKey(v.ctx(), v.scope, request)
	if err != nil {
		return v.retry("key", err, (*visit).keys)
	}
	return v.showKeys(&madeSecret{Name: key.Description, Secret: string(secret), ID: string(key.ID), Expires: key.ExpiresAt})
}

func (v *visit) askDeleteKey() error {
	keys, err := v.Rules.ServiceKeys(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	id := domain.KeyID(v.r.PathValue("key"))
	for _, key := range keys {
		if key.ID == id {
			return v.confirm("/keys", confirmation{
				Title: "Delete the key “" + key.Description + "” (" + key.Short + ")?", LastUsed: key.LastUsedAt,
				Effects: []string{"Whatever uses it is refused from the next request on.", "This cannot be taken back; a new key can be made."},
				Action:  v.at("/keys/" + url.PathEscape(string(id)) + "/delete"), Button: "Delete the key", Back: v.at("/keys"),
			})
		}
	}
	return domain.Errorf(domain.NotFound, "there is no such key")
}

func (v *visit) deleteKey() error {
	if _, err := v.Rules.DeleteServiceKey(v.ctx(), v.scope, domain.KeyID(v.r.PathValue("key"))); err != nil {
		return v.retry("delete", err, (*visit).keys)
	}
	return v.finish(v.at("/keys"), "deleted")
}

func (v *visit) createAccount() error {
	workspaces, err := v.pickedAll("workspaces")
	if err != nil {
		return v.retry("account", err, (*visit).keys)
	}
	var places []domain.Place
	for _, id := range workspaces {
		places = append(places, domain.Place{Workspace: id, Role: domain.RoleID(v.value("role_id"))})
	}
	if _, err := v.Rules.CreateServiceAccount(v.ctx(), v.scope, v.value("name"), places); err != nil {
		return v.retry("account", err, (*visit).keys)
	}
	return v.finish(v.at("/keys"), "created")
}

func (v *visit) askDeleteAccount() error {
	accounts, err := v.Rules.ServiceAccounts(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	keys, err := v.Rules.ServiceKeys(v.ctx(), v.scope)
	if err != nil {
		return err
	}
	id, acting := domain.AccountID(v.r.PathValue("account")), 0
	for _, key := range keys {
		acting += boolInt(key.Account == id)
	}
	for _, account := range accounts {
		if account.ID == id {
			return v.confirm("/keys", confirmation{
				Title:   "Delete the service account “" + account.Name + "”?",
				Effects: []string{"It has " + counted(acting, "key") + ": whatever uses one is refused from the next request on.", "This cannot be taken back."},
				Action:  v.at("/keys/accounts/" + url.PathEscape(string(id)) + "/delete"), Button: "Delete the service account", Back: v.at("/keys"),
			})
		}
	}
	return domain.Errorf(domain.NotFound, "there is no such service account")
}

func (v *visit) deleteAccount() error {
	if _, err := v.Rules.DeleteServiceAccount(v.ctx(), v.scope, domain.AccountID(v.r.PathValue("account"))); err != nil {
		return v.retry("delete", err, (*visit).keys)
	}
	return v.finish(v.at("/keys"), "deleted")
}

// revokeToken switches a member's token off or on again.
func (v *visit) revokeToken() error {
	revoked := v.value("revoked") == "true"
	if _, err := v.Rules.RevokePersonalToken(v.ctx(), v.scope, domain.KeyID(v.r.PathValue("key")), revoked); err != nil {
		return v.retry("delete", err, (*visit).keys)
	}
	if revoked {
		return v.finish(v.at("/keys"), "revoked")
	}
	return v.finish(v.at("/keys"), "restored")
}

// tokensPage has a person's own tokens, organization by organization.
type tokensPage struct {
	Organizations []ownTokens
	Made          *madeSecret
	refused       *refusedForm
}

// ownTokens are the tokens of one organization; Note says why none can be made.
type ownTokens struct {
	ID   domain.OrgID
	Name string
	Keys []domain.Key
	Note string
	Most *int
}

// Form returns what was sent in vain.
func (p tokensPage) Form(name string) form { return formOf(p.refused, name) }

func (v *visit) ownTokens() error { return v.showOwnTokens(nil) }

func (v *visit) showOwnTokens(made *madeSecret) error {
	page := tokensPage{Made: made, refused: v.refused}
	views, err := v.Rules.Organizations(v.ctx(), v.principal)
	if err != nil {
		return err
	}
	for _, view := range views {
		scope, err := v.principal.In(view.ID)
		if err != nil {
			return err
		}
		own := ownTokens{ID: view.ID, Name: view.DisplayName, Most: view.Settings.MaxPATExpiryDays}
		if own.Keys, err = v.Rules.PersonalTokens(v.ctx(), scope); err != nil {
			return err
		}
		switch {
		case v.Rules.Policy().PATCreationDisabled:
			own.Note = "The operator of this server has switched new tokens off."
		case view.Settings.PATCreationDisabled:
			own.Note = "This organization has switched new tokens off; an Organization Admin can switch them on."
		case !scope.Has(domain.PermPATCreate):
			own.Note = "Your role in this organization does not allow new tokens; an Organization Admin can change it."
		}
		page.Organizations = append(page.Organizations, own)
	}
	return v.render("tokens", "Your tokens", "/you/tokens", page)
}

func (v *visit) createOwnToken() error {
	org := domain.OrgID(v.value("organization_id"))
	scope, err := v.principal.In(org)
	if err != nil {
		return err
	}
	expires, err := v.expiry()
	if err != nil {
		return v.retry("token-"+string(org), err, (*visit).ownTokens)
	}
	key, secret, err := v.Rules.CreatePersonalToken(v.ctx(), scope, domain.KeyRequest{Description: v.value("description"), ExpiresAt: expires})
	if err != nil {
		return v.retry("token-"+string(org), err, (*visit).ownTokens)
	}
	return v.showOwnTokens(&madeSecret{Name: key.Description, Secret: string(secret), ID: string(key.ID), Expires: key.ExpiresAt})
}

func (v *visit) askDeleteOwnToken() error {
	org := domain.OrgID(v.value("organization_id"))
	scope, err := v.principal.In(org)
	if err != nil {
		return err
	}
	keys, err := v.Rules.PersonalTokens(v.ctx(), scope)
	if err != nil {
		return err
	}
	id := domain.KeyID(v.r.PathValue("key"))
	for _, key := range keys {
		if key.ID == id {
			return v.confirm("/you/tokens", confirmation{
				Title: "Delete your token “" + key.Description + "” (" + key.Short + ")?", LastUsed: key.LastUsedAt,
				Effects: []string{"Whatever uses it is refused from the next request on.", "This cannot be taken back; a new token can be made."},
				Action:  "/you/tokens/" + url.PathEscape(string(id)) + "/delete", Fields: url.Values{"organization_id": {string(org)}},
				Button: "Delete the token", Back: "/you/tokens",
			})
		}
	}
	return domain.Errorf(domain.NotFound, "there is no such token")
}

func (v *visit) deleteOwnToken() error {
	scope, err := v.principal.In(domain.OrgID(v.value("organization_id")))
	if err != nil {
		return err
	}
	if _, err := v.Rules.DeletePersonalToken(v.ctx(), scope, domain.KeyID(v.r.PathValue("key"))); err != nil {
		return v.retry("delete", err, (*visit).ownTokens)
	}
	return v.finish("/you/tokens", "token-deleted")
}
