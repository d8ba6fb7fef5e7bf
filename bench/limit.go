package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"
)

// limitHandler is the least that answers: it neither authenticates, nor validates, nor audits.
type limitHandler struct {
	read, write *sql.DB
	insert, get string
}

// serveLimit serves the bare handler until ctx ends.
func serveLimit(ctx context.Context, address, database string) error {
	handler, err := openLimit(ctx, database)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /users", handler.create)
	mux.HandleFunc("GET /users/{id}", handler.lookup)
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return server.ListenAndServe()
}

func openLimit(ctx context.Context, database string) (*limitHandler, error) {
	h := &limitHandler{}
	var err error
	if path, ok := strings.CutPrefix(database, "sqlite://"); ok {
		dsn := "file:" + path + "?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)"
		h.insert, h.get = "INSERT INTO users (id, body) VALUES (?, ?)", "SELECT body FROM users WHERE id = ?"
		if h.write, err = sql.Open("sqlite", dsn); err != nil {
			return nil, err
		}
		h.write.SetMaxOpenConns(1)
		if h.read, err = sql.Open("sqlite", dsn); err != nil {
			return nil, err
		}
	} else {
		h.insert, h.get = "INSERT INTO users (id, body) VALUES ($1, $2)", "SELECT body FROM users WHERE id = $1"
		separator := "?"
		if strings.Contains(database, "?") {
			separator = "&"
		}
		if h.write, err = sql.Open("postgres", database+separator+"binary_parameters=yes"); err != nil {
			return nil, err
		}
		h.write.SetMaxOpenConns(20)
		h.write.SetMaxIdleConns(20)
		h.read = h.write
	}
	_, err = h.write.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, body TEXT NOT NULL)")
	return h, err
}

func (h *limitHandler) create(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var user struct{ ID string }
	if err := json.Unmarshal(body, &user); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	err = inTransaction(r.Context(), h.write, false, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, h.insert, user.ID, string(body))
		return err
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(body)
}

func (h *limitHandler) lookup(w http.ResponseWriter, r *http.Request) {
	var body string
	err := inTransaction(r.Context(), h.read, true, func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, h.get, r.PathValue("id")).Scan(&body)
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, body)
}

func inTransaction(ctx context.Context, db *sql.DB, readOnly bool, fn func(context.Context, *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: readOnly})
	if err != nil {
		return err
	}
	if err := fn(ctx, tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

// bare is the limit as a client sees it.
type bare struct {
	base  string
	next  atomic.Int64
	users int64
}

// startLimit runs this program as the limit in a process of its own.
func startLimit(ctx context.Context, database string) (*bare, func(), error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	command := exec.CommandContext(ctx, self, "-limit", address, "-database", database)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		return nil, nil, err
	}
	b := &bare{base: "http://" + address}
	stop := func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}
	return b, stop, waitFor(ctx, b.base+"/users/none", http.StatusNotFound)
}

func (b *bare) fill(ctx context.Context, users int) error {
	for range users {
		if err := b.insert(ctx); err != nil {
			return err
		}
	}
	b.users = int64(users)
	return nil
}

func (b *bare) insert(ctx context.Context) error {
	n := b.next.Add(1)
	id := fmt.Sprintf("u%09d", n)
	body := fmt.Sprintf(`{"id":%q,"data":%q}`, id, userBody(id))
	return send(ctx, http.MethodPost, b.base+"/users", nil, body, http.StatusCreated)
}

func (b *bare) lookup(ctx context.Context) error {
	id := fmt.Sprintf("u%09d", 1+pick(int(b.users)))
	return send(ctx, http.MethodGet, b.base+"/users/"+id, nil, "", http.StatusOK)
}
