package db

import (
	"context"
	"time"

	"muster/domain"
)

// Transaction is a Read or a Write that has ended, for whoever counts them.
type Transaction struct {
	// Write tells a Write from a Read.
	Write bool
	// Runs is how often its function ran: more than once after a conflict, a lost connection or a presumption that did not hold.
	Runs int
	Took time.Duration
	// Err is what the caller got, and Canceled says that the caller had gone away by then.
	Err      error
	Canceled bool
}

// observed runs a transaction and tells the observer, where there is one.
func (d *DB) observed(ctx context.Context, write bool, run func(beginTx) error) error {
	begin := d.begin(!write)
	if d.observe == nil {
		return run(begin)
	}
	done := Transaction{Write: write}
	begun := time.Now()
	done.Err = run(func(ctx context.Context, q querier) *tx {
		done.Runs++
		return begin(ctx, q)
	})
	done.Took, done.Canceled = time.Since(begun), ctx.Err() != nil
	d.observe(ctx, done)
	return done.Err
}

// Pool is how busy the connections of one kind are.
type Pool struct {
	Name    string
	MaxOpen int
	Open    int
	InUse   int
	Idle    int
	// Waits is how often somebody waited for a connection, and Waited for how long altogether.
	Waits  int64
	Waited time.Duration
}

// Pools returns the pools that requests share: PostgreSQL's one, or the one of SQLite's readers.
// SQLite's writer is a single connection whose transactions wait for each other by design.
func (d *DB) Pools() []Pool { return []Pool{d.engine.busy()} }

func (p *postgres) busy() Pool {
	stats := p.pool.Stats()
	return Pool{
		Name: string(PostgreSQL), MaxOpen: stats.MaxOpenConnections, Open: stats.OpenConnections, InUse: stats.InUse, Idle: stats.Idle,
		// Requests wait for one of the slots before they ask the pool.
		Waits: stats.WaitCount + p.waits.Load(), Waited: stats.WaitDuration + time.Duration(p.waited.Load()),
	}
}

func (s *sqliteEngine) busy() Pool {
	stats := s.reader.Stats()
	return Pool{
		Name: "sqlite readers", MaxOpen: stats.MaxOpenConnections, Open: stats.OpenConnections, InUse: stats.InUse, Idle: stats.Idle,
		Waits: stats.WaitCount, Waited: stats.WaitDuration,
	}
}

// Vitals is what an operator watches of what is stored. Times are zero where there is nothing.
type Vitals struct {
	// Schema is the version of the database's schema.
	Schema int64
	// BackupAt is when "muster backup" last made one.
	BackupAt time.Time
	// Sessions, MailsWaiting, MailsDead and DeadLetters are counted up to MostCounted.
	Sessions     int64
	MailsWaiting int64
	MailsDead    int64
	DeadLetters  int64
	// GuardsHolding is how many organizations have deprovisioning held back.
	GuardsHolding int64
	// TokenEnds is when the next of the SCIM tokens that still live ends.
	TokenEnds time.Time
	// ExportBehind is how many audit rows the export has not taken, and ExportOldest the time of the first of them.
	ExportBehind int64
	ExportOldest time.Time
	// HooksBehind and HooksOldest are the same over all enabled event hooks.
	HooksBehind int64
	HooksOldest time.Time
}

// MostCounted bounds what counting costs.
const MostCounted = 100_000

// vitalsQuery is one statement, so that a look at an idle database is one round trip; each part goes by an index or over few rows.
const vitalsQuery = `SELECT
	(SELECT MAX(version_id) FROM goose_db_version) AS schema_version,
	(SELECT backup_at FROM installation WHERE id = 1) AS backup_at,
	(SELECT COUNT(*) FROM (SELECT 1 AS one FROM sessions WHERE ends_at > ? LIMIT ?) AS a) AS sessions,
	(SELECT COUNT(*) FROM (SELECT 1 AS one FROM outbox WHERE dead = FALSE LIMIT ?) AS b) AS mails_waiting,
	(SELECT COUNT(*) FROM (SELECT 1 AS one FROM outbox WHERE dead = TRUE LIMIT ?) AS c) AS mails_dead,
	(SELECT COUNT(*) FROM (SELECT 1 AS one FROM dead_letters LIMIT ?) AS d) AS dead_letters,
	(SELECT COUNT(*) FROM guards WHERE enabled = TRUE AND state = 'holding') AS guards_holding,
	(SELECT MIN(expires_at) FROM scim_tokens WHERE expires_at > 0 AND expires_at > ?) AS token_ends,
	(SELECT CAST(SUM(h.seq - COALESCE(f.seq, 0)) AS BIGINT) ` + exportBehind + `) AS export_behind,
	(SELECT MIN((` + nextRow + `)) ` + exportBehind + `) AS export_oldest,
	(SELECT CAST(SUM(h.seq - f.seq) AS BIGINT) ` + hooksBehind + `) AS hooks_behind,
	(SELECT MIN((` + nextRow + `)) ` + hooksBehind + `) AS hooks_oldest`

const (
	exportBehind = `FROM audit_heads h LEFT JOIN feeds f ON f.org_id = h.org_id AND f.id = 'export' WHERE h.seq > COALESCE(f.seq, 0)`
	hooksBehind  = `FROM event_hooks e JOIN feeds f ON f.org_id = e.org_id AND f.id = 'hook:' || e.id
		JOIN audit_heads h ON h.org_id = e.org_id WHERE e.enabled = TRUE AND h.seq > f.seq`
	// nextRow is when the first row happened that a feed has not delivered; zero is the index's own condition.
	nextRow = `SELECT r.at FROM audit_log r WHERE r.org_id = h.org_id AND r.seq > 0 AND r.seq = COALESCE(f.seq, 0) + 1`
)

// Vitals asks the database; it is Unavailable when that does not answer.
func (d *DB) Vitals(ctx context.Context) (Vitals, error) {
	if !d.migrated.Load() {
		return Vitals{}, notYet()
	}
	var found Vitals
	var made *tx
	begin := d.begin(true)
	err := d.engine.read(ctx, func(ctx context.Context, q querier) *tx {
		made = begin(ctx, q)
		return made
	}, func(domain.Tx) (err error) {
		found, err = vitals(handle{tx: made})
		return err
	})
	return found, err
}

func vitals(h handle) (Vitals, error) {
	var row struct {
		Schema        int64  `db:"schema_version"`
		BackupAt      *int64 `db:"backup_at"`
		Sessions      int64  `db:"sessions"`
		MailsWaiting  int64  `db:"mails_waiting"`
		MailsDead     int64  `db:"mails_dead"`
		DeadLetters   int64  `db:"dead_letters"`
		GuardsHolding int64  `db:"guards_holding"`
		TokenEnds     *int64 `db:"token_ends"`
		ExportBehind  *int64 `db:"export_behind"`
		ExportOldest  *int64 `db:"export_oldest"`
		HooksBehind   *int64 `db:"hooks_behind"`
		HooksOldest   *int64 `db:"hooks_oldest"`
	}
	now := micros(h.now)
	err := h.get("", &row, vitalsQuery, now, MostCounted, MostCounted, MostCounted, MostCounted, now)
	return Vitals{
		Schema: row.Schema, BackupAt: momentOf(row.BackupAt), Sessions: row.Sessions, MailsWaiting: row.MailsWaiting, MailsDead: row.MailsDead,
		DeadLetters: row.DeadLetters, GuardsHolding: row.GuardsHolding, TokenEnds: momentOf(row.TokenEnds),
		ExportBehind: orZero(row.ExportBehind), ExportOldest: momentOf(row.ExportOldest),
		HooksBehind: orZero(row.HooksBehind), HooksOldest: momentOf(row.HooksOldest),
	}, err
}

func momentOf(at *int64) time.Time { return moment(orZero(at)) }

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
