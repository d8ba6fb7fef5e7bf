package oidc

import (
	"net/url"
	"strings"
)

// LocalPath returns where to go after signing in: a path on this server, cleaned and written anew, or false.
// It refuses whatever a browser or net/http could read as another origin (sign-in.md's redirect matrix),
// and paths at which nothing good can happen: the API, SCIM, and signing in or out again.
func LocalPath(next string) (string, bool) {
	if !strings.HasPrefix(next, "/") || strings.ContainsAny(next, "\\") || strings.ContainsFunc(next, unsafeRune) {
		return "", false
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	if !strings.HasPrefix(u.Path, "/") || strings.Contains(u.Path, "//") || strings.Contains(u.Path, "\\") ||
		strings.ContainsFunc(u.Path, unsafeRune) || dotted(u.Path) {
		return "", false
	}
	for _, prefix := range []string{"/api/", "/v1/", "/scim/", "/sign-in", "/sign-out"} {
		if strings.HasPrefix(strings.ToLower(u.Path)+"/", prefix+"/") || strings.HasPrefix(strings.ToLower(u.Path), prefix) {
			return "", false
		}
	}
	clean := url.URL{Path: u.Path, RawQuery: u.RawQuery}
	return clean.String(), true
}

func unsafeRune(r rune) bool { return r <= ' ' || r == 0x7f }

// dotted reports segments that path cleaning would change.
func dotted(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
