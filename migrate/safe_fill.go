package migrate

import (
	"context"
	"fmt"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// batchSize is how many rows are filled at once.
const batchSize = 1000

// FillField gives a value to the rows that hold NULL in a column, in batches along the
// primary key. In a migration that is NonAtomic each batch is a transaction of its own, so
// that no row stays locked for long; one that was broken off goes on with what is left.
type FillField struct {
	Model  string
	Column string // the column's name in the database
	// Value is the SQL expression that rows get: a literal, or one over other
	// columns of the row, as `lower("title")`. Default: the column's own default.
	Value string
	// BatchSize is how many rows are filled at once. Default: 1000.
	BatchSize int
}

// Describe implements [Operation].
func (o FillField) Describe() string { return fmt.Sprintf("Fill %s of %s", o.Column, o.Model) }

// ChangeState implements [Operation].
func (o FillField) ChangeState(app string, s *State) error {
	t, c, err := s.column(app, o.Model, o.Column)
	switch {
	case err != nil:
		return err
	case o.Value == "" && c.Default == nil && !c.DefaultNow:
		return fmt.Errorf("column %q of %s has no default, so FillField needs a Value", o.Column, t.Key())
	case c.Generated != "":
		return fmt.Errorf("column %q of %s is computed by the database", o.Column, t.Key())
	}
	return nil
}

// Forward implements [Operation].
func (o FillField) Forward(c Change) ([]Action, error) {
	t := c.To.Table(c.App, o.Model)
	var value *string
	if o.Value != "" {
		value = &o.Value
	}
	f := filling{table: t, column: o.Column, value: c.Dialect.Filler(t.Column(o.Column), value), size: o.BatchSize}
	if f.value == "" {
		return nil, nil
	}
	return []Action{f.action(c.Dialect)}, nil
}

// Reverse implements [Operation]. The values stay.
func (o FillField) Reverse(Change) ([]Action, error) { return nil, nil }

func (o FillField) besides(schema.Dialect) bool { return false }

// filling is an UPDATE of the rows with NULL, batch by batch.
type filling struct {
	table         *schema.Table
	column, value string
	size          int
}

func (f filling) action(d schema.Dialect) Action {
	if f.size <= 0 {
		f.size = batchSize
	}
	return Action{Code: func(ctx context.Context, db Database) error { return f.run(ctx, db) }, Shown: f.update(d, nil, nil)}
}

func (f filling) run(ctx context.Context, db Database) error {
	d := db.Dialect()
	if len(f.table.PrimaryKey()) == 0 {
		return db.Exec(ctx, f.update(d, nil, nil))
	}
	var low []any
	for {
		rows, err := db.Query(ctx, f.last(d, low), low...)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return db.Exec(ctx, f.update(d, low, nil), low...)
		}
		high := rows[0]
		if err := db.Exec(ctx, f.update(d, low, high), append(append([]any(nil), low...), high...)...); err != nil {
			return err
		}
		low = high
	}
}

// last is the query for the key of the last row of a full batch.
func (f filling) last(d schema.Dialect, low []any) string {
	key := f.key(d)
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s ORDER BY %s LIMIT 1 OFFSET %d",
		strings.Join(key, ", "), f.quote(d, f.table.Name), f.condition(d, low, nil), strings.Join(key, ", "), f.size-1)
}

func (f filling) update(d schema.Dialect, low, high []any) string {
	return fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s", f.quote(d, f.table.Name), f.quote(d, f.column), f.value, f.condition(d, low, high))
}

// condition holds for the rows with NULL between two keys: after low, up to high.
func (f filling) condition(d schema.Dialect, low, high []any) string {
	sql := f.quote(d, f.column) + " IS NULL"
	n := 0
	bound := func(operator string, values []any) {
		if len(values) == 0 {
			return
		}
		parameters := make([]string, len(values))
		for i := range values {
			n++
			parameters[i] = d.Placeholder(n)
		}
		sql += " AND (" + strings.Join(f.key(d), ", ") + ") " + operator + " (" + strings.Join(parameters, ", ") + ")"
	}
	bound(">", low)
	bound("<=", high)
	return sql
}

func (f filling) key(d schema.Dialect) []string {
	columns := f.table.PrimaryKey()
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = f.quote(d, columns[i].Name)
	}
	return names
}

// quote quotes a name, before which there may be a schema.
func (f filling) quote(d schema.Dialect, name string) string {
	quote := `"`
	if d.Name() == "mysql" {
		quote = "`"
	}
	quoted := quote + strings.ReplaceAll(name, quote, quote+quote) + quote
	if d.Name() == "postgres" {
		quoted = strings.ReplaceAll(quoted, ".", `"."`)
	}
	return quoted
}
