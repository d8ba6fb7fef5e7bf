package oidc

import "testing"

// A35: after signing in, people go back to an application only where the operator has given it a path, and never to another host.
func TestReturnPaths(t *testing.T) {
	for wish, want := range map[string]bool{
		"/app": true, "/app/": true, "/app/page?x=1": true, "/other/deep": true,
		"/": false, "/application": false, "/muster/you": false, "": false,
		"//evil.example/app/": false, "/\\evil.example/app": false, "https://evil.example/app/": false, "/app/../muster": false,
		"/app//x": false, "javascript:/app/": false, "/app/%2e%2e/x": false, "/app\n": false, "/%5cevil.example": false,
	} {
		if got, ok := returnPath(wish, []string{"/app/", "/other"}); ok != want || ok && got != wish {
			t.Errorf("%q: %q, %t, want %t", wish, got, ok, want)
		}
	}
	if _, ok := returnPath("/anything", nil); ok {
		t.Error("without a configured path there is nowhere to go back to")
	}
	if got, ok := returnPath("/anything", []string{"/"}); !ok || got != "/anything" {
		t.Errorf("everywhere on this host: %q, %t", got, ok)
	}
}
