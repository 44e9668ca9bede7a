package auth_test

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session/dbsession"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const secret = "correct horse battery"

// Note belongs to a user; others see those that are shared.
type Note struct {
	orm.Model
	Owner  orm.FK[auth.User] `orm:"on_delete=cascade"`
	Text   string            `orm:"size=100"`
	Shared bool
}

var Notes = orm.Register[Note]()

func init() {
	auth.SetPolicy(Notes, func(user *auth.User, action auth.Action, n *Note) orm.Cond {
		switch {
		case user == nil:
			return orm.Or()
		case action == auth.Delete && user.Staff:
			return orm.Cond{} // by the permission
		case action == auth.View:
			return orm.Or(orm.Eq(&n.Shared, true), orm.Eq(&n.Owner.ID, user.ID))
		}
		return orm.Eq(&n.Owner.ID, user.ID)
	})
}

// Thing has no policy.
type Thing struct {
	orm.Model
	Name string `orm:"size=20"`
}

var Things = orm.Register[Thing]()

// Profile is what a site adds to its users.
type Profile struct {
	User  orm.OneToOne[auth.User] `orm:"pk,on_delete=cascade"`
	Phone string                  `orm:"size=40,blank"`
}

var Profiles = orm.Register[Profile]()

func TestProfilesOfUsers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSite(t, kind, auth.Options{})
		ann := s.user(t, "ann@example.com")
		row := &Profile{Phone: "123"}
		row.User.Set(ann)
		if err := Profiles.Insert(s.ctx, row); err != nil {
			t.Fatal(err)
		}
		p := Profiles.Fields()
		read, err := Profiles.Where(orm.Eq(&p.User.To().Login, "ann@example.com")).With(&p.User).Get(s.ctx)
		if err != nil || read.Phone != "123" || read.User.To().Email != ann.Email {
			t.Errorf("%+v, %v", read, err)
		}
		if err := auth.Users.DeleteRow(s.ctx, ann); err != nil {
			t.Fatal(err)
		}
		if n, err := Profiles.Count(s.ctx); n != 0 || err != nil {
			t.Error(n, err)
		}
	})
}

type site struct {
	app  *retort.App
	auth *auth.Extension
	ctx  context.Context //nolint:containedctx // that of the app
	mu   sync.Mutex
	told []auth.Event
	log  logBuffer
}

// logBuffer is a log that many write to.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (s *site) kinds() []auth.EventKind {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kinds []auth.EventKind
	for _, e := range s.told {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func newSite(t testing.TB, kind testdb.Kind, o auth.Options) *site {
	t.Helper()
	location := kind.URL(t)
	if kind.Name == "sqlite" {
		location = "sqlite:" + filepath.Join(t.TempDir(), "auth.db")
	}
	s := &site{}
	logger := slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.app = retort.New(retort.Config{Name: "site", SecretKey: "a key for these tests only, nowhere else", Logger: logger})
	o.Hash = password.Options{Memory: 64, Time: 1}
	o.OnEvent = func(_ context.Context, e auth.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told = append(s.told, e)
	}
	s.auth = auth.New(o)
	s.app.Install(db.Open(location), dbsession.New(), s.auth)
	s.app.Post("/in", func(c *retort.Ctx) error {
		user, err := s.auth.Authenticate(c, c.FormValue("email"), c.FormValue("password"))
		if errors.Is(err, auth.ErrWrong) {
			return retort.Unauthorized("", "wrong")
		}
		if err != nil {
			return err
		}
		if err := s.auth.Login(c, user, c.FormValue("remember") != ""); err != nil {
			return err
		}
		return c.Text("in")
	}).DisableCSRF()
	auth.Public(s.app.Post("/out", func(c *retort.Ctx) error { return errors.Join(s.auth.Logout(c), c.Text("out")) }).DisableCSRF())
	auth.Public(s.app.Get("/whoami", func(c *retort.Ctx) error {
		user, err := auth.Current(c)
		if err != nil {
			return err
		}
		if user == nil {
			return c.Text("nobody")
		}
		return c.Text(user.Email)
	}))
	s.app.Get("/private", func(c *retort.Ctx) error { return c.Text("hello " + auth.Must(c).String()) }).Use(auth.RequireLogin)
	s.app.Get("/fresh", func(c *retort.Ctx) error { return c.Text("fresh") }).Use(auth.RequireFresh)
	s.app.Get("/staff", func(c *retort.Ctx) error { return c.Text("staff") }).Use(auth.RequireStaff)
	s.app.Get("/change", func(c *retort.Ctx) error { return c.Text("changing") }).Use(auth.RequirePermission(auth.On(Things, auth.Change)))
	s.app.Get("/page", func(c *retort.Ctx) error {
		return c.RenderString("{% if user %}{{ user.email }}{% else %}nobody{% endif %}", nil)
	})
	s.ctx = s.app.Context()
	conn, err := orm.DBFrom(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	testdb.CreateTables(t, conn)
	return s
}

func (s *site) user(t testing.TB, email string) *auth.User {
	t.Helper()
	u := auth.Users.New()
	u.Email = email
	if err := s.auth.Create(s.ctx, u, secret); err != nil {
		t.Fatal(err)
	}
	return u
}

func login(c *retorttest.Client, email, secret string) *retorttest.Response {
	return c.PostForm("/in", url.Values{"email": {email}, "password": {secret}})
}

func TestLoginAndLogout(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSite(t, kind, auth.Options{})
		ann := s.user(t, "Ann@Example.com")
		client := retorttest.New(t, s.app)
		client.Get("/whoami").Contains("nobody")
		client.Get("/page").Contains("nobody")
		login(client, "ann@example.com", "wrong").Status(401)
		login(client, " ANN@example.COM ", secret).Status(200)
		client.Get("/whoami").Contains("Ann@Example.com")
		client.Get("/page").Contains("Ann@Example.com")
		client.Get("/private").Contains("hello Ann@Example.com")
		read, err := auth.Users.Where(orm.Lookup("pk", ann.ID)).Get(s.ctx)
		if err != nil || read.LastLogin == nil || time.Since(*read.LastLogin) > time.Hour {
			t.Error(read.LastLogin, err)
		}
		before, _ := client.Cookie("session")
		client.PostForm("/out", nil).Status(200)
		client.Get("/whoami").Contains("nobody")
		// The session is gone on the server too.
		thief := client.Fresh()
		thief.SetCookie("session", before)
		thief.Get("/whoami").Contains("nobody")
		if got := s.kinds(); !slices.Equal(got, []auth.EventKind{auth.LoginFailed, auth.LoggedIn, auth.LoggedOut}) {
			t.Error(got)
		}
	})
}

// Whoever may not log in any more is logged out by the next request.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, s *site, u *auth.User) error{
		"another password": func(_ *testing.T, s *site, u *auth.User) error {
			return s.auth.SetPassword(s.ctx, u, "another password")
		},
		"not active": func(_ *testing.T, s *site, u *auth.User) error {
			u.Active = false
			return auth.Users.UpdateRow(s.ctx, u, &auth.Users.Fields().Active)
		},
		"deleted": func(_ *testing.T, s *site, u *auth.User) error { return auth.Users.DeleteRow(s.ctx, u) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, testdb.SQLite, auth.Options{})
			u := s.user(t, "ann@example.com")
			client, other := retorttest.New(t, s.app), retorttest.New(t, s.app)
			login(client, u.Email, secret).Status(200)
			login(other, u.Email, secret).Status(200)
			if err := end(t, s, u); err != nil {
				t.Fatal(err)
			}
			client.Get("/whoami").Contains("nobody")
			other.Get("/private").RedirectsTo("/login?next=%2Fprivate")
			if name != "another password" {
				login(client, u.Email, secret).Status(401)
			}
		})
	}
}

// CVE class "enumeration": unknown, inactive and password-less users look alike.
func TestSecurityEnumeration(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{})
	s.user(t, "ann@example.com")
	inactive := s.user(t, "gone@example.com")
	inactive.Active = false
	if err := auth.Users.UpdateRow(s.ctx, inactive, &auth.Users.Fields().Active); err != nil {
		t.Fatal(err)
	}
	bare := auth.Users.New()
	bare.Email = "bare@example.com"
	if err := s.auth.Create(s.ctx, bare, ""); err != nil {
		t.Fatal(err)
	}
	if bare.HasPassword() {
		t.Error("a user without password has one")
	}
	want := login(retorttest.New(t, s.app), "ann@example.com", "wrong").Status(401).Text()
	for _, email := range []string{"nobody@example.com", "gone@example.com", "bare@example.com", "", "x\x00y", "\xff", strings.Repeat("x", 100_000)} {
		for _, tried := range []string{secret, "", "!", "\x00", bare.PasswordHash} {
			if got := login(retorttest.New(t, s.app), email, tried).Status(401).Text(); got != want {
				t.Errorf("%.20q: %s", email, got)
			}
		}
	}
}

// CVE class "reset hijack": addresses that only look alike are not the same.
func TestSecurityLoginsThatLookAlike(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSite(t, kind, auth.Options{})
		s.user(t, "mike@example.org")
		for _, same := range []string{"Mike@example.org", "MIKE@EXAMPLE.ORG", " mike@example.org", "ｍike@example.org"} {
			if u, err := auth.Find(s.ctx, same); err != nil || u.Email != "mike@example.org" {
				t.Errorf("%q: %v", same, err)
			}
			u := auth.Users.New()
			u.Email = same
			if err := s.auth.Create(s.ctx, u, secret); !errors.Is(err, auth.ErrTaken) && err == nil {
				t.Errorf("%q is another user: %v", same, err)
			}
		}
		for _, other := range []string{"mıke@example.org", "mike@exаmple.org", "mike@example.org\x00", "míke@example.org", "mike@example.org."} {
			if u, err := auth.Find(s.ctx, other); !errors.Is(err, orm.ErrNotFound) {
				t.Errorf("%q is taken for %v, %v", other, u, err)
			}
		}
	})
}

func TestRehash(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{})
	u := s.user(t, "ann@example.com")
	p := auth.Users.Fields()
	// As Django left it, for "lètmein".
	old := "pbkdf2_sha256$1000$seasalt$JgZryXe2Ga8ysg6XbzkLpTdyPQrHqsinbL9BnnhgX4A="
	if _, err := auth.Users.Where(orm.Eq(&p.ID, u.ID)).Update(s.ctx, orm.Set(&p.PasswordHash, old)); err != nil {
		t.Fatal(err)
	}
	client := retorttest.New(t, s.app)
	login(client, u.Email, "letmein").Status(401)
	login(client, u.Email, "lètmein").Status(200)
	client.Get("/whoami").Contains(u.Email)
	read, err := auth.Find(s.ctx, u.Email)
	if err != nil || !strings.HasPrefix(read.PasswordHash, "$argon2id$") {
		t.Errorf("%v %v", read, err)
	}
	login(client, u.Email, "lètmein").Status(200)
}

func TestRequire(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{FreshFor: time.Hour})
	ann, boss := s.user(t, "ann@example.com"), s.user(t, "boss@example.com")
	boss.Superuser = true
	if err := auth.Users.UpdateRow(s.ctx, boss, &auth.Users.Fields().Superuser); err != nil {
		t.Fatal(err)
	}
	client := retorttest.New(t, s.app)
	for _, path := range []string{"/private", "/fresh", "/staff", "/change"} {
		client.Get(path + "?a=1&b=//x").RedirectsTo("/login?next=" + url.QueryEscape(path+"?a=1&b=//x"))
		r := client.NewRequest("GET", path, nil)
		r.Header.Set("Accept", "application/json")
		client.Do(r).Status(401)
	}
	login(client, ann.Email, secret).Status(200)
	client.Get("/private").Status(200)
	client.Get("/fresh").Status(200)
	client.Get("/staff").Status(403)
	client.Get("/change").Status(403)
	if err := auth.Grant(s.ctx, ann, auth.On(Things, auth.Change), auth.On(Things, auth.Change)); err != nil {
		t.Fatal(err)
	}
	client.Get("/change").Status(200)
	login(client, boss.Email, secret).Status(200)
	client.Get("/staff").Status(200)
	client.Get("/change").Status(200)
}

func TestFreshLogins(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{FreshFor: time.Nanosecond})
	u := s.user(t, "ann@example.com")
	client := retorttest.New(t, s.app)
	login(client, u.Email, secret).Status(200)
	client.Get("/private").Status(200)
	client.Get("/fresh").RedirectsTo("/login?next=%2Ffresh")
}

func TestSiteWideLogin(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{SiteWide: true})
	client := retorttest.New(t, s.app)
	client.Get("/whoami").Status(200)
	client.Get("/page").RedirectsTo("/login?next=%2Fpage")
	client.Get("/nothing").Status(404)
	u := s.user(t, "ann@example.com")
	login(client, u.Email, secret).RedirectsTo("/login") // /in is not public
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSite(t, kind, auth.Options{})
		ann, bob, boss, gone := s.user(t, "ann@example.com"), s.user(t, "bob@example.com"), s.user(t, "boss@example.com"), s.user(t, "gone@example.com")
		boss.Superuser, gone.Active = true, false
		editors := &auth.Group{Name: "editors"}
		for _, err := range []error{
			auth.Users.UpdateRow(s.ctx, boss, &auth.Users.Fields().Superuser), auth.Users.UpdateRow(s.ctx, gone, &auth.Users.Fields().Active), auth.Groups.Insert(s.ctx, editors),
			editors.Users.Add(s.ctx, bob, gone),
			auth.Grant(s.ctx, ann, "things.print", "things.read"), auth.GrantGroup(s.ctx, editors, "things.print", "things.print"),
			auth.Grant(s.ctx, gone, "things.print"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		has := func(u *auth.User, p auth.Permission, want bool) {
			t.Helper()
			if got, err := u.Has(s.ctx, p); got != want || err != nil {
				t.Errorf("%s %s: %v, %v", u, p, got, err)
			}
		}
		has(ann, "things.print", true)
		has(ann, "things.write", false)
		has(bob, "things.print", true)
		has(bob, "things.read", false)
		has(boss, "things.anything", true)
		has(gone, "things.print", false)
		has(nil, "things.print", false)
		holders, err := auth.WithPermission("things.print").All(s.ctx)
		var emails []string
		for _, u := range holders {
			emails = append(emails, u.Email)
		}
		if slices.Sort(emails); err != nil || strings.Join(emails, " ") != "ann@example.com bob@example.com boss@example.com" {
			t.Error(emails, err)
		}
		for _, err := range []error{auth.Revoke(s.ctx, ann, "things.print"), auth.RevokeGroup(s.ctx, editors, "things.print")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		has(ann, "things.print", false)
		has(ann, "things.read", true)
		if name := auth.On(Notes, auth.View); name != "auth.view_note" && name != "auth_test.view_note" {
			t.Error(name)
		}
	})
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSite(t, kind, auth.Options{})
		ann, bob, boss, gone := s.user(t, "ann@example.com"), s.user(t, "bob@example.com"), s.user(t, "boss@example.com"), s.user(t, "gone@example.com")
		boss.Superuser, gone.Active = true, false
		var notes []*Note
		for _, n := range []struct {
			owner  *auth.User
			text   string
			shared bool
		}{{ann, "mine", false}, {ann, "ours", true}, {bob, "his", false}, {gone, "lost", false}} {
			row := &Note{Text: n.text, Shared: n.shared}
			row.Owner.Set(n.owner)
			notes = append(notes, row)
		}
		thing := &Thing{Name: "thing"}
		if err := errors.Join(Notes.Insert(s.ctx, notes...), Things.Insert(s.ctx, thing)); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			user         *auth.User
			view, change string
			thing        bool
		}{{nil, "", "", false}, {ann, "mine ours", "mine ours", false}, {bob, "ours his", "his", false}, {boss, "mine ours his lost", "mine ours his lost", true}, {gone, "", "", false}} {
			ctx := auth.As(s.ctx, c.user)
			for action, want := range map[auth.Action]string{auth.View: c.view, auth.Change: c.change, auth.Delete: c.change} {
				visible, err := auth.Visible(ctx, action, Notes)
				if err != nil {
					t.Fatal(err)
				}
				rows, err := visible.OrderBy(orm.Asc(&Notes.Fields().ID)).All(ctx)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, n := range rows {
					got = append(got, n.Text)
				}
				if strings.Join(got, " ") != want {
					t.Errorf("%v %s: %q, want %q", c.user, action, got, want)
				}
				for _, n := range notes {
					can, err := auth.Can(ctx, action, Notes, n)
					if err != nil || can != slices.Contains(got, n.Text) {
						t.Errorf("%v %s %s: %v, %v", c.user, action, n.Text, can, err)
					}
				}
			}
			if err := auth.Check(ctx, auth.Change, Things, thing); (err == nil) != c.thing {
				t.Errorf("%v thing: %v", c.user, err)
			}
		}
		if err := auth.Grant(s.ctx, bob, auth.On(Things, auth.Change), auth.On(Notes, auth.Add)); err != nil {
			t.Fatal(err)
		}
		ctx := auth.As(s.ctx, bob)
		if err := auth.Check(ctx, auth.Change, Things, thing); err != nil {
			t.Error(err)
		}
		if err := auth.Check(ctx, auth.Delete, Things, thing); !errors.Is(err, auth.ErrForbidden) {
			t.Error(err)
		}
		if err := auth.Check(ctx, auth.Add, Notes, new(Note)); err != nil {
			t.Error(err)
		}
		bob.Staff = true
		if err := auth.Check(ctx, auth.Delete, Notes, notes[2]); !errors.Is(err, auth.ErrForbidden) {
			t.Error(err)
		}
		if err := auth.Grant(s.ctx, bob, auth.On(Notes, auth.Delete)); err != nil {
			t.Fatal(err)
		}
		if err := auth.Check(ctx, auth.Delete, Notes, notes[0]); err != nil {
			t.Error(err)
		}
	})
	defer func() {
		if recover() == nil {
			t.Error("a second policy is accepted")
		}
	}()
	auth.SetPolicy(Notes, func(*auth.User, auth.Action, *Note) orm.Cond { return orm.And() })
}

func TestCommands(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{})
	run := func(in string, args ...string) (string, error) {
		var out strings.Builder
		err := s.app.Execute(t.Context(), args, strings.NewReader(in), &out, &out)
		return out.String(), err
	}
	if out, err := run("ann@example.com\npassword\n", "createsuperuser"); err == nil || !strings.Contains(err.Error()+out, "tried first") {
		t.Error(out, err)
	}
	if out, err := run("ann@example.com\n"+secret+"\n", "createsuperuser"); err != nil {
		t.Error(out, err)
	}
	if out, err := run(secret+"\n", "createsuperuser", "--email", "Ann@example.com"); err == nil {
		t.Error(out, err)
	}
	if out, err := run("", "createsuperuser", "--no-input", "--email", "robot@example.com"); err != nil {
		t.Error(out, err)
	}
	ann, err := auth.Find(s.ctx, "ann@example.com")
	if err != nil || !ann.Superuser || !ann.Staff || !ann.Active || !ann.HasPassword() {
		t.Errorf("%+v, %v", ann, err)
	}
	robot, err := auth.Find(s.ctx, "robot@example.com")
	if err != nil || robot.HasPassword() {
		t.Errorf("%+v, %v", robot, err)
	}
	if out, err := run("another password\n", "changepassword", "ann@example.com"); err != nil {
		t.Error(out, err)
	}
	if _, err := s.auth.Authenticate(s.ctx, "ann@example.com", "another password"); err != nil {
		t.Error(err)
	}
	if out, err := run("x\n", "changepassword", "none@example.com"); err == nil || !strings.Contains(err.Error(), "no user none@example.com") {
		t.Error(out, err)
	}
}
