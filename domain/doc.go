// Package domain is the rules of Muster as pure code: it knows no HTTP and no SQL.
//
// # Words
//
// A User is one person on the installation, known by e-mail address. An Identity is one way that person signs in:
// an OpenID issuer and the subject there. An Org holds Workspaces; a Member is a user in an organization with one org role,
// and may be in workspaces with one workspace role each. An Invite is a pending member.
// A SCIMUser and a Group are the resources that an identity provider pushes, one set for each organization.
// A Grant is why somebody has a role: by hand, by invite, by first sign-in (JIT), by a group, by start-up (bootstrap),
// or because an identity provider made them a member (scim) or named a group in an ID token (sso_group).
//
// # Where each rule lives
//
//	R1-R3    roles and permissions                     role.go, custom_role.go, permission.go, workspace_members.go (mayGiveIn)
//	R4       what an Operator may not                  scope.go, invite.go (mayGive)
//	R5-R7    flags, first organization, first Admin    bootstrap.go, settings.go, admit.go, setup.go
//	R8       the last Admin stays                      membership.go
//	R9-R11   who is this person                        signin.go, identify.go, provider.go
//	R12-R18  may they come in                          admit.go
//	R19      the default organization                  settings.go
//	R20-R23  invites                                   invite.go, invite_workspace.go, invite_own.go, admit.go
//	R24      mail                                      mail.go
//	R25-R30  people pushed by SCIM                     provision.go, provision_query.go, provision_person.go, revoke.go, tombstone.go
//	R31-R33  what a group's name means                 mapping.go, group_mapping.go; in a token: groups_claim.go
//	R34-R36  which grant wins                          access.go
//	R35      who is decided about again                provision_group.go, provision_members.go, recompute.go
//	R37      why                                       explain.go, me.go
//	R38      what would happen                         group_mapping.go (Preview)
//	R39      the guard against mass deprovisioning     guard.go
//	R41      sessions, their renewal and every way out session.go, renew.go, session_list.go, logout.go, stepup.go, revoke.go
//	R42      keys                                      credential.go, principal.go, token.go, key.go, personal_token.go, service_key.go
//	R43      the audit log, and what follows it         audit.go, audit_chain.go, feed.go, event.go, event_hook.go
//	R44      no tenant can be forgotten                scope.go, store.go
//
// # How a use case runs
//
// A use case is a method of Service. It checks the scope, opens one transaction on the Store, does all its reading and
// writing there, the audit row included, and returns an *Error or a *Refusal.
// What runs inside a transaction may run twice and has no side effects.
//
// # The order of locks
//
// A use case that holds several locks takes them in this order: a SCIM user (SCIMUsers.Lock), the person (Users.Lock,
// Identities.Hold), the organization (Settings.Lock), a SCIM group (Groups.Bump), the memberships (Members.Lock).
// Where two transactions meet in another order all the same, the database ends one of them and the store runs it again.
package domain
