package httpx

import (
	"net/http"
	"time"
)

// sessionCookie is the session cookie's name, without a prefix.
const sessionCookie = "muster"

// Cookies writes and reads cookies with the attributes of item 86.
// Secure is false only when the public URL is plain http; the names then lack the "__Host-" prefix, which browsers tie to Secure.
type Cookies struct{ Secure bool }

// Name returns the name that a cookie has in the browser.
func (c Cookies) Name(base string) string {
	if c.Secure {
		return "__Host-" + base
	}
	return base
}

// Session returns the session cookie's value, or "" when there is none.
func (c Cookies) Session(r *http.Request) string { return c.Get(r, sessionCookie) }

// SetSession makes the browser keep the session for maxAge; the server ends it by its own record in any case (item 87).
func (c Cookies) SetSession(w http.ResponseWriter, value string, maxAge time.Duration) {
	c.Set(w, sessionCookie, value, maxAge)
}

// ClearSession makes the browser forget the session.
func (c Cookies) ClearSession(w http.ResponseWriter) { c.Clear(w, sessionCookie) }

// Get returns the value of a cookie, or "" when there is none.
func (c Cookies) Get(r *http.Request, base string) string {
	cookie, err := r.Cookie(c.Name(base))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Set sets a cookie for maxAge, cut to seconds; for the browser's session when that is zero.
func (c Cookies) Set(w http.ResponseWriter, base, value string, maxAge time.Duration) {
	http.SetCookie(w, c.cookie(base, value, int(maxAge/time.Second)))
}

// Clear removes a cookie from the browser.
func (c Cookies) Clear(w http.ResponseWriter, base string) {
	http.SetCookie(w, c.cookie(base, "", -1))
}

// cookie has no Domain: the cookie belongs to this host alone, and siblings can neither read nor set it.
func (c Cookies) cookie(base, value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure follows the public URL's scheme; item 86 allows plain http for development
		Name: c.Name(base), Value: value, Path: "/", MaxAge: maxAge,
		Secure: c.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
