package admin

import (
	"net/http"
	"strconv"

	"muster/domain"
)

func badQuery(name, message string) error {
	return &invalidBody{[]fieldError{{[]string{"query", name}, message, "value_error"}}}
}

// flagOf reads a boolean of the query; absent is false.
func flagOf(r *http.Request, name string) (bool, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return false, nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return false, badQuery(name, "this must be true or false")
	}
	return value, nil
}

// numberOf reads a whole number of the query within bounds.
func numberOf(r *http.Request, name string, otherwise, least, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < least || value > most {
		return 0, badQuery(name, "this must be a whole number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most))
	}
	return value, nil
}

// memberQuery reads the parameters that the member lists share.
func memberQuery(r *http.Request) (domain.MemberQuery, error) {
	limit, err := numberOf(r, "limit", domain.DefaultLimit, 1, domain.MaxLimit)
	if err != nil {
		return domain.MemberQuery{}, err
	}
	offset, err := numberOf(r, "offset", 0, 0, 1<<31-1)
	if err != nil {
		return domain.MemberQuery{}, err
	}
	descending := true
	if r.URL.Query().Has("sort_by_desc") {
		if descending, err = flagOf(r, "sort_by_desc"); err != nil {
			return domain.MemberQuery{}, err
		}
	}
	query := r.URL.Query()
	parsed := domain.MemberQuery{
		Window: domain.Window{Limit: limit, Offset: offset}, Emails: query["emails"], Search: query.Get("q"),
		SortBy: query.Get("sort_by"), Descending: descending,
	}
	switch parsed.SortBy {
	case "", "name", "email", "role", "created_at":
	default:
		return domain.MemberQuery{}, badQuery("sort_by", "this must be name, email, role or created_at")
	}
	for _, name := range []string{"user_ids", "ls_user_ids"} {
		for _, id := range query[name] {
			parsed.UserIDs = append(parsed.UserIDs, domain.UserID(id))
		}
	}
	if query.Has("is_disabled") {
		disabled, err := flagOf(r, "is_disabled")
		if err != nil {
			return domain.MemberQuery{}, err
		}
		parsed.Status = domain.Active
		if disabled {
			parsed.Status = domain.Disabled
		}
	}
	return parsed, nil
}
