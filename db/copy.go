package db

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"muster/domain"
)

// chunkRows is how many rows one transaction brings, within the parameters that a statement may have.
const (
	chunkRows     = 500
	chunkVariable = 30000
)

// CopyOptions says what a copy leaves out and to whom it tells what it has done.
type CopyOptions struct {
	// Without names tables whose rows stay behind.
	Without []string
	// Still refuses a source that servers are connected to; what they wrote meanwhile would be missing.
	Still bool
	// Done, when not nil, is called with each table after it was copied and compared.
	Done func(Copied)
}

// Copied is a table that is the same on both sides.
type Copied struct {
	Table string
	Rows  int64
	// Digest is the SHA-256 of all values, in order of the key.
	Digest string
}

// Copy brings everything from one database into another one, which must be empty, and compares every table afterwards.
// It reads one snapshot, so servers may go on writing to the source.
// A copy that was cut off continues where it was when it is run again; until it is whole, no server starts on the target.
// A target that holds something, another schema or a table that differs in the end is Conflict.
func Copy(ctx context.Context, from, to *DB, o CopyOptions) error {
	c, err := newCopier(ctx, from, to, o)
	if err != nil {
		return err
	}
	return errors.Join(c.run(ctx), c.close())
}

// copier is one run of Copy.
type copier struct {
	CopyOptions

	source     *sqlx.Tx
	target     *sqlx.DB
	from, to   dialect
	closers    []func() error
	continuing bool
	afterChunk func(table string)
}

func newCopier(ctx context.Context, from, to *DB, o CopyOptions) (*copier, error) {
	c := &copier{CopyOptions: o, afterChunk: to.afterChunk, from: from.engine.dialect(), to: to.engine.dialect()}
	if err := c.open(ctx, from, to); err != nil {
		return nil, errors.Join(translate(err), c.close())
	}
	return c, nil
}

func (c *copier) open(ctx context.Context, from, to *DB) error {
	if err := to.engine.migrate(ctx); err != nil {
		return err
	}
	source, err := from.engine.bulk()
	if err != nil {
		return err
	}
	c.closers = append(c.closers, source.Close)
	if c.target, err = to.engine.bulk(); err != nil {
		return err
	}
	c.closers = append(c.closers, c.target.Close)
	if c.source, err = source.BeginTxx(ctx, c.from.snapshot); err != nil {
		return err
	}
	c.closers = append(c.closers, c.source.Rollback)
	return nil
}

func (c *copier) close() error {
	slices.Reverse(c.closers)
	var errs []error
	for _, closer := range c.closers {
		errs = append(errs, closer())
	}
	return translate(errors.Join(errs...))
}

func (c *copier) run(ctx context.Context) error {
	if err := c.check(ctx); err != nil {
		return err
	}
	wanted := slices.DeleteFunc(tables(), func(t table) bool { return slices.Contains(c.Without, t.name) })
	for _, t := range wanted {
		if err := c.copyTable(ctx, t); err != nil {
			return about(t, err)
		}
	}
	for _, t := range wanted {
		if err := c.compare(ctx, t); err != nil {
			return about(t, err)
		}
	}
	_, err := c.target.ExecContext(ctx, "DELETE FROM transfers")
	return translate(err)
}

// about says which table could not be brought over.
func about(t table, err error) error {
	known := domain.AsError(translate(err))
	return domain.Wrap(known.Kind, err, "the table %s was not copied: %s", t.name, known.Text)
}

// check refuses a source that is no installation of this schema, and a target that holds something else than the beginning of this copy.
func (c *copier) check(ctx context.Context) error {
	if err := c.checkSchemas(ctx); err != nil {
		return err
	}
	if err := c.checkStill(ctx); err != nil {
		return err
	}
	var installation string
	if err := c.source.GetContext(ctx, &installation, "SELECT initial_org_id FROM installation"); err != nil {
		return domain.Wrap(domain.NotFound, err, "the source holds no installation: is its address right?")
	}
	var begun []string
	if err := c.target.SelectContext(ctx, &begun, "SELECT last_key FROM transfers WHERE name = ''"); err != nil {
		return translate(err)
	}
	if len(begun) > 0 {
		if begun[0] != installation {
			return domain.Errorf(domain.Conflict, "the target holds the beginning of a copy of another installation; give an empty database")
		}
		c.continuing = true
		return nil
	}
	if err := c.checkEmpty(ctx); err != nil {
		return err
	}
	_, err := c.target.ExecContext(ctx, c.to.rebind("INSERT INTO transfers (name, last_key) VALUES ('', ?)"), installation)
	return translate(err)
}

func (c *copier) checkSchemas(ctx context.Context) error {
	const current = "SELECT MAX(version_id) FROM goose_db_version"
	var has, needs int64
	if err := c.target.GetContext(ctx, &needs, current); err != nil {
		return translate(err)
	}
	if err := c.source.GetContext(ctx, &has, current); err != nil {
		return domain.Wrap(domain.NotFound, err, "the source holds no installation: is its address right?")
	}
	if has > needs {
		return domain.Wrap(domain.Conflict, ErrNewerSchema, "the source has schema %d and this program knows %d; use the later version of the program", has, needs)
	}
	if has < needs {
		return domain.Errorf(domain.Conflict, "the source has schema %d and this program needs %d; run \"muster migrate\" on the source first", has, needs)
	}
	return nil
}

// checkStill asks who is connected; an SQLite file is locked by whoever opens it for a server's work.
func (c *copier) checkStill(ctx context.Context) error {
	var unfinished int
	if err := c.source.GetContext(ctx, &unfinished, "SELECT COUNT(*) FROM transfers"); err != nil {
		return translate(err)
	}
	if unfinished > 0 {
		return errUnfinished()
	}
	if !c.Still || c.from.servers == "" {
		return nil
	}
	var servers int
	if err := c.source.GetContext(ctx, &servers, c.from.servers); err != nil {
		return translate(err)
	}
	if servers > 0 {
		return domain.Errorf(domain.Conflict, "a server is connected to the source, and what it writes from now on would be missing; stop every server first")
	}
	return nil
}

func (c *copier) checkEmpty(ctx context.Context) error {
	for _, t := range tables() {
		var held int
		if err := c.target.GetContext(ctx, &held, "SELECT COUNT(*) FROM (SELECT 1 FROM "+t.name+" LIMIT 1) AS held"); err != nil {
			return translate(err)
		}
		if held > 0 {
			return domain.Errorf(domain.Conflict, "the target holds an installation already (its table %s has rows); give an empty database", t.name)
		}
	}
	return nil
}

// copyTable brings the rows after the last one that is there already.
func (c *copier) copyTable(ctx context.Context, t table) error {
	var last []string
	if err := c.target.SelectContext(ctx, &last, c.to.rebind("SELECT last_key FROM transfers WHERE name = ?"), t.name); err != nil {
		return err
	}
	after := ""
	if len(last) > 0 {
		after = last[0]
	}
	rows, err := readRows(ctx, c.source, c.from, t, after)
	if err != nil {
		return err
	}
	defer rows.close()
	into := newLoader(c.target, c.to, t, rows.names())
	for rows.next() {
		written, err := into.add(ctx, rows.values)
		if err != nil {
			return err
		}
		if written && c.afterChunk != nil {
			c.afterChunk(t.name)
		}
	}
	return errors.Join(rows.failed, into.flush(ctx))
}

// compare digests both sides at once.
func (c *copier) compare(ctx context.Context, t table) error {
	type result struct {
		copied Copied
		err    error
	}
	source := make(chan result, 1)
	go func() {
		copied, err := digest(ctx, c.source, c.from, t)
		source <- result{copied, err}
	}()
	there, err := digest(ctx, c.target, c.to, t)
	here := <-source
	if err := errors.Join(err, here.err); err != nil {
		return err
	}
	if here.copied != there {
		why := "the copy is no good; begin again with an empty database"
		if c.continuing {
			why = "the source changed since the copy was begun; begin again with an empty database and no server on the source"
		}
		return domain.Errorf(domain.Conflict, "%d rows with digest %.12s became %d rows with digest %.12s; %s", here.copied.Rows, here.copied.Digest, there.Rows, there.Digest, why)
	}
	if c.Done != nil {
		c.Done(there)
	}
	return nil
}

// digest reads a whole table.
func digest(ctx context.Context, from sqlx.QueryerContext, d dialect, t table) (Copied, error) {
	rows, err := readRows(ctx, from, d, t, "")
	if err != nil {
		return Copied{}, err
	}
	defer rows.close()
	copied, sum := Copied{Table: t.name}, sha256.New()
	for rows.next() {
		copied.Rows++
		for _, value := range rows.values {
			text := fmt.Sprint(value)
			_, _ = fmt.Fprintf(sum, "%T %d %s\n", value, len(text), text)
		}
	}
	copied.Digest = hex.EncodeToString(sum.Sum(nil))
	return copied, rows.failed
}

// unfinished refuses a database that a copy has only begun to fill.
func unfinished(ctx context.Context, pool sqlx.QueryerContext) error {
	var begun int
	if err := sqlx.GetContext(ctx, pool, &begun, "SELECT COUNT(*) FROM transfers"); err != nil {
		return translate(err)
	}
	if begun > 0 {
		return errUnfinished()
	}
	return nil
}

func errUnfinished() error {
	return domain.Errorf(domain.Conflict, "this database was filled only in part by \"muster migrate-data\" or \"muster restore\"; run the same command again, which goes on where it was")
}

// keyOrder is the key's columns in an order that is the same on both engines: that of bytes.
func keyOrder(d dialect, t table, number map[string]bool) string {
	columns := make([]string, len(t.key))
	for i, column := range t.key {
		columns[i] = column
		if !number[column] {
			columns[i] += d.ddl.Replace(` COLLATE "C"`)
		}
	}
	return strings.Join(columns, ", ")
}
