package scim

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"muster/domain"
	"muster/scim/filter"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// searchURN names the body of a query by POST (RFC 7644 section 3.4.3).
const searchURN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

// listRequest is a query: what the store is asked, and how the answer is written.
type listRequest struct {
	domain.Query

	// startIndex is as it is echoed: at least 1.
	startIndex int
	projection projection
}

// readList reads a query's parameters (RFC 7644 section 3.4.2); those it does not know are ignored (R56).
func (s *server) readList(values url.Values, t resourceType) (listRequest, error) {
	startIndex, err := number(values, "startIndex", 1)
	if err != nil {
		return listRequest{}, err
	}
	count, err := number(values, "count", s.limits.PageSize)
	if err != nil {
		return listRequest{}, err
	}
	list := listRequest{startIndex: max(startIndex, 1)}
	list.Offset = list.startIndex - 1
	list.Count = min(max(count, 0), s.limits.MaxResults)
	if list.Filter, err = readFilter(values, t); err != nil {
		return listRequest{}, err
	}
	list.projection, err = readProjection(values, t)
	return list, err
}

// number reads a whole number; one that no int can hold is the largest or smallest that can (S40).
func number(values url.Values, name string, absent int) (int, error) {
	text, err := parameter(values, name)
	if err != nil || text == "" {
		return absent, err
	}
	n, err := strconv.Atoi(text)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, scimerr.New(scimerr.InvalidValue, name, "%s must be a whole number", name)
	}
	return n, nil
}

// readFilter reads the filter; one that is there and empty is no filter but a mistake (R62).
func readFilter(values url.Values, t resourceType) (domain.Filter, error) {
	sent := values["filter"]
	switch len(sent) {
	case 0:
		return nil, nil //nolint:nilnil // no filter is no error
	case 1:
		return filter.Parse(sent[0], t.Resource, filter.Options{})
	default:
		return nil, scimerr.New(scimerr.InvalidFilter, "filter", "filter is there more than once")
	}
}

// searchParameters reads a SearchRequest into the parameters that the same query has as a GET.
func searchParameters(r *http.Request, limit int64) (url.Values, error) {
	body, err := decode(r, limit)
	if err != nil {
		return nil, err
	}
	values := url.Values{}
	named := false
	for key, value := range body {
		for _, name := range []string{"schemas", "attributes", "excludedAttributes", "filter", "startIndex", "count"} {
			if !schema.EqualNames(key, name) {
				continue
			}
			text, err := searchParameter(name, value)
			if err != nil {
				return nil, err
			}
			if name == "schemas" {
				named = strings.EqualFold(text, searchURN)
				continue
			}
			values.Add(name, text)
		}
	}
	if !named {
		return nil, scimerr.New(scimerr.InvalidSyntax, "schemas", "schemas must hold %s", searchURN)
	}
	return values, nil
}

func searchParameter(name string, value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case []any:
		texts := make([]string, 0, len(v))
		for _, element := range v {
			text, ok := element.(string)
			if !ok {
				return "", scimerr.New(scimerr.InvalidValue, name, "%s must be a list of strings", name)
			}
			texts = append(texts, text)
		}
		return strings.Join(texts, ","), nil
	default:
		return "", scimerr.New(scimerr.InvalidValue, name, "%s has a value of the wrong type", name)
	}
}

// query returns the parameters of the request and the projection among them.
func query(r *http.Request, t resourceType) (projection, error) {
	values, err := parameters(r)
	if err != nil {
		return projection{}, err
	}
	return readProjection(values, t)
}

// preference returns what the client prefers to be returned: "minimal", "representation" or "" (RFC 7240 section 4.2).
func preference(r *http.Request) string {
	for _, header := range r.Header.Values("Prefer") {
		for preferred := range strings.SplitSeq(header, ",") {
			preferred, _, _ = strings.Cut(preferred, ";")
			name, value, _ := strings.Cut(strings.TrimSpace(preferred), "=")
			if strings.EqualFold(strings.TrimSpace(name), "return") {
				return strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`))
			}
		}
	}
	return ""
}
