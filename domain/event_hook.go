package domain

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// HookID names an event hook.
type HookID string

// EventHook is where an organization's events go (Standard Webhooks).
type EventHook struct {
	ID          HookID
	Org         OrgID
	URL         string
	Description string
	// Types are the types of events that it wants; empty means all.
	Types   []string
	Enabled bool
	// Secret is sealed; OldSecret too, and signs beside the new one until OldUntil.
	Secret    string
	OldSecret string
	OldUntil  time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Wants reports whether the hook is to be told of an event.
func (h EventHook) Wants(event Event) bool {
	return len(h.Types) == 0 || slices.Contains(h.Types, event.Type)
}

// FeedID is the id of the feed that serves the hook.
func (h EventHook) FeedID() string { return "hook:" + string(h.ID) }

// HookView is a hook with how far it has come.
type HookView struct {
	EventHook
	Feed
	// Behind is how many rows of the audit log it has not seen, and Dead how many events were given up.
	Behind int64
	Dead   int
}

// DeadLetter is an event that was given up.
type DeadLetter struct {
	Hook     HookID
	Event    AuditID
	Type     string
	Body     string
	Error    string
	FailedAt time.Time
}

// MaxDeliveries is how often an event is tried before it becomes a dead letter.
const MaxDeliveries = 12

// secretOverlap is how long the old secret of a hook goes on signing.
const secretOverlap = 24 * time.Hour

// EventHooks lists the organization's hooks, for Organization Admins.
func (s *Service) EventHooks(ctx context.Context, scope OrgScope) ([]HookView, error) {
	if err := mayManageHooks(scope); err != nil {
		return nil, err
	}
	views := []HookView{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		hooks, err := org.Hooks().List()
		if err != nil {
			return err
		}
		views = views[:0]
		for _, hook := range hooks {
			view, err := hookView(org, hook)
			if err != nil {
				return err
			}
			views = append(views, view)
		}
		return nil
	})
	return views, err
}

func hookView(org OrgTx, hook EventHook) (HookView, error) {
	view := HookView{EventHook: hook}
	head, err := org.Audit().Head()
	if err != nil {
		return view, err
	}
	if view.Feed, err = org.Feeds().Get(hook.FeedID()); err != nil && !IsKind(err, NotFound) {
		return view, err
	}
	view.Behind = max(0, head.Seq-view.Seq)
	letters, err := org.Hooks().Letters(hook.ID)
	view.Dead = len(letters)
	return view, err
}

// HookChange is what a hook is to be; what is nil stays.
type HookChange struct {
	URL         *string
	Description *string
	Types       *[]string
	Enabled     *bool
}

func (c HookChange) apply(hook EventHook) (EventHook, error) {
	if c.URL != nil {
		hook.URL = *c.URL
	}
	if c.Description != nil {
		hook.Description = *c.Description
	}
	if c.Types != nil {
		hook.Types = unique(*c.Types)
	}
	if c.Enabled != nil {
		hook.Enabled = *c.Enabled
	}
	for _, kind := range hook.Types {
		if !slices.Contains(EventTypes(), kind) {
			return hook, Invalidf("types", "there are no events %q; there are %s", kind, strings.Join(EventTypes(), ", "))
		}
	}
	if err := checkDescription(hook.Description); err != nil {
		return hook, err
	}
	return hook, checkHookURL(hook.URL)
}

// checkHookURL asks for https, but for the server's own machine; what the name leads to is checked when it is dialled.
func checkHookURL(text string) error {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || parsed.User != nil || parsed.Fragment != "" || len(text) > maxDescription {
		return Invalidf("url", "%q is no address of the form https://host/path", text)
	}
	ip, notIP := netip.ParseAddr(parsed.Hostname())
	local := parsed.Hostname() == "localhost" || notIP == nil && ip.IsLoopback()
	if parsed.Scheme != "https" && (parsed.Scheme != "http" || !local) {
		return Invalidf("url", "events go over https only")
	}
	return nil
}

// CreateEventHook makes a hook and returns its secret, which is shown this once; it begins with what happens from now on.
func (s *Service) CreateEventHook(ctx context.Context, scope OrgScope, change HookChange) (HookView, Secret, error) {
	var view HookView
	var secret Secret
	err := s.changeHooks(ctx, scope, func(tx Tx, org OrgTx) error {
		hook, err := change.apply(EventHook{ID: newID[HookID](tx.Now()), Org: scope.org, Enabled: true, CreatedAt: tx.Now(), UpdatedAt: tx.Now()})
		if err != nil {
			return err
		}
		secret = newHookSecret()
		if hook.Secret, err = s.policy.Keyring.Seal(string(secret), sealedHook(hook.ID)); err != nil {
			return err
		}
		if err := org.Hooks().Insert(hook); err != nil {
			return err
		}
		if err := startHere(tx, org, hook); err != nil {
			return err
		}
		if view, err = hookView(org, hook); err != nil {
			return err
		}
		return record(tx, scope, "create_event_hook", hookTarget(hook), nil, hookFacts(hook))
	})
	return view, secret, err
}

// startHere lets a new hook begin behind everything that has happened already.
func startHere(tx Tx, org OrgTx, hook EventHook) error {
	head, _, err := placeWaiting(org)
	if err != nil {
		return err
	}
	lease := NewOpaque()
	if _, err := org.Feeds().Lease(hook.FeedID(), lease, tx.Now().Add(feedLease)); err != nil {
		return err
	}
	return org.Feeds().Advance(hook.FeedID(), lease, head.Seq)
}

// newHookSecret is a secret in the form that libraries for Standard Webhooks read.
func newHookSecret() Secret {
	var raw [32]byte
	_, _ = rand.Read(raw[:])
	return Secret("whsec_" + base64.StdEncoding.EncodeToString(raw[:]))
}

func sealedHook(id HookID) string { return "event hook " + string(id) }

// HookSecrets returns the secrets that sign now: the present one, and for a while the one before.
func (s *Service) HookSecrets(hook EventHook, now time.Time) ([]Secret, error) {
	sealed := []string{hook.Secret}
	if hook.OldSecret != "" && now.Before(hook.OldUntil) {
		sealed = append(sealed, hook.OldSecret)
	}
	var secrets []Secret
	for _, one := range sealed {
		text, err := s.policy.Keyring.Open(one, sealedHook(hook.ID))
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, Secret(text))
	}
	return secrets, nil
}

// UpdateEventHook changes a hook.
func (s *Service) UpdateEventHook(ctx context.Context, scope OrgScope, id HookID, change HookChange) (HookView, error) {
	return s.changeHook(ctx, scope, id, "update_event_hook", func(_ Tx, hook EventHook) (EventHook, error) { return change.apply(hook) })
}

// RotateEventHookSecret gives a hook a new secret; for a day both sign, so that the receiver can change over.
func (s *Service) RotateEventHookSecret(ctx context.Context, scope OrgScope, id HookID) (HookView, Secret, error) {
	secret := newHookSecret()
	view, err := s.changeHook(ctx, scope, id, "rotate_event_hook_secret", func(tx Tx, hook EventHook) (EventHook, error) {
		hook.OldSecret, hook.OldUntil = hook.Secret, tx.Now().Add(secretOverlap)
		var err error
		hook.Secret, err = s.policy.Keyring.Seal(string(secret), sealedHook(id))
		return hook, err
	})
	return view, secret, err
}

func (s *Service) changeHook(ctx context.Context, scope OrgScope, id HookID, operation string, fn func(Tx, EventHook) (EventHook, error)) (HookView, error) {
	var view HookView
	err := s.changeHooks(ctx, scope, func(tx Tx, org OrgTx) error {
		before, err := hookByID(org, id)
		if err != nil {
			return err
		}
		hook, err := fn(tx, before)
		if err != nil {
			return err
		}
		hook.UpdatedAt = tx.Now()
		if err := org.Hooks().Update(hook); err != nil {
			return err
		}
		if view, err = hookView(org, hook); err != nil {
			return err
		}
		return record(tx, scope, operation, hookTarget(hook), hookFacts(before), hookFacts(hook))
	})
	return view, err
}

// DeleteEventHook ends a hook with what was not delivered.
func (s *Service) DeleteEventHook(ctx context.Context, scope OrgScope, id HookID) (EventHook, error) {
	var hook EventHook
	err := s.changeHooks(ctx, scope, func(tx Tx, org OrgTx) error {
		var err error
		if hook, err = hookByID(org, id); err != nil {
			return err
		}
		if err := org.Hooks().Delete(id); err != nil {
			return err
		}
		if err := org.Feeds().Delete(hook.FeedID()); err != nil {
			return err
		}
		return record(tx, scope, "delete_event_hook", hookTarget(hook), hookFacts(hook), nil)
	})
	return hook, err
}

// DeadLetters lists the events of a hook that were given up, the oldest first.
func (s *Service) DeadLetters(ctx context.Context, scope OrgScope, id HookID) ([]DeadLetter, error) {
	if err := mayManageHooks(scope); err != nil {
		return nil, err
	}
	letters := []DeadLetter{}
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		if _, err := hookByID(org, id); err != nil {
			return err
		}
		found, err := org.Hooks().Letters(id)
		letters = append(letters[:0], found...)
		return err
	})
	return letters, err
}

// Hooks returns every enabled hook of all organizations, for whoever delivers.
func (s *Service) Hooks(ctx context.Context) ([]EventHook, error) {
	var hooks []EventHook
	err := s.store.Read(ctx, func(tx Tx) error {
		var err error
		hooks, err = tx.System(systemScope()).Orgs().Hooks()
		return err
	})
	return hooks, err
}

// Hook returns a hook of the organization for a single delivery by hand.
func (s *Service) Hook(ctx context.Context, scope OrgScope, id HookID) (EventHook, error) {
	if err := mayManageHooks(scope); err != nil {
		return EventHook{}, err
	}
	var hook EventHook
	err := s.readOrg(ctx, scope, func(_ Tx, org OrgTx) error {
		var err error
		hook, err = hookByID(org, id)
		return err
	})
	return hook, err
}

// Bury keeps an event that was given up, so that delivery can go on with the next.
func (s *Service) Bury(ctx context.Context, org OrgID, letter DeadLetter) error {
	return s.writeOrg(ctx, within(org, systemActor()), func(tx Tx, orgTx OrgTx) error {
		letter.FailedAt = tx.Now()
		return orgTx.Hooks().Bury(letter)
	})
}

// Unbury forgets a dead letter that was delivered after all.
func (s *Service) Unbury(ctx context.Context, scope OrgScope, letter DeadLetter) error {
	return s.changeHooks(ctx, scope, func(_ Tx, org OrgTx) error { return org.Hooks().Unbury(letter) })
}

// changeHooks runs fn for an Organization Admin who has signed in recently: a hook carries news of people to another place.
func (s *Service) changeHooks(ctx context.Context, scope OrgScope, fn func(Tx, OrgTx) error) error {
	if err := mayManageHooks(scope); err != nil {
		return err
	}
	if s.policy.Keyring.Empty() {
		return Conflictf("secret", "this server has no encryption key to keep the secret with; set config.encryptionKey")
	}
	return s.writeOrg(ctx, scope, func(tx Tx, org OrgTx) error {
		if err := s.requireRecent(tx, scope); err != nil {
			return err
		}
		return fn(tx, org)
	})
}

func mayManageHooks(scope OrgScope) error {
	if err := scope.require(PermOrgManage); err != nil {
		return err
	}
	return scope.requireAdmin("manage event hooks")
}

func hookByID(org OrgTx, id HookID) (EventHook, error) {
	if !ValidID(id) {
		return EventHook{}, unknownResource("event hook", string(id))
	}
	hook, err := org.Hooks().Get(id)
	return hook, renameNotFound(err, "event hook", string(id))
}

func hookTarget(h EventHook) Target { return Target{Kind: "event_hook", ID: string(h.ID), Name: h.URL} }

func hookFacts(h EventHook) map[string]any {
	return map[string]any{"url": h.URL, "types": h.Types, "enabled": h.Enabled}
}

// TestEvent is an event of the type "test", by which somebody tries a hook; its id is new each time.
func TestEvent(org OrgID, now time.Time) (id string, body []byte) {
	return "test-" + string(FirstID(now)), []byte(`{"type":"test","timestamp":"` + now.UTC().Format(time.RFC3339) + `","data":{"organization_id":"` + string(org) + `"}}`)
}
