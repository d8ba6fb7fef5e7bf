// Package scim is the SCIM 2.0 service provider at /scim/v2 (RFC 7643, RFC 7644): the protocol in front,
// the rules of package domain behind, and elimity's library underneath.
//
// A request goes through it like this:
//
//	route -> bearer check -> catalog -> call -> schema.Normalize or patch.Parse or filter.Parse -> domain.Service -> answer
//
// A call (call.go) is one operation on a resource, whether it is a request of its own or one of those inside a Bulk (bulk.go, bulkorder.go).
// A collection (collection.go) is a resource type with the use cases behind its endpoint: users.go, groups.go, and resources.go for
// those that an organization or the installation declares. A catalog (catalog.go) is what one organization's clients can reach.
// Lists (query.go, list.go) are paged by index with bookmarks (bookmark.go) or by cursor (cursor.go).
//
// # What elimity gives
//
// The definitions of the schemas User, Group, Enterprise User, Schema and ResourceType, and the means to define ServiceProviderConfig;
// the struct ServiceProviderConfig; its validation,
// which sees every resource that a POST or PUT makes after it was normalised; and ScimError, which renders every error.
//
// # Where and why it is gone around
//
// Its HTTP server is not in the path of any request.
// It reads bodies without a bound and parses the filter before any handler is asked, by recursion, so that one request can end the process.
// It sends 201 without Location, lists the URNs of extensions that have no data, gives locations that are relative,
// echoes the count asked for as itemsPerPage, and turns 429, 503 and some 412 and 413 into 500 with the text of whatever went wrong.
// To hide all of that, the little routing that it would do for create and replace would have to be undone around it, header by header.
//
// Filters and PATCH are packages of our own, because its parser refuses what Entra sends (emails[type eq "work"].value eq "x"),
// URNs with "-", "_" or "/", filters over two schemas, on externalId, id and meta, and panics on emails co "x";
// and because its PATCH validates only, wrongly in parts, and applies nothing.
//
// Projection, sorting, paging, Bulk, entity tags and discovery are ours because it has none, or says what is not true.
//
// Its validation comes second, because alone it keeps a process-wide switch for booleans in strings, loses extensions whose URN is
// written in another case, stores an object where a list belongs, and does not say which attribute is wrong.
// Binary values are kept from it: it refuses base64url and missing padding, both of which RFC 7643 section 2.3.6 allows.
//
// # Decided here
//
// A User's groups belong to the groups: a change of them does not change the User's version.
// PATCH answers 200 with the resource for Users and 204 for Groups, which may be large (S21).
// A PUT of a Group without members clears them, as it clears every attribute that is absent (S20).
// A manager is found by id, or else by externalId, because a provider may name a manager before it creates them (S15).
// With a cursor, count must lie between 1 and the largest page, and startIndex beside it is refused.
// A cursor's total is that of its first page; an index page's is exact, from counters for all users and counted for a filter.
package scim
