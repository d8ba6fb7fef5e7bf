package domain

import (
	"slices"
	"time"
)

// Event tells applications what changed about people and their access; it is made of an audit row and has its id.
type Event struct {
	ID   AuditID
	Type string
	At   time.Time
	// Seq is the row's place: events of an organization come in this order.
	Seq int64
	AuditEvent
}

// eventTypes are the audit operations that applications are told of, with what they are called there.
var eventTypes = map[string]string{ //nolint:gochecknoglobals // a constant table
	"jit_join_organization":             "member.created",
	"claim_pending_organization_invite": "member.created",
	"claim_pending_workspace_invite":    "member.created",
	"create_scim_user":                  "member.created",
	"update_scim_user":                  "member.updated",
	"update_org_member":                 "member.updated",
	"disable_member":                    "member.disabled",
	"enable_member":                     "member.enabled",
	"delete_org_member":                 "member.deleted",
	"delete_scim_user":                  "member.deleted",
	"add_member_to_workspace":           "workspace_member.added",
	"add_members_to_workspace_batch":    "workspace_member.added",
	"update_workspace_member":           "workspace_member.updated",
	"delete_workspace_member":           "workspace_member.removed",
	"create_scim_group":                 "access.changed",
	"update_scim_group":                 "access.changed",
	"delete_scim_group":                 "access.changed",
	"update_scim_group_mapping":         "access.changed",
	"sync_sso_groups":                   "access.changed",
	"create_workspace":                  "workspace.created",
	"update_workspace":                  "workspace.updated",
	"delete_workspace":                  "workspace.deleted",
	"create_role":                       "role.created",
	"update_role":                       "role.updated",
	"delete_role":                       "role.deleted",
	"delete_personal_access_token":      "key.deleted",
	"revoke_personal_access_token":      "key.updated",
	"delete_service_key":                "key.deleted",
	"delete_api_key":                    "key.deleted",
	"update_service_key":                "key.updated",
	"delete_service_account":            "key.deleted",
	"revoke_sessions":                   "sessions.ended",
	"disable_login_provider":            "sessions.ended",
}

// EventTypes are all types of events, sorted.
func EventTypes() []string {
	var types []string
	for _, kind := range eventTypes {
		types = append(types, kind)
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// EventOf makes an event of an audit row; false is a row that is no news for applications.
func EventOf(row AuditEvent) (Event, bool) {
	event := Event{ID: row.ID, At: row.At, Seq: row.Seq, Type: eventTypes[row.Operation], AuditEvent: row}
	switch {
	case event.Type == "" || row.Outcome != Success:
		return Event{}, false
	case row.Operation == "add_members_to_workspace_batch" && row.Target.Kind != "user":
		return Event{}, false // an invite
	case row.Operation == "update_scim_user" && row.Before["active"] != row.After["active"]:
		event.Type = "member.disabled"
		if row.After["active"] == true {
			event.Type = "member.enabled"
		}
	case event.Type == "access.changed" && row.After["access"] == nil:
		return Event{}, false
	}
	return event, true
}
