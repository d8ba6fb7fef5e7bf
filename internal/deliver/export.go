package deliver

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"muster/domain"
)

// Exporter takes audit records, a line of JSON each; what it has taken without an error is safe.
type Exporter interface {
	Export(ctx context.Context, id string, lines []byte) error
}

// NewExporter returns the exporter for a configured place: a file's path, "stdout" or an https address; empty is none.
// A webhook's secret may be empty; then its messages are not signed.
func NewExporter(to, secret string, stdout io.Writer) Exporter {
	switch {
	case to == "":
		return nil
	case to == "stdout":
		return &stream{to: stdout}
	case strings.HasPrefix(to, "https://") || strings.HasPrefix(to, "http://"):
		hook := &webhook{url: to, client: newClient(true)}
		if secret != "" {
			hook.secrets = []domain.Secret{domain.Secret(secret)}
		}
		return hook
	default:
		return &file{path: to}
	}
}

// stream writes to standard output.
type stream struct {
	mutex sync.Mutex
	to    io.Writer
}

// Export implements Exporter.
func (s *stream) Export(_ context.Context, _ string, lines []byte) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, err := s.to.Write(lines)
	return err
}

// file appends to a file, which may be moved away at any time.
type file struct {
	mutex sync.Mutex
	path  string
}

// Export implements Exporter; it returns when the lines are on the disk.
func (f *file) Export(_ context.Context, _ string, lines []byte) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	out, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(lines)
	if err == nil {
		err = out.Sync()
	}
	if closed := out.Close(); err == nil {
		err = closed
	}
	return err
}

// webhook posts the lines as one body.
type webhook struct {
	url     string
	client  *http.Client
	secrets []domain.Secret
}

// Export implements Exporter; the id of a batch is that of its last record.
func (w *webhook) Export(ctx context.Context, id string, lines []byte) error {
	return post(ctx, w.client, w.url, "application/x-ndjson", message{id, time.Now(), lines}, w.secrets)
}
