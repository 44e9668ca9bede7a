package migrate

import (
	"regexp"
	"strings"
)

// pattern is SQL, written by hand, that is a hazard on some databases.
type pattern struct {
	databases       string
	sql             *regexp.Regexp
	unless          *regexp.Regexp
	rule            string
	problem, advice string
}

func find(sql string) *regexp.Regexp { return regexp.MustCompile(`(?is)` + sql) }

// patterns are looked for in each statement of RunSQL.
var patterns = []pattern{
	{"postgres", find(`^CREATE\s+(UNIQUE\s+)?INDEX\b`), find(`\bCONCURRENTLY\b`), "index-blocks", "nobody writes to the table while the index is built", "write CREATE INDEX CONCURRENTLY, in a migration that is NonAtomic"},
	{"postgres", find(`^DROP\s+INDEX\b`), find(`\bCONCURRENTLY\b`), "index-drop-waits", "it waits for every query on the table, and all queries after it wait for it", "write DROP INDEX CONCURRENTLY, in a migration that is NonAtomic"},
	{"postgres", find(`^REINDEX\b`), find(`\bCONCURRENTLY\b`), "index-blocks", "nobody writes to the table while the index is built", "write REINDEX CONCURRENTLY, in a migration that is NonAtomic"},
	{"postgres", find(`^ALTER\s+TABLE\b.*\bADD\s+(CONSTRAINT\s+\S+\s+)?FOREIGN\s+KEY\b`), find(`\bNOT\s+VALID\b`), "foreign-key-scan", "nobody writes to both tables while all rows are looked up", "write NOT VALID, and VALIDATE CONSTRAINT in a later migration"},
	{"postgres", find(`^ALTER\s+TABLE\b.*\bADD\s+(CONSTRAINT\s+\S+\s+)?CHECK\b`), find(`\bNOT\s+VALID\b`), "check-scan", "nobody uses the table while all its rows are read", "write NOT VALID, and VALIDATE CONSTRAINT in a later migration"},
	{"postgres", find(`^ALTER\s+TABLE\b.*\bADD\s+(CONSTRAINT\s+\S+\s+)?(UNIQUE|PRIMARY\s+KEY|EXCLUDE)\b`), find(`\bUSING\s+INDEX\b`), "unique-blocks", "nobody uses the table while the index is built", "create the index with CONCURRENTLY first, and add the constraint with USING INDEX"},
	{"postgres", find(`^ALTER\s+TABLE\b.*\bSET\s+NOT\s+NULL\b`), nil, "set-not-null", "nobody uses the table while all its rows are read", "use SetNotNull, in a migration that is NonAtomic"},
	{"postgres mysql mariadb", find(`^ALTER\s+TABLE\b.*\bALTER\s+(COLUMN\s+)?\S+\s+(SET\s+DATA\s+)?TYPE\b|^ALTER\s+TABLE\b.*\b(MODIFY|CHANGE)\b`), nil, "alter-type", "most changes of a type write the whole table anew, and nobody writes to it meanwhile", "add a new column, write both, copy in batches, and drop the old one with the next release"},
	{"postgres", find(`^(VACUUM\s+FULL|VACUUM\s*\([^)]*FULL|CLUSTER)\b`), nil, "raw-sql", "nobody uses the table while it is written anew", "use pg_repack, or do it while the site is down"},
	{"postgres", find(`^REFRESH\s+MATERIALIZED\s+VIEW\b`), find(`\bCONCURRENTLY\b`), "raw-sql", "nobody reads the view while it is made", "write REFRESH MATERIALIZED VIEW CONCURRENTLY"},
	{"postgres mysql mariadb sqlite", find(`^LOCK\s+TABLES?\b`), nil, "raw-sql", "nobody uses the table until the migration has ended", "leave it out: each statement takes the locks that it needs"},
	{"postgres mysql mariadb sqlite", find(`^TRUNCATE\b`), nil, "raw-sql", "all rows are lost, and nobody uses the table until the migration has ended", "delete in batches"},
	{"postgres mysql mariadb sqlite", find(`^DROP\s+TABLE\b`), nil, "drop-model", "code that is still running reads and writes the table", "deploy code that does not use it first, and drop it with the next release"},
	{"postgres mysql mariadb sqlite", find(`^ALTER\s+TABLE\b.*\bDROP\s+COLUMN\b`), nil, "drop-field", "code that is still running reads and writes the column", "deploy code that does not use it first, and drop it with the next release"},
	{"postgres mysql mariadb sqlite", find(`^ALTER\s+TABLE\b.*\bRENAME\s+(COLUMN\s+)?\S+\s+TO\b`), nil, "rename-field", "code that is still running reads and writes the column", "add a new column, write both, copy in batches, and drop the old one with the next release"},
	{"postgres mysql mariadb sqlite", find(`^ALTER\s+TABLE\s+(IF\s+EXISTS\s+)?\S+\s+RENAME\s+TO\b|^RENAME\s+TABLE\b`), nil, "rename-model", "code that is still running reads and writes the table", "leave a view of the old name behind until the old code is gone"},
	{"mysql mariadb", find(`^ALTER\s+TABLE\b.*\bADD\s+(CONSTRAINT\s+\S+\s+)?(FOREIGN\s+KEY|CHECK)\b|^ALTER\s+TABLE\b.*\b(CONVERT\s+TO\s+CHARACTER\s+SET|ENGINE\s*=)|^OPTIMIZE\s+TABLE\b`), nil, "raw-sql", "the whole table is copied, and nobody writes to it meanwhile", "do it while little is written, or with gh-ost or pt-online-schema-change"},
	{"postgres mysql mariadb sqlite", find(`^(UPDATE|DELETE)\b`), find(`\bWHERE\b`), "fill-at-once", "all rows are locked until the last one is changed", "change them in batches: FillField, or RunCode in a migration that is NonAtomic"},
}

// sql looks for what is known in statements that were written by hand.
func (l *linter) sql(text string) {
	if text == Noop {
		return
	}
	for _, statement := range splitSQL(text, l.on(kindMySQL, kindMariaDB)) {
		bare := strings.TrimSpace(withoutComments(withoutText(statement), l.on(kindMySQL, kindMariaDB)))
		for _, p := range patterns {
			if !strings.Contains(" "+p.databases+" ", " "+l.database+" ") || !p.sql.MatchString(bare) || p.unless != nil && p.unless.MatchString(bare) {
				continue
			}
			if rest, creates := tableOf(bare); creates && l.freshTable(rest) {
				continue
			}
			l.add(p.rule, p.problem, p.advice)
		}
		if changesRows(bare) {
			l.rows()
		} else if l.locked == "" {
			if name, ok := tableOf(bare); !ok || !l.freshTable(name) {
				l.locked = l.operation.Describe()
			}
		}
	}
}

var namedTable = find(`^(?:ALTER\s+TABLE|CREATE\s+(?:UNIQUE\s+)?INDEX\b.*?\sON|UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+(?:ONLY\s+|IF\s+EXISTS\s+)*["` + "`" + `]?(\w+)`)

// tableOf returns the table that a statement is about.
func tableOf(statement string) (string, bool) {
	if found := namedTable.FindStringSubmatch(statement); found != nil {
		return found[1], true
	}
	return "", false
}

// freshTable reports whether a table is one that is empty.
func (l *linter) freshTable(name string) bool {
	t := l.change.From.named(name)
	return t != nil && l.fresh[t.Key()]
}

// withoutComments leaves the comments of a statement out.
func withoutComments(sql string, hash bool) string {
	var b strings.Builder
	for i := 0; i < len(sql); {
		n, comment := lexeme(sql[i:], hash)
		if comment {
			b.WriteByte(' ')
		} else {
			b.WriteString(sql[i : i+n])
		}
		i += n
	}
	return b.String()
}
