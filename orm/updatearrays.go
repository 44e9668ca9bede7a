package orm

import (
	"context"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// arrayUpdater is a [Dialect] whose database can update many rows with one array for
// each column, by a text that is the same for any number of them.
type arrayUpdater interface {
	// ArrayType is the type of an array of values of that kind. It is empty if the column
	// may well have another type, which the values do not become by themselves.
	ArrayType(kind schema.Type) string
	// Array is the parameter of such an array, in which nil is NULL; false if one of the
	// values cannot be in it.
	Array(values []any) (any, bool)
	// AllOrNone makes of an UPDATE a statement that fails, and so changes nothing, unless
	// it changes as many rows as the array of the first parameter has values.
	AllOrNone(update, arrayType string) string
	// IsPart reports that err is that failure.
	IsPart(err error) bool
}

// arrayBatch is how many rows one statement with arrays updates at most.
const arrayBatch = 5000

// arrayTypes are the types of the arrays with which fields of many rows are updated: of the
// key, the fields, and the version if there is one. It is nil if that is not possible.
func (m *ModelInfo) arrayTypes(dialect Dialect, fields []*FieldInfo) []string {
	d, ok := dialect.(arrayUpdater)
	if !ok {
		return nil
	}
	columns := m.arrayColumns(fields)
	types := make([]string, len(columns))
	for i, f := range columns {
		if types[i] = f.arrayType(d); types[i] == "" {
			return nil
		}
	}
	return types
}

func (m *ModelInfo) arrayColumns(fields []*FieldInfo) []*FieldInfo {
	columns := append([]*FieldInfo{m.PrimaryKey}, fields...)
	if m.version != nil {
		columns = append(columns, m.version)
	}
	return columns
}

// arrayType is the type of an array of the field's values; empty if there is none.
func (f *FieldInfo) arrayType(d arrayUpdater) string {
	if len(f.Native) > 0 {
		return ""
	}
	if f.Relation != nil {
		return f.Relation.Key().arrayType(d)
	}
	return d.ArrayType(f.Kind)
}

// updateAtOnce updates rows by one statement that does without a transaction around it;
// false if it has to be done in another way, as where a row is missing.
func (q *query) updateAtOnce(ctx context.Context, db *DB, rows []unsafe.Pointer, fields []*FieldInfo) (bool, error) {
	m := q.model
	d, ok := db.backend.Dialect().(arrayUpdater)
	if !ok || len(rows) > arrayBatch || m.hears(BeforeSave, AfterSave) || m.meta.ValidateOnSave || len(m.computed) > 0 || db.transactionOf(ctx) != nil {
		return false, nil
	}
	c := newCompiler(db.backend.Dialect(), m)
	if !c.updateArrays(rows, fields) {
		return false, c.err
	}
	if c.err != nil {
		return false, c.err
	}
	text := d.AllOrNone(string(c.buf), m.PrimaryKey.arrayType(d))
	var read watchedRows
	result, err := db.queryInto(ctx, Statement{SQL: text, Args: c.args, Write: true}, &read)
	if err == nil {
		if result.Next() {
			read.count = int64(len(rows)) // changed, for the hooks
		}
		err = closeRows(result)
	}
	if d.IsPart(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, m.countVersions(rows)
}

// updateArrays writes an UPDATE with an array per column; false if it has to be another
// one.
func (c *compiler) updateArrays(rows []unsafe.Pointer, fields []*FieldInfo) bool {
	m := c.root.model
	types := m.arrayTypes(c.dialect, fields)
	if types == nil {
		return false
	}
	c.args = make([]any, len(types))
	values := make([]any, len(rows))
	for i, f := range m.arrayColumns(fields) {
		for j, row := range rows {
			var err error
			switch {
			case i == 0:
				values[j], err = m.savedKey(row)
			case i > len(fields):
				values[j], err = f.value(row)
			default:
				values[j], err = f.updated(row)
			}
			if err != nil {
				c.fail(err)
				return true
			}
		}
		var ok bool
		if c.args[i], ok = c.dialect.(arrayUpdater).Array(values); !ok {
			c.args = nil
			return false
		}
	}
	c.writeUpdateArrays(fields, types)
	return true
}

// rowsAlias is the name of the new values. No path of relations has it.
const rowsAlias = "__rows"

func (c *compiler) writeUpdateArrays(fields []*FieldInfo, types []string) {
	m := c.root.model
	c.text("UPDATE ")
	c.quote(m.Table)
	c.text(" SET ")
	for i, f := range fields {
		if i > 0 {
			c.text(", ")
		}
		c.quote(f.Column)
		c.text(" = ")
		c.qualified(rowsAlias, derivedName("c", i+1))
	}
	if m.version != nil {
		c.text(", ")
		c.quote(m.version.Column)
		c.text(" = ")
		c.qualified(m.alias, m.version.Column)
		c.text(" + 1")
	}
	c.text(" FROM unnest(")
	for i, name := range types {
		if i > 0 {
			c.text(", ")
		}
		c.buf = c.dialect.Placeholder(c.buf, i+1)
		c.text("::" + name)
	}
	c.text(") AS ")
	c.quote(rowsAlias)
	c.text(" (")
	for i := range types {
		if i > 0 {
			c.text(", ")
		}
		c.quote(derivedName("c", i))
	}
	c.text(") WHERE ")
	c.qualified(m.alias, m.PrimaryKey.Column)
	c.text(" = ")
	c.qualified(rowsAlias, derivedName("c", 0))
	if m.version != nil {
		c.text(" AND ")
		c.qualified(m.alias, m.version.Column)
		c.text(" = ")
		c.qualified(rowsAlias, derivedName("c", len(types)-1))
	}
}
