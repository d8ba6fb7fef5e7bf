package domain_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/domain"
)

// Item 97: what a keyring sealed it opens in the same place, by whichever key, and nothing else.
func TestKeyring(t *testing.T) {
	a, b, both, none := ring(t, "a"), ring(t, "b"), ring(t, "ba"), domain.Keyring{}
	sealed, err := a.Seal("secret", "here")
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.Seal("secret", "here")
	if err != nil || again == sealed || strings.Contains(sealed, "secret") {
		t.Fatalf("sealed as %q and %q: %v", sealed, again, err)
	}
	id, body, _ := strings.Cut(sealed, ".")
	flipped := []byte(body)
	flipped[20] ^= 1
	for _, c := range []struct {
		name, sealed, place string
		ring                domain.Keyring
		want                string
		fails               bool
	}{
		{"the key that sealed it", sealed, "here", a, "secret", false},
		{"a later key before it", sealed, "here", both, "secret", false},
		{"another key", sealed, "here", b, "", true},
		{"no key", sealed, "here", none, "", true},
		{"another place", sealed, "there", a, "", true},
		{"a changed byte", id + "." + string(flipped), "here", a, "", true},
		{"cut short", sealed[:len(sealed)-4], "here", a, "", true},
		{"without its key's id", body, "here", a, "", true},
		{"another key's id", "00000000." + body, "here", a, "", true},
		{"only the key's id", id + ".", "here", a, "", true},
		{"no base64", id + ".!!", "here", a, "", true},
		{"clear text", "secret", "here", a, "", true},
		{"nothing", "", "here", a, "", false},
		{"nothing, without a key", "", "here", none, "", false},
	} {
		got, err := c.ring.Open(c.sealed, c.place)
		if got != c.want || errors.Is(err, domain.ErrNoKey) != c.fails {
			t.Errorf("%s: opened as %q with %v", c.name, got, err)
		}
	}
	if _, err := none.Seal("secret", "here"); !errors.Is(err, domain.ErrNoKey) {
		t.Errorf("sealed without a key: %v", err)
	}
	if got := []bool{a.Current(sealed), both.Current(sealed), b.Current(sealed), none.Current(sealed), none.Current("")}; !slices.Equal(got, []bool{true, false, false, false, true}) {
		t.Errorf("current: %v", got)
	}
}

// Item 97: a key has 32 bytes, neither fewer nor more.
func TestKeyLength(t *testing.T) {
	for _, length := range []int{0, 1, 16, 31, 33, 64} {
		if _, err := domain.NewKeyring(make([]byte, 32), make([]byte, length)); err == nil {
			t.Errorf("a key of %d bytes was taken", length)
		}
	}
}

// Item 97: with a new key first old tokens still renew and what comes is sealed by it; after resealing the old key can go.
func TestKeysAreRotated(t *testing.T) {
	onRenewing(t, func(w *world, provider *rotating) {
		early, late := w.enter(w.renewable("alice@example.com")), w.enter(w.renewable("bob@example.com"))
		with := func(letters string) *world {
			server := w.under(func(p *domain.Policy) { p.Keyring = ring(t, letters) })
			server.service.UseRenewer(provider)
			return server
		}
		both, fresh := with("ba"), with("b")
		w.clock.Advance(time.Hour)
		both.principal(early)
		if got, want := w.opened(fresh.policy.Keyring, early), (domain.Tokens{Refresh: "refresh-alice@example.com+", ID: "id of refresh-alice@example.com+"}); got != want {
			w.Errorf("after a renewal with the new key: %+v, want %+v", got, want)
		}
		for _, want := range []int{1, 0} {
			changed, err := both.service.Reseal(w.Context())
			w.must(err)
			if changed != want {
				w.Errorf("resealed %d sessions, want %d", changed, want)
			}
		}
		if got, want := w.opened(fresh.policy.Keyring, late), (domain.Tokens{Refresh: "refresh-bob@example.com", ID: "id of bob@example.com"}); got != want {
			w.Errorf("after resealing: %+v, want %+v", got, want)
		}
		w.clock.Advance(time.Hour)
		if got := fresh.allAlive(early, late); !slices.Equal(got, []bool{true, true}) {
			w.Errorf("without the old key, alive %v", got)
		}
	})
}

// Item 97: many sessions are resealed in steps, none left out.
func TestManySessionsAreResealed(t *testing.T) {
	onRenewing(t, func(w *world, _ *rotating) {
		sessions := make([]string, 120)
		for i := range sessions {
			sessions[i] = w.enter(w.renewable("alice@example.com"))
		}
		both := w.under(func(p *domain.Policy) { p.Keyring = ring(t, "ba") })
		changed, err := both.service.Reseal(w.Context())
		w.must(err)
		if changed != len(sessions) {
			w.Errorf("resealed %d sessions, want %d", changed, len(sessions))
		}
		for _, session := range sessions {
			w.opened(ring(t, "b"), session)
		}
	})
}

// Item 97: a key that is lost ends sessions at their next renewal, not before and not with a failure of the server.
func TestALostKey(t *testing.T) {
	onRenewing(t, func(w *world, provider *rotating) {
		resealed, plain := w.enter(w.renewable("alice@example.com")), w.enter(w.renewable("bob@example.com"))
		lost := w.under(func(p *domain.Policy) { p.Keyring = ring(t, "c") })
		lost.service.UseRenewer(provider)
		out := w.enter(w.renewable("carol@example.com"))
		if signedOut, err := lost.service.SignOut(w.Context(), out, domain.Client{}); err != nil || signedOut.IDToken != "" || signedOut.Email != "carol@example.com" {
			w.Errorf("signing out without the key: %+v, %v", signedOut, err)
		}
		w.clock.Advance(time.Hour - time.Second)
		if got := lost.allAlive(resealed, plain); !slices.Equal(got, []bool{true, true}) {
			w.Errorf("before the renewal, alive %v", got)
		}
		w.clock.Advance(time.Second)
		if got := lost.allAlive(plain, plain); !slices.Equal(got, []bool{false, false}) || provider.asked() != 0 {
			w.Errorf("at the renewal alive %v, and the provider was asked %d times", got, provider.asked())
		}
		if rows := w.audit("", "logout"); len(rows) != 2 || rows[0].After["reason"] != string(domain.ReasonNotRenewed) {
			w.Errorf("R43: audit rows %+v", rows)
		}
		if changed, err := lost.service.Reseal(w.Context()); err != nil || changed != 1 {
			w.Errorf("resealed %d sessions: %v", changed, err)
		}
		if got := w.allAlive(resealed); got[0] || provider.asked() != 0 {
			w.Errorf("a session whose token was dropped was renewed")
		}
	})
}
