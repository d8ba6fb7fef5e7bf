package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

func administration() measurement {
	return measurement{
		report: report{
			title: "Admin API: one client, median / p99 of the requests after the first, which is shown by itself.\n" +
				"Wanted at 1,000,000 members: a page below 50 ms wherever it is, of the API and of the console; an explanation for somebody in 1,000 groups below 20 ms; 500 invites below 1 s.",
			header: []string{"engine", "members", "request", "first", "median / p99"},
		},
		measure: measureAdministration,
	}
}

func measureAdministration(ctx context.Context, o options, e engine, r *report) error {
	w, done, err := openWorld(ctx, o, e, o.usersOr(1_000_000))
	if err != nil {
		return err
	}
	defer done()
	key, err := w.adminKey(ctx, o)
	if err != nil {
		return err
	}
	log.Printf("%s: 1,000 groups with one member", e.name)
	if err := w.manyGroups(ctx, 1000); err != nil {
		return err
	}
	type request struct{ name, method, path, body string }
	var requests []request
	for _, descending := range []string{"true", "false"} {
		for _, offset := range []int{0, w.users / 2, w.users - 60} {
			requests = append(requests, request{
				"members, offset " + thousands(offset) + map[string]string{"true": ", newest first", "false": ", oldest first"}[descending],
				http.MethodGet, fmt.Sprintf("/api/v1/orgs/current/members/active?limit=50&offset=%d&sort_by_desc=%s", offset, descending), "",
			})
		}
	}
	requests = append(requests,
		request{"explain, 1,000 groups", http.MethodGet, "/api/v1/orgs/current/members/" + memberID(2) + "/access", ""},
		request{"500 invites", http.MethodPost, "/api/v1/orgs/current/members/batch", "new"},
	)
	pages, err := w.consolePages(ctx, o)
	if err != nil {
		return err
	}
	for _, page := range pages {
		requests = append(requests, request{"console: " + page.name, http.MethodGet, page.path, ""})
	}
	for n, one := range requests {
		var took times
		for i := range 15 {
			body := one.body
			if body != "" {
				body = invites(n, i)
			}
			begun := time.Now()
			header := key
			if strings.HasPrefix(one.path, "/orgs/") {
				header = w.session
			}
			if _, err := sendFor(ctx, one.method, w.base+one.path, header, body, http.StatusOK); err != nil {
				return err
			}
			took = append(took, time.Since(begun))
		}
		first := took[0]
		rest := times(slices.Sorted(slices.Values(took[1:])))
		r.add(e.name, thousands(w.users), one.name, ms(first), rest.both())
	}
	return ctx.Err()
}

// consolePage is a page as the signed-in Admin asks for it.
type consolePage struct{ name, path string }

// consolePages makes the person who is signed in an Organization Admin and returns the pages that read most.
func (w *world) consolePages(ctx context.Context, o options) ([]consolePage, error) {
	command := exec.CommandContext(ctx, o.muster, "admin", "add", "alice@example.com")
	command.Env = append(os.Environ(), "DATABASE_URL="+w.database)
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return nil, err
	}
	in := "/orgs/" + w.session.Get("X-Organization-Id")
	return []consolePage{
		{"members", in + "/members"},
		{"members, page 10,000", in + "/members?page=10000"},
		{"members, found by address", in + "/members?q=user000012"},
		{"members, nobody begins so", in + "/members?q=0012345%40"},
		{"members, looked for anywhere", in + "/members?q=0012345%40&anywhere=1"},
		{"members, Admins", in + "/members?role=00000000-0000-4000-8000-000000000001"},
		{"members, disabled", in + "/members?status=disabled"},
		{"a member with history", in + "/members/" + memberID(3)},
		{"a member in 1,000 groups", in + "/members/" + memberID(2)},
		{"workspaces", in + "/workspaces"},
		{"provisioning, with its chart", in + "/provisioning"},
		{"groups", in + "/provisioning/groups"},
		{"activity", in + "/provisioning/activity"},
		{"audit log", in + "/audit"},
		{"audit log of one person", in + "/audit?about=" + memberID(2)},
		{"health", in + "/health"},
	}, nil
}

// adminKey is a header with the token of an Organization Admin.
func (w *world) adminKey(ctx context.Context, o options) (http.Header, error) {
	command := exec.CommandContext(ctx, o.muster, "key", "create", "--email", "admin@example.com", "--admin")
	command.Env = append(os.Environ(), "DATABASE_URL="+w.database)
	command.Stderr = os.Stderr
	key, err := command.Output()
	return http.Header{"X-Api-Key": {string(bytes.TrimSpace(key))}}, err
}

// manyGroups makes groups that all have the second person as their only member and speak about one workspace.
func (w *world) manyGroups(ctx context.Context, n int) error {
	for i := range n {
		body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"%d Organization User:Workspace 1:Editor","members":[{"value":%q}]}`, i, memberID(2))
		if err := sendBody(ctx, http.MethodPost, w.base+"/scim/v2/Groups", w.bearer, body, http.StatusCreated); err != nil {
			return err
		}
	}
	return nil
}

func sendBody(ctx context.Context, method, address string, header http.Header, body string, want int) error {
	_, err := sendFor(ctx, method, address, header, body, want)
	return err
}

// invites is a batch of 500 addresses that no other batch has.
func invites(n, i int) string {
	var rows []string
	for j := range 500 {
		row, _ := json.Marshal(map[string]string{"email": fmt.Sprintf("n%d-%d-%d@example.com", n, i, j)}) //nolint:errchkjson // text cannot fail
		rows = append(rows, string(row))
	}
	return "[" + strings.Join(rows, ",") + "]"
}
