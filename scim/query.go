package scim

import (
	"context"
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

// listRequest is a query over one or several resource types.
type listRequest struct {
	domain.Query

	// startIndex is as it is echoed: at least 1.
	startIndex int
	// byCursor is true for RFC 9865's pages.
	byCursor bool
	// parts are what the query means for each type; a root query has several.
	parts []listPart
	// fingerprint tells two queries apart, paging aside.
	fingerprint string
}

// listPart is a query in the terms of one resource type.
type listPart struct {
	in     collection
	filter domain.Filter
	sort   *domain.Sort
	shown  projection
}

// projectionOf returns how resources of a type are answered.
func (l listRequest) projectionOf(t resourceType) projection {
	for _, part := range l.parts {
		if part.in.kind().Name == t.Name {
			return part.shown
		}
	}
	return projection{}
}

// readList reads a query's parameters (RFC 7644 section 3.4.2); those it does not know are ignored (R56).
func (s *Server) readList(ctx context.Context, values url.Values, types []collection, profile schema.Profile, scope domain.OrgScope) (listRequest, error) {
	startIndex, err := number(values, "startIndex", 1)
	if err != nil {
		return listRequest{}, err
	}
	list := listRequest{startIndex: max(startIndex, 1), byCursor: values.Has("cursor"), fingerprint: fingerprint(values, types)}
	list.Location = s.locationOf(types)
	if list.Count, err = s.pageSize(values, list.byCursor); err != nil {
		return listRequest{}, err
	}
	for _, t := range types {
		part, err := readPart(values, t, profile, len(types) > 1)
		if err != nil {
			return listRequest{}, err
		}
		list.parts = append(list.parts, part)
	}
	if list.byCursor {
		return list, s.cursors.read(ctx, &list, values, scope)
	}
	list.Offset = list.startIndex - 1
	s.bookmarks.open(&list, scope)
	return list, nil
}

// readPart reads what depends on the resource type; over several of them, unknown attributes have no value (K14).
func readPart(values url.Values, in collection, profile schema.Profile, several bool) (listPart, error) {
	part := listPart{in: in}
	var err error
	if part.filter, err = readFilter(values, in.kind(), filter.Options{BareWords: profile.Lenient, AllowUnknown: several}); err != nil {
		return part, err
	}
	if part.sort, err = readSort(values, in.kind(), several); err != nil {
		return part, err
	}
	part.shown, err = readProjection(values, in.kind())
	return part, err
}

// pageSize reads count; for a page by cursor it must be one that can be given (RFC 9865 section 2).
func (s *Server) pageSize(values url.Values, byCursor bool) (int, error) {
	count, err := number(values, "count", s.limits.PageSize)
	if byCursor && (err != nil || count < 1 || count > s.limits.MaxResults) {
		return 0, scimerr.New(scimerr.InvalidCount, "count", "with a cursor, count must be between 1 and %d", s.limits.MaxResults)
	}
	return min(max(count, 0), s.limits.MaxResults), err
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
func readFilter(values url.Values, t resourceType, options filter.Options) (domain.Filter, error) {
	sent := values["filter"]
	switch len(sent) {
	case 0:
		return nil, nil //nolint:nilnil // no filter is no error
	case 1:
		return filter.Parse(sent[0], t.Resource, options)
	default:
		return nil, scimerr.New(scimerr.InvalidFilter, "filter", "filter is there more than once")
	}
}

// readSort reads sortBy and sortOrder (RFC 7644 section 3.4.2.3); without sortBy the order means nothing.
func readSort(values url.Values, t resourceType, several bool) (*domain.Sort, error) {
	by, err := parameter(values, "sortBy")
	if err != nil {
		return nil, err
	}
	order, err := parameter(values, "sortOrder")
	if err != nil {
		return nil, err
	}
	descending := strings.EqualFold(order, "descending")
	if order != "" && !descending && !strings.EqualFold(order, "ascending") {
		return nil, scimerr.New(scimerr.InvalidValue, "sortOrder", "sortOrder must be ascending or descending")
	}
	if by == "" {
		return nil, nil //nolint:nilnil // no order is no error
	}
	path, err := t.ResolveLoose(by)
	switch {
	case err != nil && several:
		return &domain.Sort{Attr: domain.Attr{Name: by, Unknown: true}, Descending: descending}, nil
	case err != nil || path.Whole():
		return nil, scimerr.New(scimerr.InvalidValue, "sortBy", "%s is no attribute to sort by", scimerr.Quote(by))
	case path.Leaf().Returned == schema.Never:
		return nil, scimerr.New(scimerr.InvalidValue, "sortBy", "%s cannot be sorted by", path)
	}
	if value, ok := path.Attribute.SubAttribute("value"); ok && !path.HasSub() {
		path.Sub = value
	}
	if path.Leaf().Type == schema.Complex {
		return nil, scimerr.New(scimerr.InvalidValue, "sortBy", "%s is complex: sort by one of its sub-attributes", path)
	}
	return &domain.Sort{Attr: path.Attr(), Descending: descending}, nil
}

// locationOf returns where a resource is, for filters and orders that ask.
func (s *Server) locationOf(types []collection) func(resourceType, id string) string {
	return func(name, id string) string {
		for _, t := range types {
			if t.kind().Name == name {
				return s.location(t.kind(), id)
			}
		}
		return s.root + "/" + name + "s/" + id // User and Group, which others refer to
	}
}

// searchParameters reads a SearchRequest into the parameters that the same query has as a GET.
func searchParameters(body map[string]any) (url.Values, error) {
	values := url.Values{}
	named := false
	for key, value := range body {
		for _, name := range []string{
			"schemas", "attributes", "excludedAttributes", "filter", "sortBy", "sortOrder", "startIndex", "count", "cursor",
		} {
			if !schema.EqualNames(key, name) || value == nil {
				continue
			}
			if name == "schemas" {
				named = holds(value, searchURN)
				continue
			}
			text, err := searchParameter(name, value)
			if err != nil {
				return nil, err
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

// preference returns what the client prefers to be returned: "minimal", "representation" or "" (RFC 7240 section 4.2).
func preference(header http.Header) string {
	for _, value := range header.Values("Prefer") {
		for preferred := range strings.SplitSeq(value, ",") {
			preferred, _, _ = strings.Cut(preferred, ";")
			name, value, _ := strings.Cut(strings.TrimSpace(preferred), "=")
			if strings.EqualFold(strings.TrimSpace(name), "return") {
				return strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`))
			}
		}
	}
	return ""
}
