package domain

import (
	"context"
	"time"
)

// Attempt is a request that carries an idempotency key, so that a client may send it again without doing it twice
// (the Idempotency-Key header, draft-ietf-httpapi-idempotency-key-header).
type Attempt struct {
	// Credential is whose key it is: two clients may use the same one.
	Credential string
	Key        Digest
	// Request is over method, path, organization, workspace and body: the same key stands for the same request only.
	Request Digest
}

// Done is an attempt that has succeeded; its Answer is sealed, because it may show a secret.
type Done struct {
	Attempt
	CreatedAt time.Time
	// Status is zero until the answer is kept.
	Status int
	Answer string
}

const (
	// attemptsKept is how long an attempt is remembered.
	attemptsKept = 24 * time.Hour
	// answering is how long the first request may take to be answered; after that its answer was lost.
	answering = time.Minute
)

// KeyField is the field of the errors that are about an idempotency key.
const KeyField = "Idempotency-Key"

// Attempted returns the answer that an attempt got before; false is an attempt that is new.
func (s *Service) Attempted(ctx context.Context, a Attempt) (status int, body string, found bool, err error) {
	var done Done
	err = s.store.Read(ctx, func(tx Tx) error {
		var err error
		done, err = tx.System(systemScope()).Attempts().Get(a)
		if err == nil {
			err = done.usable(a, tx.Now())
		}
		return err
	})
	if IsKind(err, NotFound) {
		return 0, "", false, nil
	}
	if err != nil {
		return 0, "", false, err
	}
	body, err = s.policy.Keyring.Open(done.Answer, sealedAnswer(a))
	return done.Status, body, err == nil, err
}

// usable says why the answer of an attempt that was made before cannot be given again.
func (d Done) usable(a Attempt, now time.Time) error {
	switch {
	case d.Request != a.Request:
		return Invalidf(KeyField, "this key was used for another request; use a new one")
	case d.Status != 0:
		return nil
	case now.Sub(d.CreatedAt) < answering:
		return Conflictf(KeyField, "a request with this key is being answered; wait a moment").After(time.Second)
	default:
		return Conflictf(KeyField, "a request with this key has succeeded, but its answer was lost; list what there is to see what it did")
	}
}

func sealedAnswer(a Attempt) string { return "answer " + string(a.Key) }

// Once returns a Service for one request: what its first transaction writes is committed together with the attempt,
// so that the same attempt, made again or at the same time, writes nothing.
func (s *Service) Once(a Attempt) *Service {
	return &Service{memory: s.memory, store: &onceStore{Store: s.store, attempt: a}, policy: s.policy}
}

// onceStore claims an attempt in the first transaction that commits.
type onceStore struct {
	Store

	attempt Attempt
	claimed bool
}

// Write implements Store.
func (o *onceStore) Write(ctx context.Context, fn func(Tx) error) error {
	if o.claimed {
		return o.Store.Write(ctx, fn)
	}
	err := o.Store.Write(ctx, func(tx Tx) error {
		if err := o.claim(tx); err != nil {
			return err
		}
		return fn(tx)
	})
	o.claimed = err == nil
	return err
}

// claim waits for a transaction that makes the same attempt, and finds out what became of it.
func (o *onceStore) claim(tx Tx) error {
	attempts := tx.System(systemScope()).Attempts()
	inserted, err := attempts.Insert(Done{Attempt: o.attempt, CreatedAt: tx.Now()})
	if err != nil || inserted {
		return err
	}
	done, err := attempts.Get(o.attempt)
	if err != nil {
		return err
	}
	if err := done.usable(o.attempt, tx.Now()); err != nil {
		return err
	}
	return Conflictf(KeyField, "a request with this key was answered just now; send it once more for the answer").After(time.Second)
}

// KeepAnswer keeps what an attempt was answered; without an encryption key it is not kept, because it may show a secret.
func (s *Service) KeepAnswer(ctx context.Context, a Attempt, status int, body string) error {
	if s.policy.Keyring.Empty() {
		return nil
	}
	sealed, err := s.policy.Keyring.Seal(body, sealedAnswer(a))
	if err != nil {
		return err
	}
	return s.store.Write(ctx, func(tx Tx) error {
		return tx.System(systemScope()).Attempts().Answer(Done{Attempt: a, Status: status, Answer: sealed})
	})
}
