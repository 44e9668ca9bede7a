package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

var _ schema.Inspector = Dialect{}

// Inspect reads the tables and views of the current schema, the first one of the
// search path, and of schemas that names begin with. Partitions are left out: they belong
// to their table.
func (Dialect) Inspect(ctx context.Context, query schema.Query, names ...string) ([]*schema.Live, error) {
	var all []*schema.Live
	for _, part := range schema.PartNames(names) {
		found, err := inspect(ctx, query, part)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func inspect(ctx context.Context, query schema.Query, part schema.NamePart) ([]*schema.Live, error) {
	in := inspection{byName: map[string]*schema.Live{}}
	steps := []struct {
		sql  string
		read func(row []any)
	}{
		{tablesSQL, in.table},
		{columnsSQL, in.column},
		{indexesSQL, in.indexColumn},
		{checksSQL, in.check},
		{referencesSQL, in.reference},
		{triggersSQL, in.trigger},
	}
	for _, step := range steps {
		sql := step.sql
		if part.Schema != "" {
			sql = strings.ReplaceAll(sql, currentSchema, "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = "+quoteText(part.Schema)+")")
		}
		rows, err := query(ctx, sql)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if part.Names == nil || slices.Contains(part.Names, text(row[0])) {
				step.read(row)
			}
		}
	}
	for _, l := range in.found {
		in.finish(l)
	}
	for _, l := range in.found {
		l.Name = part.Whole(l.Name)
	}
	return in.found, nil
}

// inspection is the reading of a schema.
type inspection struct {
	found   []*schema.Live
	byName  map[string]*schema.Live
	keys    []*reference
	indexes []*index
}

// reference is a foreign key being read, column by column.
type reference struct {
	table, name string
	schema.ForeignKey
}

// index is an index being read, column by column.
type index struct {
	table      string
	constraint string // the kind of constraint it serves, if any
	schema.Index
}

const currentSchema = `(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())`

const tablesSQL = `SELECT c.relname::text, c.relkind::text, obj_description(c.oid, 'pg_class')
	FROM pg_catalog.pg_class c
	WHERE c.relnamespace = ` + currentSchema + ` AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
	ORDER BY c.relname`

func (in *inspection) table(row []any) {
	kind := text(row[1])
	l := &schema.Live{View: kind == "v" || kind == "m"}
	l.Name, l.Comment = text(row[0]), text(row[2])
	in.found = append(in.found, l)
	in.byName[l.Name] = l
}

const columnsSQL = `SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
		pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
		CASE WHEN a.attcollation <> t.typcollation THEN l.collname::text END, col_description(c.oid, a.attnum)
	FROM pg_catalog.pg_attribute a
	JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
	JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
	LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
	LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
	WHERE c.relnamespace = ` + currentSchema + ` AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
		AND a.attnum > 0 AND NOT a.attisdropped
	ORDER BY c.relname, a.attnum`

func (in *inspection) column(row []any) {
	l := in.byName[text(row[0])]
	if l == nil {
		return
	}
	notNull, _ := row[3].(bool)
	c := schema.Column{Name: text(row[1]), Null: !notNull, Collation: text(row[7]), Comment: text(row[8])}
	logicalType(&c, text(row[2]))
	value := text(row[4])
	switch {
	case text(row[5]) != "" || strings.HasPrefix(value, "nextval("):
		c.AutoIncrement = true
	case text(row[6]) != "":
		c.Generated, c.Stored = withoutParentheses(value), text(row[6]) == "s"
	case value != "":
		setDefault(&c, value)
	}
	l.Columns = append(l.Columns, c)
}

const indexesSQL = `SELECT c.relname::text, x.relname::text, i.indisunique, i.indisprimary, m.amname::text,
		pg_get_expr(i.indpred, i.indrelid), n <= i.indnkeyatts, pg_get_indexdef(i.indexrelid, n, false),
		(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[n - 1] AND a.attnum > 0),
		n <= i.indnkeyatts AND (i.indoption[n - 1] & 1) = 1,
		CASE WHEN n <= i.indnkeyatts THEN (SELECT o.opcname::text FROM pg_catalog.pg_opclass o WHERE o.oid = i.indclass[n - 1] AND NOT o.opcdefault) END,
		(SELECT k.contype::text FROM pg_catalog.pg_constraint k WHERE k.conrelid = i.indrelid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') LIMIT 1),
		coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
		CASE WHEN n <= i.indnkeyatts THEN (SELECT o.oprname::text FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_operator o ON o.oid = k.conexclop[n]
			WHERE k.conrelid = i.indrelid AND k.conindid = i.indexrelid AND k.contype = 'x') END,
		EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = i.indrelid AND k.conindid = i.indexrelid AND k.contype IN ('u', 'x') AND k.condeferred)
	FROM pg_catalog.pg_index i
	JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
	JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
	JOIN pg_catalog.pg_am m ON m.oid = x.relam
	CROSS JOIN LATERAL generate_series(1, i.indnatts) AS n
	WHERE c.relnamespace = ` + currentSchema + ` AND NOT c.relispartition
	ORDER BY c.relname, x.relname, n`

func (in *inspection) indexColumn(row []any) {
	l := in.byName[text(row[0])]
	if l == nil {
		return
	}
	primary, _ := row[3].(bool)
	name := text(row[8])
	if column := l.Column(name); primary {
		if column != nil {
			column.PrimaryKey = true
		}
		return
	}
	if n := len(in.indexes); n == 0 || in.indexes[n-1].table != l.Name || in.indexes[n-1].Name != text(row[1]) {
		i := &index{table: l.Name, constraint: text(row[11])}
		i.Name, i.Where = text(row[1]), withoutParentheses(text(row[5]))
		i.Unique, _ = row[2].(bool)
		i.NullsNotDistinct, _ = row[12].(bool)
		i.Deferred, _ = row[14].(bool)
		if i.Method = text(row[4]); i.Method == "btree" {
			i.Method = ""
		}
		in.indexes = append(in.indexes, i)
	}
	i := in.indexes[len(in.indexes)-1]
	if key, _ := row[6].(bool); !key {
		i.Include = append(i.Include, name)
		return
	}
	column := schema.IndexColumn{Name: name, OpClass: text(row[10]), Exclude: text(row[13])}
	column.Desc, _ = row[9].(bool)
	if name == "" {
		column.Expr = withoutParentheses(text(row[7]))
	}
	i.Columns = append(i.Columns, column)
}

const checksSQL = `SELECT c.relname::text, k.conname::text, pg_get_expr(k.conbin, k.conrelid)
	FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
	WHERE k.contype = 'c' AND c.relnamespace = ` + currentSchema + ` AND NOT c.relispartition
	ORDER BY c.relname, k.conname`

func (in *inspection) check(row []any) {
	if l := in.byName[text(row[0])]; l != nil {
		l.Checks = append(l.Checks, schema.Check{Name: text(row[1]), SQL: withoutParentheses(text(row[2]))})
	}
}

const referencesSQL = `SELECT c.relname::text, k.conname::text, t.relname::text, k.confdeltype::text, a.attname::text, b.attname::text,
		(SELECT n.nspname::text FROM pg_catalog.pg_namespace n WHERE n.oid = t.relnamespace AND n.nspname <> current_schema())
	FROM pg_catalog.pg_constraint k
	JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
	JOIN pg_catalog.pg_class t ON t.oid = k.confrelid
	CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair(here, there, n)
	JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.here
	JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.there
	WHERE k.contype = 'f' AND c.relnamespace = ` + currentSchema + ` AND NOT c.relispartition
	ORDER BY c.relname, k.conname, pair.n`

// onDelete are the actions by their letters in pg_constraint.confdeltype.
var onDelete = map[string]schema.OnDelete{
	"a": schema.NoAction, "r": schema.Restrict, "c": schema.Cascade, "n": schema.SetNull, "d": schema.SetDefault,
}

func (in *inspection) reference(row []any) {
	table, name := text(row[0]), text(row[1])
	if n := len(in.keys); n == 0 || in.keys[n-1].table != table || in.keys[n-1].name != name {
		key := &reference{table: table, name: name}
		key.Table, key.OnDelete = text(row[2]), onDelete[text(row[3])]
		if other := text(row[6]); other != "" {
			key.Table = other + "." + key.Table
		}
		in.keys = append(in.keys, key)
	}
	key := in.keys[len(in.keys)-1]
	key.Columns = append(key.Columns, text(row[4]))
	key.References = append(key.References, text(row[5]))
}

const triggersSQL = `SELECT c.relname::text, t.tgname::text
	FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
	WHERE NOT t.tgisinternal AND c.relnamespace = ` + currentSchema + ` ORDER BY c.relname, t.tgname`

func (in *inspection) trigger(row []any) {
	if l := in.byName[text(row[0])]; l != nil {
		l.Triggers = append(l.Triggers, text(row[1]))
	}
}

// finish gives a table the keys and indexes that were read of it.
func (in *inspection) finish(l *schema.Live) {
	for _, i := range in.indexes {
		if i.table != l.Name {
			continue
		}
		if column := l.Column(i.Columns[0].Name); i.constraint == "u" && !i.Deferred && len(i.Columns) == 1 && column != nil {
			column.Unique = true
			continue
		}
		l.Indexes = append(l.Indexes, i.Index)
	}
	for _, key := range in.keys {
		if key.table != l.Name {
			continue
		}
		if column := l.Column(key.Columns[0]); len(key.Columns) == 1 && column != nil {
			column.References = &schema.Reference{Table: key.Table, Column: key.References[0], OnDelete: key.OnDelete}
			continue
		}
		l.ForeignKeys = append(l.ForeignKeys, key.ForeignKey)
	}
}
