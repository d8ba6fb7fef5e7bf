package domain

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// MailID names a mail in the outbox.
type MailID string

// Mail is a message that waits to be sent (R24); it is written in the commit of what it tells of.
type Mail struct {
	Org     OrgID
	ID      MailID
	To      string
	Subject string
	// Body is plain text.
	Body      string
	CreatedAt time.Time
	// Attempts is how often it was tried in vain, LastError why, and Dead that it is not tried any more.
	Attempts  int
	LastError string
	Dead      bool
}

const (
	// MailTimeout is how long one delivery may take; the lease is longer, so that no other process sends the same mail meanwhile.
	MailTimeout = time.Minute
	mailLease   = 3 * time.Minute
	// maxMailAttempts come within about a day.
	maxMailAttempts = 10
	// mailStep is how many mails are sent in one turn.
	mailStep = 20
	// deadMailKept is how long a mail that could not be sent can be looked at.
	deadMailKept = 30 * 24 * time.Hour
)

// LeasedMail is a mail that this process is to send.
type LeasedMail struct {
	Mail

	lease string
}

// DueMail leases the mails that are to be sent now, each to one process.
func (s *Service) DueMail(ctx context.Context) ([]LeasedMail, error) {
	var leased []LeasedMail
	err := s.store.Write(ctx, func(tx Tx) error {
		lease := NewOpaque()
		mails, err := tx.System(systemScope()).Mails().Lease(lease, tx.Now().Add(mailLease), mailStep)
		leased = nil
		for _, mail := range mails {
			leased = append(leased, LeasedMail{mail, lease})
		}
		return err
	})
	return leased, err
}

// MailSent says that a server has taken the mail; it is forgotten, and never sent again.
func (s *Service) MailSent(ctx context.Context, mail LeasedMail) error {
	return s.store.Write(ctx, func(tx Tx) error { return tx.System(systemScope()).Mails().Delete(mail.Mail, mail.lease) })
}

// MailFailed says why a mail was not taken; it is tried again ever more slowly, unless the refusal is for good.
func (s *Service) MailFailed(ctx context.Context, mail LeasedMail, cause error, forGood bool) (dead bool, err error) {
	next := mail.Mail
	next.Attempts++
	next.LastError, next.Dead = cause.Error(), forGood || next.Attempts >= maxMailAttempts
	pause := min(time.Minute<<min(mail.Attempts, 10), 6*time.Hour)
	err = s.store.Write(ctx, func(tx Tx) error {
		return tx.System(systemScope()).Mails().Delay(next, mail.lease, tx.Now().Add(pause))
	})
	return next.Dead, err
}

// InviteLink is where an invited person goes: signing in with the invited address claims the invite, so that the link holds no secret (R23, R24).
func (s *Service) InviteLink() string { return s.policy.PublicURL + "/" }

// post puts a mail into the outbox, where mail is configured.
func (s *Service) post(tx Tx, org OrgTx, to, subject string, lines ...string) error {
	if !s.policy.MailEnabled || to == "" {
		return nil
	}
	return org.Outbox().Insert(Mail{
		ID: newID[MailID](tx.Now()), To: to, Subject: oneLine(subject), Body: strings.Join(lines, "\n") + "\n", CreatedAt: tx.Now(),
	})
}

// oneLine keeps names that people chose from adding lines of their own.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}

// mailInvite tells somebody of an invite.
func (s *Service) mailInvite(tx Tx, org OrgTx, orgName string, invite Invite) error {
	until := ""
	if !invite.ExpiresAt.IsZero() {
		until = " The invite is open until " + invite.ExpiresAt.UTC().Format("2 January 2006") + "."
	}
	return s.post(tx, org, invite.Email, "You are invited to "+orgName,
		oneLine(invite.InvitedBy)+" invites you to "+oneLine(orgName)+".",
		"",
		"Sign in with this e-mail address, "+invite.Email+", to join:",
		s.InviteLink(),
		"",
		"If you did not expect this, you need not do anything."+until)
}

// mailAdmins tells every active Organization Admin something.
func (s *Service) mailAdmins(tx Tx, org OrgTx, subject string, lines ...string) error {
	if !s.policy.MailEnabled {
		return nil
	}
	active := true
	for window := (Window{Limit: MaxLimit}); ; window.Offset += MaxLimit {
		admins, err := org.Members().Like(PeopleMatch{PeopleQuery: PeopleQuery{Window: window, Active: &active}, OrgRoleIDs: []RoleID{RoleOrgAdmin}})
		if err != nil {
			return err
		}
		for _, admin := range admins {
			if err := s.post(tx, org, admin.Email, subject, lines...); err != nil {
				return err
			}
		}
		if len(admins) < MaxLimit {
			return nil
		}
	}
}

// mailGuardAlarm tells the Admins that the guard holds something back (R39).
func (s *Service) mailGuardAlarm(tx Tx, org OrgTx, guard Guard, held HeldRequest) error {
	settings, err := org.Settings().Get()
	if err != nil {
		return err
	}
	return s.mailAdmins(tx, org, "Deprovisioning in "+settings.DisplayName+" is held back",
		fmt.Sprintf("An identity provider has taken access from %d people of %s within %s. Further requests are held back until you decide.", guard.limit(), oneLine(settings.DisplayName), guard.Window),
		"",
		fmt.Sprintf("The first request held back: %s %s %s", held.Operation, held.Target.ID, oneLine(held.Target.Name)),
		"",
		"Look at what is held back: GET "+s.policy.PublicURL+"/api/v1/orgs/current/scim/guard, or \"muster guard show\".",
		"If it is meant, release it: POST …/scim/guard/release, or \"muster guard release\". If not, refuse it: POST …/scim/guard/refuse, or \"muster guard refuse\".")
}

// The days before a token's end on which the Admins are told of it.
var warnings = []int{14, 3} //nolint:gochecknoglobals // a constant table

// WarnOfExpiringTokens tells the Admins of SCIM tokens that end soon, once for each of the warnings, and returns how many it told of.
func (s *Service) WarnOfExpiringTokens(ctx context.Context) (int, error) {
	if !s.policy.MailEnabled {
		return 0, nil
	}
	told := 0
	for level, days := range warnings {
		var tokens []SCIMToken
		err := s.store.Read(ctx, func(tx Tx) error {
			var err error
			tokens, err = tx.System(systemScope()).Credentials().Expiring(tx.Now(), tx.Now().AddDate(0, 0, days), level+1)
			return err
		})
		if err != nil {
			return told, err
		}
		for _, token := range tokens {
			if err := s.warnOf(ctx, token, level+1); err != nil {
				return told, err
			}
			told++
		}
	}
	return told, nil
}

func (s *Service) warnOf(ctx context.Context, token SCIMToken, level int) error {
	return s.writeOrg(ctx, within(token.Org, systemActor()), func(tx Tx, org OrgTx) error {
		if first, err := org.Tokens().Warned(token.ID, level); err != nil || !first {
			return err
		}
		settings, err := org.Settings().Get()
		if err != nil {
			return err
		}
		return s.mailAdmins(tx, org, "A SCIM token of "+settings.DisplayName+" ends soon",
			fmt.Sprintf("The SCIM token “%s” (%s) ends on %s. After that the identity provider that uses it can change nothing any more.",
				oneLine(token.Description), token.Short, token.ExpiresAt.UTC().Format("2 January 2006, 15:04 UTC")),
			"",
			"Make a new one, give it to the identity provider, and then delete the old one: both work meanwhile.")
	})
}

// WaitingMail lists the organization's mail that was not sent yet, the oldest first.
func (s *Service) WaitingMail(ctx context.Context, scope OrgScope, limit int) ([]Mail, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return nil, err
	}
	waiting := []Mail{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		found, err := org.Outbox().List(limit)
		waiting = append(waiting[:0], found...)
		return err
	})
	return waiting, err
}
