package db_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testdb"
)

// call runs a command and returns its output and exit code.
func call(t *testing.T, app *retort.App, args ...string) (string, int) {
	t.Helper()
	out, err := app.Call(t.Context(), args...)
	var exit *retort.ExitError
	switch {
	case errors.As(err, &exit):
		return out, exit.Code
	case err != nil:
		return out, 1
	}
	return out, 0
}

func TestMigrateCommand(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		app := newApp(t, databaseURL(t, kind))
		quoted := func(name string) string {
			if kind.Name == "mysql" {
				return "`" + name + "`"
			}
			return `"` + name + `"`
		}
		for _, step := range []struct {
			args string
			code int
			want string
			not  string
		}{
			{"migrate --check", retort.ExitPending, "db_test.0001_initial", "done in"},
			{"migrate --plan", 0, "Create model Account", "done in"},
			{"showmigrations", 0, "[ ] 0001_initial", "[X]"},
			{"migrate db_test 0001", 0, "Apply db_test.0001_initial … done in", "0002_note"},
			{"showmigrations db_test", 0, "[X] 0001_initial", "[X] 0002"},
			{"migrate", 0, "Apply db_test.0002_note", "0001_initial"},
			{"migrate", 0, "Nothing to migrate.", "Apply"},
			{"migrate --check", 0, "Nothing to migrate.", ""},
			{"migrate db_test 0001 --plan", 0, "undo db_test.0002_note", ""},
			{"migrate db_test zero", 0, "Undo db_test.0001_initial … done in", "Apply"},
			{"migrate --fake", 0, "0002_note", ""},
			{"showmigrations", 0, "[X] 0002_note", "[ ]"},
			{"sqlmigrate db_test 0001", 0, "CREATE TABLE " + quoted("db_test_account"), "DROP"},
			{"sqlmigrate db_test 0001 --backwards", 0, "DROP TABLE " + quoted("db_test_account"), "CREATE TABLE"},
			{"sqlmigrate db_test", 1, "needs an app", ""},
			{"migrate nowhere", 1, "nowhere", ""},
			{"migrate db_test 0009", 1, "0009", ""},
			{"migrate a b c", 1, "takes an app", ""},
			{"showmigrations nowhere", 1, "nowhere", ""},
			{"showmigrations --plan", 0, "[X] db_test.0001_initial\n[X] db_test.0002_note\n", "[ ]"},
			{"showmigrations --plan --json", 0, `"0001_initial"`, "[X]"},
			{"showmigrations --list", 0, "[X] 0002_note", "[ ]"},
			{"showmigrations --list --plan", 1, "not both", ""},
			{"migrate --lock-timeout 1s", 0, "Nothing to migrate.", ""},
		} {
			out, code := call(t, app, strings.Fields(step.args)...)
			if code != step.code || !strings.Contains(out, step.want) || step.not != "" && strings.Contains(out, step.not) {
				t.Errorf("%s: code %d, want %d, with %q and not %q:\n%s", step.args, code, step.code, step.want, step.not, out)
			}
		}
	})
}

func TestLintCommand(t *testing.T) {
	t.Parallel()
	app := newApp(t, file(t))
	for _, step := range []struct {
		args string
		code int
		want string
		not  string
	}{
		{"lintmigrations", 1, "db_test.0002_note\n    Run SQL: UPDATE db_test_account SET name = upper(name)\n        fill-at-once: all rows are locked", "0001"},
		{"lintmigrations --json", 1, `"rule": "fill-at-once"`, "Instead"},
		{"lintmigrations --all --for postgres", 1, "fill-at-once", ""},
		{"lintmigrations db_test 0001", 0, "No hazards found.", ""},
		{"lintmigrations db_test 0002 --for mysql", 1, "Instead: change them in batches", ""},
		{"migrate", 0, "", ""},
		{"lintmigrations", 0, "No hazards found.", ""},
		{"lintmigrations --all", 1, "fill-at-once", ""},
		{"lintmigrations --all --for oracle", 1, "there are postgres, mysql, mariadb and sqlite", ""},
		{"lintmigrations nowhere", 1, "nowhere", ""},
	} {
		out, code := call(t, app, strings.Fields(step.args)...)
		if code != step.code || !strings.Contains(out, step.want) || step.not != "" && strings.Contains(out, step.not) {
			t.Errorf("%s: code %d, want %d, with %q and not %q:\n%s", step.args, code, step.code, step.want, step.not, out)
		}
	}
	away := newApp(t, "sqlite:/nowhere/at/all.db") // it needs none when all is said
	if out, code := call(t, away, "lintmigrations", "--all", "--for", "postgres"); code != 1 || !strings.Contains(out, "fill-at-once") {
		t.Errorf("without a database: code %d:\n%s", code, out)
	}
}

func TestMigrateSaysThatModelsHaveChanged(t *testing.T) {
	t.Parallel()
	out, code := call(t, newApp(t, file(t)), "migrate")
	if code != 0 || !strings.Contains(out, "Create model Idea") || !strings.Contains(out, "Run makemigrations") {
		t.Errorf("code %d:\n%s", code, out)
	}
}

func TestJSONOfTheCommands(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		app := newApp(t, databaseURL(t, kind))
		for _, step := range []struct {
			args string
			code int
			rows int
			key  string
			want any // of the first row
		}{
			{"migrate --plan --json", 0, 2, "name", "0001_initial"},
			{"migrate --check --json", retort.ExitPending, 2, "app", "db_test"},
			{"migrate --json", 0, 2, "name", "0001_initial"},
			{"migrate --json", 0, 0, "", nil},
			{"showmigrations --json", 0, 2, "applied", true},
			{"makemigrations --check --json", retort.ExitPending, 1, "app", "db_test"},
			{"makemigrations --dry-run --json", 0, 1, "app", "db_test"},
		} {
			out, code := call(t, app, strings.Fields(step.args)...)
			var rows []map[string]any
			if err := json.Unmarshal([]byte(out), &rows); err != nil {
				t.Errorf("%s: %v:\n%s", step.args, err, out)
				continue
			}
			if code != step.code || len(rows) != step.rows || step.key != "" && rows[0][step.key] != step.want {
				t.Errorf("%s: code %d, %d rows, want %d:\n%s", step.args, code, len(rows), step.rows, out)
			}
		}
	})
}

func TestMakeMigrationsCommand(t *testing.T) {
	t.Parallel()
	app := newApp(t, "sqlite:/nowhere/at/all.db") // it needs none
	for _, step := range []struct {
		args string
		code int
		want string
	}{
		{"makemigrations --check", retort.ExitPending, "Create model Idea"},
		{"makemigrations --dry-run", 0, `Name: "0003_idea"`},
		{"makemigrations --dry-run --zero-downtime", 0, `Name: "0003_idea"`},
		{"makemigrations --dry-run --name thoughts", 0, "0003_thoughts.go"},
		{"makemigrations empty --dry-run", 0, "No changes found."},
		{"makemigrations db_test --empty --dry-run --name fill", 0, "0003_fill.go"},
		{"makemigrations nowhere", 1, "no app"},
		{"makemigrations --rename Post", 1, "want NAME=VALUE"},
		{"makemigrations --rename db_test.Gone=There --dry-run", 1, "db_test.Gone"},
	} {
		out, code := call(t, app, strings.Fields(step.args)...)
		if code != step.code || !strings.Contains(out, step.want) {
			t.Errorf("%s: code %d, want %d and %q:\n%s", step.args, code, step.code, step.want, out)
		}
	}
	if _, err := os.Stat("0003_idea.go"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a dry run wrote a file (%v)", err)
	}
}

func TestCheckFindsMigrationsThatAreMissingOrPending(t *testing.T) {
	t.Parallel()
	app := newApp(t, file(t))
	ids := func(deploy bool) string {
		var list []string
		for _, f := range app.RunChecks(t.Context(), deploy) {
			if strings.HasPrefix(f.ID, "db.") {
				list = append(list, f.ID)
			}
		}
		return strings.Join(list, " ")
	}
	if got := ids(false); got != "db.models_changed" {
		t.Errorf("found %s", got)
	}
	if got := ids(true); got != "db.models_changed db.pending" {
		t.Errorf("for production found %s", got)
	}
	if err := db.Migrate(app.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ids(true); got != "db.models_changed" {
		t.Errorf("after migrating found %s", got)
	}
	away := newApp(t, "sqlite:/nowhere/at/all.db")
	found := ""
	for _, f := range away.RunChecks(t.Context(), true) {
		found += f.ID + " "
	}
	if !strings.Contains(found, "db.connection") {
		t.Errorf("without a database found %s", found)
	}
}

func TestSeveralProcessesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		address := databaseURL(t, kind)
		var running sync.WaitGroup
		for range 4 {
			running.Go(func() {
				app := newApp(t, address) // each has its own connections, as a process has
				defer app.Shutdown(t.Context())
				if err := db.Migrate(app.Context()); err != nil {
					t.Error(err)
					return
				}
				if _, err := Notes.Count(app.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
	})
}

func TestMakeMigrationsWritesOnlyIntoTheProgramsModule(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	app := newApp(t, "sqlite::memory:")
	if out, code := call(t, app, "makemigrations"); code != 1 || !strings.Contains(out, "inside the module") {
		t.Errorf("outside of a module: code %d:\n%s", code, out)
	}
	if err := os.WriteFile("go.mod", []byte("module other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := call(t, app, "makemigrations"); code != 1 || !strings.Contains(out, "db_test") {
		t.Errorf("in another module: code %d:\n%s", code, out)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("written: %v (%v)", files, err)
	}
}
