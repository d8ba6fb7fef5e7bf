package oidc_test

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/testkit/badidp"
	"muster/oidc"
)

// answering is a userinfo endpoint with one answer; it wants the access token in the header.
func answering(status int, kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access" || r.URL.RawQuery != "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

// Item 52, modules oidcc-client-test-userinfo-bearer-header, -userinfo-invalid-sub, -userinfo-signed and -scope-userinfo-claims:
// the answer must be about the same person and, where it is signed, from this provider and for us.
func TestUserInfo(t *testing.T) {
	idp, stranger := badidp.New(t), badidp.New(t)
	const bad, away = string(domain.ReasonBadToken), string(domain.ReasonUnreachable)
	plain := func(text string) http.HandlerFunc { return answering(http.StatusOK, "application/json", text) }
	good := set{"iss": idp.Issuer(), "aud": badidp.ClientID, "sub": "subject-1", "email": "info@example.com", "email_verified": true}
	signedAt := func(by *badidp.Provider, algorithm string, changed set) http.HandlerFunc {
		return answering(http.StatusOK, "application/jwt", mint(by, algorithm, with(good, changed), set{"kid": "rsa-1"}))
	}
	signed := func(changed set) http.HandlerFunc { return signedAt(idp, "", changed) }
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"oidcc-client-test-scope-userinfo-claims": {plain(`{"sub":"subject-1","email":"info@example.com","email_verified":true}`), "ok"},
		"oidcc-client-test-userinfo-invalid-sub":  {plain(`{"sub":"other","email":"info@example.com"}`), bad},
		"no sub":                                  {plain(`{"email":"info@example.com"}`), bad},
		"sub a number":                            {plain(`{"sub":1,"email":"info@example.com"}`), bad},
		"SUB":                                     {plain(`{"SUB":"subject-1","email":"info@example.com"}`), bad},
		"null":                                    {plain(`null`), bad},
		"a list":                                  {plain(`[]`), bad},
		"nothing":                                 {plain(``), bad},
		"half an object":                          {plain(`{"sub":"subject-1","email":`), bad},
		"HTML":                                    {answering(http.StatusOK, "text/html", "<html>"), bad},
		"JSON called text":                        {answering(http.StatusOK, "text/plain", `{"sub":"subject-1","email":"info@example.com"}`), bad},
		"401":                                     {answering(http.StatusUnauthorized, "application/json", `{"error":"invalid_token"}`), bad},
		"a redirect":                              {http.RedirectHandler("https://evil.example/userinfo", http.StatusFound).ServeHTTP, bad},
		"503":                                     {answering(http.StatusServiceUnavailable, "text/html", "<html>"), away},
		"30 MB":                                   {huge, bad},
		"gzip bomb":                               {bomb, bad},
		"oidcc-client-test-userinfo-signed":       {signed(nil), "ok"},
		"signed, aud a list":                      {signed(set{"aud": []string{badidp.ClientID}}), "ok"},
		"signed for another client":               {signed(set{"aud": "another client"}), bad},
		"signed, no aud":                          {signed(set{"aud": nil}), bad},
		"signed, another iss":                     {signed(set{"iss": "https://evil.example"}), bad},
		"signed, no iss":                          {signed(set{"iss": nil}), bad},
		"signed, somebody else":                   {signed(set{"sub": "other"}), bad},
		"signed, no sub":                          {signed(set{"sub": nil}), bad},
		"signed with alg none":                    {signedAt(idp, "none", nil), bad},
		"signed with the public key as HMAC":      {signedAt(idp, "HS256-public", nil), bad},
		"signed by another provider":              {signedAt(stranger, "", nil), bad},
		"signed, encrypted":                       {answering(http.StatusOK, "application/jwt", "e30.AA.AA.AA.AA"), bad},
		"signed, no JWT":                          {answering(http.StatusOK, "application/jwt", "<html>"), bad},
		"signed, 30 MB": {func(w http.ResponseWriter, r *http.Request) {
			huge(typed{w, "application/jwt"}, r)
		}, away},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			idp.Set(badidp.Knobs{Claims: dropEmail, UserInfoHandler: c.handler})
			if got := outcome(w.signIn()); got != c.want {
				t.Errorf("ended with %q, want %q", got, c.want)
			}
			if c.want != "ok" {
				if len(w.rules.signedIn) != 0 {
					t.Errorf("signed in %+v", w.rules.signedIn)
				}
				return
			}
			if got := w.rules.signedIn[0]; got.Email != "info@example.com" || !got.EmailTrusted || got.Subject != "subject-1" {
				t.Errorf("signed in %+v", got)
			}
		})
	}
}

// typed keeps the content type that it was made with.
type typed struct {
	http.ResponseWriter

	kind string
}

func (t typed) Write(text []byte) (int, error) {
	t.Header().Set("Content-Type", t.kind)
	return t.ResponseWriter.Write(text)
}

// Items 52 and 53: whether an address is verified is said by whoever said the address.
func TestUserInfoVerifiedBelongsToAddress(t *testing.T) {
	for name, c := range map[string]struct {
		claims, info set
		email        string
		trusted      bool
	}{
		"the token's word about no address": {set{"email": nil, "email_verified": true}, set{"email": "info@example.com"}, "info@example.com", false},
		"the token's address stays":         {set{"email_verified": false, "name": nil}, set{"email": "info@example.com", "email_verified": true}, "alice@example.com", false},
		"neither has one":                   {set{"email": nil}, set{}, "", false},
		"a null in the token":               {set{"email": "", "email_verified": nil}, set{"email": "info@example.com", "email_verified": "true"}, "info@example.com", true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.idp.Set(badidp.Knobs{UserInfo: with(set{"sub": "subject-1"}, c.info), Claims: func(usual map[string]any) {
				replace(usual, with(usual, c.claims))
			}})
			if got := outcome(w.signIn()); got != "ok" || w.rules.signedIn[0].Email != c.email || w.rules.signedIn[0].EmailTrusted != c.trusted {
				t.Errorf("%q, %+v", got, w.rules.signedIn)
			}
		})
	}
}

// Items 52 and 74, modules oidcc-client-test-aggregated-claims and -distributed-claims: userinfo is asked when a claim that is needed is missing,
// and not when the provider says that it is elsewhere.
func TestUserInfoWhenNeeded(t *testing.T) {
	idp := badidp.New(t)
	elsewhere := set{"_claim_names": set{"groups": "src1"}, "_claim_sources": set{"src1": set{"endpoint": "https://graph.example/groups"}}}
	inside := set{"_claim_names": set{"groups": "src1"}, "_claim_sources": set{"src1": set{"JWT": "e30.e30."}}}
	groups := func(names ...string) map[string][]string { return map[string][]string{"groups": names} }
	for name, c := range map[string]struct {
		wanted []string
		claims set
		asked  int32
		groups map[string][]string
	}{
		"nothing needed":                       {nil, nil, 0, nil},
		"in the token":                         {[]string{"groups"}, set{"groups": []string{"token"}}, 0, groups("token")},
		"empty in the token":                   {[]string{"groups"}, set{"groups": []string{}}, 0, map[string][]string{"groups": {}}},
		"missing":                              {[]string{"groups"}, nil, 1, groups("info")},
		"one of two missing":                   {[]string{"roles", "groups"}, set{"groups": []string{"token"}}, 1, map[string][]string{"groups": {"token"}, "roles": {"info-role"}}},
		"oidcc-client-test-distributed-claims": {[]string{"groups"}, elsewhere, 0, nil},
		"oidcc-client-test-aggregated-claims":  {[]string{"groups"}, inside, 0, nil},
		"hasgroups":                            {[]string{"groups"}, set{"hasgroups": true}, 0, nil},
		"no address":                           {nil, set{"email": nil}, 1, nil},
		"no address, groups elsewhere":         {[]string{"groups"}, with(elsewhere, set{"email": ""}), 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			w := newWorldAt(t, idp, nil)
			w.rules.claims = c.wanted
			idp.Set(badidp.Knobs{
				Claims: func(usual map[string]any) {
					maps.Copy(usual, c.claims)
					maps.DeleteFunc(usual, func(_ string, value any) bool { return value == nil })
				},
				UserInfoHandler: func(rw http.ResponseWriter, r *http.Request) {
					asked.Add(1)
					answering(http.StatusOK, "application/json", `{"sub":"subject-1","email":"info@example.com","groups":["info"],"roles":"info-role"}`)(rw, r)
				},
			})
			if got := outcome(w.signIn()); got != "ok" {
				t.Fatalf("ended with %q", got)
			}
			if got := w.rules.signedIn[0].Groups; asked.Load() != c.asked || !reflect.DeepEqual(got, c.groups) {
				t.Errorf("userinfo was asked %d times, want %d; groups %v, want %v", asked.Load(), c.asked, got, c.groups)
			}
		})
	}
}

// Item 74: a claim of groups in each form that providers give it; one that was left out for its length is unknown, which is not none.
func TestGroups(t *testing.T) {
	idp := badidp.New(t)
	many := func(n int) []string {
		var names []string
		for i := range n {
			names = append(names, fmt.Sprintf("group-%04d", i))
		}
		return names
	}
	source := set{"src1": set{"endpoint": "https://graph.example"}}
	for name, c := range map[string]struct {
		claims set
		want   map[string][]string
	}{
		"a list":                {set{"groups": []string{"b", "a"}}, map[string][]string{"groups": {"b", "a"}}},
		"one text":              {set{"groups": "a"}, map[string][]string{"groups": {"a"}}},
		"an object":             {set{"groups": set{"b": set{"org": "x"}, "a": nil, "c": 1}}, map[string][]string{"groups": {"a", "b", "c"}}},
		"null":                  {set{"groups": nil}, map[string][]string{"groups": {}}},
		"absent":                {nil, map[string][]string{"groups": {}}},
		"an empty list":         {set{"groups": []string{}}, map[string][]string{"groups": {}}},
		"an empty object":       {set{"groups": set{}}, map[string][]string{"groups": {}}},
		"an empty text":         {set{"groups": ""}, map[string][]string{"groups": {}}},
		"a number":              {set{"groups": 7}, map[string][]string{"groups": {}}},
		"numbers inside":        {set{"groups": []any{"a", 1, nil, true, []string{"x"}, set{"y": 1}, "b"}}, map[string][]string{"groups": {"a", "b"}}},
		"odd names":             {set{"groups": []string{" a ", "", "  ", "x\x00y", "l\nf", strings.Repeat("ä", 300), strings.Repeat("ä", 301), "a,b"}}, map[string][]string{"groups": {"a", strings.Repeat("ä", 300), "a,b"}}},
		"2000 names":            {set{"groups": many(2000)}, map[string][]string{"groups": many(2000)}},
		"3000 names":            {set{"groups": many(3000)}, nil},
		"_claim_names":          {set{"_claim_names": set{"groups": "src1"}, "_claim_sources": source}, nil},
		"_claim_names, others":  {set{"_claim_names": set{"address": "src1"}, "_claim_sources": source, "groups": "a"}, map[string][]string{"groups": {"a"}}},
		"_claim_names and some": {set{"_claim_names": set{"groups": "src1"}, "_claim_sources": source, "groups": []string{"a"}}, nil},
		"hasgroups":             {set{"hasgroups": true}, nil},
		"hasgroups as a text":   {set{"hasgroups": "true"}, nil},
		"hasgroups false":       {set{"hasgroups": false, "groups": []string{"a"}}, map[string][]string{"groups": {"a"}}},
		"Groups":                {set{"Groups": []string{"a"}}, map[string][]string{"groups": {}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, nil)
			w.rules.claims = []string{"groups"}
			idp.Set(badidp.Knobs{
				Claims:    func(usual map[string]any) { maps.Copy(usual, c.claims) },
				Discovery: func(m map[string]any) { delete(m, "userinfo_endpoint") },
			})
			if got := outcome(w.signIn()); got != "ok" {
				t.Fatalf("ended with %q: %v", got, w.rules.details)
			}
			if got := w.rules.signedIn[0].Groups; !reflect.DeepEqual(got, c.want) {
				t.Errorf("groups %v, want %v", got, c.want)
			}
		})
	}
}

// Item 74: userinfo may leave groups out for their number too, and that is unknown as well.
func TestGroupsElsewhereInUserInfo(t *testing.T) {
	for name, info := range map[string]set{
		"_claim_names": {"_claim_names": set{"groups": "src1"}, "_claim_sources": set{"src1": set{"endpoint": "https://graph.example"}}},
		"hasgroups":    {"hasgroups": true},
	} {
		w := newWorld(t, nil)
		w.rules.claims = []string{"groups"}
		w.idp.Set(badidp.Knobs{UserInfo: with(set{"sub": "subject-1"}, info)})
		if got := outcome(w.signIn()); got != "ok" {
			t.Fatalf("ended with %q", got)
		}
		if got := w.rules.signedIn[0].Groups; got != nil {
			t.Errorf("%s: groups %v, want none known", name, got)
		}
	}
}

// Item 54: claims without end of depth and size are cut or refused, and nobody waits for them.
func TestClaimsWithoutEnd(t *testing.T) {
	idp := badidp.New(t)
	deep := func(n int) any {
		var value any = "bottom"
		for range n {
			value = []any{value}
		}
		return value
	}
	for name, c := range map[string]struct {
		claims set
		want   []string
	}{
		"depth":           {set{"groups": deep(5000), "extra": deep(5000)}, []string{"ok", string(domain.ReasonBadToken)}},
		"600 kB":          {set{"extra": strings.Repeat("x", 600_000)}, []string{"ok"}},
		"a long list":     {set{"amr": slices.Repeat([]string{"pwd"}, 10_000)}, []string{"ok"}},
		"2 MB":            {set{"extra": strings.Repeat("x", 2_000_000)}, []string{string(domain.ReasonUnreachable)}},
		"an early exp":    {set{"exp": -1}, []string{string(domain.ReasonBadToken), string(domain.ReasonClockSkew)}},
		"a late iat":      {set{"iat": 1e18}, []string{string(domain.ReasonBadToken)}},
		"a fraction":      {set{"iat": float64(time.Now().UnixMilli()) / 1000}, []string{"ok"}},
		"sid without end": {set{"sid": strings.Repeat("s", 10_000)}, []string{"ok"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldAt(t, idp, func(config *oidc.Config) { config.Transport = idp })
			w.rules.claims = []string{"groups"}
			idp.Set(badidp.Knobs{Claims: func(usual map[string]any) { maps.Copy(usual, c.claims) }, Discovery: func(m map[string]any) { delete(m, "userinfo_endpoint") }})
			if got := outcome(w.signIn()); !slices.Contains(c.want, got) {
				t.Errorf("ended with %q, want one of %q", got, c.want)
			}
			for _, claims := range w.rules.signedIn {
				if len(claims.AMR) > 16 || claims.SessionID != "" {
					t.Errorf("kept %d methods and the sid %q", len(claims.AMR), claims.SessionID)
				}
			}
		})
	}
}
