package scim

import (
	_ "embed"
	"io"
	"net/http"
)

// guidePath is where people read how to connect a provider; ServiceProviderConfig names it.
const guidePath = "/scim/guide"

//go:embed guide.md
var guide string

func serveGuide(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, guide)
}
