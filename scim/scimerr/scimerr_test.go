package scimerr_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/domain"
	"muster/scim/scimerr"
)

// S51, R137: the keyword rides along, and the error is a domain.Error for everybody else.
func TestKeyword(t *testing.T) {
	err := scimerr.At(scimerr.New(scimerr.NoTarget, "emails", "nothing %s", "matches"), "Operations[1]")
	if !scimerr.Is(fmt.Errorf("wrapped: %w", err), scimerr.NoTarget) {
		t.Error("the keyword is lost")
	}
	e := domain.AsError(err)
	if e.Kind != domain.Invalid || e.Field != "emails" || e.Text != "Operations[1]: nothing matches" {
		t.Errorf("got %+v", e)
	}
	if scimerr.TypeOf(domain.Errorf(domain.NotFound, "x")) != "" || scimerr.TypeOf(nil) != "" || scimerr.At(nil, "x") != nil {
		t.Error("a keyword out of nowhere")
	}
}

func TestQuote(t *testing.T) {
	if got := scimerr.Quote(strings.Repeat("é", 100)); got != `"`+strings.Repeat("é", 40)+`"...` {
		t.Errorf("got %s", got)
	}
}
