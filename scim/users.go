package scim

import (
	"context"
	"strings"

	"muster/domain"
)

// users is /Users.
type users struct {
	*Server
	resourceType
}

func (u users) kind() resourceType { return u.resourceType }

func (u users) bodyLimit() int64 { return u.limits.UserBody }

func (u users) create(ctx context.Context, scope domain.OrgScope, doc domain.Document) (resource, error) {
	user, err := u.service.CreateUser(ctx, scope, doc)
	if err != nil {
		return resource{}, err
	}
	return u.named(ctx, scope, u.resource(user))
}

func (u users) get(ctx context.Context, scope domain.OrgScope, id string, _ bool) (resource, error) {
	user, err := u.service.GetUser(ctx, scope, domain.MemberID(id))
	if err != nil {
		return resource{}, err
	}
	return u.named(ctx, scope, u.resource(user))
}

func (u users) query(ctx context.Context, scope domain.OrgScope, q domain.Query, _ bool) (page, error) {
	q.Raw = true
	found, err := u.service.QueryUsers(ctx, scope, q)
	if err != nil {
		return page{}, err
	}
	list := pageOf(found, u.resource)
	return list, u.nameManagers(ctx, scope, list.Items)
}

func (u users) change(ctx context.Context, scope domain.OrgScope, id string, c change) (resource, error) {
	user, err := u.service.ChangeUser(ctx, scope, domain.MemberID(id), domain.UserChange{Apply: c.apply, IfMatch: c.ifMatch})
	if err != nil {
		return resource{}, err
	}
	return u.named(ctx, scope, u.resource(user))
}

func (u users) remove(ctx context.Context, scope domain.OrgScope, id string, ifMatch int64) error {
	return u.service.DeleteUser(ctx, scope, domain.MemberID(id), ifMatch)
}

// resource is a User as it is answered: what was sent, and id, meta, active and groups.
func (u users) resource(user domain.SCIMUser) resource {
	r := resource{
		kind: u.resourceType, id: string(user.ID), version: user.Version, created: user.CreatedAt, modified: user.UpdatedAt,
		text: user.Text, unchanged: user.Unchanged, groups: user.Groups,
	}
	if user.Attributes != nil {
		r.doc = copied(user.Attributes)
		r.doc["active"] = user.Active
	}
	return r
}

// named adds the name of the person's manager.
func (u users) named(ctx context.Context, scope domain.OrgScope, r resource) (resource, error) {
	one := []resource{r}
	err := u.nameManagers(ctx, scope, one)
	return one[0], err
}

// nameManagers resolves the managers among the resources; one who is not there yet stays as sent (S15).
func (u users) nameManagers(ctx context.Context, scope domain.OrgScope, list []resource) error {
	managers := map[int]string{}
	var references []string
	for i := range list {
		r := &list[i]
		if r.doc == nil && !strings.Contains(r.text, `"manager":`) {
			continue
		}
		if err := r.decode(); err != nil {
			return err
		}
		if reference := (domain.SCIMUser{Attributes: r.doc}).Manager(); reference != "" {
			managers[i], references = reference, append(references, reference)
		}
	}
	if len(references) == 0 {
		return nil
	}
	people, err := u.service.People(ctx, scope, references)
	if err != nil {
		return err
	}
	for i, reference := range managers {
		if person, ok := people[reference]; ok {
			list[i].doc = withManager(list[i].doc, person.Name, u.location(u.resourceType, string(person.ID)))
		}
	}
	return nil
}

// withManager returns the document with the manager's name and location; what it was made of stays as it is.
func withManager(doc domain.Document, name, ref string) domain.Document {
	extension, _ := doc[domain.EnterpriseURN].(map[string]any)
	manager, _ := extension["manager"].(map[string]any)
	named := copied(manager)
	named["displayName"], named["$ref"] = name, ref
	extended := copied(extension)
	extended["manager"] = named
	doc[domain.EnterpriseURN] = extended
	return doc
}
