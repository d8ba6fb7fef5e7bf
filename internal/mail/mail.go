// Package mail sends what waits in the outbox, over SMTP.
//
// A mail is sent by one process at a time and forgotten as soon as a server has taken it.
// Only a process that ends between the two sends a mail a second time; both have the same Message-ID.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"muster/domain"
	"muster/internal/trace"
)

// Config is what a Sender is made of.
type Config struct {
	// URL is smtp://user:password@host:587 (STARTTLS) or smtps://host:465; "?tls=none" and "?tls=opportunistic" are for the same machine.
	URL *url.URL
	// From is the sender's address, with or without a name before it.
	From    string
	Service *domain.Service
	Log     *slog.Logger
	// TLS overrides how the server's certificate is checked; nil is by the system's roots.
	TLS *tls.Config
	// Count is told of every outcome: "sent", "failed" or "dead"; it may be nil.
	Count func(outcome string)
}

// Sender sends mail.
type Sender struct {
	Config

	options []gomail.Option
}

// New returns a Sender, or an error that says what about the address is wrong.
func New(config Config) (*Sender, error) {
	s := &Sender{Config: config}
	if s.Count == nil {
		s.Count = func(string) {}
	}
	s.options = []gomail.Option{gomail.WithTimeout(domain.MailTimeout), gomail.WithoutNoop(), gomail.WithoutRset()}
	if err := s.security(); err != nil {
		return nil, err
	}
	if config.TLS != nil {
		s.options = append(s.options, gomail.WithTLSConfig(config.TLS))
	}
	if user := config.URL.User; user != nil {
		password, _ := user.Password()
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(user.Username()), gomail.WithPassword(password))
	}
	if err := gomail.NewMsg().From(config.From); err != nil {
		return nil, fmt.Errorf("the sender's address: %w", err)
	}
	_, err := gomail.NewClient(config.URL.Hostname(), s.options...)
	return s, err
}

// security chooses the port and how the connection is encrypted.
func (s *Sender) security() error {
	port := 587
	policy := gomail.TLSMandatory
	switch encryption := s.URL.Query().Get("tls"); {
	case s.URL.Scheme == "smtps":
		port = 465
		s.options = append(s.options, gomail.WithSSL())
	case encryption == "none":
		policy = gomail.NoTLS
	case encryption == "opportunistic":
		policy = gomail.TLSOpportunistic
	case encryption != "":
		return fmt.Errorf("tls=%s: allowed are none and opportunistic; without it the connection must be encrypted", encryption)
	}
	if text := s.URL.Port(); text != "" {
		var err error
		if port, err = strconv.Atoi(text); err != nil {
			return err
		}
	}
	s.options = append(s.options, gomail.WithTLSPolicy(policy), gomail.WithPort(port))
	return nil
}

// Check connects to the mail server, encrypted and authenticated as for a mail, and sends none.
func (s *Sender) Check(ctx context.Context) error {
	client, err := gomail.NewClient(s.URL.Hostname(), s.options...)
	if err != nil {
		return err
	}
	if err := client.DialWithContext(ctx); err != nil {
		return err
	}
	return client.Close()
}

// Run sends what is due every few seconds until ctx ends.
func (s *Sender) Run(ctx context.Context) {
	ticker := time.NewTicker(2 * time.Second)
	defer ticker.Stop()
	for {
		if err := s.Turn(ctx); err != nil && ctx.Err() == nil && !domain.IsKind(err, domain.Unavailable) {
			s.Log.WarnContext(ctx, "mail was not sent", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Turn sends everything that is due now.
func (s *Sender) Turn(ctx context.Context) error {
	for {
		due, err := s.Service.DueMail(ctx)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, mail := range due {
			if err := s.deliver(ctx, mail); err != nil {
				return err
			}
		}
	}
}

// deliver sends one mail and notes what came of it, also when the server is stopping.
func (s *Sender) deliver(ctx context.Context, mail domain.LeasedMail) error {
	failed := s.send(ctx, mail.Mail)
	ctx = context.WithoutCancel(ctx)
	if failed == nil {
		s.Count("sent")
		return s.noteSent(ctx, mail)
	}
	dead, err := s.Service.MailFailed(ctx, mail, failed, forGood(failed))
	if err != nil {
		return err
	}
	if dead {
		s.Count("dead")
		s.Log.ErrorContext(ctx, "a mail was given up", "organization", mail.Org, "mail", mail.ID, "attempts", mail.Attempts+1, "error", failed)
		return nil
	}
	s.Count("failed")
	s.Log.WarnContext(ctx, "a mail was not taken; it is tried again", "organization", mail.Org, "mail", mail.ID, "attempts", mail.Attempts+1, "error", failed)
	return nil
}

// noteSent insists, because a mail that is not noted would be sent again.
func (s *Sender) noteSent(ctx context.Context, mail domain.LeasedMail) error {
	const tries = 20
	var err error
	for try := range tries {
		if err = s.Service.MailSent(ctx, mail); err == nil || !domain.IsKind(err, domain.Unavailable) && !domain.IsKind(err, domain.Unknown) {
			return err
		}
		time.Sleep(time.Duration(try+1) * 100 * time.Millisecond)
	}
	return err
}

func (s *Sender) send(ctx context.Context, mail domain.Mail) error {
	message := gomail.NewMsg()
	if err := message.From(s.From); err != nil {
		return err
	}
	if err := message.To(mail.To); err != nil {
		return err
	}
	message.Subject(mail.Subject)
	message.SetDateWithValue(mail.CreatedAt)
	message.SetMessageIDWithValue(string(mail.ID) + "@muster")
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(gomail.TypeTextPlain, mail.Body)
	client, err := gomail.NewClient(s.URL.Hostname(), s.options...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, domain.MailTimeout)
	defer cancel()
	ctx, span := trace.Start(ctx, trace.Client, "SMTP send", trace.String("server.address", s.URL.Hostname()))
	defer span.End()
	if err := client.DialWithContext(ctx); err != nil {
		span.Fail("connect")
		return err
	}
	if err = client.Send(message); err != nil {
		span.Fail("refused")
	}
	// What goes wrong after the server has taken the mail does not make it unsent.
	_ = client.Close()
	if message.IsDelivered() {
		return nil
	}
	return err
}

// forGood reports whether the server has refused the mail itself (a 5xx reply), so that trying again is useless.
func forGood(err error) bool {
	refused, ok := errors.AsType[*gomail.SendError](err)
	return ok && !refused.IsTemp() && (refused.Reason == gomail.ErrSMTPRcptTo || refused.Reason == gomail.ErrSMTPData || refused.Reason == gomail.ErrSMTPDataClose) && refused.ErrorCode() >= 500
}
