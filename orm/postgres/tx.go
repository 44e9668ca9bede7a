package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/retort-web/retort/orm"
)

// tx is a transaction. It has its connection to itself.
type tx struct {
	db   *database
	conn *conn
	// busy is set while rows are open: the connection can do nothing else.
	busy bool
}

func (d *database) Begin(ctx context.Context, options orm.TxOptions) (orm.Tx, error) {
	c, err := d.take(ctx)
	if err != nil {
		return nil, err
	}
	t := &tx{db: d, conn: c}
	if err := t.begin(ctx, options); err != nil {
		again := c.died(ctx)
		d.give(c) // which throws it away unless it is outside of a transaction
		if again {
			return d.Begin(ctx, options)
		}
		return nil, err
	}
	return t, nil
}

func (t *tx) begin(ctx context.Context, options orm.TxOptions) error {
	sql := "BEGIN"
	if options.Isolation != orm.DefaultIsolation {
		sql += " ISOLATION LEVEL " + string(options.Isolation)
	}
	if options.ReadOnly {
		sql += " READ ONLY"
	}
	if options.Deferrable {
		sql += " DEFERRABLE"
	}
	if err := t.run(ctx, sql); err != nil {
		return err
	}
	if options.WithoutForeignKeys {
		// Foreign keys are made deferrable for this.
		return t.run(ctx, "SET CONSTRAINTS ALL DEFERRED")
	}
	return nil
}

// run runs a statement of this package's own.
func (t *tx) run(ctx context.Context, sql string) error {
	_, err := t.conn.raw.Exec(ctx, sql).ReadAll()
	return err
}

var errBusy = errors.New("postgres: rows of this transaction are still open; read them all, or close them, before the next statement")

func (t *tx) Query(ctx context.Context, s orm.Statement) (orm.Rows, error) {
	if t.busy {
		return nil, errBusy
	}
	r, err := t.db.query(ctx, t.conn, s)
	if err != nil {
		return nil, err
	}
	if !r.closed {
		t.busy, r.tx = true, t
	}
	return r, nil
}

func (t *tx) Exec(ctx context.Context, s orm.Statement) (orm.Result, error) {
	if t.busy {
		return orm.Result{}, errBusy
	}
	return t.db.exec(ctx, t.conn, s)
}

// endPatience is how long the end of a transaction may take when the context that
// began it cannot end it any more.
const endPatience = 10 * time.Second

func (t *tx) Commit(ctx context.Context) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
	defer stop()
	defer t.db.give(t.conn)
	results, err := t.conn.raw.Exec(ctx, "COMMIT").ReadAll()
	if err != nil {
		return err
	}
	// The server answers ROLLBACK to the COMMIT of a transaction that has failed.
	if n := len(results); n == 0 || results[n-1].CommandTag.String() != "COMMIT" {
		return errors.New("postgres: the transaction had failed and was rolled back instead of committed")
	}
	return nil
}

func (t *tx) Rollback(ctx context.Context) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
	defer stop()
	defer t.db.give(t.conn)
	if t.conn.raw.IsClosed() {
		return nil // with the connection the server gives up its transaction
	}
	if err := t.run(ctx, "ROLLBACK"); err != nil && !t.conn.raw.IsClosed() {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}
