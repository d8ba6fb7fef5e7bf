package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/internal/testkit"
)

// S48, S93: killed in the middle of a Bulk of 1,000 operations, every operation is done whole or not at all,
// and the same Bulk sent again ends where one that was not interrupted does.
func TestKillInBulk(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		process, client := serve(t, databaseURL)
		const people = 1000
		var operations []string
		for i := range people {
			operations = append(operations, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"b%d","data":%s}`, i, userBody(fmt.Sprintf("bulk%d@example.com", i))))
		}
		bulk := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(operations, ",") + `]}`
		go func() { _, _, _ = client.do(t.Context(), http.MethodPost, "/Bulk", bulk) }()
		before := waitForUsers(t, client, 20)
		process.Kill()
		process.Restart()
		made := listed(t, client)
		if len(made) < before || len(made) >= people {
			t.Errorf("%d users after the kill, %d were seen before", len(made), before)
		}
		for id, name := range made {
			status, user, err := client.do(t.Context(), http.MethodGet, "/Users/"+id, "")
			if err != nil || status != http.StatusOK || user["userName"] != name || user["active"] != true {
				t.Fatalf("%s is %d %v (%v)", name, status, user, err)
			}
		}
		status, answer, err := client.do(t.Context(), http.MethodPost, "/Bulk", bulk)
		if err != nil || status != http.StatusOK {
			t.Fatal(status, answer, err)
		}
		counts := map[any]int{}
		for _, one := range answer["Operations"].([]any) {
			counts[one.(map[string]any)["status"]]++
		}
		if counts["201"] != people-len(made) || counts["409"] != len(made) || len(listed(t, client)) != people {
			t.Errorf("%v after %d were there, now %d", counts, len(made), len(listed(t, client)))
		}
	})
}

// waitForUsers waits until there are at least so many and returns how many there are.
func waitForUsers(t *testing.T, client scimClient, least int) int {
	t.Helper()
	total := 0
	eventually(t, "users", func() error {
		_, list, err := client.do(t.Context(), http.MethodGet, "/Users?count=0", "")
		if n, ok := list["totalResults"].(float64); ok {
			total = int(n)
		}
		if err == nil && total < least {
			err = fmt.Errorf("%d users", total)
			time.Sleep(time.Millisecond)
		}
		return err
	})
	return total
}

// listed walks all users by cursor and checks the total.
func listed(t *testing.T, client scimClient) map[string]string {
	t.Helper()
	found := map[string]string{}
	for cursor := "?cursor=&count=300"; cursor != ""; {
		_, list, err := client.do(t.Context(), http.MethodGet, "/Users"+cursor, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, element := range list["Resources"].([]any) {
			user := element.(map[string]any)
			found[fmt.Sprint(user["id"])] = fmt.Sprint(user["userName"])
		}
		cursor = ""
		if next, ok := list["nextCursor"].(string); ok {
			cursor = "?count=300&cursor=" + next
		} else if int(list["totalResults"].(float64)) != len(found) {
			t.Errorf("totalResults %v, but %d were listed", list["totalResults"], len(found))
		}
	}
	return found
}
