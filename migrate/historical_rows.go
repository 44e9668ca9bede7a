package migrate

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// statement is SQL text with parameters, numbered as the dialect wants it.
type statement struct {
	strings.Builder
	dialect schema.Dialect
	args    []any
}

// value writes a parameter.
func (s *statement) value(arg any) {
	s.args = append(s.args, arg)
	s.WriteString(s.dialect.Placeholder(len(s.args)))
}

// read returns the next rows after a key, as values of the fields.
func (t *historicalTable) read(ctx context.Context, db Database, batches Batches, last []any) ([][]any, error) {
	s := &statement{dialect: db.Dialect()}
	s.WriteString("SELECT ")
	for i, f := range t.fields {
		if i > 0 {
			s.WriteString(", ")
		}
		s.WriteString(quoteName(f.column.Name))
	}
	s.WriteString(" FROM " + quoteName(t.Name))
	word := " WHERE "
	if batches.Where != "" {
		s.WriteString(word + "(")
		if err := s.condition(batches.Where, batches.Args); err != nil {
			return nil, err
		}
		s.WriteString(")")
		word = " AND "
	}
	names := make([]string, len(t.key))
	for i, k := range t.key {
		names[i] = quoteName(t.fields[k].column.Name)
	}
	if last != nil {
		s.WriteString(word + "(" + strings.Join(names, ", ") + ") > (")
		for i, value := range last {
			if i > 0 {
				s.WriteString(", ")
			}
			s.value(value)
		}
		s.WriteString(")")
	}
	s.WriteString(" ORDER BY " + strings.Join(names, ", ") + " LIMIT " + strconv.Itoa(batches.size()))
	rows, err := db.Query(ctx, s.String(), s.args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", t.Key(), err)
	}
	return rows, nil
}

// condition writes a condition of somebody else, with its parameters.
func (s *statement) condition(where string, args []any) error {
	for len(where) > 0 {
		n, _ := lexeme(where, s.dialect.Name() == "mysql")
		switch {
		case where[:n] != "?":
			s.WriteString(where[:n])
		case len(args) == 0:
			return fmt.Errorf("migrate: the condition has more parameters than Args has values")
		default:
			s.value(args[0])
			args = args[1:]
		}
		where = where[n:]
	}
	if len(args) > 0 {
		return fmt.Errorf("migrate: Args has %d more values than the condition has parameters", len(args))
	}
	return nil
}

// update writes the fields of a row that differ.
func (t *historicalTable) update(ctx context.Context, db Database, before, after []any) error {
	s := &statement{dialect: db.Dialect()}
	s.WriteString("UPDATE " + quoteName(t.Name) + " SET ")
	for i, f := range t.fields {
		if reflect.DeepEqual(before[i], after[i]) {
			continue
		}
		if f.column.PrimaryKey {
			return fmt.Errorf("migrate: the key %s of a row of %s was changed, which RunSQL can do and Update cannot", f.column.Name, t.Key())
		}
		if len(s.args) > 0 {
			s.WriteString(", ")
		}
		s.WriteString(quoteName(f.column.Name) + " = ")
		s.value(after[i])
	}
	if len(s.args) == 0 {
		return nil
	}
	for i, k := range t.key {
		word := " AND "
		if i == 0 {
			word = " WHERE "
		}
		s.WriteString(word + quoteName(t.fields[k].column.Name) + " = ")
		s.value(before[k])
	}
	if err := db.Exec(ctx, s.String(), s.args...); err != nil {
		return fmt.Errorf("update %s: %w", t.Key(), err)
	}
	return nil
}

// insert adds a row.
func (t *historicalTable) insert(ctx context.Context, db Database, row reflect.Value) error {
	s := &statement{dialect: db.Dialect()}
	s.WriteString("INSERT INTO " + quoteName(t.Name) + " (")
	var values []any
	for i, value := range t.arguments(row) {
		c := t.fields[i].column
		if c.AutoIncrement && row.Field(t.fields[i].index).IsZero() {
			continue
		}
		if len(values) > 0 {
			s.WriteString(", ")
		}
		s.WriteString(quoteName(c.Name))
		values = append(values, value)
	}
	if len(values) == 0 {
		return fmt.Errorf("migrate: a row for %s has no values", t.Key())
	}
	s.WriteString(") VALUES (")
	for i, value := range values {
		if i > 0 {
			s.WriteString(", ")
		}
		s.value(value)
	}
	s.WriteString(")")
	if err := db.Exec(ctx, s.String(), s.args...); err != nil {
		return fmt.Errorf("insert into %s: %w", t.Key(), err)
	}
	return nil
}

// arguments returns the fields of a row as values for a driver.
func (t *historicalTable) arguments(row reflect.Value) []any {
	values := make([]any, len(t.fields))
	for i, f := range t.fields {
		values[i] = argument(row.Field(f.index), f.column)
	}
	return values
}

func (t *historicalTable) keyOf(row reflect.Value) []any {
	key := make([]any, len(t.key))
	for i, k := range t.key {
		key[i] = argument(row.Field(t.fields[k].index), t.fields[k].column)
	}
	return key
}

// argument returns a field as a value for a driver.
func argument(v reflect.Value, c *schema.Column) any {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch {
	case v.Type() == timeType:
		at := v.Interface().(time.Time)
		if c.Type == schema.Date {
			return at.Format("2006-01-02")
		}
		return at.UTC().Truncate(time.Microsecond)
	case v.Kind() == reflect.Slice:
		if v.IsNil() {
			return nil
		}
		return append([]byte{}, v.Bytes()...)
	case v.CanInt():
		return v.Int()
	case v.CanFloat():
		return v.Float()
	case v.Kind() == reflect.Bool:
		return v.Bool()
	}
	return v.String()
}

// assign fills a row with values of a driver.
func (t *historicalTable) assign(row reflect.Value, values []any) error {
	for i, f := range t.fields {
		if err := assign(row.Field(f.index), values[i], f.column); err != nil {
			return fmt.Errorf("%s.%s: %w", t.Key(), f.column.Name, err)
		}
	}
	return nil
}

func assign(v reflect.Value, value any, c *schema.Column) error {
	if value == nil {
		if v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice {
			return nil
		}
		return fmt.Errorf("is NULL, which %s cannot be", v.Type())
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	var err error
	switch {
	case v.Type() == timeType:
		at := instant(value)
		if at.IsZero() {
			if at, err = time.Parse("2006-01-02", text(value)); err != nil {
				return fmt.Errorf("%q is not a time", text(value))
			}
		}
		v.Set(reflect.ValueOf(at))
	case v.Kind() == reflect.Slice:
		v.SetBytes([]byte(text(value)))
	case v.CanInt():
		var n int64
		if n, err = strconv.ParseInt(text(value), 10, 64); err == nil {
			v.SetInt(n)
		}
	case v.CanFloat():
		var n float64
		if n, err = strconv.ParseFloat(text(value), 64); err == nil {
			v.SetFloat(n)
		}
	case v.Kind() == reflect.Bool:
		v.SetBool(truth(value))
	default:
		v.SetString(text(value))
	}
	return err
}
