package dbtest

import (
	"testing"

	"muster/domain"
)

// folding proves that both engines compare keys as domain.Fold does, whatever their own idea of letters is.
func (s *suite) folding(t *testing.T) {
	for name, c := range map[string]struct {
		stored, sought string
		same           bool
	}{
		"case":                   {"Straßburg", "STRASSBURG", true},
		"capital sharp s":        {"GROẞ", "gross", true},
		"dotted capital I":       {"İstanbul", "i\u0307stanbul", true},
		"dotless i":              {"ılık", "ilik", false},
		"ligature":               {"\uFB01sh", "FISH", true},
		"full width":             {"\uFF21\uFF22\uFF23", "abc", true},
		"composed":               {"caf\u00e9", "CAFE\u0301", true},
		"without the accent":     {"caf\u00e9", "cafe", false},
		"final sigma":            {"ΟΔΟΣ", "οδος", true},
		"the other sigma":        {"οδοσ", "οδος", true},
		"Kelvin sign":            {"\u212A", "k", true},
		"Cyrillic a":             {"\u0430bc", "abc", false},
		"percent":                {"a%b", "axb", false},
		"underscore":             {"a_b", "axb", false},
		"inner space":            {"a b", "ab", false},
		"backslash":              {`a\b`, `A\B`, true},
		"quote":                  {`o'neil"`, `O'NEIL"`, true},
		"beyond the first plane": {"\U00010400", "\U00010428", true},
	} {
		t.Run(name, func(t *testing.T) {
			scope := s.org(t)
			user := s.scimUser(t, scope, domain.Document{
				"userName": c.stored, "displayName": c.stored, "emails": []any{map[string]any{"value": c.stored}},
			})
			wanted := 0
			if c.same {
				wanted = 1
			}
			for _, attr := range []domain.Attr{{Name: "userName"}, {Name: "displayName"}, {Name: "emails", Sub: "value"}} {
				for _, op := range []domain.FilterOp{domain.OpEqual, domain.OpStartsWith, domain.OpContains, domain.OpEndsWith} {
					filter := domain.Compare{Attr: attr, Op: op, Value: c.sought}
					s.read(t, func(tx domain.Tx) error {
						got, err := tx.Org(scope).SCIMUsers().Query(domain.Query{Filter: filter, Count: 2})
						want(t, attr.Path()+" "+string(op), got.Total, wanted)
						return err
					})
				}
			}
			clash := resource(t, s.member(t, scope), domain.Document{"userName": c.sought})
			err := s.store.Write(t.Context(), func(tx domain.Tx) error { return tx.Org(scope).SCIMUsers().Insert(clash) })
			if c.same {
				wantKind(t, "Insert", err, domain.Conflict, "userName")
			} else if err != nil {
				t.Errorf("Insert beside %s: %v", user.UserName, err)
			}
		})
	}
}

// eq compares an attribute that is not case-exact.
func eq(name, sub, value string) domain.Filter {
	return domain.Compare{Attr: domain.Attr{Name: name, Sub: sub}, Op: domain.OpEqual, Value: value}
}
