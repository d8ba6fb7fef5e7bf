package dbtest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"muster/domain"
)

// tenant is an organization with one of everything.
type tenant struct {
	scope     domain.OrgScope
	workspace domain.Workspace
	user      domain.SCIMUser
	group     domain.Group
	// inner is a group inside the group.
	inner    domain.Group
	resource domain.Resource
	// schema is the id of a schema that they declared.
	schema string
	invite domain.Invite
	token  domain.SCIMToken
	key    domain.Key
	mark   domain.Digest
	audit  domain.AuditID
	// role and account are a custom role and a service account.
	role    domain.Role
	account domain.ServiceAccount
	// chained is an audit row with a place, feed the id of a feed, letter a dead letter of the hook.
	chained domain.AuditID
	feed    string
	hook    domain.EventHook
	letter  domain.DeadLetter
}

// tenancy calls every method of OrgTx in one organization with another one's ids: nothing is found and nothing changes (R44).
// A method without a case fails.
func (s *suite) tenancy(t *testing.T) {
	theirs, ours := s.tenant(t), s.tenant(t)
	before := s.dump(t, theirs)
	cases := foreignCalls(theirs)
	for store := range storesOf(reflect.TypeFor[domain.OrgTx]()) {
		for method := range store.iface.Methods() {
			name := store.name + "." + method.Name
			call, ok := cases[name]
			if !ok {
				t.Errorf("%s has no case in the tenancy suite", name)
				continue
			}
			delete(cases, name)
			err := s.store.Write(t.Context(), func(tx domain.Tx) error { return call(tx.Org(ours.scope)) })
			if err != nil && !domain.IsKind(err, domain.NotFound) {
				t.Errorf("%s with another organization's ids: %v", name, err)
			}
		}
	}
	for name := range cases {
		t.Errorf("the tenancy suite has a case for %s, which does not exist", name)
	}
	want(t, "the other organization", s.dump(t, theirs), before)
}

type storeOf struct {
	name  string
	iface reflect.Type
}

// storesOf returns what the methods of SystemTx or OrgTx give.
func storesOf(tx reflect.Type) func(func(storeOf) bool) {
	return func(yield func(storeOf) bool) {
		for method := range tx.Methods() {
			if !yield(storeOf{method.Name, method.Type.Out(0)}) {
				return
			}
		}
	}
}

// errLeak is an answer that should have been empty.
var errLeak = errors.New("another organization's data came back")

// empty turns what a call found into an error.
func empty[T any](found []T, err error) error {
	if err == nil && len(found) > 0 {
		return fmt.Errorf("%w: %v", errLeak, found)
	}
	return err
}

// absent turns a success into an error.
func absent[T any](found T, err error) error {
	if err == nil {
		return fmt.Errorf("%w: %v", errLeak, found)
	}
	return err
}

// refused is for writes, of which nothing may be reported as done.
func refused(err error) error {
	if err == nil {
		return fmt.Errorf("%w: the write was accepted", errLeak)
	}
	return err
}

// without reports a leak when an answer about our own organization names theirs.
func without(leak bool, err error) error {
	if err == nil && leak {
		return errLeak
	}
	return err
}

type foreignCall = func(domain.OrgTx) error

// foreignCalls has a case for every method.
// Those that take no id are called for their effect; the comparison of the other organization before and after decides.
func foreignCalls(a tenant) map[string]foreignCall {
	calls := map[string]foreignCall{}
	for _, some := range []map[string]foreignCall{settingsCalls(a), memberCalls(a), scimCalls(a), credentialCalls(a), administrationCalls(a), auditCalls(a)} {
		for name, call := range some {
			calls[name] = call
		}
	}
	return calls
}

func settingsCalls(a tenant) map[string]foreignCall {
	return map[string]foreignCall{
		"Settings.Get": func(o domain.OrgTx) error {
			org, err := o.Settings().Get()
			return without(org.ID == a.scope.Org(), err)
		},
		"Settings.Lock": func(o domain.OrgTx) error {
			org, err := o.Settings().Lock()
			return without(org.ID == a.scope.Org(), err)
		},
		"Settings.Update": func(o domain.OrgTx) error {
			return o.Settings().Update(domain.Org{ID: a.scope.Org(), DisplayName: unique("Taken over "), Settings: domain.DefaultSettings()})
		},
		"Settings.SSO": func(o domain.OrgTx) error { _, err := o.Settings().SSO(); return err },
		"Settings.UpdateSSO": func(o domain.OrgTx) error {
			return refused(o.Settings().UpdateSSO(domain.SSOSettings{ID: id[string]()}))
		},
		"Workspaces.Get": func(o domain.OrgTx) error { return absent(o.Workspaces().Get(a.workspace.ID)) },
		"Workspaces.List": func(o domain.OrgTx) error {
			all, err := o.Workspaces().List(true)
			return without(slices.ContainsFunc(all, func(w domain.Workspace) bool { return w.ID == a.workspace.ID }), err)
		},
		"Workspaces.Insert": func(o domain.OrgTx) error {
			return o.Workspaces().Insert(domain.Workspace{ID: id[domain.WorkspaceID](), DisplayName: a.workspace.DisplayName})
		},
		"Workspaces.Update": func(o domain.OrgTx) error {
			return refused(o.Workspaces().Update(domain.Workspace{ID: id[domain.WorkspaceID](), DisplayName: "x"}))
		},
		"Invites.Get":     func(o domain.OrgTx) error { return absent(o.Invites().Get(a.invite.ID)) },
		"Invites.ByEmail": func(o domain.OrgTx) error { return absent(o.Invites().ByEmail(domain.Fold(a.invite.Email))) },
		"Invites.List": func(o domain.OrgTx) error {
			return empty(o.Invites().List(domain.MemberQuery{Emails: []string{a.invite.Email}}))
		},
		"Invites.Put": func(o domain.OrgTx) error {
			return o.Invites().Put(domain.Invite{ID: a.invite.ID, Email: a.invite.Email})
		},
		"Invites.Delete": func(o domain.OrgTx) error { return o.Invites().Delete(id[domain.InviteID]()) },
		"Tombstones.Put": func(o domain.OrgTx) error { return o.Tombstones().Put(a.user.ID, nil) },
		"Tombstones.Any": func(o domain.OrgTx) error {
			found, err := o.Tombstones().Any([]domain.Digest{a.mark})
			return without(found, err)
		},
		"Tombstones.Clear": func(o domain.OrgTx) error { return o.Tombstones().Clear([]domain.Digest{a.mark}) },
		"Audit.Append":     func(o domain.OrgTx) error { return o.Audit().Append(domain.AuditEvent{ID: a.audit, At: Start}) },
		"Audit.List": func(o domain.OrgTx) error {
			events, err := o.Audit().List(domain.AuditQuery{})
			return without(len(events) != 2, err) // our own, and the one that Append wrote
		},
	}
}

func memberCalls(a tenant) map[string]foreignCall {
	theirs := []domain.MemberID{a.user.ID}
	held := domain.Held{Grant: domain.Grant{Kind: domain.GrantManual, Role: domain.RoleOrgAdmin, At: Start}}
	return map[string]foreignCall{
		"Members.Get":    func(o domain.OrgTx) error { return absent(o.Members().Get(a.user.ID)) },
		"Members.ByUser": func(o domain.OrgTx) error { return absent(o.Members().ByUser(a.user.User)) },
		"Members.List": func(o domain.OrgTx) error {
			return empty(o.Members().List(domain.MemberQuery{IDs: theirs}))
		},
		"Members.Insert": func(o domain.OrgTx) error {
			_, err := o.Members().Insert(domain.Member{ID: id[domain.MemberID](), User: id[domain.UserID]()})
			return refused(err)
		},
		"Members.SetStatus": func(o domain.OrgTx) error { return refused(o.Members().SetStatus(a.user.ID, domain.Disabled)) },
		"Members.Delete":    func(o domain.OrgTx) error { return refused(o.Members().Delete(a.user.ID)) },
		"Members.Lock":      func(o domain.OrgTx) error { return o.Members().Lock(theirs) },
		"Members.CountAdmins": func(o domain.OrgTx) error {
			count, err := o.Members().CountAdmins()
			return without(count != 0, err)
		},
		"Access.Load": func(o domain.OrgTx) error {
			found, err := o.Access().Load(theirs)
			return without(len(found) > 0, err)
		},
		"Access.Groups": func(o domain.OrgTx) error {
			found, err := o.Access().Groups(theirs)
			return without(len(found) > 0, err)
		},
		"Access.Save": func(o domain.OrgTx) error {
			if err := o.Access().Save([]domain.AccessChange{{Member: a.user.ID, Org: &held, Drop: []domain.WorkspaceID{a.workspace.ID}}}); err != nil {
				return err
			}
			return refused(o.Access().Save([]domain.AccessChange{{Member: a.user.ID, Put: map[domain.WorkspaceID]domain.Held{a.workspace.ID: held}}}))
		},
	}
}

func credentialCalls(a tenant) map[string]foreignCall {
	return map[string]foreignCall{
		"Tokens.Get": func(o domain.OrgTx) error { return absent(o.Tokens().Get(a.token.ID)) },
		"Tokens.List": func(o domain.OrgTx) error {
			all, err := o.Tokens().List()
			return without(slices.ContainsFunc(all, func(t domain.SCIMToken) bool { return t.ID == a.token.ID }), err)
		},
		"Tokens.Insert": func(o domain.OrgTx) error {
			token := a.token
			token.ID, token.Digest = id[domain.TokenID](), domain.DigestOf(unique("secret"))
			return o.Tokens().Insert(token)
		},
		"Tokens.Update": func(o domain.OrgTx) error { return refused(o.Tokens().Update(a.token)) },
		"Tokens.Delete": func(o domain.OrgTx) error { return refused(o.Tokens().Delete(a.token.ID)) },
		"Tokens.Exists": func(o domain.OrgTx) error {
			there, err := o.Tokens().Exists(a.token.ID)
			return without(there, err)
		},
		"Tokens.Touch": func(o domain.OrgTx) error { return refused(o.Tokens().Touch(a.token.ID, Start.Add(time.Hour))) },
		"Keys.Get":     func(o domain.OrgTx) error { return absent(o.Keys().Get(a.key.ID)) },
		"Keys.List": func(o domain.OrgTx) error {
			all, err := o.Keys().List(domain.PersonalKey, a.key.User)
			return without(slices.ContainsFunc(all, func(k domain.Key) bool { return k.ID == a.key.ID }), err)
		},
		"Keys.Insert": func(o domain.OrgTx) error {
			key := a.key
			key.ID, key.Digest = id[domain.KeyID](), domain.DigestOf(unique("secret"))
			return o.Keys().Insert(key)
		},
		"Keys.Delete": func(o domain.OrgTx) error { return refused(o.Keys().Delete(a.key.ID)) },
		"Keys.DeleteOfUser": func(o domain.OrgTx) error {
			return o.Keys().DeleteOfUser(a.key.User)
		},
		"Keys.Touch": func(o domain.OrgTx) error { return refused(o.Keys().Touch(a.key.ID, Start.Add(time.Hour))) },
	}
}

// tenant makes an organization with one of everything.
func (s *suite) tenant(t *testing.T) tenant {
	t.Helper()
	scope := s.org(t)
	a := tenant{
		scope: scope, user: s.scimUser(t, scope, domain.Document{"externalId": unique("e")}), group: s.group(t, scope),
		workspace: domain.Workspace{ID: id[domain.WorkspaceID](), DisplayName: unique("W"), CreatedAt: Start},
		invite:    domain.Invite{ID: id[domain.InviteID](), Email: unique("i") + "@example.com", Role: domain.RoleOrgUser, CreatedAt: Start},
		token:     domain.SCIMToken{ID: id[domain.TokenID](), Org: scope.Org(), Digest: domain.DigestOf(unique("secret")), CreatedAt: Start},
		mark:      domain.DigestOf(unique("mark")), audit: id[domain.AuditID](),
	}
	a.key = domain.Key{ID: id[domain.KeyID](), Org: scope.Org(), Kind: domain.PersonalKey, User: a.user.User, Digest: domain.DigestOf(unique("secret")), CreatedAt: Start}
	a.inner, a.schema = s.group(t, scope), unique("urn:x:")
	a.resource = domain.Resource{ID: id[domain.ResourceID](), Type: "Device", ExternalID: unique("d"), Attributes: domain.Document{"serial": "1"}, CreatedAt: Start, UpdatedAt: Start}
	a.role, a.chained, a.feed = customRole(), a.audit, unique("feed")
	a.hook = domain.EventHook{ID: id[domain.HookID](), Org: scope.Org(), URL: "https://app.example", Types: []string{}, Enabled: true, CreatedAt: Start, UpdatedAt: Start}
	a.letter = domain.DeadLetter{Hook: a.hook.ID, Event: id[domain.AuditID](), Type: "test", Body: "{}", Error: "away", FailedAt: Start}
	a.account = domain.ServiceAccount{ID: id[domain.AccountID](), Name: unique("A"), Workspaces: map[domain.WorkspaceID]domain.RoleID{}, CreatedAt: Start, UpdatedAt: Start}
	held := domain.Held{Grant: domain.Grant{Kind: domain.GrantManual, Role: domain.RoleWorkEditor, At: Start}}
	s.write(t, func(tx domain.Tx) error {
		org := tx.Org(scope)
		for _, step := range []func() error{
			func() error { return org.Workspaces().Insert(a.workspace) },
			func() error { return org.Invites().Put(a.invite) },
			func() error { return org.Tokens().Insert(a.token) },
			func() error { return org.Keys().Insert(a.key) },
			func() error { return org.Roles().Insert(a.role) },
			func() error { return org.Accounts().Insert(a.account) },
			func() error {
				return org.Guard().Put(domain.Guard{Enabled: true, Window: time.Hour, State: domain.GuardOpen})
			},
			func() error { return org.Guard().Spend(Start, 1) },
			func() error { return org.Hooks().Insert(a.hook) },
			func() error {
				return org.Outbox().Insert(domain.Mail{ID: id[domain.MailID](), To: a.invite.Email, CreatedAt: Start})
			},
			func() error { return org.Hooks().Bury(a.letter) },
			func() error { _, err := org.Feeds().Lease(a.feed, "theirs", Start); return err },
			func() error {
				return org.Guard().Hold(domain.HeldRequest{Operation: "test", Target: domain.Target{ID: string(a.user.ID)}, Requests: 1})
			},
			func() error { return org.Tombstones().Put(id[domain.MemberID](), []domain.Digest{a.mark}) },
			func() error { return org.Audit().Append(domain.AuditEvent{ID: a.audit, At: Start, Operation: "test"}) },
			func() error { _, err := org.GroupMembers().Add(a.group.ID, []domain.MemberID{a.user.ID}); return err },
			func() error { _, err := org.NestedGroups().Add(a.group.ID, []domain.GroupID{a.inner.ID}); return err },
			func() error { return org.Resources().Insert(a.resource) },
			func() error {
				return org.UniqueValues().Put("Device", string(a.resource.ID), []domain.UniqueValue{{Path: a.schema, Key: "1"}})
			},
			func() error {
				return org.Definitions().Put(domain.Definitions{Schemas: []domain.SchemaDefinition{{ID: a.schema}}}, Start)
			},
			func() error {
				return org.Activity().Append([]domain.Activity{{ID: id[domain.ActivityID](), Token: a.token.ID, At: Start, Target: string(a.user.ID), Requests: 7}})
			},
			func() error {
				return org.Activity().CountUndeclared([]domain.UndeclaredAttribute{{Token: a.token.ID, Path: "shoeSize", Requests: 1, LastSeen: Start}})
			},
			func() error {
				return org.Groups().SetMapping(a.group.ID, domain.Mapping{OrgRole: domain.RoleOrgUser}, "", false)
			},
			func() error {
				return org.Access().Save([]domain.AccessChange{{Member: a.user.ID, Put: map[domain.WorkspaceID]domain.Held{a.workspace.ID: held}}})
			},
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	return a
}

// dump reads everything that an organization has.
func (s *suite) dump(t *testing.T, a tenant) []any {
	t.Helper()
	var all []any
	s.read(t, func(tx domain.Tx) error {
		all = all[:0]
		org := tx.Org(a.scope)
		for _, read := range []func() (any, error){
			func() (any, error) { return org.Settings().Get() },
			func() (any, error) { return org.Settings().SSO() },
			func() (any, error) { return org.Workspaces().List(true) },
			func() (any, error) { return org.Members().List(domain.MemberQuery{}) },
			func() (any, error) { return org.Invites().List(domain.MemberQuery{}) },
			func() (any, error) { return org.SCIMUsers().Query(domain.Query{Count: 100}) },
			func() (any, error) { return org.Groups().Query(domain.Query{Count: 100}) },
			func() (any, error) { return org.NestedGroups().List(a.group.ID) },
			func() (any, error) { return org.Definitions().Get() },
			func() (any, error) { return org.Resources().Query(a.resource.Type, domain.Query{Count: 100}) },
			func() (any, error) { return org.Activity().List(domain.ActivityQuery{Limit: 10}) },
			func() (any, error) { return org.Activity().Undeclared() },
			func() (any, error) { return org.Access().Groups([]domain.MemberID{a.user.ID}) },
			func() (any, error) { return org.Tokens().List() },
			func() (any, error) { return org.Roles().List() },
			func() (any, error) { return org.Accounts().List() },
			func() (any, error) { return org.Guard().Get() },
			func() (any, error) { return org.Hooks().List() },
			func() (any, error) { return org.Outbox().List(10) },
			func() (any, error) { return org.Hooks().Letters(a.hook.ID) },
			func() (any, error) { return org.Feeds().Get(a.feed) },
			func() (any, error) { return org.Audit().Head() },
			func() (any, error) { return org.Guard().Spent(Start) },
			func() (any, error) { held, _, err := org.Guard().Held(10); return held, err },
			func() (any, error) { return org.Keys().List(domain.PersonalKey, "") },
			func() (any, error) { return org.Tombstones().Any([]domain.Digest{a.mark}) },
			func() (any, error) { return org.Audit().List(domain.AuditQuery{}) },
		} {
			part, err := read()
			if err != nil {
				return err
			}
			all = append(all, part)
		}
		return nil
	})
	return all
}

// scopes calls every method under the zero scopes: each is refused as a defect of ours.
func (s *suite) scopes(t *testing.T) {
	for name, of := range map[string]func(domain.Tx) any{
		"System": func(tx domain.Tx) any { return tx.System(domain.SystemScope{}) },
		"Org":    func(tx domain.Tx) any { return tx.Org(domain.OrgScope{}) },
	} {
		iface := map[string]reflect.Type{"System": reflect.TypeFor[domain.SystemTx](), "Org": reflect.TypeFor[domain.OrgTx]()}[name]
		for store := range storesOf(iface) {
			for method := range store.iface.Methods() {
				s.write(t, func(tx domain.Tx) error {
					target := reflect.ValueOf(of(tx)).MethodByName(store.name).Call(nil)[0].MethodByName(method.Name)
					args := make([]reflect.Value, target.Type().NumIn())
					for i := range args {
						args[i] = reflect.Zero(target.Type().In(i))
					}
					results := target.Call(args)
					err, _ := results[len(results)-1].Interface().(error)
					wantKind(t, store.name+"."+method.Name+" under the zero scope", err, domain.Internal, "")
					return nil
				})
			}
		}
	}
}
