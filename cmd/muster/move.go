package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"muster/cmd/internal/server"
	"muster/db"
	"muster/domain"
)

type backupCommand struct {
	Place string `arg:"" help:"File to write, which must not be there yet, or a directory, in which the file is named by the time."`
	Keep  int    `help:"In a directory, remove all backups but the newest N." placeholder:"N"`
	Quiet bool   `short:"q" help:"Print the file's name only."`
}

// Run makes the backup; servers go on working meanwhile.
func (c backupCommand) Run(env environment) error {
	if c.Keep < 0 {
		return domain.Invalidf("", "--keep is how many backups stay, 1 or more; 0 keeps all")
	}
	cfg, err := env.config()
	if err != nil {
		return err
	}
	table := env.table(c.Quiet)
	file, err := server.Backup(env, cfg, c.Place, c.Keep, table.add)
	if err != nil {
		return err
	}
	if err := table.flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(env.stdout, file); err != nil || c.Quiet {
		return err
	}
	_, err = fmt.Fprintln(env.stdout, "the encryption key is not in it: keep that too, in another place")
	return err
}

type restoreCommand struct {
	File     string `arg:"" help:"A file that \"muster backup\" made."`
	Sessions bool   `help:"Bring sessions back too; without it everybody signs in again."`
	Quiet    bool   `short:"q" help:"Print nothing but what is not well."`
}

// Run fills the configured database, which must be empty.
func (c restoreCommand) Run(env environment) error {
	cfg, err := env.config()
	if err != nil {
		return err
	}
	table := env.table(c.Quiet)
	findings, err := server.Restore(env, cfg, c.File, c.Sessions, table.add)
	if err != nil {
		return err
	}
	if err := table.flush(); err != nil {
		return err
	}
	for _, finding := range findings {
		_, _ = fmt.Fprintf(env.stdout, "%s: %s: %s\n", finding.Level, finding.Check, finding.Detail)
	}
	if c.Quiet {
		return nil
	}
	_, err = fmt.Fprintln(env.stdout, "restored. Whom the identity provider removed since, and what was revoked since, is back: "+
		"let it provision everybody again, and see docs/backup.md")
	return err
}

type migrateDataCommand struct {
	From  string `arg:"" help:"The database to read, sqlite://FILE or postgres://…; no server may use it."`
	To    string `arg:"" help:"The database to fill; it must be empty, or hold the beginning of this same copy."`
	Quiet bool   `short:"q" help:"Print nothing when it went well."`
}

// Run copies everything; when it was cut off, running it again goes on where it was.
func (c migrateDataCommand) Run(env environment) error {
	if c.From == c.To {
		return domain.Invalidf("", "both addresses are the same database")
	}
	table := env.table(c.Quiet)
	if err := server.Move(env, c.From, c.To, table.add); err != nil {
		return err
	}
	if err := table.flush(); err != nil || c.Quiet {
		return err
	}
	text := "everything is there and the same; set DATABASE_URL to the new address and start the server"
	if file, ok := strings.CutPrefix(c.From, "sqlite://"); ok {
		text += ". The encryption key stays what it was: set ENCRYPTION_KEY_FILE=" + file + ".key where no ENCRYPTION_KEY is set"
	}
	_, err := fmt.Fprintln(env.stdout, text)
	return err
}

// copiedTable prints what was copied, with the number of rows and the beginning of the digest of each table.
type copiedTable struct {
	writer *tabwriter.Writer
	rows   int64
}

func (env environment) table(quiet bool) *copiedTable {
	if quiet {
		return &copiedTable{}
	}
	return &copiedTable{writer: tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)}
}

func (t *copiedTable) add(copied db.Copied) {
	t.rows += copied.Rows
	if t.writer != nil && copied.Rows > 0 {
		_, _ = fmt.Fprintf(t.writer, "%s\t%d\t%.12s\n", copied.Table, copied.Rows, copied.Digest)
	}
}

func (t *copiedTable) flush() error {
	if t.writer == nil {
		return nil
	}
	_, _ = fmt.Fprintf(t.writer, "all\t%d\n", t.rows)
	return t.writer.Flush()
}
