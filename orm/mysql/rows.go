package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/internal/statement"
)

// columnKind is how a column's values, as the driver gives them, become plain ones.
type columnKind uint8

const (
	asIs    columnKind = iota
	text               // bytes that are text
	blob               // bytes, in the driver's buffer
	date               // a time that is a day
	decimal            // text; a number if it has no fraction
)

// rows is an open result. It reads from the connection as it goes.
type rows struct {
	ctx     context.Context
	conn    *conn
	stmt    *statement.Stmt // nil if the statement was not prepared
	raw     driver.Rows
	columns []string
	kinds   []columnKind
	values  []driver.Value // the row as the driver gave it, until the next one is read
	done    func()
	end     func() // the watch of the context
	err     error
	ended   bool // read to the end
	closed  bool
	started bool

	ahead [][]any // rows that were read because the connection was needed
	row   []any   // the row, if it comes from there
}

// describe looks at the columns.
func (r *rows) describe() {
	r.columns = r.raw.Columns()
	r.values = make([]driver.Value, len(r.columns))
	r.kinds = make([]columnKind, len(r.columns))
	types := r.raw.(driver.RowsColumnTypeDatabaseTypeName)
	for i := range r.kinds {
		r.kinds[i] = kindOfColumn(types.ColumnTypeDatabaseTypeName(i))
		if r.kinds[i] == decimal {
			if _, scale, ok := r.raw.(driver.RowsColumnTypePrecisionScale).ColumnTypePrecisionScale(i); !ok || scale > 0 {
				r.kinds[i] = text
			}
		}
	}
}

func kindOfColumn(name string) columnKind {
	switch name {
	case "BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB", "BINARY", "VARBINARY", "BIT", "GEOMETRY", "VECTOR":
		return blob
	case "DATE":
		return date
	case "DECIMAL":
		return decimal
	case "BIGINT", "INT", "SMALLINT", "TINYINT", "MEDIUMINT", "DOUBLE", "FLOAT", "DATETIME", "TIMESTAMP", "YEAR", "NULL":
		return asIs
	}
	return text
}

func (r *rows) Columns() []string { return r.columns }

func (r *rows) Next() bool {
	r.conn.mu.Lock()
	defer r.conn.mu.Unlock()
	if r.closed {
		return false
	}
	if len(r.ahead) > 0 {
		r.row, r.ahead = r.ahead[0], r.ahead[1:]
		return true
	}
	if r.ended || r.err != nil {
		return false
	}
	if r.err = r.ctx.Err(); r.err != nil {
		return false
	}
	return r.read()
}

// read reads the next row.
func (r *rows) read() bool {
	r.started = true
	err := r.raw.Next(r.values)
	if errors.Is(err, io.EOF) {
		r.ended = true
		return false
	}
	r.conn.note(err)
	r.err = err
	return err == nil
}

// buffer reads all rows, so that the connection is free for something else.
func (r *rows) buffer() {
	if r.row == nil && r.started {
		r.row = r.plain()
	}
	for !r.ended && r.err == nil && r.read() {
		r.ahead = append(r.ahead, r.plain())
	}
	r.finish()
}

func (r *rows) plain() []any {
	list := make([]any, len(r.values))
	for i := range r.values {
		list[i] = r.value(i)
	}
	return list
}

// value makes a plain value of the driver's, which lives until the next row only.
func (r *rows) value(i int) any {
	switch v := r.values[i].(type) {
	case []byte:
		switch r.kinds[i] {
		case blob:
			return append(make([]byte, 0, len(v)), v...)
		case decimal:
			if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
				return n
			}
		}
		return string(v)
	case time.Time:
		if r.kinds[i] == date {
			return v.Format(time.DateOnly)
		}
		return v
	case float32:
		return float64(v)
	case uint64:
		return strconv.FormatUint(v, 10)
	default:
		return v
	}
}

func (r *rows) Scan(cells []orm.Cell) error {
	if len(cells) != len(r.values) {
		return errors.New("mysql: the result has other columns than asked for")
	}
	r.conn.mu.Lock()
	defer r.conn.mu.Unlock()
	for i := range cells {
		var v any
		if r.row != nil {
			v = r.row[i]
		} else {
			v = r.value(i)
		}
		if err := cells[i].Set(v); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) Values() ([]any, error) {
	r.conn.mu.Lock()
	defer r.conn.mu.Unlock()
	if r.row != nil {
		return r.row, nil
	}
	return r.plain(), nil
}

func (r *rows) Err() error { return r.err }

// drainTime is how long the rest of a result is read before the server is told to stop
// sending it.
const drainTime = 20 * time.Millisecond

func (r *rows) Close() {
	r.conn.mu.Lock()
	if r.closed {
		r.conn.mu.Unlock()
		return
	}
	r.closed = true
	r.ahead = nil
	r.finish()
	r.conn.mu.Unlock()
	r.done()
}

// finish ends the reading and leaves the connection free.
func (r *rows) finish() {
	if r.conn.open != r {
		return
	}
	r.conn.open = nil
	if !r.ended && r.err == nil && !r.conn.inTx {
		// Of a long result that nobody wants any more the server is told to stop.
		finished := make(chan struct{})
		timer := time.AfterFunc(drainTime, func() {
			r.conn.broken.Store(true)
			r.conn.server.kill(r.conn.id.Load(), finished)
		})
		defer close(finished)
		defer timer.Stop()
	}
	err := r.raw.Close()
	if !r.ended && isInterrupted(err) {
		err = nil
	}
	if r.stmt != nil {
		if releaseErr := r.stmt.Release(); err == nil {
			err = releaseErr
		}
	}
	r.conn.note(err)
	r.end()
	if r.err == nil {
		r.err = err
	}
}
