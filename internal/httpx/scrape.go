package httpx

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"muster/domain"
)

// Scrapers says who may read the metrics. With a token: whoever sends it as a bearer token.
// Without one: who asks from this machine or a private network, and not through a proxy that nobody said to trust,
// because behind such a proxy everybody's address is private.
func Scrapers(token string) func(*http.Request) error {
	if token == "" {
		return private
	}
	return func(r *http.Request) error {
		sent, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if found && subtle.ConstantTimeCompare([]byte(sent), []byte(token)) == 1 {
			return nil
		}
		return domain.Errorf(domain.Unauthenticated, "metrics need the bearer token of config.metrics.token")
	}
}

// Everybody admits whoever reaches the address.
func Everybody(*http.Request) error { return nil }

func private(r *http.Request) error {
	ip, ok := parseAddress(r.RemoteAddr)
	direct := r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == "" || exchangeOf(r.Context()).trusted
	if ok && direct && (ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast()) {
		return nil
	}
	return domain.Errorf(domain.Forbidden, "without config.metrics.token, metrics are for this machine and private networks, asked directly")
}

// textError is for what only machines of the operator ask.
func textError(w http.ResponseWriter, _ *http.Request, err error) {
	status, known := http.StatusInternalServerError, domain.AsError(err)
	text := known.Text
	switch known.Kind { //nolint:exhaustive // whatever else happens here is ours
	case domain.Unauthenticated:
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", "Bearer")
	case domain.Forbidden:
		status = http.StatusForbidden
	default:
		text = "Something went wrong on our side."
	}
	http.Error(w, text, status)
}
