package mysql

import (
	"slices"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// DropTable returns the statement that drops a table.
func (Dialect) DropTable(t *schema.Table) []string {
	return []string{"DROP TABLE " + quoteName(t.Name)}
}

// CommentTable returns the statement that sets the comment of a table.
func (Dialect) CommentTable(t *schema.Table) []string {
	return []string{alter(t, "COMMENT="+quoteText(t.Comment))}
}

// RenameTable returns the statements that rename a table. References to it follow; its
// own are named after it and get new names.
func (d Dialect) RenameTable(from, to *schema.Table) []string {
	if from.Name == to.Name {
		return nil
	}
	statements := append(createSchema(to), "RENAME TABLE "+quoteName(from.Name)+" TO "+quoteName(to.Name))
	var parts []string
	for i := range from.Columns {
		c := &from.Columns[i]
		if c.References == nil {
			continue
		}
		moved := c.Clone()
		if moved.References.Table == from.Name {
			moved.References.Table = to.Name
		}
		parts = append(parts, "DROP FOREIGN KEY "+quoteName(foreignKeyName(from, c)), "ADD "+foreignKey(to, &moved))
		if d.needsIndex(from, c) {
			parts = append(parts, "RENAME INDEX "+quoteName(foreignKeyName(from, c))+" TO "+quoteName(foreignKeyName(to, c)))
		}
	}
	for i := range from.ForeignKeys {
		k := from.ForeignKeys[i].Clone()
		if k.Table == from.Name {
			k.Table = to.Name
		}
		parts = append(parts, "DROP FOREIGN KEY "+quoteName(referencesName(from, &k)), "ADD "+references(to, &k))
		if d.needsKeyIndex(from, &k) {
			parts = append(parts, "RENAME INDEX "+quoteName(referencesName(from, &k))+" TO "+quoteName(referencesName(to, &k)))
		}
	}
	if len(parts) > 0 {
		statements = append(statements, alter(to, parts...))
	}
	return statements
}

// AddColumn returns the statements that add a column. The default by which the rows that
// exist get their value is taken away again if it was only for them.
func (d Dialect) AddColumn(t *schema.Table, c *schema.Column, backfill *string) []string {
	first := c.Clone()
	passing := false // a default for this statement only
	guard := ""
	switch {
	case c.Default != nil || c.DefaultNow || c.Generated != "" || c.AutoIncrement:
	case backfill != nil:
		// In parentheses every type takes it.
		first.Default, passing = new("("+*backfill+")"), true
	case !c.Null:
		// Rows that exist would get zero values, and nobody would know. No row meets
		// this check.
		guard = quoteName(shorten(objectPrefix(t) + "_" + c.Name + "_needs_a_value"))
	}
	parts := []string{"ADD COLUMN " + d.columnDefinition(t, &first)}
	if c.PrimaryKey && len(t.PrimaryKey()) == 0 {
		parts = append(parts, "ADD "+primaryKey([]schema.Column{*c}))
	}
	if c.Unique {
		parts = append(parts, "ADD UNIQUE KEY "+quoteName(c.Name)+" ("+quoteName(c.Name)+")")
	}
	if guard != "" {
		parts = append(parts, "ADD CONSTRAINT "+guard+" CHECK (1 = 0)")
	}
	statements := []string{alter(t, parts...)}
	if guard != "" {
		statements = append(statements, alter(t, "DROP CONSTRAINT "+guard))
	}
	if passing {
		statements = append(statements, alter(t, "ALTER COLUMN "+quoteName(c.Name)+" DROP DEFAULT"))
	}
	if c.References != nil {
		with := t.Clone()
		with.Columns = append(with.Columns, c.Clone())
		statements = append(statements, alter(t, d.addReference(with, c)...))
	}
	return statements
}

// DropColumn returns the statements that drop a column and what hangs on it.
func (d Dialect) DropColumn(t *schema.Table, c *schema.Column) []string {
	var statements []string
	if c.References != nil {
		statements = append(statements, alter(t, "DROP FOREIGN KEY "+quoteName(foreignKeyName(t, c))))
	}
	return append(statements, alter(t, "DROP COLUMN "+quoteName(c.Name)))
}

// RenameColumn returns the statement that renames a column. Indexes and the references of
// other tables follow; what is named after the column gets the new name.
func (d Dialect) RenameColumn(t *schema.Table, from, to *schema.Column) []string {
	if from.Name == to.Name {
		return nil
	}
	parts := []string{"RENAME COLUMN " + quoteName(from.Name) + " TO " + quoteName(to.Name)}
	if from.Unique {
		parts = append(parts, "RENAME INDEX "+quoteName(from.Name)+" TO "+quoteName(to.Name))
	}
	// Foreign keys are named after their columns.
	var drop, add []string
	if from.References != nil {
		named := from.Clone()
		named.Name = to.Name
		drop = append(drop, "DROP FOREIGN KEY "+quoteName(foreignKeyName(t, from)))
		add = append(add, "ADD "+foreignKey(t, &named))
		if d.needsIndex(t, from) {
			parts = append(parts, "RENAME INDEX "+quoteName(foreignKeyName(t, from))+" TO "+quoteName(foreignKeyName(t, &named)))
		}
	}
	for i := range t.ForeignKeys {
		k := t.ForeignKeys[i].Clone()
		at := slices.Index(k.Columns, from.Name)
		if at < 0 {
			continue
		}
		old := referencesName(t, &k)
		needed := d.needsKeyIndex(t, &k)
		drop = append(drop, "DROP FOREIGN KEY "+quoteName(old))
		k.Columns[at] = to.Name
		add = append(add, "ADD "+references(t, &k))
		if needed {
			parts = append(parts, "RENAME INDEX "+quoteName(old)+" TO "+quoteName(referencesName(t, &k)))
		}
	}
	if drop == nil {
		return []string{alter(t, parts...)}
	}
	return []string{alter(t, drop...), alter(t, parts...), alter(t, add...)}
}

// AddForeignKey returns the statement that adds a reference of several columns.
func (d Dialect) AddForeignKey(_, after *schema.Table, k *schema.ForeignKey) []string {
	var parts []string
	if d.needsKeyIndex(after, k) {
		parts = append(parts, "ADD "+keyIndex(after, k))
	}
	return []string{alter(after, append(parts, "ADD "+references(after, k))...)}
}

// DropForeignKey returns the statement that removes a reference of several columns.
func (d Dialect) DropForeignKey(before, _ *schema.Table, k *schema.ForeignKey) []string {
	parts := []string{"DROP FOREIGN KEY " + quoteName(referencesName(before, k))}
	if d.needsKeyIndex(before, k) {
		parts = append(parts, "DROP INDEX "+quoteName(referencesName(before, k)))
	}
	return []string{alter(before, parts...)}
}

// AlterColumn returns the statements that turn a column into another.
func (d Dialect) AlterColumn(before, after *schema.Table, from, to *schema.Column, backfill *string) []string {
	was, is := d.columnDefinition(before, from), d.columnDefinition(after, to)
	changes := was != is
	rename := from.Name != to.Name
	var statements []string
	// A foreign key keeps its columns from changing.
	released := from.References != nil && (changes || rename || to.References == nil || *from.References != *to.References)
	if released {
		statements = append(statements, alter(before, d.dropReference(before, from)...))
	}
	kept := from.References != nil && !released
	if from.Unique && !to.Unique {
		parts := []string{"DROP INDEX " + quoteName(from.Name)}
		if kept && d.needsIndex(after, to) {
			parts = append(parts, "ADD "+referenceIndex(after, to))
		}
		statements = append(statements, alter(before, parts...))
	}
	if from.Null && !to.Null && to.Generated == "" {
		if filler := d.Filler(to, backfill); filler != "" {
			statements = append(statements, "UPDATE "+quoteName(before.Name)+" SET "+quoteName(from.Name)+" = "+filler+" WHERE "+quoteName(from.Name)+" IS NULL")
		}
	}
	switch {
	case (from.Generated == "") != (to.Generated == "") || from.Stored != to.Stored:
		// Such a column is no other kind of the same column.
		statements = append(statements, alter(after, "DROP COLUMN "+quoteName(from.Name)), alter(after, "ADD COLUMN "+is))
	case rename:
		statements = append(statements, alter(after, "CHANGE COLUMN "+quoteName(from.Name)+" "+is))
	case changes:
		statements = append(statements, alter(after, "MODIFY COLUMN "+is))
	}
	switch {
	case to.Unique && !from.Unique:
		parts := []string{"ADD UNIQUE KEY " + quoteName(to.Name) + " (" + quoteName(to.Name) + ")"}
		if kept && d.needsIndex(before, from) {
			parts = append(parts, "DROP INDEX "+quoteName(foreignKeyName(before, from)))
		}
		statements = append(statements, alter(after, parts...))
	case to.Unique && rename:
		statements = append(statements, alter(after, "RENAME INDEX "+quoteName(from.Name)+" TO "+quoteName(to.Name)))
	}
	if to.References != nil && !kept {
		statements = append(statements, alter(after, d.addReference(after, to)...))
	}
	return statements
}

// Filler is what rows get in place of NULL, or nothing.
func (Dialect) Filler(c *schema.Column, backfill *string) string {
	switch {
	case backfill != nil:
		return *backfill
	case c.DefaultNow:
		return now(c.Type)
	case c.Default != nil && !strings.EqualFold(*c.Default, "NULL"):
		return *c.Default
	}
	return ""
}

// AlterPrimaryKey returns the statement that makes other columns the primary key. What
// counts up is a key at all times.
func (d Dialect) AlterPrimaryKey(before, after *schema.Table) []string {
	parts := d.referenceIndexes(before, after)
	if len(before.PrimaryKey()) > 0 {
		parts = append(parts, "DROP PRIMARY KEY")
	}
	if key := after.PrimaryKey(); len(key) > 0 {
		parts = append(parts, "ADD "+primaryKey(key))
	}
	for i := range after.Columns {
		c := &after.Columns[i]
		if old := before.Column(c.Name); old != nil && d.columnDefinition(before, old) != d.columnDefinition(after, c) {
			parts = append(parts, "MODIFY COLUMN "+d.columnDefinition(after, c))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{alter(after, parts...)}
}

// AddCheck returns the statement that adds a check.
func (Dialect) AddCheck(_, after *schema.Table, c *schema.Check) []string {
	return []string{alter(after, "ADD "+checkDefinition(c))}
}

// DropCheck returns the statement that drops a check.
func (Dialect) DropCheck(before, _ *schema.Table, c *schema.Check) []string {
	return []string{alter(before, "DROP CONSTRAINT "+quoteName(c.Name))}
}
