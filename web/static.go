package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"time"

	"muster/domain"
)

//go:embed static
var static embed.FS

// file is a file that pages load, with a digest of its content.
type file struct {
	content []byte
	digest  string
}

func readFiles() map[string]file {
	entries, err := static.ReadDir("static")
	if err != nil {
		panic(err) // the folder is part of the binary
	}
	files := map[string]file{}
	for _, entry := range entries {
		content, err := static.ReadFile("static/" + entry.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(content)
		files[entry.Name()] = file{content, hex.EncodeToString(sum[:8])}
	}
	return files
}

// asset returns a file's address, which changes with its content.
func (w *Web) asset(name string) string {
	return w.config.BasePath + "/static/" + name + "?v=" + w.files[name].digest
}

// file serves a file; browsers keep it for good when they asked for this very content.
// During an update an older page may ask a newer server: it gets what there is, and nobody keeps that.
func (w *Web) file(rw http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	found, ok := w.files[name]
	if !ok {
		return domain.Errorf(domain.NotFound, "there is no such file")
	}
	rw.Header().Set("Etag", `"`+found.digest+`"`)
	rw.Header().Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == found.digest {
		rw.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(rw, r, name, time.Time{}, bytes.NewReader(found.content))
	return nil
}
