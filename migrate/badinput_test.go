package migrate

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// What goes wrong outside of the migrations must be told with what to do, and leave nothing
// half done unsaid. The kill, and two who migrate at once, are in process_test.go.

func TestOperationsThatAreNone(t *testing.T) {
	t.Parallel()
	s := NewSet("blog", "")
	s.Add(Migration{Name: "0001_initial", Operations: []Operation{AlterComment{Model: "Post"}, nil}})
	_, err := Load(s)
	contains(t, err, nil, "blog.0001_initial", "operation 2 is nil", "badinput_test.go")
}

func TestDatabaseAheadOfTheCode(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		newer, db := newProject(), openKind(t, kind)
		newer.make(t, blogTables(), nil)
		newer.add(t, "blog", "0002_theirs", AddField{Model: "Tag", Column: note("a")})
		newer.migrate(t, db)
		older := newProject()
		older.make(t, blogTables(), nil)
		if steps := older.to(t, db, Target{}); len(steps) != 0 {
			t.Errorf("did %s", planned(steps))
		}
		// On top of what it does not know it builds nothing.
		before := dump(t, db)
		older.add(t, "blog", "0002_mine", AddField{Model: "Tag", Column: note("b")})
		_, err := older.graph(t).Apply(t.Context(), db, Target{}, Options{})
		contains(t, err, ErrAhead, "blog.0002_theirs", "blog.0002_mine", "newer program", "migrate --prune")
		if diff := cmp.Diff(before, dump(t, db)); diff != "" {
			t.Error(diff)
		}
		if pruned, err := older.graph(t).Prune(t.Context(), db, nil, nil); err != nil || len(pruned) != 1 {
			t.Error(pruned, err)
		}
		older.migrate(t, db)
	})
}

// withoutRights opens a database as a user who may read the tables, and no more.
func withoutRights(t *testing.T, kind testdb.Kind, address string) *testDatabase {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	name := "migrate_" + strings.ToLower(rand.Text()[:12])
	var create, drop []string
	if kind.Name == "postgres" {
		space := u.Query().Get("search_path")
		create = []string{"CREATE ROLE " + name + " LOGIN PASSWORD 'x'", "GRANT USAGE ON SCHEMA " + space + " TO " + name}
		drop = []string{"DROP OWNED BY " + name, "DROP ROLE " + name}
	} else {
		create = []string{
			"CREATE USER " + onEachHost(name, " IDENTIFIED BY 'x'"),
			"GRANT SELECT ON `" + strings.TrimPrefix(u.Path, "/") + "`.* TO " + onEachHost(name, ""),
		}
		drop = []string{"DROP USER " + onEachHost(name, "")}
	}
	admin := openAt(t, address)
	admin.exec(t, create...)
	t.Cleanup(func() {
		for _, statement := range drop {
			if err := admin.Exec(context.Background(), statement); err != nil {
				t.Error(err)
			}
		}
	})
	u.User = url.UserPassword(name, "x")
	db, err := openURL(u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// onEachHost is a user of MySQL from every host, and by name from this one: a server that
// was installed with users of no name at localhost would take them for whom it is, as it
// looks at the host first.
func onEachHost(name, suffix string) string {
	var users []string
	for _, host := range []string{"%", "localhost", "127.0.0.1"} {
		users = append(users, "'"+name+"'@'"+host+"'"+suffix)
	}
	return strings.Join(users, ", ")
}

func TestUserWithoutRights(t *testing.T) {
	t.Parallel()
	eachServer(t, func(t *testing.T, kind testdb.Kind) {
		address := kind.URL(t)
		p, db := newProject(), withoutRights(t, kind, address)
		p.make(t, blogTables(), nil)
		_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
		contains(t, err, nil, "create table "+HistoryTable, "GRANT")
		owner := openAt(t, address)
		if got := owner.rows(t, owner.Dialect().TableNames()); len(got) != 0 {
			t.Errorf("left behind: %v", got)
		}
		// Tables that belong to another.
		p.migrate(t, owner)
		user := db.rows(t, map[string]string{"postgres": "SELECT current_user", "mysql": "SELECT substring_index(current_user(), '@', 1)"}[kind.Name])[0]
		if kind.Name == "postgres" {
			owner.exec(t, "GRANT ALL ON "+HistoryTable+" TO "+user)
		} else {
			owner.exec(t, "GRANT ALL ON "+HistoryTable+" TO "+onEachHost(user, ""), "GRANT ALL ON "+JournalTable+" TO "+onEachHost(user, ""))
		}
		p.add(t, "blog", "0002_x", AddField{Model: "Tag", Column: note("a")})
		_, err = p.graph(t).Apply(t.Context(), db, Target{}, Options{})
		contains(t, err, nil, "blog.0002_x", "Add field a to Tag", "nothing of it was changed", "GRANT")
		p.migrate(t, owner)
	})
}

func TestReadOnlyFile(t *testing.T) {
	t.Parallel()
	address := newURL(t, testdb.SQLite)
	p, db := newProject(), openAt(t, address)
	p.make(t, blogTables(), nil)
	p.migrate(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p.add(t, "blog", "0002_x", AddField{Model: "Tag", Column: note("a")})
	db = openAt(t, address+"&read_only=true")
	_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
	contains(t, err, nil, "readonly", "may write to the file and its folder")
	if steps := p.pending(t, db); len(steps) != 1 {
		t.Errorf("pending: %s", planned(steps))
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	p, db := newProject(), openTest(t)
	p.make(t, blogTables(), nil)
	p.migrate(t, db)
	seed(t, db)
	db.exec(t, "INSERT INTO blog_tag (name) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT 'tag ' || i || hex(zeroblob(20)) FROM n")
	pages := db.rows(t, "PRAGMA page_count")[0]
	p.add(t, "blog", "0002_x", AlterField{Model: "Tag", Column: schema.Column{Name: "name", Type: schema.Text}})
	tables, rows := dump(t, db), everyRow(t, db)
	for range 2 {
		db.exec(t, "PRAGMA max_page_count = "+pages)
		_, err := p.graph(t).Apply(t.Context(), db, Target{}, Options{})
		contains(t, err, nil, "blog.0002_x", "full", "nothing of it was changed", "make room")
		if diff := cmp.Diff(tables, dump(t, db)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(rows, everyRow(t, db)); diff != "" {
			t.Error(diff)
		}
		db.keysAreOn(t)
	}
	db.exec(t, "PRAGMA max_page_count = 1000000")
	p.migrate(t, db)
}

func TestFilesThatWereEditedByHand(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := NewSet("blog", folder)
	s.Add(Migration{Name: "0001_initial", Operations: []Operation{CreateModel{Table: *pick(t, blogTables(), "Tag")}}})
	// Somebody wrote the next file, which the program does not have yet.
	theirs := []byte("package migrations\n")
	tables := []*schema.Table{pick(t, blogTables(), "Tag")}
	tables[0].Columns = append(tables[0].Columns, note("a"))
	file := fmt.Sprintf("%s/0002_tag_a.go", folder)
	if err := os.WriteFile(file, theirs, 0o600); err != nil {
		t.Fatal(err)
	}
	g, err := Load(s)
	if err != nil {
		t.Fatal(err)
	}
	_, err = g.Make(tables, MakeOptions{Asker: anything{}})
	contains(t, err, nil, "0002_tag_a.go", "nothing was written")
	if content, err := os.ReadFile(file); err != nil || string(content) != string(theirs) {
		t.Errorf("their file is %q: %v", content, err)
	}
	// Operations that do not fit each other.
	s.Add(Migration{Name: "0002_x", Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{AddField{Model: "Tag", Column: note("name")}}})
	if g, err = Load(s); err != nil {
		t.Fatal(err)
	}
	_, err = g.Apply(t.Context(), openTest(t), Target{}, Options{})
	contains(t, err, nil, "blog.0002_x", "operation 1 (Add field name to Tag)", `has a column "name" already`)
}
