package domain

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure an Error is, so that a front end can choose a status without reading its text.
type Kind int

// The kinds of failure; every front end renders each of them.
const (
	// Internal is a defect of ours; its text never reaches a client.
	Internal Kind = iota
	// Invalid is a request that is wrong in itself; Field names the attribute.
	Invalid
	// NotFound is an id that does not exist, or that belongs to another organization (R44: the answer is the same).
	NotFound
	// Conflict is a request that another resource or a rule stands against; Field names the attribute.
	Conflict
	// Stale is a version that is no longer the current one.
	Stale
	// Unauthenticated is a missing, unknown, expired or revoked credential.
	Unauthenticated
	// Forbidden is a credential that may not do this.
	Forbidden
	// StepUpNeeded is a session whose person has to prove again who they are (item 110); Provider says where.
	StepUpNeeded
	// Guarded is a deprovisioning held back by the guard (R39).
	Guarded
	// TooLarge is a request above a limit.
	TooLarge
	// Limited is a client that asks too often.
	Limited
	// Unavailable is a dependency that does not answer now.
	Unavailable
	// Unknown is a write whose commit was not answered: it may or may not have happened.
	Unknown
)

// kindNames are for logs and metrics.
var kindNames = [...]string{ //nolint:gochecknoglobals // a constant table
	"internal", "invalid", "not_found", "conflict", "stale", "unauthenticated",
	"forbidden", "step_up_needed", "guarded", "too_large", "limited", "unavailable", "unknown",
}

// String returns the kind's name as logs and metrics show it.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", int(k))
	}
	return kindNames[k]
}

// Error is the only error type that leaves this package.
// Text is written for the person who sent the request; the cause is for the log and never for a client.
type Error struct {
	Kind Kind
	// Field names the attribute or parameter at fault, in the words of the protocol it came by; empty when none is.
	Field string
	// Text is a sentence that says what is wrong and, where it can, what is allowed.
	Text string
	// RetryAfter is how long a client should wait before it tries again; zero when trying again does not help.
	RetryAfter time.Duration
	// Rows are the bad rows of a batch; empty for anything else.
	Rows []RowError
	// Provider is the provider at which a StepUpNeeded is answered.
	Provider string

	cause error
}

// Error returns the text and the cause, for logs.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Kind.String() + ": " + e.Text + ": " + e.cause.Error()
	}
	return e.Kind.String() + ": " + e.Text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Errorf makes an Error of the given kind.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// Invalidf makes an Invalid error about one attribute.
func Invalidf(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Text: fmt.Sprintf(format, args...)}
}

// Conflictf makes a Conflict error about one attribute.
func Conflictf(field, format string, args ...any) *Error {
	return &Error{Kind: Conflict, Field: field, Text: fmt.Sprintf(format, args...)}
}

// Wrap makes an Error that keeps cause for the log.
func Wrap(kind Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...), cause: cause}
}

// After returns a copy of the error that asks the client to wait d before it tries again.
func (e *Error) After(d time.Duration) *Error {
	copied := *e
	copied.RetryAfter = d
	return &copied
}

// AsError returns err as an *Error; anything else becomes an Internal error with err as its cause.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Wrap(Internal, err, "something went wrong on our side")
}

// IsKind reports whether err is an Error of the given kind.
func IsKind(err error, kind Kind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == kind
}
