package mail_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/db"
	"muster/domain"
	"muster/internal/mail"
	"muster/internal/testkit"
	"muster/internal/testkit/smtpd"
)

type world struct {
	*testing.T

	service  *domain.Service
	scope    domain.OrgScope
	clock    *testkit.Clock
	mutex    sync.Mutex
	outcomes []string
}

func onEngines(t *testing.T, test func(w *world)) {
	t.Helper()
	testkit.Engines(t, func(t *testing.T, databaseURL string) {
		w := &world{T: t, clock: testkit.NewClock(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))}
		store, err := db.Open(t.Context(), databaseURL, db.Options{Clock: w.clock.Now})
		w.must(err)
		t.Cleanup(func() { _ = store.Close() })
		w.must(store.Migrate(t.Context()))
		w.service = domain.New(store, domain.Policy{
			InitialOrgName: "Acme", DefaultWorkspaceName: "Workspace 1", MailEnabled: true, PublicURL: "https://id.example.com", InviteExpiry: 30 * 24 * time.Hour,
		})
		w.must(w.service.Bootstrap(t.Context()))
		w.scope, err = w.service.CommandLine(t.Context(), "")
		w.must(err)
		test(w)
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) sender(server *smtpd.Server, query string, config *tls.Config) *mail.Sender {
	w.Helper()
	address, err := url.Parse("smtp://" + server.Addr() + query)
	w.must(err)
	sender, err := mail.New(mail.Config{
		URL: address, From: "Muster <muster@example.com>", Service: w.service, Log: slog.New(slog.DiscardHandler), TLS: config,
		Count: func(outcome string) {
			w.mutex.Lock()
			defer w.mutex.Unlock()
			w.outcomes = append(w.outcomes, outcome)
		},
	})
	w.must(err)
	return sender
}

func (w *world) invite(email string) {
	w.Helper()
	_, err := w.service.Invite(w.Context(), w.scope, domain.InviteRequest{Email: email})
	w.must(err)
}

// R24: an invite sends mail, once, however many processes send.
func TestInviteMail(t *testing.T) {
	onEngines(t, func(w *world) {
		server := smtpd.New(w.T, smtpd.Knobs{})
		for i := range 30 {
			w.invite(fmt.Sprintf("p%d@example.com", i))
		}
		var senders sync.WaitGroup
		for range 3 {
			senders.Go(func() {
				if err := w.sender(server, "?tls=none", nil).Turn(w.Context()); err != nil {
					w.Error(err)
				}
			})
		}
		senders.Wait()
		to := map[string]int{}
		for _, message := range server.Taken() {
			to[message.To]++
		}
		if len(to) != 30 || len(server.Taken()) != 30 {
			w.Fatalf("%d mails to %d people", len(server.Taken()), len(to))
		}
		data := server.Taken()[0].Data
		for _, want := range []string{"Subject: You are invited to Acme", "From: \"Muster\" <muster@example.com>", "https://id.example.com/", "command line invites you", "31 March 2026", "Auto-Submitted: auto-generated"} {
			if !strings.Contains(data, want) {
				w.Errorf("the mail does not say %q:\n%s", want, data)
			}
		}
	})
}

// R24: a server that is away or busy is tried again; one that took the mail is never sent it again, whatever happens after.
func TestMailRetries(t *testing.T) {
	for name, c := range map[string]struct {
		knobs    smtpd.Knobs
		taken    int
		outcomes string
	}{
		"busy":                      {smtpd.Knobs{Refuse: []string{"451 later", "421 later"}}, 1, "[failed failed sent]"},
		"an address that is none":   {smtpd.Knobs{Refuse: []string{"550 no such person", "550 no such person"}}, 0, "[dead]"},
		"gone before its answer":    {smtpd.Knobs{DropBeforeReply: 1}, 1, "[failed sent]"},
		"gone when it had taken it": {smtpd.Knobs{DropAfterData: 1}, 1, "[sent]"},
		"no encryption to be had":   {smtpd.Knobs{Password: "x"}, 0, "[failed failed failed]"},
	} {
		t.Run(name, func(t *testing.T) {
			onEngines(t, func(w *world) {
				server := smtpd.New(w.T, c.knobs)
				w.invite("bob@example.com")
				sender := w.sender(server, "?tls=none", nil)
				if c.knobs.Password != "" {
					sender = w.sender(server, "", nil)
				}
				for range 3 {
					w.must(sender.Turn(w.Context()))
					w.clock.Advance(time.Hour)
				}
				if got := len(server.Taken()); got != c.taken || fmt.Sprint(w.outcomes) != c.outcomes {
					w.Errorf("%d mails, %v, want %d, %s", got, w.outcomes, c.taken, c.outcomes)
				}
			})
		})
	}
}

// The connection is encrypted and the server checked before a password is said.
func TestMailIsEncrypted(t *testing.T) {
	fixture := httptest.NewTLSServer(nil)
	defer fixture.Close()
	certificate := fixture.TLS.Certificates[0]
	roots := x509.NewCertPool()
	roots.AddCert(fixture.Certificate())
	onEngines(t, func(w *world) {
		server := smtpd.New(w.T, smtpd.Knobs{Certificate: &certificate, Password: "s3cret"})
		w.invite("bob@example.com")
		with := func(config *tls.Config, password string) *mail.Sender {
			address, err := url.Parse("smtp://muster:" + password + "@" + server.Addr())
			w.must(err)
			sender, err := mail.New(mail.Config{URL: address, From: "muster@example.com", Service: w.service, Log: slog.New(slog.DiscardHandler), TLS: config})
			w.must(err)
			return sender
		}
		trusting := &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: tls.VersionTLS12}
		for name, sender := range map[string]*mail.Sender{
			"a server that nobody vouches for": with(nil, "s3cret"), "a wrong password": with(trusting, "wrong"),
		} {
			w.must(sender.Turn(w.Context()))
			if len(server.Taken()) != 0 {
				w.Errorf("%s was sent mail", name)
			}
			w.clock.Advance(time.Hour)
		}
		w.must(with(trusting, "s3cret").Turn(w.Context()))
		if got := server.Taken(); len(got) != 1 || !got[0].Encrypted {
			w.Errorf("%+v", got)
		}
	})
}

// Names that people chose add no lines to a mail, and mail in other alphabets arrives.
func TestNamesInMail(t *testing.T) {
	onEngines(t, func(w *world) {
		name := "Ünternehmen & Söhne"
		_, err := w.service.UpdateOrganization(w.Context(), w.scope, domain.OrgUpdate{DisplayName: &name})
		w.must(err)
		evil := "Acme\r\nBcc: everybody@example.com"
		if _, err := w.service.UpdateOrganization(w.Context(), w.scope, domain.OrgUpdate{DisplayName: &evil}); err == nil {
			w.Error("a name of two lines was accepted")
		}
		server := smtpd.New(w.T, smtpd.Knobs{})
		w.invite("bob@example.com")
		w.must(w.sender(server, "?tls=none", nil).Turn(w.Context()))
		header, _, _ := strings.Cut(server.Taken()[0].Data, "\n\n")
		if strings.Contains(header, "Bcc") || !strings.Contains(header, "Subject: =?UTF-8?q?") {
			w.Errorf("%s", header)
		}
	})
}

// The Admins are told of a SCIM token that ends soon: once two weeks before, and once three days before (R24).
func TestExpiringTokens(t *testing.T) {
	onEngines(t, func(w *world) {
		server := smtpd.New(w.T, smtpd.Knobs{})
		_, err := w.service.AddAdmin(w.Context(), w.scope, "ada@example.com")
		w.must(err)
		_, _, err = w.service.CreateSCIMToken(w.Context(), w.scope, domain.NewSCIMToken{Description: "Okta", ExpiresAt: w.clock.Now().AddDate(0, 0, 30)})
		w.must(err)
		_, _, err = w.service.CreateSCIMToken(w.Context(), w.scope, domain.NewSCIMToken{Description: "for ever"})
		w.must(err)
		var told []int
		for range 32 {
			n, err := w.service.WarnOfExpiringTokens(w.Context())
			w.must(err)
			if n > 0 {
				told = append(told, n)
			}
			w.clock.Advance(24 * time.Hour)
		}
		w.must(w.sender(server, "?tls=none", nil).Turn(w.Context()))
		if got := server.Taken(); len(told) != 2 || len(got) != 2 || got[0].To != "ada@example.com" || !strings.Contains(got[0].Data, "Okta") {
			w.Errorf("%v, %+v", told, got)
		}
	})
}

// R39: the guard's alarm reaches every Organization Admin.
func TestGuardAlarm(t *testing.T) {
	onEngines(t, func(w *world) {
		server := smtpd.New(w.T, smtpd.Knobs{})
		for _, email := range []string{"ada@example.com", "bea@example.com"} {
			_, err := w.service.AddAdmin(w.Context(), w.scope, email)
			w.must(err)
		}
		_, err := w.service.SetGuard(w.Context(), w.scope, func(g *domain.Guard) { g.Enabled, g.MaxPeople, g.MaxPercent = true, 0, 0 })
		w.must(err)
		_, secret, err := w.service.CreateSCIMToken(w.Context(), w.scope, domain.NewSCIMToken{})
		w.must(err)
		scim, err := w.service.SCIMToken(w.Context(), string(secret), domain.Client{})
		w.must(err)
		user, err := w.service.CreateUser(w.Context(), scim, domain.Document{"userName": "bob@example.com", "active": true})
		w.must(err)
		for range 3 {
			if err := w.service.DeleteUser(w.Context(), scim, user.ID, 0); !domain.IsKind(err, domain.Guarded) {
				w.Fatal(err)
			}
		}
		w.must(w.sender(server, "?tls=none", nil).Turn(w.Context()))
		if got := server.Taken(); len(got) != 2 || !strings.Contains(got[0].Data, "held back") || !strings.Contains(got[0].Data, "bob@example.com") {
			w.Errorf("%+v", got)
		}
	})
}
