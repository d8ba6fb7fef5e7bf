package httpx

import (
	"bytes"
	"encoding/json"
	"net/http"

	"muster/domain"
)

// WriteJSON answers with v as JSON of the given media type.
// It encodes before it writes, so that a value that cannot be encoded is still an error answer.
func WriteJSON(w http.ResponseWriter, status int, mediaType string, v any) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return domain.Wrap(domain.Internal, err, "the answer could not be encoded")
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, err := w.Write(body.Bytes())
	return err
}

// response remembers what was sent through it.
type response struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// recording returns w if it already records, and a recording writer around it otherwise.
func recording(w http.ResponseWriter) *response {
	if res, ok := w.(*response); ok {
		return res
	}
	return &response{ResponseWriter: w}
}

// WriteHeader implements http.ResponseWriter; an informational status (1xx) does not begin the answer.
func (r *response) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *response) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the server's own writer.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// started says whether anything was sent that cannot be taken back.
func (r *response) started() bool { return r.status != 0 }

// sent is the status that the client sees; a handler that writes nothing answers 200.
func (r *response) sent() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

// innermost returns the server's own writer, which net/http recognises by its type.
func innermost(w http.ResponseWriter) http.ResponseWriter {
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = wrapper.Unwrap()
	}
}
