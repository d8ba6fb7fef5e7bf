// Package admin is the JSON API: organizations, workspaces, members, roles, sign-in settings, SCIM tokens and keys.
//
// Its paths and shapes are those of LangSmith's published organization API, so that programs written for that one work here.
// The routes stand in routes.go; an operation is made of them in operation.go, who is asking is found in credential.go,
// errors become answers in errors.go, and the OpenAPI document, which comes from the same Go types, is served by document.go.
// It has no rules of its own: every decision is a use case of package domain.
package admin
