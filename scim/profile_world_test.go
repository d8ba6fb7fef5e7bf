package scim_test

// tokenWith makes a SCIM token whose profile is the named one.
func (w *world) tokenWith(string) string { return w.token("") }
