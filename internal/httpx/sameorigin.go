package httpx

import (
	"net/http"
	"net/url"

	"muster/domain"
)

// SameOrigin refuses unsafe requests that another site could have made a browser send (item 99).
// It concerns requests that a cookie authenticates; requests with a bearer token need no such check (item 100).
type SameOrigin struct {
	origin     string
	protection *http.CrossOriginProtection
}

// NewSameOrigin protects the site at publicURL, of which the scheme and the host count.
func NewSameOrigin(publicURL *url.URL) (*SameOrigin, error) {
	origin := publicURL.Scheme + "://" + publicURL.Host
	protection := http.NewCrossOriginProtection()
	// Behind a proxy that rewrites Host, the browser's Origin is still the public one.
	if err := protection.AddTrustedOrigin(origin); err != nil {
		return nil, domain.Wrap(domain.Invalid, err, "the public URL %q has no usable origin", publicURL)
	}
	return &SameOrigin{origin: origin, protection: protection}, nil
}

// Check returns domain.Forbidden unless the method is safe, or the browser says that our own page sent the request:
// "Sec-Fetch-Site: same-origin", or without that header an Origin that is the public URL's with its scheme (A27).
// net/http also lets pass what has neither header, because no browser sends that; with a cookie in it we do not.
func (s *SameOrigin) Check(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
		return nil
	}
	if err := s.protection.Check(r); err != nil {
		return domain.Wrap(domain.Forbidden, err, "this request came from another site")
	}
	if r.Header.Get("Sec-Fetch-Site") == "same-origin" || r.Header.Get("Origin") == s.origin {
		return nil
	}
	return domain.Errorf(domain.Forbidden, "this request does not say that it came from this site")
}

// Protect checks every request before next.
func (s *SameOrigin) Protect(next Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.Check(r); err != nil {
			return err
		}
		return next(w, r)
	}
}
