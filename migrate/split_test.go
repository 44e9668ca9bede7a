package migrate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSQLIsSplitAtItsSemicolons(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sql   string
		mysql bool
		want  []string
	}{
		{"SELECT 1", false, []string{"SELECT 1"}},
		{" SELECT 1; ; SELECT 2;\n-- done;\n", false, []string{"SELECT 1", "SELECT 2"}},
		{"SELECT ';'';' || \"a;\"; SELECT 2", false, []string{"SELECT ';'';' || \"a;\"", "SELECT 2"}},
		{`SELECT E'\';'; SELECT '\'; SELECT 3`, false, []string{`SELECT E'\';'`, `SELECT '\'`, "SELECT 3"}},
		{"SELECT nameE';'; SELECT 2", false, []string{"SELECT nameE';'", "SELECT 2"}},
		{"/* a; /* b; */ c; */ SELECT 1; SELECT $1;", false, []string{"/* a; /* b; */ c; */ SELECT 1", "SELECT $1"}},
		{"DO $x$ BEGIN; $y$; END $x$; SELECT $$;$$", false, []string{"DO $x$ BEGIN; $y$; END $x$", "SELECT $$;$$"}},
		{"SELECT 1 # a;\n; SELECT `;`", true, []string{"SELECT 1 # a;", "SELECT `;`"}},
		{"SELECT 1; CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET x = 1; END;", true, []string{"SELECT 1", "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET x = 1; END"}},
		{"CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1; END $$ LANGUAGE plpgsql; SELECT f()", false, []string{"CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1; END $$ LANGUAGE plpgsql", "SELECT f()"}},
		{"SELECT 'open; ", false, []string{"SELECT 'open;"}},
	} {
		if diff := cmp.Diff(test.want, splitSQL(test.sql, test.mysql)); diff != "" {
			t.Errorf("%s: %s", test.sql, diff)
		}
	}
}

func FuzzSplitSQL(f *testing.F) {
	f.Add("SELECT ';'; /* */ -- x\n $a$ ; $a$ E'", true)
	f.Fuzz(func(t *testing.T, sql string, mysql bool) {
		for _, s := range splitSQL(sql, mysql) {
			if s != "" && !strings.Contains(sql, s) {
				t.Errorf("%q is not in %q", s, sql)
			}
		}
	})
}
