package domain

// TestScopes returns the scopes of an organization and of the system to the suite that every store must pass.
// Nothing but a test may call it: everywhere else a scope is what proves a right, and an architecture test forbids it.
func TestScopes(t interface{ Helper() }, org OrgID) (OrgScope, SystemScope) {
	t.Helper()
	return within(org, Actor{Kind: ActorSystem, Name: "test"}), systemScope()
}
