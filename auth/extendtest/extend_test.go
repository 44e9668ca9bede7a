// Package extendtest_test is a site that first has the users of package auth as they are,
// and later, with rows, makes them its own.
package extendtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	_ "github.com/retort-web/retort/auth/extendtest/migrations" // of the site
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session/dbsession"
	"github.com/retort-web/retort/validate"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const secret = "correct horse battery"

// Plan is what members have.
type Plan struct {
	orm.Model
	Name string `orm:"size=20"`
}

var Plans = orm.Register[Plan]()

// Member is the users as the site has them.
type Member struct {
	auth.User
	Username *string      `orm:"size=50"`
	Phone    string       `orm:"size=40,blank,default="`
	Country  string       `orm:"size=2,default=de"`
	Plan     orm.FK[Plan] `orm:"null,on_delete=set_null"`
}

// Meta says that names are unique whatever their case.
func (Member) Meta(m *Member) orm.Meta {
	return orm.Meta{
		Unique:  orm.Uniques(orm.UniqueTogether(orm.Lower(&m.Username)).Named("member_username")),
		Indexes: orm.Indexes(orm.Index(&m.Country, &m.Joined)),
	}
}

// Card belongs to a user, for a package that knows of no members.
type Card struct {
	orm.Model
	Owner orm.FK[auth.User] `orm:"on_delete=cascade"`
}

var Cards = orm.Register[Card]()

// before is set in the process that plays the site's first life, in which it had no Member.
const before = "RETORT_TEST_SITE_BEFORE"

var Members = func() orm.QuerySet[Member] {
	if os.Getenv(before) != "" {
		return nil
	}
	return orm.Extend[Member](auth.Users)
}()

type site struct {
	app  *retort.App
	auth *auth.Extension
	ctx  context.Context //nolint:containedctx // that of the app
}

func newSite(t testing.TB, address string, o auth.Options) *site {
	t.Helper()
	s := &site{app: retort.New(retort.Config{Name: "site", SecretKey: "a key for these tests only, nowhere else", Logger: slog.New(slog.DiscardHandler)})}
	o.Hash = password.Options{Memory: 64, Time: 1}
	s.auth = auth.New(o)
	s.app.Install(db.Open(address), dbsession.New(), s.auth)
	s.app.Post("/in", func(c *retort.Ctx) error {
		user, err := s.auth.Authenticate(c, c.FormValue("login"), c.FormValue("password"))
		if errors.Is(err, auth.ErrWrong) {
			return retort.Unauthorized("", "wrong")
		}
		if err != nil {
			return err
		}
		return errors.Join(s.auth.Login(c, user, false), c.Text("in"))
	}).DisableCSRF()
	s.app.Get("/me", func(c *retort.Ctx) error {
		return c.RenderString("{{ user.email }} {{ user.phone }} {{ user.country }} {% if user.superuser %}super{% endif %}", nil)
	}).Use(auth.RequireLogin)
	s.app.Get("/phone", func(c *retort.Ctx) error {
		m, err := auth.CurrentAs[Member](c)
		switch {
		case err != nil:
			return err
		case m == nil:
			return c.Text("nobody")
		case m != auth.MustAs[Member](c) || auth.Must(c) != &m.User:
			return errors.New("several rows of one user")
		}
		return c.Text(m.Email + " " + m.Phone)
	})
	s.app.Get("/api", func(c *retort.Ctx) error { return c.Text(auth.MustAs[Member](c).Phone) }).Use(auth.Bearer)
	s.app.Post("/gone", func(c *retort.Ctx) error { return errors.Join(s.auth.Delete(c, auth.Must(c)), c.Text("gone")) }).DisableCSRF()
	s.ctx = s.app.Context()
	return s
}

func (s *site) run(t testing.TB, in string, args ...string) string {
	t.Helper()
	var out strings.Builder
	if err := s.app.Execute(s.ctx, args, strings.NewReader(in), &out, &out); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out.String())
	}
	return out.String()
}

func (s *site) login(client *retorttest.Client, login string) *retorttest.Response {
	return client.PostForm("/in", url.Values{"login": {login}, "password": {secret}})
}

func location(t testing.TB, kind testdb.Kind) string {
	if kind.Name == "sqlite" {
		return "sqlite:" + filepath.Join(t.TempDir(), "site.db")
	}
	return kind.URL(t)
}

// TestFirstLife is the site before it had members; the test below starts it.
func TestFirstLife(t *testing.T) {
	address := os.Getenv(before)
	if address == "" {
		t.Skip("runs in a process of its own")
	}
	s := newSite(t, address, auth.Options{})
	s.run(t, "", "migrate", "auth")
	s.run(t, secret+"\n", "createsuperuser", "--email", "Root@example.com")
	ann := auth.Users.New()
	ann.Email, ann.Name = "ann@example.com", "Ann"
	if err := s.auth.Create(s.ctx, ann, secret); err != nil {
		t.Fatal(err)
	}
	if err := auth.Grant(s.ctx, ann, "site.print"); err != nil {
		t.Fatal(err)
	}
}

// A site with users in its database makes them its own: the same people log in with the
// same passwords, and have the new fields.
func TestUsersBecomeMembers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		address := location(t, kind)
		first := exec.Command(os.Args[0], "-test.run=^TestFirstLife$")
		first.Env = append(os.Environ(), before+"="+address)
		if out, err := first.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}

		s := newSite(t, address, auth.Options{})
		plan := s.run(t, "", "migrate", "--plan")
		if !strings.Contains(plan, "extendtest_test.0001_initial") || strings.Contains(plan, "auth.0") {
			t.Errorf("the plan is %s", plan)
		}
		s.run(t, "", "migrate")
		client := retorttest.New(t, s.app)
		s.login(client, "ann@example.com").Status(200)
		client.Get("/me").Contains("ann@example.com  de")
		p := Members.Fields()
		ann, err := Members.Where(orm.Eq(&p.Email, "ann@example.com")).Get(s.ctx)
		if err != nil || ann.Username != nil || ann.Phone != "" || ann.Country != "de" || !ann.HasPassword() {
			t.Fatalf("%+v, %v", ann, err)
		}
		ann.Phone = "123"
		if err := Members.UpdateRow(s.ctx, ann, &p.Phone); err != nil {
			t.Fatal(err)
		}
		client.Get("/me").Contains("ann@example.com 123 de")
		if ok, err := ann.Has(s.ctx, "site.print"); !ok || err != nil {
			t.Error("she lost her permission", err)
		}
		root, err := auth.Find(s.ctx, "root@example.com")
		if err != nil || !root.Superuser {
			t.Errorf("%+v, %v", root, err)
		}
		if out := s.run(t, "", "makemigrations", "--check", "--dry-run"); !strings.Contains(strings.ToLower(out), "no change") {
			t.Error(out)
		}
	})
}

// What makemigrations writes for members is what the site has.
func TestMigrationOfMembers(t *testing.T) {
	t.Parallel()
	tables, err := orm.Tables()
	if err != nil {
		t.Fatal(err)
	}
	own := Members.Info().App
	others := append(slices.DeleteFunc(migrate.Sets(), func(s *migrate.Set) bool { return s.App() == own }), migrate.NewSet(own, t.TempDir()))
	g, err := migrate.Load(others...)
	if err != nil {
		t.Fatal(err)
	}
	files, err := g.Make(tables, migrate.MakeOptions{DryRun: true, Folders: map[string]string{own: "."}})
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("migrations/0001_initial.go")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range files {
		if f.App != own {
			t.Errorf("it changes app %s: %s", f.App, f.Content)
		}
		if f.Name == "0001_initial" {
			found = true
			// It follows the last one of auth, of which there are more in time.
			if last := regexp.MustCompile(`"auth\.\d+_\w+"`); last.ReplaceAllString(string(f.Content), "") != last.ReplaceAllString(string(want), "") {
				t.Errorf("migrations/0001_initial.go is not\n%s", f.Content)
			}
		}
	}
	if !found {
		t.Error("no migration of the site's")
	}
}

// members is a site whose tables are made from the models.
func members(t testing.TB, kind testdb.Kind, o auth.Options) *site {
	t.Helper()
	s := newSite(t, location(t, kind), o)
	conn, err := orm.DBFrom(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	testdb.CreateTables(t, conn)
	return s
}

func (s *site) member(t testing.TB, email, username string) *Member {
	t.Helper()
	m := Members.New()
	m.Email, m.Username, m.Phone = email, &username, "555"
	if err := s.auth.Create(s.ctx, m, secret); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWholeMembers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := members(t, kind, auth.Options{})
		ann := s.member(t, "ann@example.com", "ann")
		// A package that knows of no members makes a user, who is one.
		bob := auth.Users.New()
		bob.Email = "bob@example.com"
		if err := s.auth.Create(s.ctx, bob, ""); err != nil {
			t.Fatal(err)
		}
		if row, err := auth.RowOf[Member](s.ctx, bob); err != nil || row.ID != bob.ID || row.Country != "de" || row.Email != bob.Email {
			t.Errorf("%+v, %v", row, err)
		}
		if row, err := auth.RowOf[auth.User](s.ctx, bob); err == nil {
			t.Errorf("a User is taken for the whole of a member: %+v", row)
		}
		queries := 0
		conn, err := orm.DBFrom(s.ctx)
		if err != nil {
			t.Fatal(err)
		}
		conn.AddHook(counter{&queries})
		client := retorttest.New(t, s.app)
		client.Get("/phone").Contains("nobody")
		s.login(client, "ANN@example.com").Status(200)
		queries = 0
		client.Get("/phone").Contains("ann@example.com 555")
		if queries != 1 {
			t.Errorf("%d queries for the user of a request", queries)
		}
		card := &Card{}
		card.Owner.Set(&ann.User)
		if err := Cards.Insert(s.ctx, card); err != nil {
			t.Fatal(err)
		}
		// With the token of a program too.
		text, _, err := s.auth.CreateAPIToken(s.ctx, &ann.User, auth.APITokenOptions{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		r := client.NewRequest("GET", "/api", nil)
		r.Header.Set("Authorization", "Bearer "+text)
		retorttest.New(t, s.app).Do(r).Status(200).Contains("555")
		// What nobody may see is not in what programs are told.
		told, err := json.Marshal(ann)
		if err != nil || strings.Contains(string(told), "argon2") || !strings.Contains(string(told), `"Phone":"555"`) {
			t.Errorf("%s, %v", told, err)
		}
		client.PostForm("/gone", nil).Status(200)
		client.Get("/phone").Contains("nobody")
		if n, err := Cards.Count(s.ctx); n != 0 || err != nil {
			t.Error(n, err)
		}
	})
}

type counter struct{ n *int }

func (h counter) QueryStart(ctx context.Context, _ *orm.QueryEvent) context.Context { return ctx }

func (h counter) QueryEnd(_ context.Context, e *orm.QueryEvent) {
	if strings.Contains(e.SQL, "auth_users") {
		*h.n++
	}
}

func TestLoginFields(t *testing.T) {
	t.Parallel()
	m := Members.Fields()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		both := members(t, kind, auth.Options{LoginFields: orm.Fields(&m.Username, &m.Email)})
		ann := both.member(t, "ann@example.com", "  Ann.Smith ")
		if *ann.Username != "Ann.Smith" {
			t.Errorf("%q", *ann.Username)
		}
		for text, status := range map[string]int{"ann.smith": 200, "ANN.SMITH ": 200, "ann@example.com": 200, "ann": 401, "ann.smith@": 401, "": 401, "x\x00": 401, "ann.smit%": 401} {
			both.login(retorttest.New(t, both.app), text).Status(status)
		}
		for field, bad := range map[string]string{"taken": "ann.SMITH", "no_address": "bob@example.com", "required": " "} {
			row := Members.New()
			row.Email, row.Username = "bob@example.com", &bad
			err := both.auth.Create(both.ctx, row, secret)
			errs, ok := errors.AsType[validate.Errors](err)
			if !ok && field == "taken" && orm.IsUnique(err) {
				continue // MySQL names the index, which is over an expression
			}
			if !ok || len(errs) != 1 || errs[0].Field != "username" || errs[0].Code != field {
				t.Errorf("%q: %v", bad, err)
			}
		}
		row := Members.New()
		row.Email = "ANN@example.com"
		if err := both.auth.Create(both.ctx, row, secret); !errors.Is(err, auth.ErrTaken) {
			t.Error(err)
		}
	})
	only := members(t, testdb.SQLite, auth.Options{LoginFields: orm.Fields(&m.Username)})
	only.member(t, "ann@example.com", "ann")
	only.login(retorttest.New(t, only.app), "Ann").Status(200)
	only.login(retorttest.New(t, only.app), "ann@example.com").Status(401)
	if out := only.run(t, "another password\n", "changepassword", "ann"); !strings.Contains(out, "was changed") {
		t.Error(out)
	}
	for want, field := range map[string]any{"two users may have the same Member.Phone": &m.Phone, "is no text": &m.Active, "Options.LoginFields": new(string)} {
		app := retort.New(retort.Config{Name: "site", SecretKey: "a key for these tests only, nowhere else", Logger: slog.New(slog.DiscardHandler)})
		if err := auth.New(auth.Options{LoginFields: []any{field}}).Install(app); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestSuperusersWithFields(t *testing.T) {
	t.Parallel()
	s := members(t, testdb.SQLite, auth.Options{})
	s.run(t, secret+"\n", "createsuperuser", "--email", "root@example.com", "--phone", "112", "--country", "fr", "--username", "root")
	root, err := auth.Find(s.ctx, "root@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if row, err := auth.RowOf[Member](s.ctx, root); err != nil || row.Phone != "112" || row.Country != "fr" || *row.Username != "root" || !row.Superuser {
		t.Errorf("%+v, %v", row, err)
	}
	var out strings.Builder
	if err := s.app.Execute(s.ctx, []string{"createsuperuser", "--no-input", "--email", "x@example.com", "--country", "too long"}, strings.NewReader(""), &out, &out); err == nil {
		t.Error("a country of eight letters is taken:", out.String())
	}
}

func init() {
	if Members != nil {
		auth.SetPolicy(Members, func(user *auth.User, action auth.Action, m *Member) orm.Cond {
			if user == nil || action == auth.Delete {
				return orm.Cond{} // by the permission
			}
			return orm.Eq(&m.ID, user.ID)
		})
	}
}

func TestPoliciesOfMembers(t *testing.T) {
	t.Parallel()
	s := members(t, testdb.SQLite, auth.Options{})
	ann, bob := s.member(t, "ann@example.com", "ann"), s.member(t, "bob@example.com", "bob")
	ctx := auth.As(s.ctx, &ann.User)
	visible, err := auth.Visible(ctx, auth.View, Members)
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := visible.All(ctx); err != nil || len(rows) != 1 || rows[0].ID != ann.ID {
		t.Errorf("%v, %v", rows, err)
	}
	if err := errors.Join(auth.Check(ctx, auth.Change, Members, ann), auth.Grant(s.ctx, &bob.User, auth.On(Members, auth.Delete))); err != nil {
		t.Error(err)
	}
	if err := auth.Check(ctx, auth.Change, Members, bob); !errors.Is(err, auth.ErrForbidden) {
		t.Error(err)
	}
	if err := auth.Check(auth.As(s.ctx, &bob.User), auth.Delete, Members, ann); err != nil {
		t.Error(err)
	}
	if err := auth.Check(s.ctx, auth.Delete, Members, ann); !errors.Is(err, auth.ErrForbidden) {
		t.Error(err)
	}
}
