package db_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/orm"
)

// notesApart keeps notes, with their accounts, in the database "notes".
type notesApart struct{}

func (notesApart) Route(_ context.Context, m *orm.ModelInfo, _ orm.Operation) string {
	if m.Name == "Note" || m.Name == "Account" {
		return "notes"
	}
	return ""
}

func (notesApart) RouteTable(_, model string) string {
	if model == "Gone" {
		return "notes"
	}
	return ""
}

// TestEachDatabaseGetsItsTables migrates two databases, of which a router keeps
// some models in the second.
func TestEachDatabaseGetsItsTables(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	url := func(name string) string { return "sqlite:" + filepath.ToSlash(filepath.Join(folder, name)) }
	app := retort.New(retort.Config{Name: "test"})
	app.Install(db.Open(url("main.db"), db.Options{Databases: map[string]string{"notes": url("notes.db")}, Routers: []orm.Router{notesApart{}}}))
	t.Cleanup(func() { _ = app.Shutdown(context.WithoutCancel(t.Context())) })
	for _, step := range []struct{ args, want string }{
		{"migrate", "Apply db_test.0002_note"},
		{"migrate --database notes", "Apply db_test.0002_note"},
		{"showmigrations --database notes", "[X] 0002_note"},
		{"migrate --database nowhere", `none named "nowhere"`},
	} {
		if out, _ := call(t, app, strings.Fields(step.args)...); !strings.Contains(out, step.want) {
			t.Errorf("%s:\n%s", step.args, out)
		}
	}
	tables := func(name string) string {
		conn, err := orm.Open(t.Context(), url(name))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		rows, err := conn.Values(t.Context(), "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'db_test%' ORDER BY 1")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, row := range rows {
			names = append(names, row[0].(string))
		}
		return strings.Join(names, " ")
	}
	if got := tables("main.db"); got != "" {
		t.Errorf("main.db has %s", got)
	}
	if got := tables("notes.db"); got != "db_test_account db_test_note" {
		t.Errorf("notes.db has %s", got)
	}
	if got := orm.Homes(app.Context(), "db_test", "Gone"); len(got) != 1 || got[0] != "notes" {
		t.Errorf("a model that is gone was in %v", got)
	}
	// And each back.
	for _, name := range []string{"default", "notes"} {
		if out, code := call(t, app, "migrate", "db_test", "zero", "--database", name); code != 0 {
			t.Errorf("%s: %s", name, out)
		}
	}
	if got := tables("main.db") + tables("notes.db"); got != "" {
		t.Errorf("left: %s", got)
	}
}

func TestPruneForgetsWhatTheProgramDoesNotHave(t *testing.T) {
	t.Parallel()
	address := file(t)
	app := newApp(t, address)
	if out, code := call(t, app, "migrate"); code != 0 {
		t.Fatal(out)
	}
	conn, err := orm.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, row := range []string{"('db_test', '0000_old', '2026-01-01 00:00:00.000000')", "('other', '0001', '2026-01-01 00:00:00.000000')"} {
		if _, err := conn.Exec(t.Context(), "INSERT INTO retort_migrations (app, name, applied) VALUES "+row); err != nil {
			t.Fatal(err)
		}
	}
	out, code := call(t, app, "migrate", "db_test", "--prune", "--json")
	var pruned []string
	if err := json.Unmarshal([]byte(out), &pruned); err != nil || code != 0 || len(pruned) != 1 || pruned[0] != "db_test.0000_old" {
		t.Errorf("%v %d %s", err, code, out)
	}
	for _, step := range []struct{ args, want string }{
		{"migrate --prune", "Nothing to prune."},
		{"migrate nowhere --prune", "no migrations of app"},
		{"showmigrations", "[?] 0001"}, // of an app that the program does not have
		{"migrate --check", "Nothing to migrate."},
	} {
		if out, _ := call(t, app, strings.Fields(step.args)...); !strings.Contains(out, step.want) {
			t.Errorf("%s:\n%s", step.args, out)
		}
	}
}

// TestTablesThatExist records what was made by other means.
func TestTablesThatExist(t *testing.T) {
	t.Parallel()
	app := newApp(t, file(t))
	for _, step := range []struct {
		args string
		code int
		want string
	}{
		{"migrate db_test 0001", 0, "Apply db_test.0001_initial"},
		{"migrate db_test zero --fake", 0, "Undo db_test.0001_initial"},
		{"migrate db_test 0001", 1, "exists"},
		{"migrate --fake-initial", 0, "Apply db_test.0002_note"},
		{"showmigrations", 0, "[X] 0001_initial"},
		{"migrate db_test zero", 0, "Undo db_test.0001_initial"},
		{"showmigrations", 0, "[ ] 0001_initial"},
	} {
		if out, code := call(t, app, strings.Fields(step.args)...); code != step.code || !strings.Contains(out, step.want) {
			t.Errorf("%s: code %d, want %d and %q:\n%s", step.args, code, step.code, step.want, out)
		}
	}
}
