package sqlite

import (
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

var _ schema.Rebuilder = Dialect{}

// rebuildPrefix begins the name of a table while it is being built anew.
const rebuildPrefix = "new__"

// RenameTable returns the statements that rename a table. SQLite lets the
// foreign keys of other tables follow.
func (Dialect) RenameTable(from, to *schema.Table) []string {
	if from.Name == to.Name {
		return nil
	}
	if strings.EqualFold(from.Name, to.Name) {
		// Names differ only in case: to SQLite the new name is taken.
		return []string{
			renameTable(from.Name, rebuildPrefix+to.Name),
			renameTable(rebuildPrefix+to.Name, to.Name),
		}
	}
	return []string{renameTable(from.Name, to.Name)}
}

func renameTable(from, to string) string {
	return "ALTER TABLE " + quoteName(from) + " RENAME TO " + quoteName(to)
}

// AddColumn adds a column in place where SQLite allows it: neither key nor
// unique, and either nullable or with a literal default. Otherwise the table is
// built anew.
func (d Dialect) AddColumn(t *schema.Table, c *schema.Column, backfill *string) []string {
	literal := c.Default != nil && isLiteral(*c.Default)
	notNullDefault := literal && !strings.EqualFold(*c.Default, "NULL")
	virtual := c.Generated != "" && !c.Stored
	inPlace := !c.PrimaryKey && !c.Unique && backfill == nil &&
		(c.Default == nil || literal) && !c.DefaultNow && (c.Generated == "" || virtual) &&
		(c.Null || notNullDefault) &&
		(c.References == nil || !notNullDefault)
	if inPlace {
		return []string{"ALTER TABLE " + quoteName(t.Name) + " ADD COLUMN " + columnDefinition(c, false)}
	}
	after := t.Clone()
	after.Columns = append(after.Columns, *c)
	return d.Rebuild(t, after, []schema.ColumnChange{{To: c, Backfill: backfill}})
}

// DropColumn drops a column in place where SQLite allows it, and otherwise
// builds the table anew.
func (d Dialect) DropColumn(t *schema.Table, c *schema.Column) []string {
	inPlace := !c.PrimaryKey && !c.Unique && c.References == nil && len(t.Checks) == 0 && len(t.ForeignKeys) == 0
	if inPlace {
		return []string{"ALTER TABLE " + quoteName(t.Name) + " DROP COLUMN " + quoteName(c.Name)}
	}
	after := t.Clone()
	after.Columns = nil
	for _, column := range t.Columns {
		if column.Name != c.Name {
			after.Columns = append(after.Columns, column)
		}
	}
	return d.Rebuild(t, after, []schema.ColumnChange{{From: c}})
}

// RenameColumn renames a column. SQLite lets indexes, checks and the foreign
// keys of other tables follow.
func (Dialect) RenameColumn(t *schema.Table, from, to *schema.Column) []string {
	if from.Name == to.Name {
		return nil
	}
	return []string{"ALTER TABLE " + quoteName(t.Name) + " RENAME COLUMN " + quoteName(from.Name) + " TO " + quoteName(to.Name)}
}

// AlterColumn builds the table anew, unless SQLite would store both columns in
// the same way.
func (d Dialect) AlterColumn(before, after *schema.Table, from, to *schema.Column, backfill *string) []string {
	inlineKey := len(before.PrimaryKey()) == 1
	if inlineKey == (len(after.PrimaryKey()) == 1) && from.PrimaryKey == to.PrimaryKey &&
		columnDefinition(from, inlineKey) == columnDefinition(to, inlineKey) {
		return nil
	}
	return d.Rebuild(before, after, []schema.ColumnChange{{From: from, To: to, Backfill: backfill}})
}

// AlterPrimaryKey builds the table anew with the other key.
func (d Dialect) AlterPrimaryKey(before, after *schema.Table) []string {
	return d.Rebuild(before, after, nil)
}

// AddForeignKey builds the table anew with the reference.
func (d Dialect) AddForeignKey(before, after *schema.Table, _ *schema.ForeignKey) []string {
	return d.Rebuild(before, after, nil)
}

// DropForeignKey builds the table anew without the reference.
func (d Dialect) DropForeignKey(before, after *schema.Table, _ *schema.ForeignKey) []string {
	return d.Rebuild(before, after, nil)
}

// AddCheck builds the table anew with the check.
func (d Dialect) AddCheck(before, after *schema.Table, _ *schema.Check) []string {
	return d.Rebuild(before, after, nil)
}

// DropCheck builds the table anew without the check.
func (d Dialect) DropCheck(before, after *schema.Table, _ *schema.Check) []string {
	return d.Rebuild(before, after, nil)
}

// Rebuild makes the table anew: create under another name, copy, drop, rename,
// indexes. It implements [schema.Rebuilder].
func (d Dialect) Rebuild(before, after *schema.Table, changes []schema.ColumnChange) []string {
	temporary := rebuildPrefix + after.Name
	var names, values []string
	for i := range after.Columns {
		if after.Columns[i].Generated != "" {
			continue
		}
		name := quoteName(after.Columns[i].Name)
		value := name
		for _, change := range changes {
			if change.To != nil && change.To.Name == after.Columns[i].Name {
				value = copied(change)
			}
		}
		names, values = append(names, name), append(values, value)
	}
	statements := []string{
		createTable(after, temporary),
		"INSERT INTO " + quoteName(temporary) + " (" + strings.Join(names, ", ") + ")\nSELECT " +
			strings.Join(values, ", ") + " FROM " + quoteName(before.Name),
	}
	if autoIncrements(before) && autoIncrements(after) {
		// The copy starts counting at the highest id that is left; ids of
		// deleted rows must not be given out again.
		statements = append(statements,
			"DELETE FROM sqlite_sequence WHERE name = "+quoteText(temporary),
			"INSERT INTO sqlite_sequence (name, seq) SELECT "+quoteText(temporary)+
				", seq FROM sqlite_sequence WHERE name = "+quoteText(before.Name))
	}
	statements = append(statements,
		"DROP TABLE "+quoteName(before.Name),
		// Without it SQLite reads every view and trigger at the rename, and
		// fails on those that name the table just dropped.
		"PRAGMA legacy_alter_table = ON",
		renameTable(temporary, after.Name),
		"PRAGMA legacy_alter_table = OFF")
	for i := range after.Indexes {
		statements = append(statements, d.CreateIndex(after, &after.Indexes[i])...)
	}
	return statements
}

// copied is the expression that fills a changed column from a row of the old
// table.
func copied(change schema.ColumnChange) string {
	filler := Dialect{}.Filler(change.To, change.Backfill)
	switch {
	case change.From == nil && filler == "":
		return "NULL"
	case change.From == nil:
		return filler
	case change.From.Null && !change.To.Null && filler != "":
		return "coalesce(" + quoteName(change.From.Name) + ", " + filler + ")"
	}
	return quoteName(change.From.Name)
}

// Filler is what rows get in place of NULL, or nothing.
func (Dialect) Filler(c *schema.Column, backfill *string) string {
	switch {
	case backfill != nil:
		return *backfill
	case c.Default != nil && !strings.EqualFold(*c.Default, "NULL"):
		return *c.Default
	case c.DefaultNow:
		return now(c.Type)
	}
	return ""
}

func autoIncrements(t *schema.Table) bool {
	key := t.PrimaryKey()
	return len(key) == 1 && key[0].AutoIncrement
}

// Frame turns foreign keys off around statements that drop a table, be it to
// build it anew: with them on, DROP TABLE first deletes every row, and ON
// DELETE CASCADE would empty the tables that reference it. All foreign keys are
// checked before the commit instead.
func (Dialect) Frame(statements []string) schema.Frame {
	var frame schema.Frame
	for _, statement := range statements {
		upper := strings.ToUpper(statement)
		if strings.Contains(upper, "DROP TABLE") {
			frame.WithoutForeignKeys = true
		}
		if frame.Begin == nil && strings.Contains(upper, "RENAME") {
			// A rebuild that failed may have left it on.
			frame.Begin = []string{"PRAGMA legacy_alter_table = OFF"}
		}
		rest, ok := strings.CutPrefix(statement, "ALTER TABLE "+`"`+rebuildPrefix)
		if _, name, found := strings.Cut(rest, " RENAME TO "); ok && found {
			frame.Rebuilt = append(frame.Rebuilt, unquoteName(name))
		}
	}
	if !frame.WithoutForeignKeys {
		return frame
	}
	frame.Before = []string{"PRAGMA foreign_keys = OFF"}
	frame.After = []string{"PRAGMA foreign_keys = ON"}
	frame.Guard = "SELECT 1 FROM pragma_foreign_keys WHERE foreign_keys <> 0"
	frame.Check = `SELECT "table", rowid, "parent" FROM pragma_foreign_key_check`
	return frame
}
