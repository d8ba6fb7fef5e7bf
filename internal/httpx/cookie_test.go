package httpx_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"muster/domain"
	"muster/internal/httpx"
)

// Item 86.
func TestSessionCookie(t *testing.T) {
	for name, test := range map[string]struct {
		cookies    httpx.Cookies
		set, clear string
	}{
		"https": {
			httpx.Cookies{Secure: true},
			"__Host-muster=v; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax",
			"__Host-muster=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		"plain http": {
			httpx.Cookies{},
			"muster=v; Path=/; Max-Age=90; HttpOnly; SameSite=Lax",
			"muster=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			test.cookies.SetSession(w, "v", 90*time.Second)
			test.cookies.ClearSession(w)
			if got := w.Header()["Set-Cookie"]; len(got) != 2 || got[0] != test.set || got[1] != test.clear {
				t.Errorf("got %q, want %q and %q", got, test.set, test.clear)
			}
		})
	}
}

// Item 86: over https a cookie without the prefix, which a sibling host could have set, is not the session.
func TestSessionCookieIsReadByItsOwnName(t *testing.T) {
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.AddCookie(&http.Cookie{Name: "muster", Value: "planted"})
	if got := (httpx.Cookies{Secure: true}).Session(request); got != "" {
		t.Errorf("got %q", got)
	}
	if got := (httpx.Cookies{}).Session(request); got != "planted" {
		t.Errorf("got %q", got)
	}
	request.AddCookie(&http.Cookie{Name: "__Host-muster", Value: "real"})
	if got := (httpx.Cookies{Secure: true}).Session(request); got != "real" {
		t.Errorf("got %q", got)
	}
}

// Item 99 and A27.
func TestSameOrigin(t *testing.T) {
	check, err := httpx.NewSameOrigin(&url.URL{Scheme: "https", Host: "muster.example"})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		method, site, origin, host string
		refused                    bool
	}{
		"reading is free":                {http.MethodGet, "cross-site", "https://evil.example", "muster.example", false},
		"own page":                       {http.MethodPost, "same-origin", "https://muster.example", "muster.example", false},
		"own page, older browser":        {http.MethodPost, "", "https://muster.example", "muster.example", false},
		"own page behind a proxy":        {http.MethodPost, "", "https://muster.example", "10.0.0.7:8080", false},
		"another site":                   {http.MethodPost, "cross-site", "https://evil.example", "muster.example", true},
		"a sibling on the same site":     {http.MethodPost, "same-site", "https://blog.muster.example", "muster.example", true},
		"a sibling, older browser":       {http.MethodPost, "", "https://blog.muster.example", "muster.example", true},
		"Origin null":                    {http.MethodPost, "", "null", "muster.example", true},
		"Origin null from a frame":       {http.MethodPost, "cross-site", "null", "muster.example", true},
		"our host over plain http (A27)": {http.MethodPost, "", "http://muster.example", "muster.example", true},
		"our host on another port":       {http.MethodPost, "", "https://muster.example:8443", "muster.example:8443", true},
		"no word of where it came from":  {http.MethodPost, "", "", "muster.example", true},
		"typed in, which no form is":     {http.MethodPost, "none", "", "muster.example", true},
		"DELETE is unsafe too":           {http.MethodDelete, "same-site", "", "muster.example", true},
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequest(test.method, "/", nil)
			request.Host = test.host
			if test.site != "" {
				request.Header.Set("Sec-Fetch-Site", test.site)
			}
			if test.origin != "" {
				request.Header.Set("Origin", test.origin)
			}
			ran := false
			err := check.Protect(func(http.ResponseWriter, *http.Request) error {
				ran = true
				return nil
			})(httptest.NewRecorder(), request)
			if refused := domain.IsKind(err, domain.Forbidden); refused != test.refused || ran == refused {
				t.Errorf("error %v, ran %t", err, ran)
			}
		})
	}
}

func TestSameOriginNeedsAnOrigin(t *testing.T) {
	if _, err := httpx.NewSameOrigin(&url.URL{Path: "/nowhere"}); !domain.IsKind(err, domain.Invalid) {
		t.Errorf("got %v", err)
	}
}
