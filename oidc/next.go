package oidc

import (
	"net/url"
	"strings"
	"unicode"
)

// maxNext is the longest path that is kept; a longer one is forgotten, not cut.
const maxNext = 2048

// LocalPath returns where to go after signing in: a path below this server's base path, written anew from its parts, or false.
// It refuses whatever a browser or net/http could read as another origin, raw or decoded once (items 81 and 82),
// and paths at which nothing good can happen: the API, SCIM, and signing in or out again.
func LocalPath(next string) (string, bool) {
	u, ok := onThisHost(next)
	if !ok || reserved(u.Path) {
		return "", false
	}
	return u.String(), true
}

// returnPath returns where to go after signing in when that is a path that the operator has given to applications, or false.
// It stays on the server's own host, by the same checks as LocalPath.
func returnPath(wish string, allowed []string) (string, bool) {
	u, ok := onThisHost(wish)
	if !ok {
		return "", false
	}
	for _, prefix := range allowed {
		below := strings.TrimSuffix(prefix, "/")
		if u.Path == below || strings.HasPrefix(u.Path, below+"/") {
			return u.String(), true
		}
	}
	return "", false
}

// onThisHost reads a path and query that no browser takes for another origin.
func onThisHost(text string) (*url.URL, bool) {
	if len(text) > maxNext || !safePath(text) {
		return nil, false
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || u.Fragment != "" {
		return nil, false
	}
	if !safePath(u.Path) || strings.Contains(u.Path, "//") || dotted(u.Path) {
		return nil, false
	}
	return &url.URL{Path: u.Path, RawQuery: u.RawQuery}, true
}

func safePath(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.ContainsRune(path, '\\') &&
		!strings.ContainsFunc(path, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) })
}

// dotted reports segments that path cleaning would change.
func dotted(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// reserved reports a path below one of those that are not pages.
func reserved(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(path), "/"), "/")
	switch first {
	case "api", "v1", "scim", "sign-in", "sign-out":
		return true
	default:
		return false
	}
}
