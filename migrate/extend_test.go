package migrate

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm/schema"
)

// libraryTables are those of a library, in its first version or its second.
func libraryTables(version int) []*schema.Table {
	user := table("auth", "User", schema.Column{Name: "email", Field: "Email", Type: schema.String, Size: 100, Unique: true})
	user.Checks = []schema.Check{{Name: "user_email", SQL: `"email" <> ''`}}
	note := table("notes", "Note", foreignKey("owner_id", "auth.User", false))
	if version > 1 {
		user.Columns[1].Size = 200 // which builds the table anew on SQLite
		user.Columns = append(user.Columns, schema.Column{Name: "locale", Field: "Locale", Type: schema.String, Size: 10, Default: new("'en'")})
	}
	return []*schema.Table{user, note}
}

// extendedTables are those of the library with what a site's app adds.
func extendedTables(version int, edit ...func(user *schema.Table)) []*schema.Table {
	tables := libraryTables(version)
	extra := &schema.Table{
		Columns: []schema.Column{
			{Name: "phone", Field: "Phone", Type: schema.String, Size: 20, Null: true, Unique: true},
			{Name: "country", Field: "Country", Type: schema.String, Size: 2},
			{Name: "points", Field: "Points", Type: schema.Int64, Default: new("0")},
			foreignKey("plan_id", "members.Plan", true),
		},
		Indexes: []schema.Index{{Name: "members_country", Columns: []schema.IndexColumn{{Name: "country"}, {Name: "email"}}}},
		Checks:  []schema.Check{{Name: "members_points", SQL: `"points" >= 0`}},
	}
	extra = extra.OwnedBy("members")
	user := tables[0]
	user.Columns = append(user.Columns, extra.Columns...)
	user.Indexes = append(user.Indexes, extra.Indexes...)
	user.Checks = append(user.Checks, extra.Checks...)
	for _, f := range edit {
		f(user)
	}
	return append(tables, table("members", "Plan"))
}

// upgrade puts the library's own next migration into a program, as an update of the
// module does. Whoever made it knows nothing of the site.
func (p *project) upgrade(t *testing.T) {
	t.Helper()
	library := newProject()
	library.make(t, libraryTables(1), Answers{})
	for _, line := range library.make(t, libraryTables(2), Answers{}) {
		app, name, _ := strings.Cut(line[:strings.Index(line, ":")], ".")
		p.sets[app].Add(library.sets[app].migrations[name].Migration)
	}
}

// A site extends a table that has rows, the library that made it goes on, and so does the
// site; in the end it takes back what it has added. Neither side touches the other's.
func TestExtendedTable(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p, db := newProject(), openKind(t, kind)
		p.make(t, libraryTables(1), Answers{})
		p.migrate(t, db)
		db.exec(t, `INSERT INTO "auth_user" ("id", "email") VALUES (1, 'ann'), (2, 'bob')`, `INSERT INTO "notes_note" ("id", "owner_id") VALUES (1, 1)`)

		made := p.make(t, extendedTables(1), Answers{Backfills: map[string]string{"auth.User.country": "de"}})
		want := []string{"members.0001_initial: Create model Plan; Add field Phone to auth.User; Add field Country to auth.User; Add field Points to auth.User; Add field plan_id to auth.User; Create index members_country on auth.User; Create check members_points on auth.User"}
		if diff := cmp.Diff(want, made); diff != "" {
			t.Fatal(diff)
		}
		if got := p.sets["members"].migrations["0001_initial"].Dependencies; !slices.Equal(got, []string{"auth.0001_initial"}) {
			t.Errorf("it depends on %v", got)
		}
		if again := p.make(t, extendedTables(1), Answers{}); len(again) > 0 {
			t.Fatal(again)
		}
		p.migrate(t, db)
		db.exec(t, `UPDATE "auth_user" SET "phone" = '123', "points" = 7 WHERE "id" = 1`)

		// The library's next version comes in between, for this database after the site's.
		p.upgrade(t)
		if again := p.make(t, extendedTables(2), Answers{}); len(again) > 0 {
			t.Fatal(again)
		}
		p.migrate(t, db)
		all := `SELECT "id", "email", "locale", "phone", "country", "points" FROM "auth_user" ORDER BY "id"`
		rows := db.rows(t, all)
		if len(rows) != 2 || rows[0] != "1 ann en 123 de 7" && rows[0] != "1|ann|en|123|de|7" {
			t.Errorf("%q", rows)
		}
		sameDump(t, kind, db, extendedTables(2))

		// For a new one before it.
		fresh := openKind(t, kind)
		p.migrate(t, fresh)
		sameDump(t, kind, fresh, extendedTables(2))

		changed := func(user *schema.Table) {
			c := user.Column("phone")
			c.Name, c.Field = "mobile", "Phone"
			user.Column("points").Default = new("1")
			user.Checks = slices.DeleteFunc(user.Checks, func(c schema.Check) bool { return c.Name == "members_points" })
		}
		made = p.make(t, extendedTables(2, changed), Answers{})
		if len(made) != 1 || !strings.HasPrefix(made[0], "members.0002_") || !strings.Contains(made[0], "Rename field phone on auth.User to mobile") {
			t.Fatal(made)
		}
		p.migrate(t, db)
		sameDump(t, kind, db, extendedTables(2, changed))
		p.to(t, db, Target{App: "members", Name: "0001"})
		sameDump(t, kind, db, extendedTables(2))
		p.migrate(t, db)

		// The site gives up what it had, and keeps the plans.
		without := append(libraryTables(2), table("members", "Plan"))
		made = p.make(t, without, Answers{})
		if len(made) != 1 || !strings.HasPrefix(made[0], "members.0003_") || strings.Contains(made[0], "auth.0") {
			t.Fatal(made)
		}
		p.migrate(t, db)
		sameDump(t, kind, db, without)
		if got := db.rows(t, `SELECT "email" FROM "auth_user" ORDER BY "id"`); !slices.Equal(got, []string{"ann", "bob"}) {
			t.Error(got)
		}
		db.exec(t, `DELETE FROM "notes_note"`, `DELETE FROM "auth_user"`) // a column without a default comes back to none else
		p.to(t, db, Target{App: "members", Name: Zero})
		sameDump(t, kind, db, libraryTables(2))
	})
}

func sameDump(t *testing.T, kind testdb.Kind, db *testDatabase, tables []*schema.Table) {
	t.Helper()
	if diff := cmp.Diff(dumpOf(t, kind, tables), dump(t, db)); diff != "" {
		t.Errorf("made and migrated differ: %s", diff)
	}
}

// The table and what extends it are new together.
func TestExtendedTableFromNothing(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		for _, zeroDowntime := range []bool{false, true} {
			if kind.Name != "sqlite" && !zeroDowntime {
				continue // which the test above has, and tables cost time there
			}
			p, db := newProject(), openKind(t, kind)
			p.zeroDowntime = zeroDowntime
			made := p.make(t, extendedTables(2), backfiller{})
			if again := p.make(t, extendedTables(2), backfiller{}); len(again) > 0 {
				t.Fatal(made, again)
			}
			p.migrate(t, db)
			sameDump(t, kind, db, extendedTables(2))
			p.to(t, db, Target{App: "auth", Name: Zero})
		}
	})
}

// Written down and read back, the migrations do the same; so does what stands for them.
func TestExtendedTableSquashed(t *testing.T) {
	t.Parallel()
	p := newProject()
	p.make(t, libraryTables(1), Answers{})
	p.make(t, extendedTables(1), backfiller{})
	p.upgrade(t)
	p.make(t, extendedTables(2, func(user *schema.Table) {
		user.Column("country").Size = 3
		user.Checks = slices.DeleteFunc(user.Checks, func(c schema.Check) bool { return c.Name == "members_points" })
	}), Answers{})
	members := newWritten(t, "members")
	for _, name := range p.graph(t).names("members") {
		m := p.sets["members"].migrations[name].Migration
		members.add(t, m)
		if text := members.read(t, name+".go"); strings.Contains(text, "Owner") || !strings.Contains(text, `Model: "auth.User"`) && !strings.Contains(text, "Model:  \"auth.User\"") {
			t.Error(text)
		}
	}
	p.sets["members"] = members.set
	before, err := p.graph(t).State()
	if err != nil {
		t.Fatal(err)
	}
	s := members.squash(t, p.graph(t), "", "0002")
	after, err := p.graph(t).State()
	if err != nil {
		t.Fatal(err)
	}
	if s.After >= s.Before || difference(before, after) != "" {
		t.Errorf("%d operations for %d; %s is not the same", s.After, s.Before, difference(before, after))
	}
	db := openTest(t)
	p.migrate(t, db)
	sameDump(t, testdb.SQLite, db, before.Tables())
}

func TestExtendedTableHazards(t *testing.T) {
	t.Parallel()
	m := Migration{Name: "0001_initial", Operations: []Operation{AddField{Model: "auth.User", Column: schema.Column{Name: "country", Type: schema.String, Size: 2}, Backfill: new("'de'")}}}
	if got := rulesOf(t, "postgres", m, libraryTables(1)); got != "add-required-field" {
		t.Error(got)
	}
	steps, err := operationSteps([]Operation{m.Operations[0]}, "members", openTest(t).Dialect(), NewState(libraryTables(1)...), false)
	if err != nil {
		t.Fatal(err)
	}
	if got := steps[0].tables("members"); len(got) != 1 || got[0] != [2]string{"auth", "User"} {
		t.Errorf("it is about %v", got)
	}
}
