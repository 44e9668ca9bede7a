package orm

import (
	"context"
	"strconv"
	"sync/atomic"
	"unsafe"
)

// cursorDialect is a [Dialect] whose database keeps the result of a query and hands it out in
// parts, while other statements of the transaction run between.
type cursorDialect interface {
	// DeclareCursor writes what comes before the SELECT of a cursor.
	DeclareCursor(name string) string
	// FetchCursor reads the next rows.
	FetchCursor(name string, rows int) string
	CloseCursor(name string) string
}

var cursorSerial atomic.Int64

// streamCursor hands out the rows inside a transaction, with no more than streamChunk of them
// in memory.
func (q *query) streamCursor(ctx context.Context, db *DB, d cursorDialect, yield func(unsafe.Pointer) bool) error {
	if q.never() {
		return q.check(db, q.orderTerms())
	}
	s, err := q.compile(db, forRows, q.orderTerms())
	if err != nil {
		return err
	}
	defer s.done()
	name := "orm_cursor_" + strconv.FormatInt(cursorSerial.Add(1), 10)
	if _, err := db.exec(q.told(ctx), Statement{SQL: d.DeclareCursor(name) + s.SQL, Args: s.Args, Once: true}); err != nil {
		return err
	}
	err = s.reader.fetch(ctx, db, Statement{SQL: d.FetchCursor(name, streamChunk), Once: true}, yield)
	if tx := db.transactionOf(ctx); tx != nil && tx.brokenBy() == nil && ctx.Err() == nil {
		// The end of the transaction would close it, but that may be a long way off.
		if _, closeErr := db.exec(ctx, Statement{SQL: d.CloseCursor(name), Once: true}); err == nil {
			err = closeErr
		}
	}
	return err
}

// fetch reads a cursor to its end, or until yield has enough.
func (r *reader) fetch(ctx context.Context, db *DB, next Statement, yield func(unsafe.Pointer) bool) error {
	chunk := make([]unsafe.Pointer, 0, streamChunk)
	for {
		rows, err := db.query(ctx, next)
		if err != nil {
			return err
		}
		chunk = chunk[:0]
		for rows.Next() {
			row, err := r.row(rows)
			if err != nil {
				rows.Close()
				return err
			}
			chunk = append(chunk, row)
		}
		if err := closeRows(rows); err != nil {
			return err
		}
		if err := r.root.loadMany(ctx, db); err != nil {
			return err
		}
		for i, row := range chunk {
			chunk[i] = nil
			if !yield(row) {
				return nil
			}
		}
		if len(chunk) < streamChunk {
			return nil
		}
	}
}
