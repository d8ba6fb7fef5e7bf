package admin

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"muster/domain"
)

// Page is what every list of members can be asked; it is exported because only exported structs are embedded in requests.
type Page struct {
	Limit      int      `query:"limit" default:"50" minimum:"1" maximum:"500" doc:"How many to send; a shorter answer is the last one."`
	Offset     int      `query:"offset" minimum:"0" maximum:"2147483647" doc:"How many to leave out first."`
	Emails     []string `query:"emails,explode" doc:"Addresses, one a parameter, compared without case."`
	Search     string   `query:"q" doc:"A part of the name or address."`
	SortBy     string   `query:"sort_by" default:"created_at" enum:"name,email,role,created_at"`
	Descending bool     `query:"sort_by_desc" default:"true"`
}

func (p Page) query() domain.MemberQuery {
	return domain.MemberQuery{
		Window: domain.Window{Limit: p.Limit, Offset: p.Offset}, Emails: p.Emails, Search: p.Search,
		SortBy: p.SortBy, Descending: p.Descending,
	}
}

// activeQuery is what the list of members can be asked besides.
type activeQuery struct {
	Page

	UserIDs   []string          `query:"user_ids,explode"`
	LSUserIDs []string          `query:"ls_user_ids,explode"`
	Disabled  optionalParameter `query:"is_disabled" doc:"Only those who are disabled, or only those who are not."`
}

func (q activeQuery) query() domain.MemberQuery {
	query := q.Page.query()
	for _, id := range append(q.UserIDs, q.LSUserIDs...) {
		query.UserIDs = append(query.UserIDs, domain.UserID(id))
	}
	switch {
	case !q.Disabled.set:
	case q.Disabled.Value:
		query.Status = domain.Disabled
	default:
		query.Status = domain.Active
	}
	return query
}

// optionalParameter tells a flag of the query that is false from one that is absent.
type optionalParameter struct {
	Value bool
	set   bool
}

// Schema implements huma.SchemaProvider.
func (optionalParameter) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeBoolean}
}

// Receiver implements huma.ParamWrapper.
func (o *optionalParameter) Receiver() reflect.Value { return reflect.ValueOf(o).Elem().Field(0) }

// OnParamSet implements huma.ParamReactor.
func (o *optionalParameter) OnParamSet(set bool, _ any) { o.set = set }
