package mysql

import (
	"context"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

var _ schema.Inspector = Dialect{}

// Inspect reads the tables and views of the current database, and of databases that names
// begin with.
func (d Dialect) Inspect(ctx context.Context, query schema.Query, names ...string) ([]*schema.Live, error) {
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
	version, err := query(ctx, `SELECT VERSION()`)
	if err != nil {
		return nil, err
	}
	in := inspection{byName: map[string]*schema.Live{}, maria: strings.Contains(text(version[0][0]), "MariaDB")}
	expression, checksSQL := "EXPRESSION", mysqlChecksSQL
	if in.maria {
		expression, checksSQL = "NULL", mariaChecksSQL
	}
	steps := []struct {
		sql  string
		read func(row []any)
	}{
		{tablesSQL, in.table},
		{columnsSQL, in.column},
		{strings.ReplaceAll(indexesSQL, "{expression}", expression), in.indexColumn},
		{checksSQL, in.check},
		{referencesSQL, in.reference},
		{triggersSQL, in.trigger},
	}
	for _, step := range steps {
		sql := step.sql
		if part.Schema != "" {
			sql = strings.ReplaceAll(sql, "DATABASE()", quoteText(part.Schema))
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

// inspection is the reading of a database.
type inspection struct {
	maria   bool
	found   []*schema.Live
	byName  map[string]*schema.Live
	keys    []*reference
	indexes []*index
	hidden  []hiddenColumn
}

// hiddenColumn is a generated column that stands in an index for what the database
// cannot index: see [Dialect.CreateIndex].
type hiddenColumn struct{ table, name, expression, of string }

// reference is a foreign key being read, column by column.
type reference struct {
	table, name string
	schema.ForeignKey
}

// index is an index being read, column by column.
type index struct {
	table string
	schema.Index
}

const tablesSQL = `SELECT TABLE_NAME, TABLE_TYPE, TABLE_COMMENT FROM information_schema.TABLES
	WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'VIEW') ORDER BY TABLE_NAME`

func (in *inspection) table(row []any) {
	l := &schema.Live{View: text(row[1]) == "VIEW"}
	l.Name = text(row[0])
	if !l.View {
		l.Comment = text(row[2])
	}
	in.found = append(in.found, l)
	in.byName[l.Name] = l
}

const columnsSQL = `SELECT c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_TYPE, c.IS_NULLABLE, c.COLUMN_DEFAULT, c.EXTRA,
		c.GENERATION_EXPRESSION, CASE WHEN c.COLLATION_NAME <> t.TABLE_COLLATION THEN c.COLLATION_NAME END, c.COLUMN_COMMENT
	FROM information_schema.COLUMNS c
	JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
	WHERE c.TABLE_SCHEMA = DATABASE() ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION`

func (in *inspection) column(row []any) {
	l := in.byName[text(row[0])]
	if l == nil {
		return
	}
	c := schema.Column{Name: text(row[1]), Null: text(row[3]) == "YES", Collation: text(row[7]), Comment: text(row[8])}
	logicalType(&c, text(row[2]))
	extra := strings.ToUpper(text(row[5]))
	if strings.Contains(extra, "INVISIBLE") && text(row[6]) != "" {
		of, _ := strings.CutPrefix(c.Comment, "for ")
		in.hidden = append(in.hidden, hiddenColumn{l.Name, c.Name, unescaped(text(row[6]), in.maria), of})
		return
	}
	c.AutoIncrement = strings.Contains(extra, "AUTO_INCREMENT")
	switch {
	case text(row[6]) != "":
		c.Generated = unescaped(text(row[6]), in.maria)
		c.Stored = strings.Contains(extra, "STORED") || strings.Contains(extra, "PERSISTENT")
	case row[4] != nil:
		in.setDefault(&c, text(row[4]), strings.Contains(extra, "DEFAULT_GENERATED"))
	}
	l.Columns = append(l.Columns, c)
}

// setDefault keeps a default as SQL. MySQL tells plain values without their quotes.
func (in *inspection) setDefault(c *schema.Column, value string, expression bool) {
	lower := strings.ToLower(value)
	for _, moment := range []string{"current_timestamp", "utc_timestamp", "curdate()", "utc_date", "curtime", "utc_time", "now("} {
		if strings.HasPrefix(strings.TrimLeft(lower, "("), moment) {
			c.DefaultNow = true
			return
		}
	}
	switch {
	case in.maria && value == "NULL":
		return
	case !in.maria && expression:
		value = unescaped(value, false)
	case !in.maria && !isNumber(c.Type):
		value = "'" + strings.ReplaceAll(value, "'", "''") + "'"
	}
	if c.Type == schema.Bool {
		value = map[string]string{"0": "FALSE", "1": "TRUE"}[value]
	}
	c.Default = &value
}

const indexesSQL = `SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, COLLATION, INDEX_TYPE, {expression}
	FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE()
	ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`

func (in *inspection) indexColumn(row []any) {
	l, name := in.byName[text(row[0])], text(row[1])
	if l == nil {
		return
	}
	column := schema.IndexColumn{Name: text(row[3]), Desc: text(row[4]) == "D"}
	if column.Name == "" {
		column.Expr = unescaped(text(row[6]), false)
	}
	where := in.unhide(l.Name, &column)
	if name == "PRIMARY" {
		if c := l.Column(column.Name); c != nil {
			c.PrimaryKey = true
		}
		return
	}
	if n := len(in.indexes); n == 0 || in.indexes[n-1].table != l.Name || in.indexes[n-1].Name != name {
		i := &index{table: l.Name}
		i.Name, i.Unique = name, number(row[2]) == 0
		if method := strings.ToLower(text(row[5])); method != "btree" {
			i.Method = method
		}
		in.indexes = append(in.indexes, i)
	}
	i := in.indexes[len(in.indexes)-1]
	i.Columns = append(i.Columns, column)
	if where != "" {
		i.Where = where
	}
}

// unhide turns a hidden column back into what it stands for, and returns the condition
// that is in it.
func (in *inspection) unhide(table string, column *schema.IndexColumn) (where string) {
	for _, h := range in.hidden {
		if h.table != table || h.name != column.Name {
			continue
		}
		expression := h.expression
		if rest, ok := cutFold(expression, "case when "); ok {
			then := strings.LastIndex(strings.ToLower(rest), " then ")
			if end := strings.LastIndex(strings.ToLower(rest), " end"); then >= 0 && end > then {
				where, expression = withoutParentheses(rest[:then]), rest[then+len(" then "):end]
			}
		}
		if h.of != "" {
			column.Name = h.of
		} else {
			column.Name, column.Expr = "", withoutParentheses(expression)
		}
	}
	return where
}

// cutFold is strings.CutPrefix in any case of letters.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// The checks of a column itself have its name.
const (
	mariaChecksSQL = `SELECT TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
	WHERE CONSTRAINT_SCHEMA = DATABASE() ORDER BY TABLE_NAME, CONSTRAINT_NAME`
	mysqlChecksSQL = `SELECT t.TABLE_NAME, c.CONSTRAINT_NAME, c.CHECK_CLAUSE
	FROM information_schema.CHECK_CONSTRAINTS c
	JOIN information_schema.TABLE_CONSTRAINTS t ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA
		AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME AND t.CONSTRAINT_TYPE = 'CHECK'
	WHERE c.CONSTRAINT_SCHEMA = DATABASE() ORDER BY t.TABLE_NAME, c.CONSTRAINT_NAME`
)

func (in *inspection) check(row []any) {
	l := in.byName[text(row[0])]
	if l == nil {
		return
	}
	name, sql := text(row[1]), unescaped(text(row[2]), in.maria)
	// MariaDB's JSON is text with a check of the column's own name.
	if c := l.Column(name); c != nil && strings.HasPrefix(strings.ToLower(sql), "json_valid(") {
		c.Type, c.Native, c.Collation = schema.JSON, nil, ""
		return
	}
	l.Checks = append(l.Checks, schema.Check{Name: name, SQL: sql})
}

// SCHEMA() is the database of the connection, whichever is read.
const referencesSQL = `SELECT k.TABLE_NAME, k.CONSTRAINT_NAME, k.REFERENCED_TABLE_NAME, r.DELETE_RULE, k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME,
		NULLIF(k.REFERENCED_TABLE_SCHEMA, SCHEMA())
	FROM information_schema.KEY_COLUMN_USAGE k
	JOIN information_schema.REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA
		AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
	WHERE k.TABLE_SCHEMA = DATABASE() AND k.REFERENCED_TABLE_NAME IS NOT NULL
	ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`

func (in *inspection) reference(row []any) {
	table, name := text(row[0]), text(row[1])
	if n := len(in.keys); n == 0 || in.keys[n-1].table != table || in.keys[n-1].name != name {
		key := &reference{table: table, name: name}
		key.Table, key.OnDelete = text(row[2]), schema.OnDelete(text(row[3]))
		if other := text(row[6]); other != "" {
			key.Table = other + "." + key.Table
		}
		in.keys = append(in.keys, key)
	}
	key := in.keys[len(in.keys)-1]
	key.Columns = append(key.Columns, text(row[4]))
	key.References = append(key.References, text(row[5]))
}

const triggersSQL = `SELECT EVENT_OBJECT_TABLE, TRIGGER_NAME FROM information_schema.TRIGGERS
	WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY EVENT_OBJECT_TABLE, TRIGGER_NAME`

func (in *inspection) trigger(row []any) {
	if l := in.byName[text(row[0])]; l != nil {
		l.Triggers = append(l.Triggers, text(row[1]))
	}
}

// finish gives a table the keys and indexes that were read of it. A unique key of one
// column that is named after it was made with the column; an index named after a foreign
// key was made for it by the database.
func (in *inspection) finish(l *schema.Live) {
	for _, key := range in.keys {
		if key.table != l.Name {
			continue
		}
		if column := l.Column(key.Columns[0]); len(key.Columns) == 1 && column != nil {
			column.References = &schema.Reference{Table: key.Table, Column: key.References[0], OnDelete: key.OnDelete}
		} else {
			l.ForeignKeys = append(l.ForeignKeys, key.ForeignKey)
		}
	}
	for _, i := range in.indexes {
		if i.table != l.Name || in.servesKey(i) {
			continue
		}
		if column := l.Column(i.Name); i.Unique && len(i.Columns) == 1 && column != nil && i.Columns[0].Name == i.Name {
			column.Unique = true
			continue
		}
		l.Indexes = append(l.Indexes, i.Index)
	}
}

func (in *inspection) servesKey(i *index) bool {
	for _, key := range in.keys {
		if key.table == i.table && key.name == i.Name {
			return true
		}
	}
	return false
}
