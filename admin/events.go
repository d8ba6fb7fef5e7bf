package admin

import (
	"context"
	"time"

	"muster/domain"
)

// Events delivers one event by hand.
type Events interface {
	SendBody(ctx context.Context, hook domain.EventHook, id string, body []byte) error
}

// eventHook is where an organization's events go.
type eventHook struct {
	ID          domain.HookID `json:"id"`
	URL         string        `json:"url"`
	Description string        `json:"description"`
	Types       []string      `json:"types" nullable:"false" doc:"Empty means all."`
	Enabled     bool          `json:"enabled"`
	CreatedAt   time.Time     `json:"created_at"`
	UpdatedAt   time.Time     `json:"updated_at"`
	Behind      int64         `json:"behind" doc:"How many rows of the audit log are still to be looked at."`
	Attempts    int           `json:"failed_attempts" doc:"How often the next event was tried in vain."`
	LastError   *string       `json:"last_error"`
	DeadLetters int           `json:"dead_letters"`
	OldUntil    *time.Time    `json:"old_secret_until" doc:"Until when the secret before signs too."`
	Secret      *string       `json:"secret,omitempty" doc:"In the answer to its creation and rotation only."`
}

func hookBody(v domain.HookView, secret domain.Secret) eventHook {
	return eventHook{
		ID: v.EventHook.ID, URL: v.URL, Description: v.Description, Types: orEmpty(v.Types), Enabled: v.Enabled, CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt,
		Behind: v.Behind, Attempts: v.Attempts, LastError: nullable(v.LastError), DeadLetters: v.Dead, OldUntil: moment(v.OldUntil), Secret: nullable(string(secret)),
	}
}

type hookFields struct {
	URL         *string   `json:"url,omitempty" nullable:"true" doc:"https://…"`
	Description *string   `json:"description,omitempty" nullable:"true"`
	Types       *[]string `json:"types,omitempty" nullable:"true" doc:"Types of events, such as member.created; empty for all."`
	Enabled     *bool     `json:"enabled,omitempty" nullable:"true"`
}

func (f hookFields) change() domain.HookChange {
	return domain.HookChange{URL: f.URL, Description: f.Description, Types: f.Types, Enabled: f.Enabled}
}

type hookCreation struct {
	Body hookFields `nameHint:"EventHookCreate"`
}

type hookPath struct {
	ID domain.HookID `path:"hook_id"`
}

type hookUpdate struct {
	ID   domain.HookID `path:"hook_id"`
	Body hookFields    `nameHint:"EventHookUpdate"`
}

func hookOr(v domain.HookView, secret domain.Secret, err error) (*out[eventHook], error) {
	if err != nil {
		return nil, err
	}
	return found(hookBody(v, secret))
}

func (a *api) listHooks(ctx context.Context, c caller, _ *none) (*out[[]eventHook], error) {
	all, err := a.Service.EventHooks(ctx, c.scope)
	if err != nil {
		return nil, err
	}
	return found(list(all, func(v domain.HookView) eventHook { return hookBody(v, "") }))
}

func (a *api) createHook(ctx context.Context, c caller, in *hookCreation) (*out[eventHook], error) {
	return hookOr(c.service.CreateEventHook(ctx, c.scope, in.Body.change()))
}

func (a *api) updateHook(ctx context.Context, c caller, in *hookUpdate) (*out[eventHook], error) {
	changed, err := a.Service.UpdateEventHook(ctx, c.scope, in.ID, in.Body.change())
	return hookOr(changed, "", err)
}

func (a *api) rotateHookSecret(ctx context.Context, c caller, in *hookPath) (*out[eventHook], error) {
	return hookOr(c.service.RotateEventHookSecret(ctx, c.scope, in.ID))
}

type hookGone struct {
	ID domain.HookID `json:"id"`
}

func (a *api) deleteHook(ctx context.Context, c caller, in *hookPath) (*out[hookGone], error) {
	gone, err := a.Service.DeleteEventHook(ctx, c.scope, in.ID)
	if err != nil {
		return nil, err
	}
	return found(hookGone{gone.ID})
}

// delivery is what became of an event that was sent by hand.
type delivery struct {
	Delivered bool    `json:"delivered"`
	Error     *string `json:"error"`
}

// testHook sends an event of the type "test" and says what came of it.
func (a *api) testHook(ctx context.Context, c caller, in *hookPath) (*out[delivery], error) {
	hook, err := a.Service.Hook(ctx, c.scope, in.ID)
	if err != nil {
		return nil, err
	}
	id, body := domain.TestEvent(c.scope.Org(), time.Now())
	return delivered(a.Events.SendBody(ctx, hook, id, body))
}

func delivered(err error) (*out[delivery], error) {
	if err != nil {
		text := err.Error()
		return found(delivery{false, &text})
	}
	return found(delivery{Delivered: true})
}

// deadLetter is an event that was given up.
type deadLetter struct {
	ID       domain.AuditID `json:"id"`
	Type     string         `json:"type"`
	Body     string         `json:"body"`
	Error    string         `json:"error"`
	FailedAt time.Time      `json:"failed_at"`
}

func (a *api) listDeadLetters(ctx context.Context, c caller, in *hookPath) (*out[[]deadLetter], error) {
	letters, err := a.Service.DeadLetters(ctx, c.scope, in.ID)
	if err != nil {
		return nil, err
	}
	return found(list(letters, func(l domain.DeadLetter) deadLetter { return deadLetter{l.Event, l.Type, l.Body, l.Error, l.FailedAt} }))
}

type letterPath struct {
	ID     domain.HookID  `path:"hook_id"`
	Letter domain.AuditID `path:"event_id"`
}

// redeliver sends a dead letter again; it is forgotten when it arrives.
func (a *api) redeliver(ctx context.Context, c caller, in *letterPath) (*out[delivery], error) {
	letters, err := a.Service.DeadLetters(ctx, c.scope, in.ID)
	if err != nil {
		return nil, err
	}
	hook, err := a.Service.Hook(ctx, c.scope, in.ID)
	if err != nil {
		return nil, err
	}
	for _, letter := range letters {
		if letter.Event != in.Letter {
			continue
		}
		if err := a.Events.SendBody(ctx, hook, string(letter.Event), []byte(letter.Body)); err != nil {
			return delivered(err)
		}
		return delivered(a.Service.Unbury(ctx, c.scope, letter))
	}
	return nil, domain.Errorf(domain.NotFound, "there is no dead letter %q", in.Letter)
}
