package migrate

import (
	"fmt"
	"slices"

	"github.com/retort-web/retort/orm/schema"
)

// What PostgreSQL and MySQL do is described in
// https://www.postgresql.org/docs/current/sql-altertable.html and
// https://dev.mysql.com/doc/refman/8.4/en/innodb-online-ddl-operations.html, what
// MariaDB does in https://mariadb.com/kb/en/innodb-online-ddl-overview/.

const gentleAdvice = "makemigrations --zero-downtime writes it so"

// changes finds the hazards of an operation on a table that may have rows.
func (l *linter) changes(operation Operation, t *schema.Table) {
	switch o := operation.(type) {
	case DeleteModel:
		l.add("drop-model", "code that is still running reads and writes "+t.Name,
			"deploy code that does not use the model first, and delete it with the next release")
	case RemoveField:
		l.add("drop-field", fmt.Sprintf("code that is still running reads and writes %s.%s", t.Name, o.Column),
			"deploy code that does not use the field first, and remove it with the next release")
	case RenameField:
		l.add("rename-field", fmt.Sprintf("code that is still running reads and writes %s.%s", t.Name, o.From),
			"keep the column by the field's tag (column="+o.From+"), or add a new field, write both, copy with FillField, and remove the old one with the next release")
	case AddField:
		l.addField(o, t)
	case AlterField:
		l.alterField(o, t)
	case SetNotNull:
		if l.on(kindPostgres) && l.atomic {
			l.inTransaction()
		}
	case AddUnique:
		l.uniqueText(t, o.Column)
	case AddIndex:
		l.addIndex(o, t)
	case RemoveIndex:
		if l.on(kindPostgres) && !o.Concurrently {
			l.add("index-drop-waits", "it waits for every query on "+t.Name+", and all queries after it wait for it",
				"say Concurrently: true, in a migration that is NonAtomic; "+gentleAdvice)
		}
	case AddCheck:
		l.addCheck(o, t)
	case AddForeignKey:
		l.foreignKey(t, o.ForeignKey.Table, o.NotValid)
	case ValidateCheck, ValidateForeignKey:
		if l.on(kindPostgres) && l.atomic && l.locked != "" {
			l.inTransaction()
		}
	case AlterPrimaryKey:
		if !l.on(kindSQLite) {
			l.add("alter-primary-key", "nobody reads or writes "+t.Name+" while its rows are put in the new order",
				"do it while the site is down, or make a new table, copy the rows, and rename")
		}
	}
}

func (l *linter) inTransaction() {
	l.add("validate-in-transaction", "the lock of what came before in the transaction is held while all rows are read",
		"put it into a later migration, that is NonAtomic; "+gentleAdvice)
}

func (l *linter) addField(o AddField, t *schema.Table) {
	c := &o.Column
	switch {
	case c.Generated != "":
		if c.Stored && !l.on(kindSQLite) || l.on(kindPostgres) {
			l.add("generated-stored", "the whole table "+t.Name+" is written anew, and nobody uses it meanwhile",
				"compute the value in the query, or add a plain field, let the program write it, and fill it with FillField")
		}
		return
	case !c.Null && c.Default == nil && !c.DefaultNow && !c.AutoIncrement:
		problem := "code that is still running does not know the field, and can insert no rows any more"
		if o.Backfill == nil {
			problem = "it fails if " + t.Name + " has rows; also, " + problem
		}
		l.add("add-required-field", problem, "give the field a default in the database, or let it be NULL until the new code runs; "+gentleAdvice)
	case c.DefaultNow && l.on(kindMySQL, kindMariaDB), c.Default != nil && isVolatile(*c.Default) && l.on(kindPostgres, kindMySQL, kindMariaDB):
		l.add("rewrite-default", "each row gets a value of its own, so the whole table "+t.Name+" is written anew",
			"add the field without the default, set that in a second step, and fill the rows that are there; "+gentleAdvice)
	}
	if c.Unique && l.on(kindPostgres) {
		l.add("unique-blocks", "nobody uses "+t.Name+" while its index is built", "add the field first, and then AddUnique in a migration that is NonAtomic; "+gentleAdvice)
	}
	filled := c.Default != nil || c.DefaultNow || o.Backfill != nil
	if c.References != nil && (filled || l.on(kindMySQL, kindMariaDB)) {
		l.foreignKey(t, c.References.Table, false)
	}
}

func (l *linter) alterField(o AlterField, t *schema.Table) {
	from, to := t.Column(o.Column.Name), &o.Column
	if (from.Generated != "" || to.Generated != "") && from.Generated != to.Generated && !l.on(kindSQLite) {
		l.add("generated-stored", "the column is dropped and computed anew for all rows of "+t.Name, "add a new field, and remove the old one with the next release")
		return
	}
	after := l.change.To.Table(l.app, o.Model)
	if why := l.rewrites(t, after, from, to); why != "" {
		l.add("alter-type", why, "add a new field of the new type, write both, copy with FillField, and remove the old one with the next release")
	}
	if from.Null && !to.Null {
		switch {
		case l.on(kindPostgres):
			l.add("set-not-null", "nobody uses "+t.Name+" while all its rows are read", "use SetNotNull, in a migration that is NonAtomic; "+gentleAdvice)
		case l.on(kindMySQL, kindMariaDB) && (o.Backfill != nil || to.Default != nil || to.DefaultNow):
			l.add("fill-at-once", "all rows of "+t.Name+" that hold NULL are locked until the last one is filled", "use SetNotNull, which fills them in batches; "+gentleAdvice)
		}
	}
	if to.Unique && !from.Unique {
		if l.on(kindPostgres) {
			l.add("unique-blocks", "nobody uses "+t.Name+" while the index is built", "use AddUnique, in a migration that is NonAtomic; "+gentleAdvice)
		}
		l.uniqueText(t, to.Name)
	}
	if to.References != nil && !sameReference(from.References, to.References) {
		l.foreignKey(t, to.References.Table, o.NotValid)
	}
}

// uniqueText warns of text without a size, which MySQL makes shorter when it is a key.
func (l *linter) uniqueText(t *schema.Table, column string) {
	c := t.Column(column)
	if l.on(kindMySQL, kindMariaDB) && c != nil && (c.Type == schema.Text || c.Type == schema.Bytes || c.Type == schema.String && c.Size == 0) {
		l.add("alter-type", "text that is a key has a size on MySQL, so the whole table "+t.Name+" is copied, and nobody writes to it meanwhile",
			"give the field a size in a migration of its own, while little is written")
	}
}

func (l *linter) addIndex(o AddIndex, t *schema.Table) {
	switch {
	case l.on(kindPostgres) && (o.Index.Deferred || o.Index.Excludes()):
		l.add("unique-blocks", "nobody uses "+t.Name+" while the constraint is checked for all its rows", "do it while little is going on; PostgreSQL has no other way")
	case l.on(kindPostgres) && !o.Concurrently:
		l.add("index-blocks", "nobody writes to "+t.Name+" while the index is built", "say Concurrently: true, in a migration that is NonAtomic; "+gentleAdvice)
	case l.on(kindMySQL, kindMariaDB) && slices.Contains([]string{"fulltext", "spatial"}, o.Index.Method):
		l.add("index-blocks", "nobody writes to "+t.Name+" while an index of this kind is built", "do it while little is written, or with gh-ost or pt-online-schema-change")
	case o.Index.Unique:
		for _, c := range o.Index.Columns {
			l.uniqueText(t, c.Name)
		}
	}
}

func (l *linter) addCheck(o AddCheck, t *schema.Table) {
	switch {
	case l.on(kindPostgres) && !o.NotValid:
		l.add("check-scan", "nobody uses "+t.Name+" while all its rows are read", "say NotValid: true, and ValidateCheck in a later migration; "+gentleAdvice)
	case l.on(kindMySQL, kindMariaDB):
		l.add("check-scan", "the whole table "+t.Name+" is copied, and nobody writes to it meanwhile", "check in the program, or do it while little is written")
	}
}

func (l *linter) foreignKey(t *schema.Table, to string, notValid bool) {
	switch {
	case l.on(kindPostgres) && !notValid:
		l.add("foreign-key-scan", fmt.Sprintf("nobody writes to %s and %s while all rows are looked up", t.Name, to),
			"say NotValid: true, and ValidateForeignKey in a later migration; "+gentleAdvice)
	case l.on(kindMySQL, kindMariaDB):
		l.add("foreign-key-scan", "the whole table "+t.Name+" is copied, and nobody writes to it meanwhile",
			"do it while little is written, or with gh-ost or pt-online-schema-change")
	}
}

func (l *linter) renameModel(from, to, table string) {
	t := l.change.From.tables[from]
	if t == nil || l.fresh[from] {
		l.fresh[l.app+"."+to] = true
		return
	}
	if table != "" && table != t.Name {
		l.add("rename-model", "code that is still running reads and writes "+t.Name,
			"keep the table by Meta (Table: \""+t.Name+"\"), or leave a view of the old name behind with RunSQL until the old code is gone")
	}
}
