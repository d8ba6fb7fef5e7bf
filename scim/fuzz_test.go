package scim_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A cursor that is not ours is refused, never followed and never a defect of ours (P3, P4).
func FuzzCursor(f *testing.F) {
	w := onSQLite(f)
	for _, name := range []string{"a", "b", "c"} {
		w.create(name + "@x.test")
	}
	first := w.ok(http.StatusOK, "GET", "/Users?cursor=&count=1&sortBy=userName", "")
	genuine, _ := first.body["nextCursor"].(string)
	for _, cursor := range []string{genuine, genuine + "x", strings.ToUpper(genuine), genuine[:len(genuine)/2], "", "x.y", "AAAA", "\x00", `{"i":"x"}`} {
		f.Add(cursor)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		w := *w
		w.TB = t
		got := w.send("GET", "/Users?count=1&sortBy=userName&cursor="+url.QueryEscape(cursor), "")
		switch {
		case cursor == genuine || cursor == "":
			if got.status != http.StatusOK {
				t.Errorf("%q: %s", cursor, got.text)
			}
		case len(cursor) > 8<<10:
			w.isError(got, http.StatusBadRequest, "invalidValue", "a long cursor")
		default:
			w.isError(got, http.StatusBadRequest, "invalidCursor", cursor)
		}
	})
}

// Whatever a Bulk says, it is answered whole or refused, and never a defect of ours.
func FuzzBulk(f *testing.F) {
	w := onSQLite(f)
	for _, operations := range []string{
		bulkOp("POST", "/Users", "a", userWith(`"userName":"a"`)) + "," + bulkOp("POST", "/Groups", "g", group("G", "bulkId:a")),
		bulkOp("POST", "/Groups", "g", group("G", "bulkId:h")) + "," + bulkOp("POST", "/Groups", "h", group("H", "bulkId:g")),
		bulkOp("PATCH", "/Users/bulkId:a", "", patch(`{"op":"remove","path":"members[value eq \"bulkId:b\"]"}`)),
		`{"method":"DELETE","path":"/Users/x","version":"*"}`, `{}`, `null`, `{"method":"POST","path":"//","bulkId":"\u0000","data":[]}`,
	} {
		f.Add(operations)
	}
	f.Fuzz(func(t *testing.T, operations string) {
		w := *w
		w.TB = t
		got := w.send("POST", "/Bulk", bulkRequest("", operations))
		if got.status != http.StatusOK && got.status != http.StatusBadRequest && got.status != http.StatusRequestEntityTooLarge {
			t.Errorf("%d %s", got.status, got.text)
		}
		operation, _ := got.body["Operations"].([]any)
		for _, one := range operation {
			if status, _ := dig(one, "status").(string); status < "200" || status >= "500" {
				t.Errorf("%v", one)
			}
		}
	})
}
