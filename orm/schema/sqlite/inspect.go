package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

var _ schema.Inspector = Dialect{}

// Inspect reads tables and views. What the pragmas of SQLite do not tell (checks,
// collations, expressions) is read from the text that created the table.
func (Dialect) Inspect(ctx context.Context, query schema.Query, names ...string) ([]*schema.Live, error) {
	rows, err := query(ctx, `SELECT name, type, sql FROM sqlite_schema
		WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	var found []*schema.Live
	for _, row := range rows {
		name := text(row[0])
		if len(names) > 0 && !slices.ContainsFunc(names, func(asked string) bool { return matches(asked, name) }) {
			continue
		}
		in := inspection{ctx: ctx, query: query, live: &schema.Live{View: text(row[1]) == "view"}}
		in.live.Name = name
		if err := in.read(text(row[2])); err != nil {
			return nil, fmt.Errorf("reading the table %s: %w", name, err)
		}
		found = append(found, in.live)
	}
	return found, nil
}

// matches reports whether a table is one that was asked for. What other databases take
// for a schema is here how its name begins.
func matches(asked, name string) bool {
	if begin, ok := strings.CutSuffix(asked, ".*"); ok {
		return strings.HasPrefix(name, begin+".")
	}
	return asked == name
}

// inspection is the reading of one table.
type inspection struct {
	ctx   context.Context
	query schema.Query
	live  *schema.Live
}

func (in *inspection) read(sql string) error {
	var definitions []definition
	if !in.live.View {
		definitions = parseTable(sql)
	}
	steps := []func([]definition) error{in.columns, in.indexes, in.references, in.triggers}
	for _, step := range steps {
		if err := step(definitions); err != nil {
			return err
		}
	}
	return nil
}

// Kinds of columns in pragma table_xinfo: https://sqlite.org/pragma.html#pragma_table_xinfo.
const (
	hiddenColumn    = 1
	virtualColumn   = 2
	generatedStored = 3
)

func (in *inspection) columns(definitions []definition) error {
	rows, err := in.query(in.ctx, `SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)`, in.live.Name)
	if err != nil {
		return err
	}
	keys := 0
	for _, row := range rows {
		hidden := number(row[5])
		if hidden == hiddenColumn {
			continue
		}
		c := schema.Column{Name: text(row[0]), Null: number(row[2]) == 0, PrimaryKey: number(row[4]) > 0}
		logicalType(&c, text(row[1]))
		if row[3] != nil {
			setDefault(&c, text(row[3]))
		}
		if c.PrimaryKey {
			keys++
			c.Null = false
		}
		for _, d := range definitions {
			if !d.constraint && strings.EqualFold(d.name, c.Name) {
				d.describe(&c)
			}
		}
		c.Stored = hidden == generatedStored
		if hidden != virtualColumn && hidden != generatedStored {
			c.Generated = ""
		}
		in.live.Columns = append(in.live.Columns, c)
	}
	for _, d := range definitions {
		if d.constraint && d.check != "" {
			in.live.Checks = append(in.live.Checks, schema.Check{Name: d.name, SQL: d.check})
		}
	}
	if keys == 1 {
		for i := range in.live.Columns {
			c := &in.live.Columns[i]
			// An INTEGER PRIMARY KEY is the rowid, which SQLite fills in.
			c.AutoIncrement = c.PrimaryKey && c.Type == schema.Int64 && c.Native == nil
		}
	}
	return nil
}

func (in *inspection) indexes([]definition) error {
	rows, err := in.query(in.ctx, `SELECT l.name, l."unique", l.origin, s.sql FROM pragma_index_list(?) AS l
		LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name ORDER BY l.name`, in.live.Name)
	if err != nil {
		return err
	}
	for _, row := range rows {
		index := schema.Index{Name: text(row[0]), Unique: number(row[1]) == 1}
		origin, sql := text(row[2]), text(row[3])
		if err := in.indexColumns(&index, sql); err != nil {
			return err
		}
		if origin == "pk" {
			continue
		}
		if column := in.live.Column(index.Columns[0].Name); origin == "u" && len(index.Columns) == 1 && column != nil {
			column.Unique = true
			continue
		}
		index.Where = indexCondition(sql)
		in.live.Indexes = append(in.live.Indexes, index)
	}
	return nil
}

func (in *inspection) indexColumns(index *schema.Index, sql string) error {
	rows, err := in.query(in.ctx, `SELECT name, "desc" FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno`, index.Name)
	if err != nil {
		return err
	}
	parts := indexParts(sql)
	for i, row := range rows {
		column := schema.IndexColumn{Name: text(row[0]), Desc: number(row[1]) == 1}
		if column.Name == "" && i < len(parts) {
			column.Expr = strings.TrimSpace(parts[i])
			for _, direction := range []string{" DESC", " ASC"} {
				column.Expr = strings.TrimSpace(strings.TrimSuffix(column.Expr, direction))
			}
			column.Expr = withoutParentheses(column.Expr)
		}
		index.Columns = append(index.Columns, column)
	}
	return nil
}

func (in *inspection) references([]definition) error {
	rows, err := in.query(in.ctx, `SELECT f.id, f."table", f."from", f."to", f.on_delete,
			(SELECT name FROM pragma_table_info(f."table") WHERE pk = f.seq + 1)
		FROM pragma_foreign_key_list(?) AS f ORDER BY f.id, f.seq`, in.live.Name)
	if err != nil {
		return err
	}
	keys := map[int64]*schema.ForeignKey{}
	var order []int64
	for _, row := range rows {
		id, to := number(row[0]), text(row[3])
		if row[3] == nil {
			to = text(row[5]) // the primary key, if no column is named
		}
		if keys[id] == nil {
			keys[id] = &schema.ForeignKey{Table: text(row[1]), OnDelete: schema.OnDelete(text(row[4]))}
			order = append(order, id)
		}
		keys[id].Columns = append(keys[id].Columns, text(row[2]))
		keys[id].References = append(keys[id].References, to)
	}
	slices.Reverse(order) // SQLite counts from the last
	for _, id := range order {
		key := keys[id]
		if column := in.live.Column(key.Columns[0]); len(key.Columns) == 1 && column != nil {
			column.References = &schema.Reference{Table: key.Table, Column: key.References[0], OnDelete: key.OnDelete}
			continue
		}
		in.live.ForeignKeys = append(in.live.ForeignKeys, *key)
	}
	return nil
}

func (in *inspection) triggers([]definition) error {
	rows, err := in.query(in.ctx, `SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE ORDER BY name`, in.live.Name)
	for _, row := range rows {
		in.live.Triggers = append(in.live.Triggers, text(row[0]))
	}
	return err
}

// logicalType finds the type that a declared one stands for, by the rules of
// https://sqlite.org/datatype3.html#determination_of_column_affinity where it is
// none that this dialect writes.
func logicalType(c *schema.Column, declared string) {
	name, arguments, _ := strings.Cut(strings.ToLower(declared), "(")
	name = strings.TrimSpace(name)
	size, scale, _ := strings.Cut(strings.TrimSuffix(arguments, ")"), ",")
	c.Size, _ = strconv.Atoi(strings.TrimSpace(size))
	c.Scale, _ = strconv.Atoi(strings.TrimSpace(scale))
	known := true
	switch {
	case name == "integer":
		c.Type = schema.Int64
	case name == "real":
		c.Type = schema.Float64
	case name == "blob":
		c.Type = schema.Bytes
	case name == "text":
		c.Type = schema.Text
	case name == "varchar" && c.Size > 0:
		c.Type = schema.String
	case name == "decimal" && c.Size > 0:
		c.Type = schema.Decimal
	default:
		known = false
		c.Type = affinity(name, c.Size)
	}
	if !known && declared != "" {
		c.Native = map[string]string{"sqlite": declared}
	}
}

func affinity(name string, size int) schema.Type {
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(name, part) })
	}
	switch {
	case has("bool"):
		return schema.Bool
	case has("timestamp", "datetime"):
		return schema.DateTime
	case name == "date":
		return schema.Date
	case name == "time":
		return schema.Time
	case name == "json":
		return schema.JSON
	case name == "uuid":
		return schema.UUID
	case has("int"):
		return schema.Int64
	case has("char", "clob", "text") && size > 0:
		return schema.String
	case has("char", "clob", "text"):
		return schema.Text
	case name == "" || has("blob", "binary"):
		return schema.Bytes
	case has("real", "floa", "doub"):
		return schema.Float64
	case has("decimal", "numeric") && size > 0:
		return schema.Decimal
	}
	return schema.Text
}

func setDefault(c *schema.Column, sql string) {
	for _, t := range []schema.Type{schema.DateTime, schema.Date, schema.Time} {
		if withoutParentheses(sql) == withoutParentheses(now(t)) {
			c.DefaultNow, c.Type = true, t
			return
		}
	}
	c.Default = &sql
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

func number(v any) int64 {
	n, _ := v.(int64)
	return n
}
