package admin

import (
	"context"
	"time"

	"muster/domain"
)

// sessionBody is one signed-in browser.
type sessionBody struct {
	ID        domain.SessionID `json:"id"`
	Provider  string           `json:"provider"`
	IP        *string          `json:"ip"`
	UserAgent *string          `json:"user_agent"`
	CreatedAt time.Time        `json:"created_at"`
	LastSeen  time.Time        `json:"last_seen_at" doc:"Written every few minutes."`
	ExpiresAt time.Time        `json:"expires_at" doc:"When the session ends unless its provider renews it."`
	EndsAt    time.Time        `json:"ends_at" doc:"When it ends in any case."`
	AuthTime  *time.Time       `json:"auth_time" doc:"When the person last proved who they are; null where the provider does not say."`
	AMR       []string         `json:"amr" nullable:"false" doc:"How, in the provider's words."`
	Current   bool             `json:"is_current" doc:"True for the session that this request came by."`
}

func shownSession(current domain.SessionID) func(domain.Session) sessionBody {
	return func(s domain.Session) sessionBody {
		return sessionBody{
			ID: s.ID, Provider: s.Provider, IP: nullable(s.Client.IP), UserAgent: nullable(s.Client.UserAgent), CreatedAt: s.CreatedAt,
			LastSeen: s.LastSeenAt, ExpiresAt: s.ExpiresAt, EndsAt: s.EndsAt, AuthTime: moment(s.AuthTime), AMR: orEmpty(s.AMR), Current: s.ID == current,
		}
	}
}

// endedSessions says how many sessions a request has ended.
type endedSessions struct {
	Ended int `json:"ended"`
}

// listMySessions shows everybody where they are signed in (item 92).
func (a *api) listMySessions(ctx context.Context, c caller, _ *none) (*out[[]sessionBody], error) {
	sessions, err := a.Service.MySessions(ctx, c.principal)
	if err != nil {
		return nil, err
	}
	return found(list(sessions, shownSession(c.principal.CurrentSession())))
}

type sessionPath struct {
	ID domain.SessionID `path:"session_id"`
}

func (a *api) endMySession(ctx context.Context, c caller, in *sessionPath) (*out[endedSessions], error) {
	if err := a.Service.EndMySession(ctx, c.principal, in.ID); err != nil {
		return nil, err
	}
	return found(endedSessions{1})
}

type endMineQuery struct {
	KeepCurrent bool `query:"keep_current" doc:"true leaves the session that this request came by."`
}

// endMySessions signs the caller out everywhere.
func (a *api) endMySessions(ctx context.Context, c caller, in *endMineQuery) (*out[endedSessions], error) {
	ended, err := a.Service.EndMySessions(ctx, c.principal, in.KeepCurrent)
	if err != nil {
		return nil, err
	}
	return found(endedSessions{ended})
}

func (a *api) listMemberSessions(ctx context.Context, c caller, in *memberPath) (*out[[]sessionBody], error) {
	sessions, err := a.Service.MemberSessions(ctx, c.scope, in.ID)
	if err != nil {
		return nil, err
	}
	return found(list(sessions, shownSession(c.principal.CurrentSession())))
}

func (a *api) endMemberSessions(ctx context.Context, c caller, in *memberPath) (*out[endedSessions], error) {
	ended, err := a.Service.EndMemberSessions(ctx, c.scope, in.ID)
	if err != nil {
		return nil, err
	}
	return found(endedSessions{ended})
}

type endAllQuery struct {
	Provider string `query:"provider" doc:"Only the sessions of this identity provider."`
}

// endOrgSessions signs everybody out, or everybody whom one provider signed in.
func (a *api) endOrgSessions(ctx context.Context, c caller, in *endAllQuery) (*out[endedSessions], error) {
	ended, err := a.Service.EndOrgSessions(ctx, c.scope, in.Provider)
	if err != nil {
		return nil, err
	}
	return found(endedSessions{ended})
}
