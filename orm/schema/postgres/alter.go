package postgres

import (
	"fmt"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// RenameTable returns the statement that renames a table. References follow.
func (Dialect) RenameTable(from, to *schema.Table) []string {
	if from.Name == to.Name {
		return nil
	}
	fromSchema, fromName := split(from.Name)
	toSchema, toName := split(to.Name)
	var statements []string
	if fromName != toName {
		statements = append(statements, "ALTER TABLE "+quoteName(from.Name)+" RENAME TO "+quoteName(toName))
	}
	moved := toName
	if fromSchema != "" {
		moved = fromSchema + "." + toName
	}
	switch {
	case fromSchema == toSchema:
	case toSchema == "":
		statements = append(statements, fmt.Sprintf(`DO $do$
BEGIN
	EXECUTE format('ALTER TABLE %%s SET SCHEMA %%I', %s::regclass, current_schema());
END $do$`, quoteText(quoteName(moved))))
	default:
		statements = append(statements, createSchema(to)...)
		statements = append(statements, "ALTER TABLE "+quoteName(moved)+" SET SCHEMA "+quoteName(toSchema))
	}
	return statements
}

// createSchema returns the statement that makes the schema of a table if it is not there.
// CREATE SCHEMA IF NOT EXISTS would ask for the right to make schemas even if it is.
func createSchema(t *schema.Table) []string {
	name, _ := split(t.Name)
	if name == "" {
		return nil
	}
	return []string{fmt.Sprintf(`DO $do$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s) THEN
		CREATE SCHEMA %s;
	END IF;
END $do$`, quoteText(name), quoteName(name))}
}

func split(table string) (schemaName, name string) {
	if i := strings.LastIndexByte(table, '.'); i >= 0 {
		return table[:i], table[i+1:]
	}
	return "", table
}

// alter is ALTER TABLE of t, whose clauses are in the order given.
func alter(t *schema.Table, clauses ...string) string {
	return "ALTER TABLE " + quoteName(t.Name) + " " + strings.Join(clauses, ", ")
}

// AddColumn returns the statements that add a column. A value for the existing rows is
// a default that is taken away again, which does not rewrite the table.
func (Dialect) AddColumn(t *schema.Table, c *schema.Column, backfill *string) []string {
	added := *c
	if backfill != nil && c.Generated == "" {
		added.Default, added.DefaultNow = backfill, false
	}
	inlineKey := c.PrimaryKey && len(t.PrimaryKey()) == 0
	statements := []string{alter(t, "ADD COLUMN "+columnDefinition(&added, inlineKey))}
	if backfill != nil && c.Generated == "" {
		statements = append(statements, alter(t, alterDefault(c)))
	}
	if c.Comment != "" {
		statements = append(statements, commentColumn(t, c))
	}
	return statements
}

func alterDefault(c *schema.Column) string {
	if value := defaultValue(c); value != "" {
		return "ALTER COLUMN " + quoteName(c.Name) + " SET DEFAULT " + value
	}
	return "ALTER COLUMN " + quoteName(c.Name) + " DROP DEFAULT"
}

// DropColumn returns the statement that drops a column, with its constraints and
// indexes.
func (Dialect) DropColumn(t *schema.Table, c *schema.Column) []string {
	return []string{alter(t, "DROP COLUMN "+quoteName(c.Name))}
}

// RenameColumn returns the statement that renames a column. Indexes, checks and
// references follow.
func (Dialect) RenameColumn(t *schema.Table, from, to *schema.Column) []string {
	if from.Name == to.Name {
		return nil
	}
	return []string{alter(t, "RENAME COLUMN "+quoteName(from.Name)+" TO "+quoteName(to.Name))}
}

// AlterColumn returns the statements that turn one column into another.
func (d Dialect) AlterColumn(_, after *schema.Table, from, to *schema.Column, backfill *string) []string {
	if from.Generated != to.Generated && to.Generated != "" {
		return append(d.DropColumn(after, from), d.AddColumn(after, to, nil)...)
	}
	a := alteration{table: after, from: from, to: to, name: quoteName(to.Name)}
	a.release()
	a.changeType()
	a.changeNull(backfill)
	a.changeIdentity()
	a.bind()
	return a.statements
}

// alteration is the change of one column, in steps.
type alteration struct {
	table      *schema.Table
	from, to   *schema.Column
	name       string // quoted
	statements []string
}

func (a *alteration) add(statements ...string) { a.statements = append(a.statements, statements...) }

func (a *alteration) clause(format string, args ...any) {
	a.add(alter(a.table, fmt.Sprintf(format, args...)))
}

func (a *alteration) typeChanges() bool {
	return columnType(a.from) != columnType(a.to) || a.from.Collation != a.to.Collation
}

func (a *alteration) referenceChanges() bool {
	from, to := a.from.References, a.to.References
	if from == nil || to == nil {
		return from != to
	}
	return from.Table != to.Table || from.Column != to.Column || references(from) != references(to) || a.typeChanges()
}

// release takes off what is in the way of the change.
func (a *alteration) release() {
	if a.from.References != nil && a.referenceChanges() {
		a.add(dropConstraint(a.table, "f", a.to.Name))
	}
	if a.from.Unique && !a.to.Unique {
		a.add(dropConstraint(a.table, "u", a.to.Name))
	}
	if a.from.Generated != "" && a.to.Generated == "" {
		a.clause("ALTER COLUMN %s DROP EXPRESSION", a.name)
	}
	if a.from.AutoIncrement && !a.to.AutoIncrement {
		a.clause("ALTER COLUMN %s DROP IDENTITY IF EXISTS", a.name)
	}
	if defaultValue(a.from) != "" && (a.typeChanges() || defaultValue(a.to) == "") {
		a.clause("ALTER COLUMN %s DROP DEFAULT", a.name)
	}
}

func (a *alteration) changeType() {
	if !a.typeChanges() {
		return
	}
	collation := ""
	if a.to.Collation != "" {
		collation = " COLLATE " + quoteName(a.to.Collation)
	}
	a.clause("ALTER COLUMN %s TYPE %s%s USING %s", a.name, columnType(a.to), collation, converted(a.name, a.from, a.to))
}

func (a *alteration) changeNull(backfill *string) {
	if value := defaultValue(a.to); value != "" && (a.typeChanges() || defaultValue(a.from) != value) {
		a.add(alter(a.table, alterDefault(a.to)))
	}
	was, is := a.from.Null && !a.from.PrimaryKey, a.to.Null && !a.to.PrimaryKey
	switch {
	case was && !is:
		if filler := (Dialect{}).Filler(a.to, backfill); filler != "" {
			a.add("UPDATE " + quoteName(a.table.Name) + " SET " + a.name + " = " + filler + " WHERE " + a.name + " IS NULL")
		}
		a.clause("ALTER COLUMN %s SET NOT NULL", a.name)
	case is && !was:
		a.clause("ALTER COLUMN %s DROP NOT NULL", a.name)
	}
}

// Filler is what rows get in place of NULL, or nothing.
func (Dialect) Filler(c *schema.Column, backfill *string) string {
	filler := defaultValue(c)
	if backfill != nil {
		filler = literal(c, *backfill)
	}
	if strings.EqualFold(filler, "NULL") {
		return ""
	}
	return filler
}

// changeIdentity makes the database count from the highest key that is there.
func (a *alteration) changeIdentity() {
	if a.from.AutoIncrement || !a.to.AutoIncrement {
		return
	}
	a.clause("ALTER COLUMN %s ADD GENERATED BY DEFAULT AS IDENTITY", a.name)
	a.add(Dialect{}.ResetIdentity(a.table, a.to))
}

// ResetIdentity returns the statement that makes a key go on counting above the
// highest value there is, which is needed after rows were inserted with keys of their
// own.
func (Dialect) ResetIdentity(t *schema.Table, c *schema.Column) string {
	return fmt.Sprintf("SELECT setval(pg_get_serial_sequence(%s, %s), coalesce(max(%s), 0) + 1, false) FROM %s",
		quoteText(quoteName(t.Name)), quoteText(c.Name), quoteName(c.Name), quoteName(t.Name))
}

// bind adds what the column now has.
func (a *alteration) bind() {
	if a.to.Unique && !a.from.Unique {
		a.clause("ADD UNIQUE (%s)", a.name)
	}
	if a.to.References != nil && a.referenceChanges() {
		a.clause("ADD FOREIGN KEY (%s) %s", a.name, references(a.to.References))
	}
	if a.from.Comment != a.to.Comment {
		a.add(commentColumn(a.table, a.to))
	}
}

// dropConstraint drops the constraint of columns of a kind, "f" for a foreign key and "u"
// for a unique one, whose name is looked up.
func dropConstraint(t *schema.Table, kind string, columns ...string) string {
	return eachConstraint(t, kind, "DROP", columns)
}

// eachConstraint drops or validates the constraints of columns.
func eachConstraint(t *schema.Table, kind, verb string, columns []string) string {
	attribute := ""
	if len(columns) > 0 {
		numbers := make([]string, len(columns))
		for i, column := range columns {
			numbers[i] = fmt.Sprintf("(SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = %s)", quoteText(column))
		}
		attribute = " AND conkey = ARRAY[" + strings.Join(numbers, ", ") + "]"
	}
	return fmt.Sprintf(`DO $do$
DECLARE name text;
BEGIN
	FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = '%s'%s
	LOOP
		EXECUTE format('ALTER TABLE %%s %s CONSTRAINT %%I', %s::regclass, name);
	END LOOP;
END $do$`, quoteText(quoteName(t.Name)), kind, attribute, verb, quoteText(quoteName(t.Name)))
}

// AddForeignKey returns the statement that adds a reference of several columns.
func (Dialect) AddForeignKey(_, after *schema.Table, k *schema.ForeignKey) []string {
	return []string{alter(after, "ADD "+foreignKey(k))}
}

// DropForeignKey returns the statement that removes a reference of several columns.
func (Dialect) DropForeignKey(_, after *schema.Table, k *schema.ForeignKey) []string {
	return []string{dropConstraint(after, "f", k.Columns...)}
}

// AlterPrimaryKey returns the statements that make other columns the primary key.
func (Dialect) AlterPrimaryKey(before, after *schema.Table) []string {
	var statements []string
	if len(before.PrimaryKey()) > 0 {
		statements = append(statements, dropConstraint(after, "p"))
	}
	for i := range after.Columns {
		to := &after.Columns[i]
		from := before.Column(to.Name)
		if from == nil {
			continue
		}
		a := alteration{table: after, from: from, to: to, name: quoteName(to.Name)}
		a.release()
		a.changeNull(nil)
		a.changeIdentity()
		statements = append(statements, a.statements...)
	}
	if key := after.PrimaryKey(); len(key) > 0 {
		statements = append(statements, alter(after, "ADD PRIMARY KEY ("+names(key)+")"))
	}
	return statements
}
