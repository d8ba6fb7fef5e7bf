package admin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"muster/domain"
)

// auditQuery selects audit rows; the time window is mandatory.
type auditQuery struct {
	Start      time.Time          `query:"start_time" required:"true"`
	End        time.Time          `query:"end_time" required:"true"`
	Limit      int                `query:"limit" minimum:"1" maximum:"100" default:"10"`
	Cursor     string             `query:"cursor" doc:"From the answer before; what follows is older."`
	Workspace  domain.WorkspaceID `query:"workspace_id"`
	Operations []string           `query:"operations,explode" doc:"Names of operations, one a parameter."`
	UserID     string             `query:"user_id" doc:"Only what this user, key or token did."`
	ResourceID string             `query:"resource_id" doc:"Only what was done to this."`
}

// auditPage is a page of the audit log, newest first.
type auditPage struct {
	Cursor *string       `json:"cursor" doc:"Null at the end."`
	Items  []AuditRecord `json:"items" nullable:"false"`
}

// auditCursor is where a page ended.
type auditCursor struct {
	Before domain.AuditID `json:"before"`
}

func (q *auditQuery) query() (domain.AuditQuery, error) {
	query := domain.AuditQuery{
		Limit: q.Limit, From: q.Start, To: q.End, Operations: q.Operations, Workspace: q.Workspace, ActorID: q.UserID, Target: q.ResourceID,
	}
	if q.Cursor == "" {
		return query, nil
	}
	var cursor auditCursor
	raw, err := base64.URLEncoding.DecodeString(q.Cursor)
	if err != nil || json.Unmarshal(raw, &cursor) != nil || !domain.ValidID(cursor.Before) {
		return query, invalid("query", "cursor", "this is no cursor; send the one from the answer before, or none")
	}
	query.Before = cursor.Before
	return query, nil
}

// listAudit is R43's reading side; reading is not itself recorded.
func (a *api) listAudit(ctx context.Context, c caller, in *auditQuery) (*out[auditPage], error) {
	query, err := in.query()
	if err != nil {
		return nil, err
	}
	// One more row than is shown says whether there are others.
	query.Limit++
	events, err := a.Service.AuditLog(ctx, c.scope, query)
	if err != nil {
		return nil, err
	}
	page := auditPage{}
	if len(events) > in.Limit {
		events = events[:in.Limit]
		raw, err := json.Marshal(auditCursor{events[in.Limit-1].ID})
		if err != nil {
			return nil, err
		}
		page.Cursor = nullable(base64.URLEncoding.EncodeToString(raw))
	}
	page.Items = list(events, func(e domain.AuditEvent) AuditRecord { return AuditOf(c.scope.Org(), e) })
	return found(page)
}
