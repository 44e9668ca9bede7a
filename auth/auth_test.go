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
	"github.com/retort-web/retort/internal/testsite"
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

type site struct {
	app  *retort.App
	auth *auth.Extension
	ctx  context.Context //nolint:containedctx // that of the app
	mu   sync.Mutex
	told []auth.Event
	log  testsite.Log
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
	return makeSite(t, location, nil, o, dbsession.New())
}

// newProxiedSite is a site behind proxies.
func newProxiedSite(t testing.TB, proxies []string, o auth.Options) *site {
	t.Helper()
	return makeSite(t, "sqlite:"+filepath.Join(t.TempDir(), "auth.db"), proxies, o, dbsession.New())
}

// newCookieSite is a site that keeps sessions in cookies.
func newCookieSite(t testing.TB, o auth.Options) *site {
	t.Helper()
	return makeSite(t, "sqlite:"+filepath.Join(t.TempDir(), "auth.db"), nil, o)
}

func makeSite(t testing.TB, location string, proxies []string, o auth.Options, more ...retort.Extension) *site {
	t.Helper()
	s := &site{}
	logger := slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.app = retort.New(retort.Config{Name: "site", SecretKey: "a key for these tests only, nowhere else", Logger: logger, TrustedProxies: proxies})
	o.Hash = password.Options{Memory: 64, Time: 1}
	o.OnEvent = func(_ context.Context, e auth.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told = append(s.told, e)
	}
	s.auth = auth.New(o)
	s.app.Install(db.Open(location))
	s.app.Install(more...)
	s.app.Install(s.auth)
	s.app.Post("/everywhere", func(c *retort.Ctx) error {
		return errors.Join(s.auth.EndSessions(c, auth.Must(c)), c.Text("ended"))
	}).DisableCSRF()
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

// A backend that panics leaves no login under way, which would count as failed for ever.
func TestBackendsThatPanic(t *testing.T) {
	t.Parallel()
	broken := &panicking{broken: true}
	s := newSite(t, testdb.SQLite, auth.Options{Backends: []auth.Backend{broken}, Throttle: auth.Throttle{PairFailures: 2}})
	broken.user = s.user(t, "ann@example.com")
	for range 5 {
		func() {
			defer func() { _ = recover() }()
			_, err := s.auth.Authenticate(s.ctx, "ann@example.com", secret)
			t.Error("no panic:", err)
		}()
	}
	broken.broken = false
	if _, err := s.auth.Authenticate(s.ctx, "ann@example.com", secret); err != nil {
		t.Error(err)
	}
}

type panicking struct {
	broken bool
	user   *auth.User
}

func (p *panicking) Authenticate(context.Context, string, string) (*auth.User, error) {
	if p.broken {
		panic("the directory is not what it was")
	}
	return p.user, nil
}
