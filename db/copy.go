package db

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
// It reads one snapshot, so servers may go on writing to the source unless Still is wanted.
// A copy that was cut off continues where it was when it is run again; until it is whole, no server starts on the target.
// A target that holds something, another schema or a table that differs in the end is Conflict; what was in the target is left alone.
func Copy(ctx context.Context, from, to *DB, o CopyOptions) error {
	c := &copier{CopyOptions: o, afterCopy: to.afterCopy, from: from.engine.dialect(), to: to.engine.dialect()}
	err := c.open(ctx, from, to)
	if err == nil {
		err = c.run(ctx, to.engine)
	}
	err = errors.Join(translate(err), c.close())
	if err != nil && ctx.Err() != nil {
		return domain.Wrap(domain.Unavailable, context.Cause(ctx), "interrupted")
	}
	return err
}

// copier is one run of Copy.
type copier struct {
	CopyOptions

	// source is the snapshot, and beside what sees the present.
	source         *sqlx.Tx
	beside, target *sqlx.DB
	from, to       dialect
	closers        []func() error
	continuing     bool
	afterCopy      func(table string)
}

func (c *copier) open(ctx context.Context, from, to *DB) (err error) {
	if c.beside, err = from.engine.bulk(); err != nil {
		return err
	}
	c.closers = append(c.closers, c.beside.Close)
	if c.target, err = to.engine.bulk(); err != nil {
		return err
	}
	c.closers = append(c.closers, c.target.Close)
	if err := c.checkSource(ctx, from.engine); err != nil {
		return err
	}
	if c.source, err = c.beside.BeginTxx(ctx, c.from.snapshot); err != nil {
		return err
	}
	c.closers = append(c.closers, c.source.Rollback)
	return c.hold(ctx)
}

// hold keeps servers from writing to the source until the copy has ended; an SQLite file is locked by whoever opens it for a server's work.
// It comes before the first look at the source, which takes the snapshot.
func (c *copier) hold(ctx context.Context) error {
	if !c.Still || c.from.hold == "" {
		return nil
	}
	names := make([]string, 0, len(tables()))
	for _, t := range tables() {
		names = append(names, t.name)
	}
	_, err := c.source.ExecContext(ctx, fmt.Sprintf(c.from.hold, strings.Join(names, ", ")))
	return err
}

func (c *copier) close() error {
	slices.Reverse(c.closers)
	var errs []error
	for _, closer := range c.closers {
		errs = append(errs, closer())
	}
	return translate(errors.Join(errs...))
}

func (c *copier) run(ctx context.Context, target engine) error {
	if err := c.prepareTarget(ctx, target); err != nil {
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
	if err := c.checkStill(ctx); err != nil {
		return err
	}
	_, err := c.target.ExecContext(ctx, "DELETE FROM transfers")
	return err
}

// about says which table could not be brought over.
func about(t table, err error) error {
	known := domain.AsError(translate(err))
	return domain.Wrap(known.Kind, errors.Unwrap(known), "the table %s was not copied: %s", t.name, known.Text)
}

// checkSource refuses a source that is no whole installation of this schema, or that servers use.
func (c *copier) checkSource(ctx context.Context, source engine) error {
	needs, err := knownSchema(c.beside.DB, source.dialect())
	if err != nil {
		return err
	}
	var has int64
	if err := c.beside.GetContext(ctx, &has, currentSchema); err != nil {
		return noInstallation(err)
	}
	if has > needs {
		return domain.Wrap(domain.Conflict, ErrNewerSchema, "the source has schema %d and this program knows %d; use the later version of the program", has, needs)
	}
	if has < needs {
		return domain.Errorf(domain.Conflict, "the source has schema %d and this program needs %d; run \"muster migrate\" on the source first", has, needs)
	}
	if err := unfinished(ctx, c.beside); err != nil {
		return err
	}
	return c.checkStill(ctx)
}

// noInstallation is a source that cannot be read as one, or that does not answer.
func noInstallation(err error) error {
	if known := domain.AsError(translate(err)); known.Kind == domain.Unavailable {
		return known
	}
	return domain.Wrap(domain.NotFound, err, "the source holds no installation: is its address right?")
}

// checkStill asks which servers are connected, outside the snapshot.
func (c *copier) checkStill(ctx context.Context) error {
	if !c.Still || c.from.servers == "" {
		return nil
	}
	var addresses []string
	if err := c.beside.SelectContext(ctx, &addresses, c.from.servers); err != nil {
		return err
	}
	if len(addresses) > 0 {
		return domain.Errorf(domain.Conflict, "a server is connected to the source (from %s), and what it writes from now on would be missing; stop every server, and run this again",
			strings.Join(addresses, ", "))
	}
	return nil
}

// prepareTarget refuses a target that holds something else than the beginning of this copy, and makes its schema.
func (c *copier) prepareTarget(ctx context.Context, target engine) error {
	var installation string
	if err := c.source.GetContext(ctx, &installation, "SELECT initial_org_id FROM installation"); err != nil {
		return noInstallation(err)
	}
	begun, err := c.begun(ctx)
	if err != nil {
		return err
	}
	if begun == "" {
		if err := target.migrate(ctx); err != nil {
			return err
		}
		_, err := c.target.ExecContext(ctx, c.to.rebind("INSERT INTO transfers (name, last_key) VALUES ('', ?)"), installation)
		return err
	}
	c.continuing = true
	var has, needs int64
	if err := c.target.GetContext(ctx, &has, currentSchema); err != nil {
		return err
	}
	if needs, err = knownSchema(c.target.DB, c.to); err != nil {
		return err
	}
	if begun != installation || has != needs {
		return domain.Errorf(domain.Conflict, "the target holds the beginning of another copy; give an empty database")
	}
	return c.clear(ctx)
}

// begun is the installation whose copy fills the target; empty when nothing does, and Conflict when something else is in it.
func (c *copier) begun(ctx context.Context) (string, error) {
	var there []string
	if err := c.target.SelectContext(ctx, &there, c.to.tables); err != nil {
		return "", err
	}
	if slices.Contains(there, "transfers") {
		var begun []string
		if err := c.target.SelectContext(ctx, &begun, "SELECT last_key FROM transfers WHERE name = ''"); err != nil || len(begun) > 0 {
			return strings.Join(begun, ""), err
		}
	}
	for _, name := range there {
		if name == "goose_db_version" || name == "schema_compatible" {
			continue // what an empty schema has
		}
		var held int
		if err := c.target.GetContext(ctx, &held, "SELECT COUNT(*) FROM (SELECT 1 FROM "+quoted(name)+" LIMIT 1) AS held"); err != nil {
			return "", err
		}
		if held > 0 {
			return "", domain.Errorf(domain.Conflict, "the target is not empty (its table %s has rows), and nothing was changed; give an empty database", name)
		}
	}
	return "", nil
}

// quoted is a name as an identifier of either engine.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// clear removes what an earlier run brought and this one is to leave out.
func (c *copier) clear(ctx context.Context) error {
	for _, name := range c.Without {
		if _, err := c.target.ExecContext(ctx, "DELETE FROM "+name); err != nil {
			return err
		}
		if _, err := c.target.ExecContext(ctx, c.to.rebind("DELETE FROM transfers WHERE name = ?"), name); err != nil {
			return err
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
		if written {
			c.copied(t)
		}
	}
	if err := errors.Join(rows.failed, into.flush(ctx)); err != nil {
		return err
	}
	c.copied(t)
	return nil
}

func (c *copier) copied(t table) {
	if c.afterCopy != nil {
		c.afterCopy(t.name)
	}
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
	if c.to.analyze != "" && there.Rows > 0 {
		// The planner would take a filled table for an empty one until it looks by itself.
		if _, err := c.target.ExecContext(ctx, c.to.analyze+t.name); err != nil {
			return err
		}
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
	var line []byte
	for rows.next() {
		copied.Rows++
		line = line[:0]
		for _, value := range rows.values {
			line = appendValue(line, value)
		}
		_, _ = sum.Write(line)
	}
	copied.Digest = hex.EncodeToString(sum.Sum(nil))
	return copied, rows.failed
}

// appendValue writes a value as its kind, its length and its text, so that no two rows look the same; package fmt would take most of a restore's time.
func appendValue(line []byte, value any) []byte {
	var kind, text string
	switch known := value.(type) {
	case string:
		kind, text = "string", known
	case int64:
		kind, text = "int64", strconv.FormatInt(known, 10)
	case bool:
		kind, text = "bool", strconv.FormatBool(known)
	default:
		kind, text = fmt.Sprintf("%T", value), fmt.Sprint(value)
	}
	line = append(append(line, kind...), ' ')
	line = append(strconv.AppendInt(line, int64(len(text)), 10), ' ')
	return append(append(line, text...), '\n')
}

// unfinished refuses a database that a copy has only begun to fill.
func unfinished(ctx context.Context, pool sqlx.QueryerContext) error {
	var begun int
	if err := sqlx.GetContext(ctx, pool, &begun, "SELECT COUNT(*) FROM transfers"); err != nil {
		return translate(err)
	}
	if begun > 0 {
		return domain.Errorf(domain.Conflict, "this database was filled only in part by \"muster migrate-data\" or \"muster restore\"; run the same command again, which goes on where it was")
	}
	return nil
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
