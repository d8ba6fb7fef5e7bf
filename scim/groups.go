package scim

import (
	"context"
	"net/http"
	"net/url"

	"muster/domain"
	"muster/scim/patch"
)

// createGroup is POST /Groups (S18).
func (s *server) createGroup(w http.ResponseWriter, r *http.Request) error {
	shown, err := query(r, s.groups)
	if err != nil {
		return err
	}
	doc, _, err := s.read(r, s.groups, s.limits.GroupBody)
	if err != nil {
		return err
	}
	doc, members, _ := patch.TakeMembers(doc)
	group, err := s.service.CreateGroup(r.Context(), scopeOf(r), doc, patch.MemberIDs(members))
	if err != nil {
		return err
	}
	return s.answer(w, http.StatusCreated, s.groupResource(group), shown)
}

// getGroup is GET /Groups/{id} (S19).
func (s *server) getGroup(w http.ResponseWriter, r *http.Request) error {
	shown, err := query(r, s.groups)
	if err != nil {
		return err
	}
	group, err := s.service.GetGroup(r.Context(), scopeOf(r), groupID(r), s.showsMembers(shown))
	if err != nil {
		return err
	}
	return s.answerUnlessKnown(w, r, s.groupResource(group), shown)
}

// showsMembers reports whether an answer has members; where it has none they are not read (S44).
func (s *server) showsMembers(shown projection) bool {
	_, keep := membersAttribute(s.groups, shown)
	return keep
}

// listGroups is GET /Groups (S40).
func (s *server) listGroups(w http.ResponseWriter, r *http.Request) error {
	values, err := parameters(r)
	if err != nil {
		return err
	}
	return s.queryGroups(w, r, values)
}

// searchGroups is POST /Groups/.search (S45).
func (s *server) searchGroups(w http.ResponseWriter, r *http.Request) error {
	values, err := searchParameters(r, s.limits.GroupBody)
	if err != nil {
		return err
	}
	return s.queryGroups(w, r, values)
}

func (s *server) queryGroups(w http.ResponseWriter, r *http.Request, values url.Values) error {
	list, err := s.readList(values, s.groups)
	if err != nil {
		return err
	}
	page, err := s.service.QueryGroups(r.Context(), scopeOf(r), list.Query, s.showsMembers(list.projection))
	if err != nil {
		return err
	}
	return s.answerList(w, list, page.Total, len(page.Items), func(yield func(resource) bool) {
		for _, group := range page.Items {
			if !yield(s.groupResource(group)) {
				return
			}
		}
	})
}

// replaceGroup is PUT /Groups/{id}: members that are not named leave the group (S20).
func (s *server) replaceGroup(w http.ResponseWriter, r *http.Request) error {
	shown, err := query(r, s.groups)
	if err != nil {
		return err
	}
	doc, sent, err := s.read(r, s.groups, s.limits.GroupBody)
	if err != nil {
		return err
	}
	if err := sameID(sent, string(groupID(r))); err != nil {
		return err
	}
	doc, named, _ := patch.TakeMembers(doc)
	members := domain.MembersChange{Op: domain.MembersReplace, Members: patch.MemberIDs(named)}
	group, err := s.changeGroup(r, domain.GroupChange{
		Apply: s.groups.replacement(doc), Members: []domain.MembersChange{members},
	})
	if err != nil {
		return err
	}
	return s.answerChanged(w, r, group, shown)
}

// patchGroup is PATCH /Groups/{id}: 204, because the group may be large, or 200 for a client that asks for it (S21).
func (s *server) patchGroup(w http.ResponseWriter, r *http.Request) error {
	shown, err := query(r, s.groups)
	if err != nil {
		return err
	}
	request, err := s.readPatch(r, s.groups, s.limits.GroupBody)
	if err != nil {
		return err
	}
	change := domain.GroupChange{Members: request.MembersChanges()}
	if len(request.Operations) > 0 {
		change.Apply = request.Apply
	}
	group, err := s.changeGroup(r, change)
	if err != nil {
		return err
	}
	if shown.given() || preference(r) == "representation" {
		return s.answerChanged(w, r, group, shown)
	}
	return noContent(w, group.Version)
}

func (s *server) changeGroup(r *http.Request, change domain.GroupChange) (domain.Group, error) {
	version, err := s.groupToMatch(r)
	if err != nil {
		return domain.Group{}, err
	}
	change.IfMatch = version
	return s.service.ChangeGroup(r.Context(), scopeOf(r), groupID(r), change)
}

func (s *server) groupToMatch(r *http.Request) (int64, error) {
	return ifMatch(r, func(ctx context.Context) (int64, error) {
		group, err := s.service.GetGroup(ctx, scopeOf(r), groupID(r), false)
		return group.Version, err
	})
}

// answerChanged answers with a changed group, which is read again only when its members are shown.
func (s *server) answerChanged(w http.ResponseWriter, r *http.Request, group domain.Group, shown projection) error {
	if s.showsMembers(shown) {
		var err error
		if group, err = s.service.GetGroup(r.Context(), scopeOf(r), group.ID, true); err != nil {
			return err
		}
	}
	return s.answer(w, http.StatusOK, s.groupResource(group), shown)
}

// deleteGroup is DELETE /Groups/{id} (S22).
func (s *server) deleteGroup(w http.ResponseWriter, r *http.Request) error {
	version, err := s.groupToMatch(r)
	if err != nil {
		return err
	}
	if err := s.service.DeleteGroup(r.Context(), scopeOf(r), groupID(r), version); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func groupID(r *http.Request) domain.GroupID { return domain.GroupID(r.PathValue("id")) }
