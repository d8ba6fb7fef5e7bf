package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"time"

	"github.com/jmoiron/sqlx"

	"muster/domain"
)

// querier is a connection or a transaction.
type querier interface {
	sqlx.QueryerContext
	sqlx.ExecerContext
}

// beginTx makes the transaction that fn sees on a connection.
type beginTx func(ctx context.Context, q querier) *tx

// tx is one run of a transaction's function.
type tx struct {
	ctx      context.Context
	q        querier
	dialect  dialect
	now      time.Time
	readOnly bool
	// op names the transaction in its audit rows; marker is the first of them.
	op     string
	marker marker
	marks  int
	// cause is the first error that the driver returned other than "no rows".
	cause error
	// emails remembers the indexed addresses of the SCIM users read here, so that an update need not write them again.
	emails map[domain.MemberID][]string
	// grown counts the SCIM users and group members added.
	grown int
	// held are the users whose rows this transaction holds, and fresh those of them that it made and that have nothing yet:
	// what is known about them need not be asked.
	held  map[domain.UserID]domain.User
	fresh map[domain.UserID]bool
	// seen are the ids of rows that were read or made here, so that writing them concerns a row.
	seen map[string]bool
	// marked is what the process knows about long lists.
	marked *listMarks
	// start begins the transaction on its connection when that was put off; nil when it was not.
	start func() error
	// waiting are the writes that go out together; a careful transaction has none.
	waiting []queued
	careful bool
	// misjudged says that a combined statement failed for what its parts took for granted: only a careful run can say what.
	misjudged bool
}

// marker is an audit row by which a transaction can be found again after its commit was not answered.
type marker struct {
	org domain.OrgID
	op  string
}

func (d *DB) begin(readOnly bool) beginTx {
	return func(ctx context.Context, q querier) *tx {
		return &tx{
			ctx: ctx, q: q, dialect: d.engine.dialect(), now: domain.Micro(d.clock()), readOnly: readOnly, op: rand.Text(),
			emails: map[domain.MemberID][]string{}, held: map[domain.UserID]domain.User{}, fresh: map[domain.UserID]bool{},
			seen: map[string]bool{}, marked: &d.marked,
		}
	}
}

// Now implements domain.Tx.
func (t *tx) Now() time.Time { return t.now }

// System implements domain.Tx; every method of the zero scope's answer is an Internal error.
func (t *tx) System(scope domain.SystemScope) domain.SystemTx {
	h := handle{tx: t}
	if !scope.Valid() {
		h.refused = domain.Errorf(domain.Internal, "a statement was asked for without a system scope")
	}
	return systemTx{h}
}

// Org implements domain.Tx; every method of the zero scope's answer is an Internal error.
func (t *tx) Org(scope domain.OrgScope) domain.OrgTx {
	h := handle{tx: t, org: scope.Org()}
	if scope.Org() == "" {
		h.refused = domain.Errorf(domain.Internal, "a statement was asked for without an organization's scope")
	}
	return orgTx{h}
}

type systemTx struct{ handle }

func (s systemTx) Installation() domain.InstallationStore { return installationStore(s) }
func (s systemTx) Orgs() domain.OrgStore                  { return orgStore(s) }
func (s systemTx) Users() domain.UserStore                { return userStore(s) }
func (s systemTx) Identities() domain.IdentityStore       { return identityStore(s) }
func (s systemTx) Sessions() domain.SessionStore          { return sessionStore(s) }
func (s systemTx) Renewals() domain.RenewalStore          { return renewalStore(s) }
func (s systemTx) LogoutTokens() domain.LogoutTokenStore  { return logoutTokenStore(s) }
func (s systemTx) Flows() domain.FlowStore                { return flowStore(s) }
func (s systemTx) Mails() domain.MailStore                { return mailStore(s) }
func (s systemTx) Attempts() domain.AttemptStore          { return attemptStore(s) }
func (s systemTx) Providers() domain.ProviderStore        { return providerStore(s) }
func (s systemTx) Credentials() domain.CredentialStore    { return credentialStore(s) }

type orgTx struct{ handle }

func (o orgTx) Settings() domain.SettingsStore        { return settingsStore(o) }
func (o orgTx) Workspaces() domain.WorkspaceStore     { return workspaceStore(o) }
func (o orgTx) Members() domain.MemberStore           { return memberStore(o) }
func (o orgTx) Access() domain.AccessStore            { return accessStore(o) }
func (o orgTx) Invites() domain.InviteStore           { return inviteStore(o) }
func (o orgTx) SCIMUsers() domain.SCIMUserStore       { return scimUserStore(o) }
func (o orgTx) Groups() domain.GroupStore             { return groupStore(o) }
func (o orgTx) GroupMembers() domain.GroupMemberStore { return groupMemberStore(o) }
func (o orgTx) NestedGroups() domain.NestedGroupStore { return nestedGroupStore(o) }
func (o orgTx) Definitions() domain.DefinitionStore   { return definitionStore(o) }
func (o orgTx) Resources() domain.ResourceStore       { return resourceStore(o) }
func (o orgTx) UniqueValues() domain.UniqueValueStore { return uniqueValueStore(o) }
func (o orgTx) Activity() domain.ActivityStore        { return activityStore(o) }
func (o orgTx) Tokens() domain.TokenStore             { return tokenStore(o) }
func (o orgTx) Keys() domain.KeyStore                 { return keyStore(o) }
func (o orgTx) Accounts() domain.AccountStore         { return accountStore(o) }
func (o orgTx) Roles() domain.RoleStore               { return roleStore(o) }
func (o orgTx) Feeds() domain.FeedStore               { return feedStore(o) }
func (o orgTx) Hooks() domain.HookStore               { return hookStore(o) }
func (o orgTx) Outbox() domain.OutboxStore            { return outboxStore(o) }
func (o orgTx) Guard() domain.GuardStore              { return guardStore(o) }
func (o orgTx) Tombstones() domain.TombstoneStore     { return tombstoneStore(o) }
func (o orgTx) Audit() domain.AuditStore              { return auditStore(o) }

// handle is the way to statements within a scope; org is empty for the system's.
type handle struct {
	*tx

	org     domain.OrgID
	refused error
}

// get reads one row; none is NotFound.
func (h handle) get(what string, dest any, query string, args ...any) error {
	if h.refused != nil {
		return h.refused
	}
	if err := h.flush(); err != nil {
		return err
	}
	err := sqlx.GetContext(h.ctx, h.q, dest, h.dialect.rebind(query), args...)
	return h.failed(what, err)
}

// all reads rows into a slice.
func (h handle) all(dest any, query string, args ...any) error {
	if h.refused != nil {
		return h.refused
	}
	if err := h.flush(); err != nil {
		return err
	}
	err := sqlx.SelectContext(h.ctx, h.q, dest, h.dialect.rebind(query), args...)
	return h.failed("", err)
}

// exec writes and returns how many rows it concerned.
func (h handle) exec(query string, args ...any) (int, error) {
	if err := h.ready(); err != nil {
		return 0, err
	}
	result, err := h.q.ExecContext(h.ctx, h.dialect.rebind(query), args...)
	if err != nil {
		return 0, h.failed("", err)
	}
	rows, err := result.RowsAffected()
	return int(rows), h.failed("", err)
}

// must writes and returns NotFound when it concerned no row.
func (h handle) must(what, query string, args ...any) error {
	rows, err := h.exec(query, args...)
	if err == nil && rows == 0 {
		return notFound(what)
	}
	return err
}

// insert writes one row and reports whether it did; false is a unique value that another row has.
func (h handle) insert(query string, args ...any) (bool, error) {
	rows, err := h.exec(query+" ON CONFLICT DO NOTHING", args...)
	return rows > 0, err
}

// change writes and reads the one row that a RETURNING clause gives; none is NotFound.
func (h handle) change(what string, dest any, query string, args ...any) error {
	if err := h.ready(); err != nil {
		return err
	}
	return h.get(what, dest, query, args...)
}

// changeAll writes and reads the rows that a RETURNING clause gives.
func (h handle) changeAll(dest any, query string, args ...any) error {
	if err := h.ready(); err != nil {
		return err
	}
	return h.all(dest, query, args...)
}

func (h handle) writable() error {
	if h.refused != nil {
		return h.refused
	}
	if h.readOnly {
		return domain.Errorf(domain.Internal, "a read-only transaction tried to write")
	}
	return nil
}

// ready prepares for a statement that writes or locks and whose result counts.
func (h handle) ready() error {
	if err := h.writable(); err != nil {
		return err
	}
	if err := h.begin(); err != nil {
		return err
	}
	return h.flush()
}

// begin begins the transaction unless it has begun.
func (h handle) begin() error {
	if h.start == nil {
		return nil
	}
	if err := h.start(); err != nil {
		return h.failed("", err)
	}
	h.start = nil
	return nil
}

// failed remembers and translates a driver's error.
func (h handle) failed(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case err == sql.ErrNoRows: //nolint:errorlint // returned as it is
		return notFound(what)
	case h.cause == nil:
		h.cause = err
	}
	return translate(err)
}

// whichIsTaken returns the Conflict of the first attribute, given with its column and value, that another row of the table has.
func (h handle) whichIsTaken(table, id string, attributes [][3]string) error {
	for _, attribute := range attributes {
		field, column, value := attribute[0], attribute[1], attribute[2]
		var same int
		err := h.get("", &same, "SELECT COUNT(*) FROM "+table+" WHERE org_id = ? AND "+column+" = ? AND "+column+" <> '' AND id <> ?", h.org, value, id)
		if err != nil {
			return err
		}
		if same > 0 {
			return taken(field)
		}
	}
	return taken("id")
}

func notFound(what string) error {
	return domain.Errorf(domain.NotFound, "there is no such %s", what)
}
