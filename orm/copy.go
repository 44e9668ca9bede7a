package orm

import (
	"context"
	"errors"
	"reflect"
	"unsafe"
)

// copier is a [Dialect] whose database takes many rows at once in a way that is quicker than
// INSERT. Its transactions are a [CopyTx].
type copier interface {
	// CopyQuery is a query whether rows can be copied into a table with the outcome of an
	// INSERT. Its arguments are the table, quoted, its columns as Array makes them, a number and,
	// if the database is to make keys, their column. It returns as many rows as the number
	// says, or none. They have two columns: in the first row the types of the columns, in the
	// form that CopyRows takes; and a new key.
	CopyQuery(makeKeys bool) string
	// CopyText is the statement that copies.
	CopyText(table string, columns []string) string
	// Array is that of arrayUpdater.
	Array(values []any) (any, bool)
}

// CopyTx is a [Tx] that takes many rows at once. Not stable.
type CopyTx interface {
	// CopyRows inserts n rows, the values of which are written when they are asked for, and
	// returns how many of them, from the first on, it has inserted. It stops before one that
	// has a value which it cannot send.
	CopyRows(ctx context.Context, s Statement, types string, n int, values func(row int, to ValueWriter) error) (int64, error)
}

const (
	// copyFrom is how many rows are worth the question whether they can be copied.
	copyFrom = 100
	// copyBatch is how many are copied at a time: that many keys are made for them.
	copyBatch = 5000
)

// copyRows inserts rows of a group in the quicker way, if there are enough and it can be done,
// and returns how many it has inserted.
func (m *ModelInfo) copyRows(ctx context.Context, db *DB, g *insertGroup) (done int, err error) {
	d, ok := db.backend.Dialect().(copier)
	if !ok || len(m.PrimaryKey.Parts) > 0 {
		return 0, nil
	}
	for len(g.rows)-done >= copyFrom {
		part := *g
		part.rows = g.rows[done:min(done+copyBatch, len(g.rows))]
		n, err := m.copyBatch(ctx, db, d, &part)
		done += n
		if err != nil || n < len(part.rows) {
			return done, err
		}
	}
	return done, nil
}

func (m *ModelInfo) copyBatch(ctx context.Context, db *DB, d copier, g *insertGroup) (int, error) {
	columns := g.columns
	if g.giveKeys {
		columns = append([]*FieldInfo{m.PrimaryKey}, columns...)
	}
	types, keys, err := m.copyPlan(ctx, db, d, columns, g)
	if err != nil || types == "" {
		return 0, err
	}
	names := make([]string, len(columns))
	for i, f := range columns {
		names[i] = f.Column
	}
	w := columnWriter{}
	n, err := db.copyRows(ctx, Statement{SQL: d.CopyText(m.Table, names), Write: true}, types, len(g.rows), func(i int, to ValueWriter) error {
		w.to = to
		row := g.rows[i]
		if g.giveKeys {
			to.Int64(keys[i])
		}
		for _, f := range g.columns {
			if err := f.writeTo(&w, row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	part := *g
	part.rows = g.rows[:n]
	if g.giveKeys {
		for i, row := range part.rows {
			if err := m.setKey(row, keys[i]); err != nil {
				return 0, err
			}
		}
	}
	return n, m.inserted(ctx, db, &part)
}

// copyPlan asks whether the rows of a group can be copied, and for their keys if the database
// makes them. Without types they cannot.
func (m *ModelInfo) copyPlan(ctx context.Context, db *DB, d copier, columns []*FieldInfo, g *insertGroup) (types string, keys []int64, err error) {
	names := make([]any, len(columns))
	for i, f := range columns {
		names[i] = f.Column
	}
	array, ok := d.Array(names)
	if !ok {
		return "", nil, nil
	}
	dialect := db.backend.Dialect()
	args := []any{string(dialect.Quote(nil, m.Table)), array, int64(1)}
	if g.giveKeys {
		args[2] = int64(len(g.rows))
		args = append(args, m.PrimaryKey.Column)
	}
	rows, err := db.query(ctx, Statement{SQL: d.CopyQuery(g.giveKeys), Args: args, Write: true})
	if err != nil {
		return "", nil, err
	}
	defer rows.Close()
	keys = make([]int64, 0, len(g.rows))
	var (
		said   any
		key    int64
		memory = [2]segment{{base: unsafe.Pointer(&said)}, {base: unsafe.Pointer(&key)}}
		cells  = []Cell{{codec: &anyCodec, segment: &memory[0]}, {codec: &keyCodec, segment: &memory[1]}}
	)
	for rows.Next() {
		if err := rows.Scan(cells); err != nil {
			return "", nil, err
		}
		if text, ok := said.(string); ok {
			types = text
		}
		keys = append(keys, key)
	}
	if err := closeRows(rows); err != nil {
		return "", nil, err
	}
	if g.giveKeys && len(keys) != 0 && len(keys) != len(g.rows) {
		return "", nil, m.keysMissing(len(keys), len(g.rows))
	}
	return types, keys, nil
}

// keyCodec reads whole numbers.
var keyCodec = codec{load: loadInt64, store: storeInt64, direct: reflect.Int64}

// copyRows copies rows in the context's transaction.
func (db *DB) copyRows(ctx context.Context, s Statement, types string, n int, values func(i int, to ValueWriter) error) (int, error) {
	noteWrite(ctx)
	to, tx, err := db.querier(ctx)
	if err != nil {
		return 0, err
	}
	c, ok := to.(CopyTx)
	if !ok {
		return 0, errors.New("orm: rows are copied outside of a transaction that can")
	}
	ctx, end := db.begin(ctx, s, tx)
	done, err := c.CopyRows(ctx, s, types, n, values)
	err = db.failure(ctx, tx, err)
	if end != nil {
		end(done, err)
	}
	return int(done), err
}
