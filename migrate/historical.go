package migrate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// Historical is a model as Go code of a migration sees it, made by [RowsOf].
type Historical interface {
	// check reports fields that the model does not have at this point.
	check(app string, s *State) error
	// name is the model's.
	name() string
}

// Rows are those of a model as it is at the point of a migration. The struct T
// has the fields that the migration's code needs, not those that the model has
// today:
//
//	type post struct {
//		ID    int64
//		Title string
//		Slug  *string // NULL allowed
//	}
//	posts := migrate.RowsOf[post]("Post")
//
// A field is the column of the model's field of the same name, or of this name
// but for underscores (AuthorID is author_id), or that of a tag
// `column:"name"`. Its type is bool, an integer, float64, string, []byte,
// time.Time or time.Duration, a type made of one of these, or a pointer to one
// where the column may be NULL. Decimals, UUIDs, times of day and JSON are
// strings.
//
// Listed in [RunCode].Models, the struct is compared with the columns whenever
// the migrations are loaded for use, so that a field that is not there, or of
// another type, is found before any database is touched.
type Rows[T any] struct {
	model string
}

// RowsOf returns the rows of a model, as "Post" or, of another app, "auth.User".
func RowsOf[T any](model string) *Rows[T] { return &Rows[T]{model: model} }

var _ Historical = (*Rows[struct{}])(nil)

// Batches are the details of [Rows.Each] and [Rows.Update].
type Batches struct {
	// Size is how many rows are read at once. Default: 1000.
	Size int
	// Where is an SQL condition that the rows meet, and Args are the values of
	// its parameters, written ?. Default: all rows.
	Where string
	Args  []any
	// Progress is told after each batch how many rows are done.
	// Default: nobody is.
	Progress func(done int)
}

// Each calls do for each row, in the order of the primary key. Rows are read
// in batches, so that the table may be of any size.
//
// In a migration that is NonAtomic each batch is a transaction of its own, in
// which the place is noted, so that a migration that was broken off goes on
// after the last batch that was done. What its code does outside of do, it
// does again.
func (r *Rows[T]) Each(ctx context.Context, db Database, batches Batches, do func(ctx context.Context, row *T) error) error {
	return r.each(ctx, db, batches, func(ctx context.Context, _ *historicalTable, row *T) error { return do(ctx, row) })
}

// Update calls change for each row, as [Rows.Each] does, and writes the fields
// back that it changed.
func (r *Rows[T]) Update(ctx context.Context, db Database, batches Batches, change func(row *T) error) error {
	return r.each(ctx, db, batches, func(ctx context.Context, t *historicalTable, row *T) error {
		before := t.arguments(reflect.ValueOf(row).Elem())
		if err := change(row); err != nil {
			return err
		}
		return t.update(ctx, db, before, t.arguments(reflect.ValueOf(row).Elem()))
	})
}

// Insert adds rows. A key that counts up and is zero is given out by the
// database, and columns that T lacks get their defaults.
func (r *Rows[T]) Insert(ctx context.Context, db Database, rows ...T) error {
	t, err := r.table(ctx)
	if err != nil {
		return err
	}
	for i := range rows {
		if err := t.insert(ctx, db, reflect.ValueOf(&rows[i]).Elem()); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rows[T]) check(app string, s *State) error {
	_, err := newHistoricalTable(reflect.TypeFor[T](), app, r.model, s)
	return err
}

func (r *Rows[T]) name() string { return r.model }

// table returns the table at the point of the migration whose code runs.
func (r *Rows[T]) table(ctx context.Context) (*historicalTable, error) {
	at, ok := ctx.Value(pointKey{}).(point)
	if !ok {
		return nil, errors.New("migrate: rows of a model as it was are for the code of a migration, with the context that it is given")
	}
	return newHistoricalTable(reflect.TypeFor[T](), at.app, r.model, at.state)
}

func (r *Rows[T]) each(ctx context.Context, db Database, batches Batches, do func(ctx context.Context, t *historicalTable, row *T) error) error {
	t, err := r.table(ctx)
	if err != nil {
		return err
	}
	if len(t.key) == 0 {
		return fmt.Errorf("migrate: to go through the rows of %s, %s needs a field for each column of the primary key", t.Key(), reflect.TypeFor[T]())
	}
	place, last, finished, err := placeOf(ctx, t)
	if err != nil || finished {
		return err
	}
	done := 0
	for more := true; more; {
		err := place.batch(ctx, db, func(ctx context.Context) ([]any, error) {
			rows, err := t.read(ctx, db, batches, last)
			if err != nil {
				return nil, err
			}
			more = len(rows) == batches.size()
			for _, values := range rows {
				row := new(T)
				if err := t.assign(reflect.ValueOf(row).Elem(), values); err != nil {
					return nil, err
				}
				last = t.keyOf(reflect.ValueOf(row).Elem())
				if err := do(ctx, t, row); err != nil {
					return nil, err
				}
			}
			done += len(rows)
			return last, nil
		})
		if err != nil {
			return err
		}
		if batches.Progress != nil {
			batches.Progress(done)
		}
	}
	return nil
}

func (b Batches) size() int {
	if b.Size > 0 {
		return b.Size
	}
	return 1000
}

// pointKey is the key of the point in a context.
type pointKey struct{}

// point is the point in the history of the tables at which code runs.
type point struct {
	app   string
	state *State
}

// historicalTable is a table with the fields of a struct.
type historicalTable struct {
	*schema.Table
	fields []historicalField
	key    []int // of the fields, in the order of the primary key
}

type historicalField struct {
	index  int // in the struct
	column *schema.Column
}

func newHistoricalTable(t reflect.Type, app, model string, s *State) (*historicalTable, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("migrate: the rows of %s need a struct, not %s", model, t)
	}
	if owner, name, ok := strings.Cut(model, "."); ok {
		app, model = owner, name
	}
	table, err := s.lookup(app, model)
	if err != nil {
		return nil, err
	}
	h := &historicalTable{Table: table}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		c := columnFor(table, f)
		if c == nil {
			return nil, fmt.Errorf("%s has no column for the field %s of %s at this point; it has %s", table.Key(), f.Name, t, columnNames(table))
		}
		if want := goType(c); want == "" || !holds(f.Type, c) {
			return nil, fmt.Errorf("the field %s of %s is of type %s, and the column %s.%s needs %s", f.Name, t, f.Type, table.Key(), c.Name, want)
		}
		h.fields = append(h.fields, historicalField{i, c})
	}
	if len(h.fields) == 0 {
		return nil, fmt.Errorf("%s has no fields for the columns of %s", t, table.Key())
	}
	for _, k := range table.PrimaryKey() {
		at := slices.IndexFunc(h.fields, func(f historicalField) bool { return f.column.Name == k.Name })
		if at < 0 {
			h.key = nil
			break
		}
		h.key = append(h.key, at)
	}
	return h, nil
}

// columnFor returns the column of a field.
func columnFor(t *schema.Table, f reflect.StructField) *schema.Column {
	if name := f.Tag.Get("column"); name != "" {
		return t.Column(name)
	}
	for i := range t.Columns {
		if t.Columns[i].Field == f.Name {
			return &t.Columns[i]
		}
	}
	for i := range t.Columns {
		if strings.EqualFold(strings.ReplaceAll(t.Columns[i].Name, "_", ""), f.Name) {
			return &t.Columns[i]
		}
	}
	return nil
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
)

// goType is the Go type of a column, for messages; empty if it has none.
func goType(c *schema.Column) string {
	name := map[schema.Type]string{
		schema.Bool: "bool", schema.Int16: "int16 or a larger one", schema.Int32: "int32 or a larger one", schema.Int64: "int64",
		schema.Float64: "float64", schema.Decimal: "string", schema.String: "string", schema.Text: "string", schema.Bytes: "[]byte",
		schema.Date: "time.Time", schema.DateTime: "time.Time", schema.Time: "string", schema.Duration: "time.Duration",
		schema.UUID: "string", schema.JSON: "string", schema.Array: "SQL: arrays have no Go type here",
	}[c.Type]
	if c.Null && !c.PrimaryKey && c.Type != schema.Bytes && c.Type != schema.Array {
		return "a pointer to " + name + ", since it may be NULL"
	}
	return name
}

// holds reports whether a Go type can hold every value of a column.
func holds(t reflect.Type, c *schema.Column) bool {
	null := c.Null && !c.PrimaryKey
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	} else if null && c.Type != schema.Bytes {
		return false
	}
	switch c.Type {
	case schema.Bool:
		return t.Kind() == reflect.Bool
	case schema.Int16, schema.Int32, schema.Int64:
		bits := map[schema.Type]int{schema.Int16: 16, schema.Int32: 32, schema.Int64: 64}[c.Type]
		return t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64 && t.Bits() >= bits
	case schema.Float64:
		return t.Kind() == reflect.Float64
	case schema.Date, schema.DateTime:
		return t == timeType
	case schema.Duration:
		return t == durationType || t.Kind() == reflect.Int64
	case schema.Bytes:
		return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	case schema.Array:
		return false
	}
	return t.Kind() == reflect.String
}
