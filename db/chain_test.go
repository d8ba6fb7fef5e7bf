package db_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/db"
	"muster/domain"
	"muster/internal/testkit"
)

// R43: whatever is done to the rows behind the program's back, verifying says so.
func TestTampering(t *testing.T) {
	for name, c := range map[string]struct {
		statement string
		words     string
	}{
		"a field changed":     {"UPDATE audit_log SET actor_name = 'nobody' WHERE seq = 3", "not as it was written"},
		"what changed":        {`UPDATE audit_log SET after = '{"admin":true}' WHERE seq = 3`, "not as it was written"},
		"a row removed":       {"DELETE FROM audit_log WHERE seq = 3", "missing"},
		"the end removed":     {"DELETE FROM audit_log WHERE seq > 3", "end were removed"},
		"two rows swapped":    {"UPDATE audit_log SET seq = CASE seq WHEN 3 THEN 1004 ELSE 1003 END WHERE seq IN (3, 4)", "missing"},
		"a hash made to fit":  {"UPDATE audit_log SET actor_name = 'nobody', hash = (SELECT hash FROM audit_log WHERE seq = 4) WHERE seq = 3", "not as it was written"},
		"everything in order": {"UPDATE audit_log SET actor_name = actor_name", ""},
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Engines(t, func(t *testing.T, databaseURL string) {
				store, err := db.Open(t.Context(), databaseURL, db.Options{})
				must(t, err)
				t.Cleanup(func() { _ = store.Close() })
				must(t, store.Migrate(t.Context()))
				service := domain.New(store, domain.Policy{InitialOrgName: "Default", DefaultWorkspaceName: "Workspace 1"})
				must(t, service.Bootstrap(t.Context()))
				scope, err := service.CommandLine(t.Context(), "")
				must(t, err)
				for i := range 6 {
					_, err := service.AddAdmin(t.Context(), scope, fmt.Sprintf("p%d@example.com", i))
					must(t, err)
				}
				if report := verified(t, service); report.Damage != "" || report.Rows != 7 {
					t.Fatalf("before: %+v", report)
				}
				must(t, store.Write(t.Context(), func(tx domain.Tx) error { return db.Exec(tx, c.statement) }))
				report := verified(t, service)
				if (report.Damage == "") != (c.words == "") || !strings.Contains(report.Damage, c.words) {
					t.Errorf("%+v, want %q", report, c.words)
				}
			})
		})
	}
}

func verified(t *testing.T, service *domain.Service) domain.ChainReport {
	t.Helper()
	reports, err := service.VerifyAudit(t.Context(), "")
	must(t, err)
	return reports[0]
}
