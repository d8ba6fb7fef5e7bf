package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"muster/domain"
)

// retryAfter is what a client is told when the database cannot serve it now.
const retryAfter = 2 * time.Second

// unavailable is a database that cannot serve the request now.
func unavailable(cause error) *domain.Error {
	return domain.Wrap(domain.Unavailable, cause, "the database cannot answer now; try again").After(retryAfter)
}

// translate turns what a driver returned into a domain error.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*domain.Error](err); ok {
		return known
	}
	if e, ok := errors.AsType[*pq.Error](err); ok {
		return translatePostgres(e)
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return translateSQLite(e)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return domain.Errorf(domain.NotFound, "there is no such entry")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, sql.ErrTxDone),
		errors.Is(err, sql.ErrConnDone), lostConnection(err):
		return unavailable(err)
	default:
		return domain.Wrap(domain.Internal, err, "the database refused a statement")
	}
}

// translatePostgres goes by the code (PostgreSQL documentation, appendix A).
func translatePostgres(e *pq.Error) error {
	switch e.Code {
	case pqerror.UniqueViolation:
		return taken(uniqueField(e.Constraint))
	case pqerror.ForeignKeyViolation:
		return missingReference(e)
	case pqerror.CharacterNotInRepertoire, pqerror.UntranslatableCharacter:
		return domain.Wrap(domain.Invalid, e, "the text holds a character that cannot be stored")
	case pqerror.ProgramLimitExceeded:
		return domain.Wrap(domain.TooLarge, e, "a value is too long to be stored")
	case pqerror.QueryCanceled, pqerror.LockNotAvailable, pqerror.ReadOnlySQLTransaction:
		return unavailable(e)
	}
	switch e.Code.Class() {
	// Serialization and deadlock, connection, resources, operator intervention, system error.
	case "40", "08", "53", "57", "58":
		return unavailable(e)
	}
	return domain.Wrap(domain.Internal, e, "the database refused a statement")
}

// translateSQLite goes by the result code (https://www.sqlite.org/rescode.html); the primary one is its low byte.
func translateSQLite(e *sqlite.Error) error {
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return domain.Wrap(domain.Conflict, e, "the value is taken")
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return missingReference(e)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL:
		return unavailable(e)
	case sqlite3.SQLITE_TOOBIG:
		return domain.Wrap(domain.TooLarge, e, "a value is too long to be stored")
	}
	return domain.Wrap(domain.Internal, e, "the database refused a statement")
}

func missingReference(cause error) error {
	return domain.Wrap(domain.NotFound, cause, "there is no such entry")
}

// taken is a unique value that another row has.
func taken(field string) error {
	return domain.Conflictf(field, "the %s is taken", field)
}

// uniqueField names the attribute that a unique index guards, in the words of the protocol it came by.
func uniqueField(constraint string) string {
	switch constraint {
	case "users_email":
		return "emails"
	case "scim_users_user_name":
		return "userName"
	case "scim_users_external_id", "scim_groups_external_id":
		return "externalId"
	case "scim_groups_display_name":
		return "displayName"
	case "workspaces_name", "roles_name":
		return "display_name"
	case "workspaces_handle":
		return "tenant_handle"
	case "service_accounts_name":
		return "name"
	default:
		return "id"
	}
}

// transient reports whether the same transaction may succeed when it is run again, provided that its commit was not sent.
func transient(err error) bool {
	if e, ok := errors.AsType[*pq.Error](err); ok {
		return e.Code == pqerror.TRSerializationFailure || e.Code == pqerror.TRDeadlockDetected || gone(e) || outdated(e)
	}
	return busy(err) || lostConnection(err)
}

// cutOff reports whether a server was reached and ended the conversation before there was a connection.
// One that refuses, or does not answer at all, is not asked again: the client is told at once.
func cutOff(err error) bool {
	if e, ok := errors.AsType[net.Error](err); ok && (e.Timeout() || errors.Is(err, syscall.ECONNREFUSED)) {
		return false
	}
	return transient(err)
}

// outdated reports whether a prepared statement met a schema or a connection that is not the one it was prepared for.
func outdated(e *pq.Error) bool {
	return e.Code == pqerror.FeatureNotSupported || e.Code == pqerror.InvalidSQLStatementName
}

// gone reports whether the server ended the connection and said so.
func gone(e *pq.Error) bool {
	return e.Fatal() || e.Code == pqerror.AdminShutdown || e.Code == pqerror.CrashShutdown || e.Code == pqerror.CannotConnectNow
}

// busy reports whether another process held SQLite's lock.
func busy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code() == sqlite3.SQLITE_BUSY || e.Code() == sqlite3.SQLITE_BUSY_SNAPSHOT)
}

// lostConnection reports whether the connection is no longer there; a FATAL error arrives as driver.ErrBadConn.
func lostConnection(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok && !errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed)
}

// conflict reports whether the error is a Conflict, and whether the engine named the attribute.
func conflict(err error) (named, is bool) {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || e.Kind != domain.Conflict {
		return false, false
	}
	return e.Field != "", true
}
