package dbtest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"muster/domain"
)

var errOnPurpose = errors.New("on purpose")

func (s *suite) transactions(t *testing.T) {
	t.Run("ErrorRollsBack", s.errorRollsBack)
	t.Run("PanicRollsBack", s.panicRollsBack)
	t.Run("GivenUp", s.givenUp)
	t.Run("ReadOnly", s.readOnly)
	t.Run("Time", s.time)
	t.Run("OwnWrites", s.ownWrites)
	t.Run("AfterConflict", s.afterConflict)
	t.Run("Neighbours", s.neighbours)
}

// insert writes a user in a transaction; exists reports whether it is there.
func (s *suite) insert(tx domain.Tx, user domain.User) error {
	_, err := tx.System(s.system).Users().Insert(user)
	return err
}

func (s *suite) exists(t *testing.T, user domain.User) bool {
	t.Helper()
	err := s.store.Read(t.Context(), func(tx domain.Tx) error {
		_, err := tx.System(s.system).Users().Get(user.ID)
		return err
	})
	if err != nil && !domain.IsKind(err, domain.NotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func someone() domain.User {
	return domain.User{ID: id[domain.UserID](), Email: unique("someone") + "@example.com", CreatedAt: Start}
}

func (s *suite) errorRollsBack(t *testing.T) {
	user := someone()
	err := s.store.Write(t.Context(), func(tx domain.Tx) error {
		if err := s.insert(tx, user); err != nil {
			return err
		}
		return errOnPurpose
	})
	if !errors.Is(err, errOnPurpose) {
		t.Errorf("Write returned %v, not the function's error", err)
	}
	want(t, "the row exists", s.exists(t, user), false)
}

func (s *suite) panicRollsBack(t *testing.T) {
	user := someone()
	func() {
		defer func() { want(t, "the panic", recover(), any("on purpose")) }()
		_ = s.store.Write(t.Context(), func(tx domain.Tx) error {
			if err := s.insert(tx, user); err != nil {
				return err
			}
			panic("on purpose")
		})
	}()
	want(t, "the row exists", s.exists(t, user), false)
	s.write(t, func(tx domain.Tx) error { return s.insert(tx, user) })
}

func (s *suite) givenUp(t *testing.T) {
	user := someone()
	ctx, cancel := context.WithCancel(t.Context())
	err := s.store.Write(ctx, func(tx domain.Tx) error {
		err := s.insert(tx, user)
		cancel()
		return err
	})
	wantKind(t, "Write", err, domain.Unavailable, "")
	want(t, "the row exists", s.exists(t, user), false)
	err = s.store.Write(ctx, func(domain.Tx) error { t.Error("the function ran for a caller that is gone"); return nil })
	wantKind(t, "Write for a caller that is gone", err, domain.Unavailable, "")
	err = s.store.Read(ctx, func(tx domain.Tx) error {
		_, err := tx.System(s.system).Orgs().List()
		return err
	})
	wantKind(t, "Read for a caller that is gone", err, domain.Unavailable, "")
}

func (s *suite) readOnly(t *testing.T) {
	user := someone()
	err := s.store.Read(t.Context(), func(tx domain.Tx) error { return s.insert(tx, user) })
	wantKind(t, "a write in Read", err, domain.Internal, "")
	err = s.store.Read(t.Context(), func(tx domain.Tx) error {
		_, err := tx.System(s.system).Flows().Consume("x")
		return err
	})
	wantKind(t, "a DELETE with RETURNING in Read", err, domain.Internal, "")
}

func (s *suite) time(t *testing.T) {
	s.write(t, func(tx domain.Tx) error {
		want(t, "Now", tx.Now(), domain.Micro(Start))
		return nil
	})
}

// ownWrites reads what was written before, in the same transaction and right after it, from many callers at once.
func (s *suite) ownWrites(t *testing.T) {
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for range 10 {
				user := someone()
				err := s.store.Write(t.Context(), func(tx domain.Tx) error {
					if err := s.insert(tx, user); err != nil {
						return err
					}
					_, err := tx.System(s.system).Users().Get(user.ID)
					return err
				})
				if err == nil {
					err = s.store.Read(t.Context(), func(tx domain.Tx) error {
						_, err := tx.System(s.system).Users().Get(user.ID)
						return err
					})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
}

// afterConflict: an insert that reports false leaves the transaction usable.
func (s *suite) afterConflict(t *testing.T) {
	user, after := s.user(t), someone()
	var twice bool
	s.write(t, func(tx domain.Tx) (err error) {
		twin := someone()
		twin.Email = user.Email
		if twice, err = tx.System(s.system).Users().Insert(twin); err != nil {
			return err
		}
		return s.insert(tx, after)
	})
	want(t, "Insert with an address that is taken", twice, false)
	want(t, "the row exists", s.exists(t, after), true)
}

// neighbours: whoever fails, panics, gives up or writes nonsense does no harm to those who write at the same time.
func (s *suite) neighbours(t *testing.T) {
	scope := s.org(t)
	var wait sync.WaitGroup
	for worker := range 12 {
		wait.Go(func() {
			for range 20 {
				kept, dropped := someone(), someone()
				s.misbehave(t, scope, worker%4, dropped)
				if err := s.store.Write(t.Context(), func(tx domain.Tx) error { return s.insert(tx, kept) }); err != nil {
					t.Errorf("a good neighbour's write: %v", err)
				}
				want(t, "rows", []bool{s.exists(t, kept), s.exists(t, dropped)}, []bool{true, false})
			}
		})
	}
	wait.Wait()
}

func (s *suite) misbehave(t *testing.T, scope domain.OrgScope, how int, user domain.User) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	defer func() { _ = recover() }()
	err := s.store.Write(ctx, func(tx domain.Tx) error {
		if err := s.insert(tx, user); err != nil {
			return err
		}
		switch how {
		case 0:
			return errOnPurpose
		case 1:
			panic("on purpose")
		case 2:
			cancel()
			return nil
		default:
			// A reference to nothing fails the statement, whatever becomes of its error.
			_, _ = tx.Org(scope).NestedGroups().Add(id[domain.GroupID](), []domain.GroupID{id[domain.GroupID]()})
			return nil
		}
	})
	if err == nil {
		t.Errorf("misbehaviour %d was committed", how)
	}
}
