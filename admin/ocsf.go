package admin

import (
	"net/http"
	"strings"
	"time"

	"muster/domain"
)

// AuditRecord is an audit row in the shape of OCSF 1.7.0, class API Activity (6003).
type AuditRecord struct {
	ClassUID     int           `json:"class_uid"`
	ClassName    string        `json:"class_name"`
	CategoryUID  int           `json:"category_uid"`
	CategoryName string        `json:"category_name"`
	ActivityID   int           `json:"activity_id" doc:"0 unknown, 1 create, 2 read, 3 update, 4 delete, 99 other."`
	ActivityName string        `json:"activity_name"`
	TypeUID      int           `json:"type_uid"`
	SeverityID   int           `json:"severity_id"`
	StatusID     int           `json:"status_id" doc:"1 success, 2 failure."`
	Status       string        `json:"status"`
	Time         int64         `json:"time" doc:"Milliseconds since 1970."`
	Metadata     auditMetadata `json:"metadata"`
	API          auditAPI      `json:"api"`
	HTTPRequest  auditRequest  `json:"http_request"`
	HTTPResponse auditResponse `json:"http_response"`
	Actor        auditActor    `json:"actor"`
	Source       auditSource   `json:"src_endpoint"`
	Resources    []auditTarget `json:"resources" nullable:"false"`
	Unmapped     auditUnmapped `json:"unmapped"`
}

type auditMetadata struct {
	UID     domain.AuditID `json:"uid"`
	Version string         `json:"version"`
	Product auditProduct   `json:"product"`
}

type auditProduct struct {
	Name   string `json:"name"`
	Vendor string `json:"vendor_name"`
}

type auditAPI struct {
	Operation string `json:"operation"`
}

type auditRequest struct {
	Method string   `json:"http_method"`
	URL    auditURL `json:"url"`
}

type auditURL struct {
	Path string `json:"path"`
}

type auditResponse struct {
	Code int `json:"code"`
}

type auditActor struct {
	User auditUser `json:"user"`
}

type auditUser struct {
	UID           string  `json:"uid"`
	Name          *string `json:"name"`
	Type          string  `json:"type" doc:"user, service_key, scim, command_line, provider or system."`
	CredentialUID *string `json:"credential_uid"`
}

type auditSource struct {
	IP            string   `json:"ip"`
	Port          int      `json:"port"`
	Intermediates []string `json:"intermediate_ips" nullable:"false"`
}

type auditTarget struct {
	UID  string  `json:"uid"`
	Name *string `json:"name"`
	Type string  `json:"type"`
}

type auditUnmapped struct {
	Original auditOriginal `json:"original_audit_log"`
}

// auditOriginal is the row in the words of the model's API, with what changed and the place in the chain.
type auditOriginal struct {
	ID             domain.AuditID      `json:"id"`
	Operation      string              `json:"operation_name"`
	Succeeded      bool                `json:"operation_succeeded"`
	RequestTime    time.Time           `json:"request_time"`
	APIKeyID       *string             `json:"api_key_id"`
	UserID         *string             `json:"user_id"`
	LSUserID       *string             `json:"ls_user_id"`
	OrganizationID domain.OrgID        `json:"organization_id"`
	WorkspaceID    *domain.WorkspaceID `json:"workspace_id"`
	Enrichments    auditEnrichments    `json:"enrichments"`
	Before         map[string]any      `json:"before" nullable:"true"`
	After          map[string]any      `json:"after" nullable:"true"`
	Detail         *string             `json:"detail"`
	Sequence       *int64              `json:"sequence" doc:"The place in the organization's chain; null for the moment before it has one."`
	Hash           *string             `json:"hash"`
}

type auditEnrichments struct {
	Method      string   `json:"request_method"`
	Path        string   `json:"request_path"`
	ClientHost  string   `json:"client_host"`
	ClientPort  int      `json:"client_port"`
	Forwarded   *string  `json:"x_forwarded_for"`
	Status      int      `json:"response_status_code"`
	ResourceIDs []string `json:"resource_ids" nullable:"false"`
	UserAgent   string   `json:"user_agent"`
	RequestID   string   `json:"request_id"`
}

// AuditOf is an audit row of an organization as the API and the exports show it.
func AuditOf(org domain.OrgID, e domain.AuditEvent) AuditRecord {
	activity, name := activityOf(e.Operation)
	record := AuditRecord{
		ClassUID: 6003, ClassName: "API Activity", CategoryUID: 6, CategoryName: "Application Activity",
		ActivityID: activity, ActivityName: name, TypeUID: 600300 + activity, SeverityID: 99,
		StatusID: 1, Status: "Success", Time: e.At.UnixMilli(),
		Metadata:    auditMetadata{e.ID, "1.7.0", auditProduct{"Muster", "Muster"}},
		API:         auditAPI{e.Operation},
		HTTPRequest: auditRequest{e.Actor.Client.Method, auditURL{e.Actor.Client.Path}}, HTTPResponse: auditResponse{http.StatusOK},
		Actor:  auditActor{auditUser{e.Actor.ID, nullable(e.Actor.Name), string(e.Actor.Kind), nullable(e.Actor.Credential)}},
		Source: auditSource{e.Actor.Client.IP, 0, []string{}}, Resources: []auditTarget{},
	}
	if e.Outcome != domain.Success {
		record.StatusID, record.Status, record.HTTPResponse.Code = 2, "Failure", http.StatusForbidden
	}
	if e.Target.ID != "" || e.Target.Name != "" {
		record.Resources = append(record.Resources, auditTarget{e.Target.ID, nullable(e.Target.Name), e.Target.Kind})
	}
	record.Unmapped.Original = originalOf(org, e, record.HTTPResponse.Code)
	return record
}

func originalOf(org domain.OrgID, e domain.AuditEvent, status int) auditOriginal {
	client := e.Actor.Client
	original := auditOriginal{
		ID: e.ID, Operation: e.Operation, Succeeded: e.Outcome == domain.Success, RequestTime: e.At, OrganizationID: org,
		WorkspaceID: nullable(e.Workspace), Before: e.Before, After: e.After, Detail: nullable(e.Detail), Hash: nullable(e.Hash),
		Enrichments: auditEnrichments{
			Method: client.Method, Path: client.Path, ClientHost: client.IP, Status: status, ResourceIDs: []string{},
			UserAgent: client.UserAgent, RequestID: client.RequestID,
		},
	}
	if e.Target.ID != "" {
		original.Enrichments.ResourceIDs = append(original.Enrichments.ResourceIDs, e.Target.ID)
	}
	if e.Actor.Kind == domain.ActorUser {
		original.UserID, original.LSUserID = nullable(e.Actor.ID), nullable(e.Actor.ID)
	}
	if e.Actor.Kind != domain.ActorUser || e.Actor.Credential != "" {
		original.APIKeyID = nullable(e.Actor.Credential)
	}
	if e.Seq > 0 {
		original.Sequence = &e.Seq
	}
	return original
}

// activityOf reads from an operation's first word what sort of thing it does.
func activityOf(operation string) (id int, name string) {
	word, _, _ := strings.Cut(operation, "_")
	switch word {
	case "create", "add", "invite", "jit", "claim", "link":
		return 1, "Create"
	case "get", "list":
		return 2, "Read"
	case "update", "set", "enable", "disable", "sync", "release", "refuse", "hold":
		return 3, "Update"
	case "delete", "revoke":
		return 4, "Delete"
	default:
		return 99, "Other"
	}
}
