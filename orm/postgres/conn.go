package postgres

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/retort-web/retort/orm"
)

// conn is a connection while it is taken from the pool, with what is kept between
// statements.
type conn struct {
	db     *database // that it was taken for
	pooled *pgxpool.Conn
	raw    *pgconn.PgConn
	taken  moment // from the pool
	used   moment // last
	hold   hold

	size   int                      // most statements kept
	byText map[string]*list.Element // of *statement
	recent *list.List               // most recently used first
	serial int                      // of statement names

	args arguments
}

// statement is a prepared statement, with the plan by which its rows are read.
type statement struct {
	*pgconn.StatementDescription
	columns []column
	formats []int16 // of the columns, or one that all have
	// brief is the description that each run is given. The driver copies its fields, and
	// without any would ask the server for them; nobody reads them.
	brief pgconn.StatementDescription
}

// moment is a time since the program began. It takes one look at a clock, a time two.
type moment time.Duration

var beginning = time.Now()

func now() moment { return moment(time.Since(beginning)) }

func (m moment) plus(d time.Duration) moment { return m + moment(d) }

// connKey is where a connection keeps its conn.
const connKey = "retort"

func (d *database) connOf(pooled *pgxpool.Conn) *conn {
	raw := pooled.Conn().PgConn()
	c, ok := raw.CustomData()[connKey].(*conn)
	if !ok {
		c = &conn{raw: raw, byText: map[string]*list.Element{}, recent: list.New()}
		raw.CustomData()[connKey] = c
	}
	c.db, c.pooled, c.size, c.taken = d, pooled, d.options.Statements, now()
	return c
}

// died reports that the connection, which had been in use before, was found dead. A new
// one that dies says that it is not the connection's age: then nothing is tried again.
func (c *conn) died(ctx context.Context) bool {
	return c.raw.IsClosed() && c.used != 0 && ctx.Err() == nil
}

// query runs a statement and waits for its first row, so that what is wrong with
// it is known.
func (c *conn) query(ctx context.Context, s orm.Statement) (*rows, error) {
	st, result, err := c.send(ctx, s)
	if err != nil {
		return nil, err
	}
	r := &rows{result: result, plan: st}
	if err := r.start(); err != nil {
		c.forgetIf(err)
		return nil, err
	}
	return r, nil
}

// exec runs a statement and returns how many rows it has changed.
func (c *conn) exec(ctx context.Context, s orm.Statement) (int64, error) {
	_, result, err := c.send(ctx, s)
	if err != nil {
		return 0, err
	}
	tag, err := result.Close()
	if err != nil {
		c.forgetIf(err)
	}
	return tag.RowsAffected(), err
}

// send sends a statement, prepared if it will come again; then it returns that too.
func (c *conn) send(ctx context.Context, s orm.Statement) (*statement, *pgconn.ResultReader, error) {
	if c.size == 0 || s.Once {
		// One trip to the server and back, with all values as text, as their types are
		// not known.
		if err := c.args.encode(s.Args, nil); err != nil {
			return nil, nil, err
		}
		result := c.raw.ExecParams(ctx, s.SQL, c.args.values, nil, c.args.formats, nil)
		c.args.forget()
		return nil, result, nil
	}
	st, err := c.prepare(ctx, s.SQL)
	if err != nil {
		return nil, nil, err
	}
	if len(s.Args) != len(st.ParamOIDs) {
		return nil, nil, fmt.Errorf("postgres: the statement has %d parameters and %d arguments", len(st.ParamOIDs), len(s.Args))
	}
	if err := c.args.encode(s.Args, st.ParamOIDs); err != nil {
		return nil, nil, err
	}
	result := c.raw.ExecStatement(ctx, &st.brief, c.args.values, c.args.formats, st.formats)
	c.args.forget()
	return st, result, nil
}

// querySimple runs a statement with its values in the text.
func (c *conn) querySimple(ctx context.Context, s orm.Statement) (*rows, error) {
	args, err := simpleArgs(s.Args)
	if err != nil {
		return nil, err
	}
	raw, err := c.pooled.Query(ctx, s.SQL, args...)
	if err != nil {
		return nil, err
	}
	r := &rows{simple: raw}
	return r, r.start()
}

// prepare returns the prepared statement of a text, from those kept if it can.
func (c *conn) prepare(ctx context.Context, sql string) (*statement, error) {
	if e := c.byText[sql]; e != nil {
		c.recent.MoveToFront(e)
		return e.Value.(*statement), nil
	}
	for c.recent.Len() >= c.size {
		if err := c.drop(ctx, c.recent.Back()); err != nil {
			return nil, err
		}
	}
	c.serial++
	d, err := c.raw.Prepare(ctx, "retort_"+strconv.Itoa(c.serial), sql, nil)
	if err != nil {
		return nil, err
	}
	st := planOf(d)
	c.byText[sql] = c.recent.PushFront(st)
	return st, nil
}

// planOf plans how a statement is run.
func planOf(d *pgconn.StatementDescription) *statement {
	st := &statement{StatementDescription: d, columns: make([]column, len(d.Fields)), formats: make([]int16, len(d.Fields)), brief: *d}
	same := true
	for i, f := range d.Fields {
		st.columns[i] = columnOf(f.Name, f.DataTypeOID)
		st.formats[i] = st.columns[i].format
		same = same && st.formats[i] == st.formats[0]
	}
	if same {
		st.formats = st.formats[:min(1, len(st.formats))]
		st.brief.Fields = []pgconn.FieldDescription{{}}
	}
	return st
}

// drop makes the server forget a statement.
func (c *conn) drop(ctx context.Context, e *list.Element) error {
	st := e.Value.(*statement)
	if err := c.raw.Deallocate(ctx, st.Name); err != nil {
		return err
	}
	c.recent.Remove(e)
	delete(c.byText, st.SQL)
	return nil
}

// forgetIf drops all statements after one was found stale: what has changed for one,
// a table or the connection behind a pooler, has likely changed for others.
func (c *conn) forgetIf(err error) {
	if stale(err) {
		clear(c.byText)
		c.recent.Init()
	}
}

// cancel asks the server to stop the statement that runs.
func (c *conn) cancel() {
	ctx, stop := context.WithTimeout(context.Background(), cancelPatience)
	defer stop()
	_ = c.raw.CancelRequest(ctx)
}

// Codes of errors after which a prepared statement must be prepared anew,
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	codeFeatureNotSupported = "0A000"
	codeInvalidStatement    = "26000"
)

// stale reports that a prepared statement does not fit the database any more: a
// table has changed since, or the server has forgotten it. Nothing has been run.
func stale(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == codeInvalidStatement || e.Code == codeFeatureNotSupported && e.Routine == "RevalidateCachedQuery")
}
