package scim

import (
	"context"
	"net/http"
	"net/url"

	"muster/domain"
	"muster/scim/patch"
)

// createUser is POST /Users (S18).
func (s *server) createUser(w http.ResponseWriter, r *http.Request) error {
	shown, err := query(r, s.users)
	if err != nil {
		return err
	}
	doc, _, err := s.read(r, s.users, s.limits.UserBody)
	if err != nil {
		return err
	}
	user, err := s.service.CreateUser(r.Context(), scopeOf(r), doc)
	if err != nil {
		return err
	}
	return s.answer(w, http.StatusCreated, s.userResource(user), shown)
}

// getUser is GET /Users/{id} (S19).
func (s *server) getUser(w http.ResponseWriter, r *http.Request) error {
	shown, err := query(r, s.users)
	if err != nil {
		return err
	}
	user, err := s.service.GetUser(r.Context(), scopeOf(r), userID(r))
	if err != nil {
		return err
	}
	return s.answerUnlessKnown(w, r, s.userResource(user), shown)
}

// answerUnlessKnown answers 304 to a client that has this version already.
func (s *server) answerUnlessKnown(w http.ResponseWriter, r *http.Request, res resource, shown projection) error {
	known, err := notModified(r, res.version)
	if err != nil {
		return err
	}
	if known {
		w.Header().Set("ETag", etag(res.version))
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return s.answer(w, http.StatusOK, res, shown)
}

// listUsers is GET /Users (S40).
func (s *server) listUsers(w http.ResponseWriter, r *http.Request) error {
	values, err := parameters(r)
	if err != nil {
		return err
	}
	return s.queryUsers(w, r, values)
}

// searchUsers is POST /Users/.search (S45).
func (s *server) searchUsers(w http.ResponseWriter, r *http.Request) error {
	values, err := searchParameters(r, s.limits.UserBody)
	if err != nil {
		return err
	}
	return s.queryUsers(w, r, values)
}

func (s *server) queryUsers(w http.ResponseWriter, r *http.Request, values url.Values) error {
	list, err := s.readList(values, s.users)
	if err != nil {
		return err
	}
	page, err := s.service.QueryUsers(r.Context(), scopeOf(r), list.Query)
	if err != nil {
		return err
	}
	return s.answerList(w, list, page.Total, len(page.Items), func(yield func(resource) bool) {
		for _, user := range page.Items {
			if !yield(s.userResource(user)) {
				return
			}
		}
	})
}

// replaceUser is PUT /Users/{id} (S20).
func (s *server) replaceUser(w http.ResponseWriter, r *http.Request) error {
	shown, err := query(r, s.users)
	if err != nil {
		return err
	}
	doc, sent, err := s.read(r, s.users, s.limits.UserBody)
	if err != nil {
		return err
	}
	if err := sameID(sent, string(userID(r))); err != nil {
		return err
	}
	user, err := s.changeUser(r, s.users.replacement(doc))
	if err != nil {
		return err
	}
	return s.answer(w, http.StatusOK, s.userResource(user), shown)
}

// patchUser is PATCH /Users/{id}: 200 with the resource, or 204 for a client that prefers it (S21).
func (s *server) patchUser(w http.ResponseWriter, r *http.Request) error {
	shown, err := query(r, s.users)
	if err != nil {
		return err
	}
	request, err := s.readPatch(r, s.users, s.limits.UserBody)
	if err != nil {
		return err
	}
	user, err := s.changeUser(r, request.Apply)
	if err != nil {
		return err
	}
	if preference(r) == "minimal" && !shown.given() {
		w.Header().Set("Preference-Applied", "return=minimal")
		return noContent(w, user.Version)
	}
	return s.answer(w, http.StatusOK, s.userResource(user), shown)
}

// readPatch reads the body of a PATCH of the resource that the request's path names.
func (s *server) readPatch(r *http.Request, t resourceType, limit int64) (patch.Request, error) {
	body, err := decode(r, limit)
	if err != nil {
		return patch.Request{}, err
	}
	request, err := patch.Parse(body, t.Resource, profileOf(r))
	if err != nil {
		return patch.Request{}, err
	}
	s.report(r, request.Unknown)
	return request, sameID(request.ID, r.PathValue("id"))
}

func (s *server) changeUser(r *http.Request, change domain.DocumentChange) (domain.SCIMUser, error) {
	version, err := s.userToMatch(r)
	if err != nil {
		return domain.SCIMUser{}, err
	}
	return s.service.ChangeUser(r.Context(), scopeOf(r), userID(r), domain.UserChange{Apply: change, IfMatch: version})
}

func (s *server) userToMatch(r *http.Request) (int64, error) {
	return ifMatch(r, func(ctx context.Context) (int64, error) {
		user, err := s.service.GetUser(ctx, scopeOf(r), userID(r))
		return user.Version, err
	})
}

// deleteUser is DELETE /Users/{id} (S22).
func (s *server) deleteUser(w http.ResponseWriter, r *http.Request) error {
	version, err := s.userToMatch(r)
	if err != nil {
		return err
	}
	if err := s.service.DeleteUser(r.Context(), scopeOf(r), userID(r), version); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func userID(r *http.Request) domain.MemberID { return domain.MemberID(r.PathValue("id")) }
