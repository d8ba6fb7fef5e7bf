package dbtest

import (
	"errors"
	"slices"
	"time"

	"muster/domain"
)

func scimCalls(a tenant) map[string]foreignCall {
	theirs := []domain.MemberID{a.user.ID}
	all := domain.Query{Count: 10, Filter: eq("id", "", string(a.user.ID))}
	group := domain.Query{Count: 10, Filter: eq("id", "", string(a.group.ID))}
	return map[string]foreignCall{
		"SCIMUsers.Get":        func(o domain.OrgTx) error { return absent(o.SCIMUsers().Get(a.user.ID)) },
		"SCIMUsers.Lock":       func(o domain.OrgTx) error { return absent(o.SCIMUsers().Lock(a.user.ID)) },
		"SCIMUsers.ByUserName": func(o domain.OrgTx) error { return absent(o.SCIMUsers().ByUserName(domain.Fold(a.user.UserName))) },
		"SCIMUsers.Query": func(o domain.OrgTx) error {
			result, err := o.SCIMUsers().Query(all)
			return without(result.Total != 0 || len(result.Items) != 0, err)
		},
		"SCIMUsers.Insert": func(o domain.OrgTx) error { return refused(o.SCIMUsers().Insert(a.user)) },
		"SCIMUsers.Update": func(o domain.OrgTx) error { return refused(o.SCIMUsers().Update(a.user)) },
		"SCIMUsers.Missing": func(o domain.OrgTx) error {
			missing, err := o.SCIMUsers().Missing(theirs)
			return without(len(missing) != 1, err)
		},
		"SCIMUsers.Fetch": func(o domain.OrgTx) error { return absent(o.SCIMUsers().Fetch(a.user.ID, "")) },
		"SCIMUsers.People": func(o domain.OrgTx) error {
			people, err := o.SCIMUsers().People([]string{string(a.user.ID), a.user.ExternalID})
			return without(len(people) != 0, err)
		},
		"SCIMUsers.Newcomer": func(o domain.OrgTx) error {
			// The organization may have an invite of its own for the address by now.
			_, own := o.Invites().ByEmail(domain.Fold(a.invite.Email))
			known, err := o.SCIMUsers().Newcomer(domain.Arrival{EmailKey: domain.Fold(a.invite.Email)})
			return without(known.Invited && own != nil, err)
		},
		"Groups.Named": func(o domain.OrgTx) error {
			named, err := o.Groups().Named(domain.Fold(a.inner.DisplayName), "")
			return without(named, err)
		},
		"NestedGroups.Add": func(o domain.OrgTx) error {
			return absent(o.NestedGroups().Add(a.group.ID, []domain.GroupID{a.group.ID}))
		},
		"NestedGroups.Remove": func(o domain.OrgTx) error {
			return empty(o.NestedGroups().Remove(a.group.ID, []domain.GroupID{a.inner.ID}))
		},
		"NestedGroups.List":    func(o domain.OrgTx) error { return empty(o.NestedGroups().List(a.group.ID)) },
		"NestedGroups.Parents": func(o domain.OrgTx) error { return empty(o.NestedGroups().Parents(a.inner.ID)) },
		"NestedGroups.Missing": func(o domain.OrgTx) error {
			missing, err := o.NestedGroups().Missing([]domain.GroupID{a.group.ID})
			return without(len(missing) != 1, err)
		},
		"Definitions.Get": func(o domain.OrgTx) error {
			found, err := o.Definitions().Get()
			_, theirs := found.Schema(a.schema)
			return without(theirs, err)
		},
		"Definitions.Put": func(o domain.OrgTx) error { return o.Definitions().Put(domain.Definitions{Revision: 1}, Start) },
		"Resources.Get":   func(o domain.OrgTx) error { return absent(o.Resources().Get(a.resource.Type, a.resource.ID)) },
		"Resources.Lock":  func(o domain.OrgTx) error { return absent(o.Resources().Lock(a.resource.Type, a.resource.ID)) },
		"Resources.Insert": func(o domain.OrgTx) error {
			r := a.resource
			r.ID = id[domain.ResourceID]()
			return o.Resources().Insert(r)
		},
		"Resources.Update": func(o domain.OrgTx) error { return refused(o.Resources().Update(a.resource)) },
		"Resources.Delete": func(o domain.OrgTx) error { return refused(o.Resources().Delete(a.resource.Type, a.resource.ID)) },
		"Resources.Query": func(o domain.OrgTx) error {
			result, err := o.Resources().Query(a.resource.Type, domain.Query{Count: 10, Filter: eq("id", "", string(a.resource.ID))})
			return without(result.Total != 0, err)
		},
		"UniqueValues.Put": func(o domain.OrgTx) error {
			return o.UniqueValues().Put(a.resource.Type, string(a.resource.ID), []domain.UniqueValue{{Path: a.schema, Key: "1"}})
		},
		"UniqueValues.Delete": func(o domain.OrgTx) error { return o.UniqueValues().Delete(string(a.resource.ID)) },
		"Activity.Append": func(o domain.OrgTx) error {
			return o.Activity().Append([]domain.Activity{{ID: id[domain.ActivityID](), Token: a.token.ID, At: Start}})
		},
		"Activity.List": func(o domain.OrgTx) error {
			return empty(o.Activity().List(domain.ActivityQuery{Limit: 10, Target: string(a.user.ID)}))
		},
		"Activity.Counts": func(o domain.OrgTx) error {
			counts, err := o.Activity().Counts(time.Time{}, time.Hour)
			for _, count := range counts {
				err = errors.Join(err, without(count.Others > 7, nil)) // 7 are its own
			}
			return err
		},
		"Activity.CountUndeclared": func(o domain.OrgTx) error {
			return o.Activity().CountUndeclared([]domain.UndeclaredAttribute{{Token: a.token.ID, Path: "x", Requests: 1}})
		},
		"Activity.Undeclared": func(o domain.OrgTx) error {
			found, err := o.Activity().Undeclared()
			return without(slices.ContainsFunc(found, func(u domain.UndeclaredAttribute) bool { return u.Token == a.token.ID }), err)
		},
		"Groups.Get": func(o domain.OrgTx) error { return absent(o.Groups().Get(a.group.ID)) },
		"Groups.Query": func(o domain.OrgTx) error {
			result, err := o.Groups().Query(group)
			return without(result.Total != 0 || len(result.Items) != 0, err)
		},
		"Groups.Explicit": func(o domain.OrgTx) error {
			return empty(o.Groups().Explicit([]string{domain.Fold(a.group.DisplayName)}))
		},
		"Groups.Each": func(o domain.OrgTx) error {
			return o.Groups().Each(func(g domain.Group) error { return without(g.ID == a.group.ID, nil) })
		},
		"Groups.Insert": func(o domain.OrgTx) error { g := a.group; g.ID = id[domain.GroupID](); return o.Groups().Insert(g) },
		"Groups.Update": func(o domain.OrgTx) error { return refused(o.Groups().Update(a.group)) },
		"Groups.Bump":   func(o domain.OrgTx) error { return absent(o.Groups().Bump(a.group.ID)) },
		"Groups.SetMapping": func(o domain.OrgTx) error {
			return refused(o.Groups().SetMapping(a.group.ID, domain.Mapping{}, "", false))
		},
		"Groups.Delete":       func(o domain.OrgTx) error { return refused(o.Groups().Delete(a.group.ID)) },
		"GroupMembers.Add":    func(o domain.OrgTx) error { return empty(o.GroupMembers().Add(a.group.ID, theirs)) },
		"GroupMembers.Remove": func(o domain.OrgTx) error { return empty(o.GroupMembers().Remove(a.group.ID, theirs)) },
		"GroupMembers.List":   func(o domain.OrgTx) error { return empty(o.GroupMembers().List(a.group.ID, "", 0)) },
	}
}
