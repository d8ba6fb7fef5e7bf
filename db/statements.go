package db

import (
	"context"
	"database/sql/driver"
)

// The statements that a connection keeps prepared: parsing and planning cost more than most of ours take to run.
const (
	keptStatements   = 200
	longestStatement = 8192 // bytes; longer ones are filters that seldom come again
	// PostgreSQL plans a statement for good after a few runs, by the tables' size at that time.
	// Preparing it again now and then keeps a plan made for an empty table from serving a full one.
	usesOfStatement = 300
)

// preparing is a connector whose connections prepare each statement once.
type preparing struct{ driver.Connector }

// Connect implements driver.Connector.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &preparedConn{Conn: conn, statements: map[string]*preparedStatement{}}, nil
}

// preparedConn runs statements through those it has prepared; database/sql lets one caller at a time use it.
type preparedConn struct {
	driver.Conn

	statements map[string]*preparedStatement
}

type preparedStatement struct {
	driver.Stmt

	uses int
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if len(query) > longestStatement {
		if direct, ok := c.Conn.(driver.QueryerContext); ok {
			return direct.QueryContext(ctx, query, args)
		}
	}
	statement, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	queryer, ok := statement.(driver.StmtQueryContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	rows, err := queryer.QueryContext(ctx, args)
	if err != nil {
		c.forget(query)
		return nil, err
	}
	return rows, nil
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(query) > longestStatement {
		if direct, ok := c.Conn.(driver.ExecerContext); ok {
			return direct.ExecContext(ctx, query, args)
		}
	}
	statement, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	execer, ok := statement.(driver.StmtExecContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	result, err := execer.ExecContext(ctx, args)
	if err != nil {
		c.forget(query)
		return nil, err
	}
	return result, nil
}

// statement returns the prepared statement.
func (c *preparedConn) statement(ctx context.Context, query string) (driver.Stmt, error) {
	if known, ok := c.statements[query]; ok {
		if known.uses++; known.uses < usesOfStatement {
			return known.Stmt, nil
		}
		c.forget(query)
	}
	if len(c.statements) >= keptStatements {
		// Which one goes is left to chance; one that is needed comes back.
		for one := range c.statements {
			c.forget(one)
			break
		}
	}
	statement, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.statements[query] = &preparedStatement{Stmt: statement}
	return statement, nil
}

// forget drops a statement; one that failed too, because another process may have changed the schema under it.
func (c *preparedConn) forget(query string) {
	_ = c.statements[query].Close()
	delete(c.statements, query)
}

// BeginTx implements driver.ConnBeginTx.
func (c *preparedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if beginner, ok := c.Conn.(driver.ConnBeginTx); ok {
		return beginner.BeginTx(ctx, opts)
	}
	return nil, driver.ErrBadConn
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *preparedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if preparer, ok := c.Conn.(driver.ConnPrepareContext); ok {
		return preparer.PrepareContext(ctx, query)
	}
	return c.Prepare(query)
}

// CheckNamedValue implements driver.NamedValueChecker.
func (c *preparedConn) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

// ResetSession implements driver.SessionResetter.
func (c *preparedConn) ResetSession(ctx context.Context) error {
	if resetter, ok := c.Conn.(driver.SessionResetter); ok {
		return resetter.ResetSession(ctx)
	}
	return nil
}

// IsValid implements driver.Validator.
func (c *preparedConn) IsValid() bool {
	validator, ok := c.Conn.(driver.Validator)
	return !ok || validator.IsValid()
}
