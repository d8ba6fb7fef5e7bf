// Package idpcheck plays the provisioning conversation of an identity provider against a SCIM 2.0 server, whoever made it,
// and tells what the provider would make of each answer. It speaks plain HTTP and knows nothing of any server.
//
// The conversations stand in okta.txt and entra.txt, to be read from the top. A step begins with "## name: what it tries";
// it is one exchange or more, of which the next is sent when the one before went as it must:
//
//	GET /Users/{ann.id}      the request; "as ann" behind a POST keeps the id of what it made as {ann.id}
//	> Authorization: x       a header in place of the usual one
//	{...}                    the body
//	< 200 204                the statuses that are as they must be
//	< name/givenName = Ann   an attribute's value; "type=work" in a path chooses the element of a list
//	<? header Location       the same as advice: the provider copes without it
//	keep first = path        keeps a value as {first}
//	needs ann.id             without that value the step is skipped; {ann.id} in a request says the same
//	! text                   what it means when the step fails, and the cure
//
// Names in braces are filled in: {ann}, {bob}, {other}, {team} and {empty} are names that no one else has, {ann^} is one in capitals.
//
// Nothing is touched that the run did not make. What it made is known by the id of the answer to a POST that repeats the name
// which was sent; what a POST without such an answer may have made is looked for by that name when the run ends.
package idpcheck
