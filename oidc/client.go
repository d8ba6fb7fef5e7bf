package oidc

import (
	"errors"
	"io"
	"net/http"
)

// maxAnswer is the largest answer that a provider may give (item 6).
const maxAnswer = 1 << 20

// newClient makes the client for all requests to a provider.
// It follows no redirects: at the token endpoint that would hand the code and the secret to another origin (item 7).
func newClient(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &http.Client{
		Timeout:       providerTimeout,
		Transport:     capped{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// capped ends answers at maxAnswer with an error.
type capped struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (c capped) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &cappedBody{ReadCloser: answer.Body, left: maxAnswer}
	return answer, nil
}

type cappedBody struct {
	io.ReadCloser

	left int64
}

var errTooLong = errors.New("the provider's answer is longer than 1 MiB")

// Read implements io.Reader.
func (b *cappedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
