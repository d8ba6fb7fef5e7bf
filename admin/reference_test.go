package admin_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"muster/admin"
	"muster/domain"
	"muster/internal/httpx"
	"muster/internal/testkit"
)

// TestAPIReference compares docs/api-reference.md with the OpenAPI document and with the tables that TestRoles and TestWorkspaceRoles prove.
func TestAPIReference(t *testing.T) {
	sameOrigin, err := httpx.NewSameOrigin(&url.URL{Scheme: "https", Host: "muster.example"})
	if err != nil {
		t.Fatal(err)
	}
	document := contractOf(t, admin.New(admin.Config{Service: domain.New(nil, domain.Policy{}), SameOrigin: sameOrigin, Providers: providers{}, Events: events{}}))
	may := document.whoMay()
	byTag, used := map[string][]string{}, 0
	for path, operations := range at(document, "paths") {
		for method, operation := range object(operations) {
			o := object(operation)
			tag := fmt.Sprint(o["tags"].([]any)[0])
			who := may[fmt.Sprint(o["operationId"])]
			if who == "" {
				who = "everybody"
			}
			if finer, found := finer[fmt.Sprint(o["operationId"])]; found {
				who = finer
				used++
			}
			row := fmt.Sprintf("| `%s` | `%s` | %s | %s |\n", strings.ToUpper(method), strings.TrimPrefix(path, "/api/v1"), o["summary"], who)
			byTag[tag] = append(byTag[tag], row)
		}
	}
	if used != len(finer) {
		t.Errorf("%d of %d operations that are described by hand are there", used, len(finer))
	}
	var text strings.Builder
	for _, tag := range slices.Sorted(maps.Keys(byTag)) {
		fmt.Fprintf(&text, "\n## %s\n\n| | Path | Does | Who may |\n|---|---|---|---|\n", tag)
		slices.SortFunc(byTag[tag], func(a, b string) int { return strings.Compare(pathAndMethod(a), pathAndMethod(b)) })
		for _, row := range byTag[tag] {
			text.WriteString(row)
		}
	}
	testkit.CompareReference(t, "docs/api-reference.md", text.String())
}

const (
	byRank   = "Admins; Operators for Users and Viewers"
	covering = "in the workspace with `workspaces:manage-members`, for roles that they cover"
)

// finer says who may where a yes or no for each role does not.
var finer = map[string]string{
	"post-orgs-current-members":                        byRank,
	"post-orgs-current-members-batch":                  byRank,
	"patch-orgs-current-members-identity-id":           byRank,
	"delete-orgs-current-members-identity-id":          byRank,
	"delete-orgs-current-members-identity-id-pending":  byRank,
	"get-orgs-current-members-identity-id-sessions":    byRank,
	"delete-orgs-current-members-identity-id-sessions": byRank,
	"get-auth-check":                                        "everybody, about themselves",
	"post-api-key-current":                                  "everybody in the workspace but organization Viewers",
	"delete-workspaces-workspace-id":                        "Admins, Operators; workspace Admins",
	"post-settings-handle":                                  "Admins, Operators; workspace Admins",
	"patch-workspaces-workspace-id":                         "Admins, Operators; workspace Admins",
	"get-api-key":                                           "in the workspace with `workspaces:manage-keys`",
	"post-api-key":                                          "in the workspace with `workspaces:manage-keys`",
	"delete-api-key-id":                                     "in the workspace with `workspaces:manage-keys`",
	"post-workspaces-current-members":                       "Admins, Operators; " + covering,
	"patch-workspaces-current-members-identity-id":          "Admins, Operators; " + covering,
	"delete-workspaces-current-members-identity-id":         "Admins, Operators; " + covering,
	"delete-workspaces-current-members-identity-id-pending": "Admins, Operators; " + covering,
}

// pathAndMethod orders the operations of one path as people read them.
func pathAndMethod(row string) string {
	cells := strings.Split(row, " | ")
	order := slices.Index([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, strings.Trim(cells[0], "|` "))
	return fmt.Sprint(strings.Trim(cells[1], "`"), " ", order)
}

// whoMay says for every operation which roles may do it.
func (c contract) whoMay() map[string]string {
	const place = "01a20869-0000-7000-8000-000000000000"
	may := map[string][4]bool{}
	for _, row := range orgOperations(place, place, place) {
		id := c.operation(row.method, "/api/v1"+row.path)
		sum := may[id]
		for i, status := range row.want {
			// Who may not see the workspace gets 404, and so does whoever may and names an id that is not there.
			outside := status == http.StatusNotFound && row.want[0] != http.StatusNotFound
			sum[i] = sum[i] || status != http.StatusForbidden && !outside
		}
		may[id] = sum
	}
	words := map[string]string{}
	for id, roles := range may {
		words[id] = roleWords(roles)
	}
	for _, row := range workspaceOperations(place, place) {
		id := c.operation(row.method, "/api/v1"+row.path)
		switch row.want {
		case [5]int{200, 200, 200, 200, 200}:
			words[id] += "; everybody in the workspace"
		case [5]int{200, 200, 200, 200, 403}:
			words[id] += "; in the workspace with `workspaces:read`"
		case [5]int{200, 403, 403, 200, 403}:
			words[id] += "; in the workspace with `workspaces:manage-members`"
		}
	}
	return words
}

func roleWords(roles [4]bool) string {
	names := []string{"Admins", "Operators", "Users", "Viewers"}
	switch roles {
	case [4]bool{true, true, true, true}:
		return "every member"
	case [4]bool{true, true, true, false}:
		return "every member but Viewers"
	case [4]bool{}:
		return "nobody, unless it is switched on"
	}
	var words []string
	for i, may := range roles {
		if may {
			words = append(words, names[i])
		}
	}
	return strings.Join(words, ", ")
}
