package sqlite

import "testing"

// What SQLite never accepted may be read as anything, but must be read.
func FuzzParseTable(f *testing.F) {
	f.Add(`CREATE TABLE "a b" (id integer PRIMARY KEY, [x] text COLLATE NOCASE CHECK (x <> ')'), CONSTRAINT c CHECK (id > 0))`)
	f.Add("CREATE INDEX i ON t (lower(a) DESC, b) WHERE a > '--' /* x */ -- y")
	f.Add(`CREATE TABLE ( ( ( '`)
	f.Fuzz(func(t *testing.T, sql string) {
		whole := 0
		for _, token := range tokens(sql) {
			whole += len(token)
		}
		if whole > len(sql) {
			t.Errorf("the tokens of %q are longer than the text", sql)
		}
		parseTable(sql)
		indexParts(sql)
		indexCondition(sql)
	})
}
