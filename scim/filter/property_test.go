package filter_test

import (
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/domain"
	"muster/scim/filter"
	"muster/scim/schema"
	"muster/scim/scimerr"
)

// anyFilter draws a filter within the limits over the test's User type.
func anyFilter(t *rapid.T, depth int) domain.Filter {
	if depth == 0 {
		return anyComparison(t, outer)
	}
	switch rapid.IntRange(0, 5).Draw(t, "form") {
	case 0:
		return domain.And{Left: anyFilter(t, depth-1), Right: anyFilter(t, depth-1)}
	case 1:
		return domain.Or{Left: anyFilter(t, depth-1), Right: anyFilter(t, depth-1)}
	case 2:
		return domain.Not{Operand: anyFilter(t, depth-1)}
	case 3:
		emails := domain.Attr{Name: "emails", Type: domain.TypeComplex}
		return domain.ValuePath{Attr: emails, Inner: domain.And{
			Left: anyComparison(t, inner), Right: domain.Not{Operand: anyComparison(t, inner)},
		}}
	default:
		return anyComparison(t, outer)
	}
}

func outer() []domain.Attr {
	return []domain.Attr{
		{Name: "userName"},
		{Name: "externalId", CaseExact: true},
		{Name: "active", Type: domain.TypeBoolean},
		{Name: "emails", Sub: "value"},
		{Name: "meta", Sub: "created", Type: domain.TypeDateTime},
		{URN: enterprise, Name: "manager", Sub: "value", CaseExact: true},
		{URN: custom, Name: "height", Type: domain.TypeNumber},
		{URN: custom, Name: "tag-set_2"},
	}
}

func inner() []domain.Attr {
	return []domain.Attr{{Name: "value"}, {Name: "type"}, {Name: "primary", Type: domain.TypeBoolean}}
}

func anyComparison(t *rapid.T, attributes func() []domain.Attr) domain.Filter {
	attr := rapid.SampledFrom(attributes()).Draw(t, "attribute")
	if rapid.Bool().Draw(t, "present") {
		return domain.Present{Attr: attr}
	}
	ops := []domain.FilterOp{domain.OpEqual, domain.OpNotEqual}
	ordered := slices.Concat(ops, []domain.FilterOp{domain.OpGreater, domain.OpGreaterOrEqual, domain.OpLess, domain.OpLessOrEqual})
	compare := domain.Compare{Attr: attr}
	switch attr.Type {
	case domain.TypeBoolean:
		compare.Value = rapid.Bool().Draw(t, "boolean")
	case domain.TypeNumber:
		ops = ordered
		compare.Value = big.NewRat(rapid.Int64().Draw(t, "number"), 1000)
	case domain.TypeDateTime:
		ops = ordered
		compare.Value = time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "instant"), 5000).UTC()
	default:
		ops = slices.Concat(ordered, []domain.FilterOp{domain.OpContains, domain.OpStartsWith, domain.OpEndsWith})
		compare.Value = rapid.StringN(0, 8, 20).Filter(withoutNUL).Draw(t, "text")
	}
	compare.Op = rapid.SampledFrom(ops).Draw(t, "operator")
	return compare
}

func withoutNUL(text string) bool {
	for _, r := range text {
		if r == 0 {
			return false
		}
	}
	return true
}

// S36, F5, F10, F11: what Render writes, Parse reads as the same filter.
func TestRoundTrip(t *testing.T) {
	doc := document(t, bjensen)
	rapid.Check(t, func(t *rapid.T) {
		f := anyFilter(t, 3)
		text := filter.Render(f)
		again, err := filter.Parse(text, user(), filter.Options{})
		if err != nil {
			if len(text) > filter.MaxLength {
				t.Skip("over the limit")
			}
			t.Fatalf("%s: %v", text, err)
		}
		if second := filter.Render(again); second != text {
			t.Fatalf("wrote %s\nread  %s", text, second)
		}
		if f.Match(doc) != again.Match(doc) {
			t.Fatalf("%s selects otherwise when read back", text)
		}
	})
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`userName eq "x"`, `emails[type eq "work" and value co "@x"].value sw "a"`, `not (title pr) or active eq true`,
		`meta.created gt "2011-05-13T04:42:34Z"`, enterprise + `:manager.value ne null`, custom + ":height le -1.5e3",
		`a eq "\ud800"`, `((((`, `emails[[`, "\x00", `userName eq bare`,
	} {
		f.Add(seed)
	}
	resource := user()
	doc := document(f, bjensen)
	f.Fuzz(func(t *testing.T, text string) {
		for _, options := range []filter.Options{{}, {AllowUnknown: true}, {BareWords: true}} {
			parsed, err := filter.Parse(text, resource, options)
			if err != nil {
				if !scimerr.Is(err, scimerr.InvalidFilter) {
					t.Fatalf("%q: %v", text, err)
				}
				continue
			}
			parsed.Match(doc)
			if options.AllowUnknown {
				continue
			}
			rendered := filter.Render(parsed)
			again, err := filter.Parse(rendered, resource, filter.Options{})
			if err != nil && len(rendered) <= filter.MaxLength {
				t.Fatalf("%q rendered as %q: %v", text, rendered, err)
			}
			if err == nil && filter.Render(again) != rendered {
				t.Fatalf("%q: %q and %q", text, rendered, filter.Render(again))
			}
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{
		"name.givenName", `emails[type eq "work"].value`, enterprise + ":manager.value", custom, "a..b", "emails[", "urn:", "members[",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, resource := range []schema.Resource{user(), schema.Group()} {
			path, err := filter.ParsePath(text, resource, filter.Options{})
			if scimType := scimerr.TypeOf(err); err != nil && scimType != scimerr.InvalidPath && scimType != scimerr.InvalidFilter {
				t.Fatalf("%q: %v", text, err)
			}
			if err != nil {
				continue
			}
			if again, err := filter.ParsePath(path.String(), resource, filter.Options{}); err != nil || again.String() != path.String() {
				t.Fatalf("%q resolved to %q, which resolves to %q, %v", text, path, again, err)
			}
		}
	})
}
