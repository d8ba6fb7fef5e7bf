package main_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/internal/idpcheck"
	"muster/internal/testkit"
)

// S68, S82: what is checked of other servers holds here, on both engines, and nothing is left.
func TestIDPCheck(t *testing.T) {
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		s := newChecked(t, databaseURL)
		file := t.TempDir() + "/token"
		if err := os.WriteFile(file, []byte(s.token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, provider := range []string{"okta", "entra"} {
			out := muster(t, []string{"SCIM_TOKEN=" + s.token}, "idp-check", provider, "--url", s.url+"/")
			if !strings.Contains(out, " 0 warnings, 0 failed, 0 skipped") || strings.Contains(out, s.token) {
				t.Errorf("%s:\n%s", provider, out)
			}
			var report struct {
				Results []idpcheck.Result
				Summary idpcheck.Summary
			}
			text := muster(t, nil, "idp-check", provider, "--url", s.url+"?aadOptscim062020", "--token-file", file, "--json", "--domain", "x.test")
			if err := json.Unmarshal([]byte(text), &report); err != nil || report.Summary.Passed != len(report.Results) || len(report.Results) < 30 {
				t.Errorf("%s: %v %+v", provider, err, report)
			}
		}
		s.empty(t)
	})
}

// Wherever it is interrupted, what was made is removed.
func TestIDPCheckInterrupted(t *testing.T) {
	s := newChecked(t, testkit.SQLite(t))
	for _, provider := range []string{"okta", "entra"} {
		for stop := 1; stop < 34; stop += 3 {
			ctx, cancel := context.WithCancel(t.Context())
			seen := 0
			summary, err := idpcheck.Run(ctx, idpcheck.Config{Provider: provider, URL: s.url, Token: s.token}, func(idpcheck.Result) {
				if seen++; seen == stop {
					cancel()
				}
			})
			if err == nil || len(summary.Left) > 0 || summary.Passed != stop {
				t.Errorf("%s stopped after %d: %v %+v", provider, stop, err, summary)
			}
		}
	}
	s.empty(t)
}

// Ctrl-C while the server takes its time over a new person: the answer is waited for, and the person removed.
func TestIDPCheckControlC(t *testing.T) {
	s := newChecked(t, testkit.SQLite(t))
	began := make(chan struct{})
	slow := s.broken(t, func(w http.ResponseWriter, r *http.Request, sound http.Handler) {
		if r.Method == http.MethodPost {
			close(began)
			time.Sleep(300 * time.Millisecond)
		}
		sound.ServeHTTP(w, r)
	})
	cmd := exec.CommandContext(t.Context(), testkit.Build(t, "./cmd/muster"), "idp-check", "okta", "--url", slow.url)
	cmd.Env = []string{"SCIM_TOKEN=" + s.token}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-began
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit code says it
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(out.String(), "everything that was made has been removed") {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
	s.empty(t)
}

// What cannot work is refused before the token goes anywhere.
func TestIDPCheckRefusals(t *testing.T) {
	refused(t, nil, 2, "plain http", "idp-check", "okta", "--url", "http://muster.example.com/scim/v2", "--token", "x")
	refused(t, nil, 2, "not an address", "idp-check", "okta", "--url", "muster.example.com", "--token", "x")
	refused(t, nil, 2, "there is no token", "idp-check", "okta", "--url", "https://muster.example.com/scim/v2")
	refused(t, nil, 2, "user name or a password", "idp-check", "okta", "--url", "https://a:b@muster.example.com/scim/v2", "--token", "x")
	refused(t, nil, 2, "no such file", "idp-check", "okta", "--url", "https://muster.example.com/scim/v2", "--token-file", t.TempDir()+"/none")
	refused(t, nil, 2, "must be one of", "idp-check", "google", "--url", "https://muster.example.com/scim/v2", "--token", "x")
	out, code := commandFails(t, testkit.Build(t, "./cmd/muster"), nil, "idp-check", "entra", "--url", "http://127.0.0.1:1/scim/v2", "--token", "x")
	if code != 3 || !strings.Contains(out, "does not answer") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}
