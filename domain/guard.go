package domain

import (
	"context"
	"time"
)

// The guard keeps one wrong click at an identity provider from disabling a company (R39):
// past a number of deprovisionings in a window the rest waits for an Organization Admin.

// GuardState is what the guard does with the next deprovisioning past the limit.
type GuardState string

// The states of a guard.
const (
	// GuardOpen lets pass up to the limit.
	GuardOpen GuardState = "open"
	// GuardHolding has held something back and waits for an Organization Admin.
	GuardHolding GuardState = "holding"
	// GuardReleased lets everything pass for one window.
	GuardReleased GuardState = "released"
	// GuardRefused refuses everything for one window.
	GuardRefused GuardState = "refused"
)

// Guard is an organization's limit on deprovisioning through SCIM; it is off unless Enabled.
type Guard struct {
	Enabled bool
	// Within Window at most the larger of MaxPeople and MaxPercent of the active members lose access.
	MaxPeople  int
	MaxPercent int
	Window     time.Duration
	State      GuardState
	// ChangedAt is when the state came, Until when it goes by itself (zero for never), and By who decided.
	ChangedAt time.Time
	Until     time.Time
	By        string
	// Base is how many members were active when the present window's first deprovisioning came.
	Base int
}

// DefaultGuard is what a guard starts with: it is off.
func DefaultGuard() Guard {
	return Guard{MaxPeople: 20, MaxPercent: 20, Window: time.Hour, State: GuardOpen}
}

// Validate returns Invalid, naming the field, for a limit that makes no sense.
func (g Guard) Validate() error {
	switch {
	case g.MaxPeople < 0:
		return Invalidf("max_people", "the number of people is 0 or more")
	case g.MaxPercent < 0 || g.MaxPercent > 100:
		return Invalidf("max_percent", "the share of the members lies between 0 and 100 percent")
	case g.Window < time.Minute || g.Window > 7*24*time.Hour:
		return Invalidf("window_minutes", "the window lasts between 1 minute and 7 days (10080)")
	default:
		return nil
	}
}

// at returns the guard as it is at a time: a decision ends with its window.
func (g Guard) at(now time.Time) Guard {
	if expired(g.Until, now) {
		g.State, g.Until, g.By = GuardOpen, time.Time{}, ""
	}
	return g
}

// limit is how many people may lose access within the window.
func (g Guard) limit() int { return max(g.MaxPeople, g.Base*g.MaxPercent/100) }

// HeldRequest is a deprovisioning that the guard held back.
type HeldRequest struct {
	// Operation is what the audit log would have called it, and Target whom or what it was about.
	Operation string
	Target    Target
	Token     TokenID
	FirstAt   time.Time
	LastAt    time.Time
	// Requests is how often the identity provider has tried.
	Requests int
}

// GuardView is the guard with what it has counted and held.
type GuardView struct {
	Guard
	// Limit is how many people may lose access in the window, Spent how many did.
	Limit int
	Spent int
	// Held are the requests held back, the latest first; there may be more than are listed.
	Held      []HeldRequest
	HeldCount int
}

// deprovision counts people who lose access, or holds the request back.
// It runs in the transaction of the change, so that of many requests at once exactly as many pass as may (R39).
func deprovision(tx Tx, org OrgTx, scope OrgScope, people int) error {
	if !scope.guarded || people == 0 {
		return nil
	}
	stored, err := org.Guard().Lock()
	if err != nil || !stored.Enabled {
		return err
	}
	guard := stored.at(tx.Now())
	switch guard.State {
	case GuardReleased:
		return nil
	case GuardRefused:
		return Errorf(Forbidden, "an Organization Admin has refused further deprovisioning for now (%s); nothing was changed", guard.By)
	case GuardOpen, GuardHolding:
	}
	spent, err := org.Guard().Spent(tx.Now().Add(-guard.Window))
	if err != nil {
		return err
	}
	if spent == 0 {
		if guard.Base, err = org.Members().CountActive(); err != nil {
			return err
		}
		if err := org.Guard().Put(guard); err != nil {
			return err
		}
	}
	if spent+people > guard.limit() {
		return Errorf(Guarded, "the deprovision guard holds this back: %d people have lost access in %s and %d may; an Organization Admin has to release or refuse it", spent, guard.Window, guard.limit()).After(guardRetry)
	}
	return org.Guard().Spend(tx.Now(), people)
}

// guardRetry is how soon an identity provider may ask again about what is held.
const guardRetry = 5 * time.Minute

// writeGuarded is writeOrg for what may deprovision; a request that the guard held back is noted and alarms (R39).
func (s *Service) writeGuarded(ctx context.Context, scope OrgScope, operation string, target Target, fn func(Tx, OrgTx) error) error {
	err := s.writeOrg(ctx, scope, fn)
	if !IsKind(err, Guarded) {
		return err
	}
	if failed := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error { return s.hold(tx, org, scope, operation, target) }); failed != nil {
		return failed
	}
	return err
}

// hold notes a request that was held back; the first one of an alarm is in the audit log.
func (s *Service) hold(tx Tx, org OrgTx, scope OrgScope, operation string, target Target) error {
	stored, err := org.Guard().Lock()
	if err != nil {
		return err
	}
	if target.Name == "" {
		if user, err := org.SCIMUsers().Get(MemberID(target.ID)); err == nil {
			target.Name = user.UserName
		}
	}
	held := HeldRequest{Operation: operation, Target: target, Token: TokenID(scope.actor.ID), FirstAt: tx.Now(), LastAt: tx.Now(), Requests: 1}
	if err := org.Guard().Hold(held); err != nil {
		return err
	}
	guard := stored.at(tx.Now())
	if guard.State == GuardHolding {
		return nil
	}
	guard.State, guard.ChangedAt = GuardHolding, tx.Now()
	if err := org.Guard().Put(guard); err != nil {
		return err
	}
	if err := s.mailGuardAlarm(tx, org, guard, held); err != nil {
		return err
	}
	return record(tx, scope, "hold_deprovisioning", target, nil, map[string]any{"limit": guard.limit(), "operation": operation})
}

// Guard returns the organization's deprovision guard.
func (s *Service) Guard(ctx context.Context, scope OrgScope) (GuardView, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return GuardView{}, err
	}
	var view GuardView
	err := s.readOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		guard, err := org.Guard().Get()
		if err != nil {
			return err
		}
		view, err = guardView(tx, org, guard)
		return err
	})
	return view, err
}

// GuardHolds returns how many requests the guard holds back at present; unlike Guard it counts no members.
func (s *Service) GuardHolds(ctx context.Context, scope OrgScope) (int, error) {
	if err := scope.require(PermOrgRead); err != nil {
		return 0, err
	}
	held := 0
	err := s.readOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		guard, err := org.Guard().Get()
		if err != nil || !guard.Enabled || guard.at(tx.Now()).State != GuardHolding {
			held = 0
			return err
		}
		_, held, err = org.Guard().Held(1)
		return err
	})
	return held, err
}

// maxHeld is how many held requests a look at the guard lists.
const maxHeld = 500

func guardView(tx Tx, org OrgTx, guard Guard) (GuardView, error) {
	view := GuardView{Guard: guard.at(tx.Now())}
	var err error
	if view.Spent, err = org.Guard().Spent(tx.Now().Add(-guard.Window)); err != nil {
		return view, err
	}
	if view.Spent == 0 {
		if view.Base, err = org.Members().CountActive(); err != nil {
			return view, err
		}
	}
	view.Limit = view.limit()
	view.Held, view.HeldCount, err = org.Guard().Held(maxHeld)
	return view, err
}

// SetGuard switches the guard on or off and sets its limits; what it has counted stays.
func (s *Service) SetGuard(ctx context.Context, scope OrgScope, change func(*Guard)) (GuardView, error) {
	return s.changeGuard(ctx, scope, "update_deprovision_guard", func(_ Tx, _ OrgTx, guard *Guard) error {
		change(guard)
		return guard.Validate()
	})
}

// ReleaseGuard lets pass what was held back, and everything else for one window; the identity provider's next try succeeds.
func (s *Service) ReleaseGuard(ctx context.Context, scope OrgScope) (GuardView, error) {
	return s.changeGuard(ctx, scope, "release_deprovisioning", func(tx Tx, org OrgTx, guard *Guard) error {
		return decideGuard(tx, org, scope, guard, GuardReleased)
	})
}

// RefuseGuard refuses what was held back, and everything else for one window.
func (s *Service) RefuseGuard(ctx context.Context, scope OrgScope) (GuardView, error) {
	return s.changeGuard(ctx, scope, "refuse_deprovisioning", func(tx Tx, org OrgTx, guard *Guard) error {
		return decideGuard(tx, org, scope, guard, GuardRefused)
	})
}

func decideGuard(tx Tx, org OrgTx, scope OrgScope, guard *Guard, state GuardState) error {
	if !guard.Enabled {
		return Conflictf("enabled", "the deprovision guard is switched off; there is nothing to decide")
	}
	guard.State, guard.ChangedAt, guard.Until, guard.By = state, tx.Now(), tx.Now().Add(guard.Window), scope.actor.Name
	return org.Guard().Clear()
}

// changeGuard runs fn on the guard, for an Organization Admin.
func (s *Service) changeGuard(ctx context.Context, scope OrgScope, operation string, fn func(Tx, OrgTx, *Guard) error) (GuardView, error) {
	if err := scope.require(PermOrgManage); err != nil {
		return GuardView{}, err
	}
	if err := scope.requireAdmin("change the deprovision guard"); err != nil {
		return GuardView{}, err
	}
	var view GuardView
	err := s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		before, err := org.Guard().Lock()
		if err != nil {
			return err
		}
		next := before.at(tx.Now())
		if err := s.seen.check(next.Face()); err != nil {
			return err
		}
		if err := fn(tx, org, &next); err != nil {
			return err
		}
		if err := org.Guard().Put(next); err != nil {
			return err
		}
		if view, err = guardView(tx, org, next); err != nil {
			return err
		}
		return record(tx, scope, operation, Target{Kind: "organization", ID: string(scope.org)}, guardFacts(before), guardFacts(next))
	})
	return view, err
}

// Face is what people decide about a guard, for Seen.
func (g Guard) Face() any { return guardFacts(g) }

func guardFacts(g Guard) map[string]any {
	return map[string]any{
		"enabled": g.Enabled, "max_people": g.MaxPeople, "max_percent": g.MaxPercent, "window_minutes": int(g.Window / time.Minute), "state": g.State,
	}
}
