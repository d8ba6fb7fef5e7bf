package admin

import (
	"context"
	"time"

	"muster/domain"
)

// guardBody is the deprovision guard with what it has counted and held (R39).
type guardBody struct {
	Enabled       bool              `json:"enabled"`
	MaxPeople     int               `json:"max_people"`
	MaxPercent    int               `json:"max_percent"`
	WindowMinutes int               `json:"window_minutes"`
	State         domain.GuardState `json:"state" enum:"open,holding,released,refused"`
	ChangedAt     *time.Time        `json:"changed_at"`
	Until         *time.Time        `json:"until" doc:"When a decision ends by itself."`
	DecidedBy     *string           `json:"decided_by"`
	Limit         int               `json:"limit" doc:"How many people may lose access within the window: the larger of max_people and max_percent of the active members."`
	Spent         int               `json:"spent" doc:"How many have."`
	HeldCount     int               `json:"held_count"`
	Held          []heldBody        `json:"held" nullable:"false" doc:"The latest 500."`
}

type heldBody struct {
	Operation string         `json:"operation"`
	Kind      string         `json:"resource"`
	ID        string         `json:"resource_id"`
	Name      *string        `json:"resource_name"`
	TokenID   domain.TokenID `json:"token_id"`
	FirstAt   time.Time      `json:"first_at"`
	LastAt    time.Time      `json:"last_at"`
	Requests  int            `json:"requests"`
}

func guardOr(g domain.GuardView, err error) (*out[guardBody], error) {
	if err != nil {
		return nil, err
	}
	return found(guardBody{
		Enabled: g.Enabled, MaxPeople: g.MaxPeople, MaxPercent: g.MaxPercent, WindowMinutes: int(g.Window / time.Minute), State: g.State,
		ChangedAt: moment(g.ChangedAt), Until: moment(g.Until), DecidedBy: nullable(g.By), Limit: g.Limit, Spent: g.Spent, HeldCount: g.HeldCount,
		Held: list(g.Held, func(h domain.HeldRequest) heldBody {
			return heldBody{h.Operation, h.Target.Kind, h.Target.ID, nullable(h.Target.Name), h.Token, h.FirstAt, h.LastAt, h.Requests}
		}),
	})
}

func (a *api) getGuard(ctx context.Context, c caller, _ *none) (*out[guardBody], error) {
	return guardOr(a.Service.Guard(ctx, c.scope))
}

type guardUpdate struct {
	Body struct {
		Enabled       *bool `json:"enabled,omitempty" nullable:"true"`
		MaxPeople     *int  `json:"max_people,omitempty" nullable:"true"`
		MaxPercent    *int  `json:"max_percent,omitempty" nullable:"true"`
		WindowMinutes *int  `json:"window_minutes,omitempty" nullable:"true"`
	} `nameHint:"GuardUpdate"`
}

func (a *api) updateGuard(ctx context.Context, c caller, in *guardUpdate) (*out[guardBody], error) {
	return guardOr(c.service.SetGuard(ctx, c.scope, func(g *domain.Guard) {
		assign(&g.Enabled, in.Body.Enabled)
		assign(&g.MaxPeople, in.Body.MaxPeople)
		assign(&g.MaxPercent, in.Body.MaxPercent)
		if in.Body.WindowMinutes != nil {
			g.Window = time.Duration(*in.Body.WindowMinutes) * time.Minute
		}
	}))
}

func (a *api) releaseGuard(ctx context.Context, c caller, _ *none) (*out[guardBody], error) {
	return guardOr(c.service.ReleaseGuard(ctx, c.scope))
}

func (a *api) refuseGuard(ctx context.Context, c caller, _ *none) (*out[guardBody], error) {
	return guardOr(c.service.RefuseGuard(ctx, c.scope))
}
