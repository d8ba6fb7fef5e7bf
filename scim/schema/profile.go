package schema

// Profile is how strictly a client is read (the profiles of a SCIM token); the zero value is "auto".
// A lenient reading accepts the strict form too, and answers are always strict.
type Profile struct {
	// Lenient accepts a PATCH without schemas (K5) and bare words in filters (K7).
	Lenient bool
	// Strict refuses unknown attributes and URNs (K2, K3) and PATCH without path (K4),
	// and makes a replace of a complex attribute replace it whole (K11).
	Strict bool
	// Entra makes every replace create the element that its filter describes and does not find (K6).
	// Set it for the profile of that name and for requests with "aadOptscim062020".
	Entra bool
}
