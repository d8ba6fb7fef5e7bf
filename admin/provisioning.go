package admin

import (
	"context"
	"time"

	"muster/domain"
)

// definitions are the schemas and resource types of an organization, in RFC 7643's own words.
type definitions struct {
	Schemas       []domain.SchemaDefinition       `json:"schemas"`
	ResourceTypes []domain.ResourceTypeDefinition `json:"resourceTypes"`
}

func shownDefinitions(d domain.Definitions) definitions {
	return definitions{orEmpty(d.Schemas), orEmpty(d.ResourceTypes)}
}

// orEmpty is a list that is never null.
func orEmpty[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

type definitionsUpdate struct {
	Body definitions `nameHint:"ScimDefinitions"`
}

func (a *api) getDefinitions(ctx context.Context, c caller, _ *none) (*out[definitions], error) {
	declared, err := a.Service.SCIMDefinitions(ctx, c.scope)
	if err != nil {
		return nil, err
	}
	return found(shownDefinitions(declared))
}

func (a *api) putDefinitions(ctx context.Context, c caller, in *definitionsUpdate) (*out[definitions], error) {
	declared, err := a.Service.SetSCIMDefinitions(ctx, c.scope, domain.Definitions{Schemas: in.Body.Schemas, ResourceTypes: in.Body.ResourceTypes})
	if err != nil {
		return nil, err
	}
	return found(shownDefinitions(declared))
}

// activityQuery selects what the provisioning log shows.
type activityQuery struct {
	Limit  int               `query:"limit" minimum:"1" maximum:"500" default:"50"`
	Cursor domain.ActivityID `query:"cursor" doc:"The id of the last entry seen; what follows is older."`
	Target string            `query:"resource_id" doc:"Only what is about this user, group or resource."`
	Status string            `query:"outcome" enum:"refused,all" default:"all" doc:"refused: only what was answered with an error."`
}

// activityEntry is one request of an identity provider, or several equal ones.
type activityEntry struct {
	ID        domain.ActivityID `json:"id"`
	At        time.Time         `json:"at"`
	TokenID   domain.TokenID    `json:"token_id"`
	RequestID string            `json:"request_id"`
	Method    string            `json:"method,omitempty"`
	Resource  string            `json:"resource"`
	Target    string            `json:"resource_id"`
	Name      string            `json:"resource_name,omitempty"`
	Operation string            `json:"operation,omitempty" doc:"What was changed; the audit log has the same."`
	Status    int               `json:"status,omitempty"`
	SCIMType  string            `json:"scim_type,omitempty"`
	Detail    string            `json:"detail,omitempty"`
	Requests  int               `json:"requests" doc:"How many equal requests the entry stands for."`
	Before    map[string]any    `json:"before,omitempty"`
	After     map[string]any    `json:"after,omitempty"`
}

func (a *api) listActivity(ctx context.Context, c caller, in *activityQuery) (*out[[]activityEntry], error) {
	entries, err := a.Service.Activity(ctx, c.scope, domain.ActivityQuery{
		Limit: in.Limit, Before: in.Cursor, Target: in.Target, Refused: in.Status == "refused",
	})
	if err != nil {
		return nil, err
	}
	return found(list(entries, func(e domain.ActivityEntry) activityEntry {
		return activityEntry{
			ID: e.ID, At: e.At, TokenID: e.Token, RequestID: e.RequestID, Method: e.Method, Resource: e.Resource, Target: e.Target,
			Name: e.Name, Operation: e.Operation, Status: e.Status, SCIMType: e.SCIMType, Detail: e.Detail, Requests: e.Requests,
			Before: e.Before, After: e.After,
		}
	}))
}

// undeclared is an attribute that a provider sent and no schema declares.
type undeclared struct {
	TokenID  domain.TokenID `json:"token_id"`
	Resource string         `json:"resource"`
	Path     string         `json:"path"`
	Requests int            `json:"requests"`
	Example  string         `json:"example"`
	LastSeen time.Time      `json:"last_seen_at"`
}

func (a *api) listUndeclared(ctx context.Context, c caller, _ *none) (*out[[]undeclared], error) {
	all, err := a.Service.UndeclaredAttributes(ctx, c.scope)
	if err != nil {
		return nil, err
	}
	return found(list(all, func(u domain.UndeclaredAttribute) undeclared {
		return undeclared{TokenID: u.Token, Resource: u.Resource, Path: u.Path, Requests: u.Requests, Example: u.Example, LastSeen: u.LastSeen}
	}))
}
