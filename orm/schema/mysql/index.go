package mysql

import (
	"slices"
	"strconv"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// indexMethods are the kinds of index that have a word before INDEX.
var indexMethods = map[string]string{"fulltext": "FULLTEXT ", "spatial": "SPATIAL "}

func indexKind(i *schema.Index) string {
	if i.Unique {
		return "UNIQUE "
	}
	return indexMethods[strings.ToLower(i.Method)]
}

// emulated reports an index that needs a generated column: a unique one with a
// condition, or, on MariaDB, over an expression.
func (d Dialect) emulated(i *schema.Index) bool {
	if !i.Unique {
		return false
	}
	if i.Where != "" {
		return true
	}
	for _, column := range i.Columns {
		if column.Expr != "" && d.MariaDB {
			return true
		}
	}
	return false
}

// indexColumns writes the columns of an index; it is empty if nothing of the index can
// be had.
func (d Dialect) indexColumns(t *schema.Table, i *schema.Index) string {
	if i.Excludes() {
		return ""
	}
	parts := make([]string, 0, len(i.Columns))
	for n, column := range i.Columns {
		part := ""
		switch {
		case d.emulated(i) && (column.Expr != "" && d.MariaDB || n == 0 && i.Where != ""):
			part = quoteName(generatedName(i, n))
		case column.Expr != "" && d.MariaDB:
			return ""
		case column.Expr != "":
			part = "(" + column.Expr + ")"
		default:
			part = quoteName(column.Name) + prefix(t, i, column.Name)
		}
		if column.Desc {
			part += " DESC"
		}
		parts = append(parts, part)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// prefix is the length to which an index takes a column that is too long for it.
func prefix(t *schema.Table, i *schema.Index, name string) string {
	c := t.Column(name)
	if c == nil || i.Unique || indexKind(i) != "" {
		return ""
	}
	const widest = 768 // characters of four bytes in a key of 3072 bytes
	typ := columnType(t, c)
	if strings.HasPrefix(typ, "LONG") || c.Type == schema.String && c.Size > widest {
		return "(" + strconv.Itoa(keyedSize) + ")"
	}
	return ""
}

// generatedName is the column that stands in an index for its n-th one.
func generatedName(i *schema.Index, n int) string { return shorten(i.Name + "_if" + strconv.Itoa(n)) }

// generated lists the columns that an emulated index needs: name and definition.
func (d Dialect) generated(t *schema.Table, i *schema.Index) [][2]string {
	var list [][2]string
	if !d.emulated(i) {
		return nil
	}
	for n, column := range i.Columns {
		expr, typ, comment := column.Expr, "VARCHAR("+strconv.Itoa(keyedSize)+")", ""
		if expr == "" {
			if n > 0 || i.Where == "" {
				continue
			}
			expr, comment = quoteName(column.Name), " COMMENT "+quoteText("for "+column.Name)
			if c := t.Column(column.Name); c != nil {
				typ = columnType(t, c)
				if c.Collation != "" {
					typ += " COLLATE " + quoteName(c.Collation)
				}
			}
		} else if !d.MariaDB && (n > 0 || i.Where == "") {
			continue
		}
		if n == 0 && i.Where != "" {
			expr = "CASE WHEN " + i.Where + " THEN " + expr + " END"
		}
		name := generatedName(i, n)
		list = append(list, [2]string{name, quoteName(name) + " " + typ + " GENERATED ALWAYS AS (" + expr + ") VIRTUAL INVISIBLE" + comment})
	}
	return list
}

// CreateIndex returns the statements that create an index.
func (d Dialect) CreateIndex(t *schema.Table, i *schema.Index) []string {
	columns := d.indexColumns(t, i)
	if columns == "" {
		return nil
	}
	with := t.Clone()
	with.Indexes = append(slices.DeleteFunc(with.Indexes, func(other schema.Index) bool { return other.Name == i.Name }), *i)
	bare := t.Clone()
	bare.Indexes = slices.DeleteFunc(bare.Indexes, func(other schema.Index) bool { return other.Name == i.Name })
	var parts []string
	if i.Unique {
		// Text without a size gets one when it becomes a key.
		for _, column := range i.Columns {
			c := t.Column(column.Name)
			if c != nil && c.Generated == "" && columnType(with, c) != columnType(bare, c) {
				parts = append(parts, "MODIFY COLUMN "+d.columnDefinition(with, c))
			}
		}
	}
	parts = append(parts, d.addIndex(with, i)...)
	return []string{alter(t, append(parts, d.referenceIndexes(bare, with)...)...)}
}

// addIndex lists what makes an index over columns that are as it needs them.
func (d Dialect) addIndex(t *schema.Table, i *schema.Index) []string {
	var parts []string
	for _, g := range d.generated(t, i) {
		parts = append(parts, "ADD COLUMN "+g[1])
	}
	return append(parts, "ADD "+indexKind(i)+"INDEX "+quoteName(i.Name)+" "+d.indexColumns(t, i))
}

// DropIndex returns the statement that drops an index.
func (d Dialect) DropIndex(t *schema.Table, i *schema.Index) []string {
	if len(d.indexColumns(t, i)) == 0 {
		return nil
	}
	without := t.Clone()
	without.Indexes = slices.DeleteFunc(without.Indexes, func(other schema.Index) bool { return other.Name == i.Name })
	parts := append(d.referenceIndexes(t, without), "DROP INDEX "+quoteName(i.Name))
	for _, column := range i.Columns {
		c := t.Column(column.Name)
		if c != nil && c.Generated == "" && columnType(without, c) != columnType(t, c) {
			parts = append(parts, "MODIFY COLUMN "+d.columnDefinition(without, c))
		}
	}
	for _, g := range d.generated(t, i) {
		parts = append(parts, "DROP COLUMN "+quoteName(g[0]))
	}
	return []string{alter(t, parts...)}
}

// RenameIndex implements schema.IndexRenamer.
func (d Dialect) RenameIndex(t *schema.Table, from, to *schema.Index) []string {
	switch {
	case len(d.indexColumns(t, from)) == 0:
		return nil
	case len(d.generated(t, from)) > 0: // columns that are named after the index
		return append(d.DropIndex(t, from), d.CreateIndex(t, to)...)
	}
	return []string{alter(t, "RENAME INDEX "+quoteName(from.Name)+" TO "+quoteName(to.Name))}
}

// A reference needs an index that begins with its column. InnoDB makes one where there
// is none and takes it away when it sees fit; to know which there are, the statements of
// this package make one of their own, named after the reference, if no other serves.

// needsIndex reports a column with a reference that no declared index or key serves.
func (d Dialect) needsIndex(t *schema.Table, c *schema.Column) bool {
	if c == nil || c.References == nil || c.Unique {
		return false
	}
	if key := t.PrimaryKey(); len(key) > 0 && key[0].Name == c.Name {
		return false
	}
	return !slices.ContainsFunc(t.Indexes, func(i schema.Index) bool {
		return len(i.Columns) > 0 && i.Columns[0].Name == c.Name && indexMethods[strings.ToLower(i.Method)] == "" &&
			(!d.emulated(&i) || i.Where == "") && d.indexColumns(t, &i) != ""
	})
}

func referenceIndex(t *schema.Table, c *schema.Column) string {
	return "INDEX " + quoteName(foreignKeyName(t, c)) + " (" + quoteName(c.Name) + ")"
}

// referenceIndexes are the parts of an ALTER TABLE that make and drop indexes of
// references when keys and indexes change around them.
func (d Dialect) referenceIndexes(before, after *schema.Table) []string {
	var parts []string
	for i := range after.Columns {
		c := &after.Columns[i]
		was, is := d.needsIndex(before, before.Column(c.Name)), d.needsIndex(after, c)
		switch {
		case is && !was:
			parts = append(parts, "ADD "+referenceIndex(after, c))
		case was && !is:
			parts = append(parts, "DROP INDEX "+quoteName(foreignKeyName(before, c)))
		}
	}
	for i := range after.ForeignKeys {
		k := &after.ForeignKeys[i]
		was, is := before.ForeignKey(k.Columns...) != nil && d.needsKeyIndex(before, k), d.needsKeyIndex(after, k)
		switch {
		case is && !was:
			parts = append(parts, "ADD "+keyIndex(after, k))
		case was && !is:
			parts = append(parts, "DROP INDEX "+quoteName(referencesName(before, k)))
		}
	}
	return parts
}

// needsKeyIndex is needsIndex for a reference of several columns.
func (d Dialect) needsKeyIndex(t *schema.Table, k *schema.ForeignKey) bool {
	begins := func(names []string) bool {
		return len(names) >= len(k.Columns) && slices.Equal(names[:len(k.Columns)], k.Columns)
	}
	var names []string
	for _, c := range t.PrimaryKey() {
		names = append(names, c.Name)
	}
	if begins(names) {
		return false
	}
	return !slices.ContainsFunc(t.Indexes, func(i schema.Index) bool {
		names := make([]string, len(i.Columns))
		for n, c := range i.Columns {
			names[n] = c.Name
		}
		return begins(names) && indexMethods[strings.ToLower(i.Method)] == "" && (!d.emulated(&i) || i.Where == "") && d.indexColumns(t, &i) != ""
	})
}

func keyIndex(t *schema.Table, k *schema.ForeignKey) string {
	return "INDEX " + quoteName(referencesName(t, k)) + " (" + quoteNames(k.Columns) + ")"
}

// addReference is the parts of an ALTER TABLE that add the reference of a column, and
// dropReference those that drop it.
func (d Dialect) addReference(t *schema.Table, c *schema.Column) []string {
	add := "ADD " + foreignKey(t, c)
	if d.needsIndex(t, c) {
		return []string{"ADD " + referenceIndex(t, c), add}
	}
	return []string{add}
}

func (d Dialect) dropReference(t *schema.Table, c *schema.Column) []string {
	parts := []string{"DROP FOREIGN KEY " + quoteName(foreignKeyName(t, c))}
	if d.needsIndex(t, c) {
		parts = append(parts, "DROP INDEX "+quoteName(foreignKeyName(t, c)))
	}
	return parts
}

func alter(t *schema.Table, parts ...string) string {
	return atHome("ALTER TABLE " + quoteName(t.Name) + " " + strings.Join(parts, ", "))
}
