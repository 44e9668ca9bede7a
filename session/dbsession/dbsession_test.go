package dbsession_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/session/dbsession"
	"github.com/retort-web/retort/session/sessiontest"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// here is a store that finds its database in a context of its own.
type here struct {
	session.ServerStore
	db context.Context //nolint:containedctx // stands for that of an app
}

func (h here) with(ctx context.Context) context.Context {
	conn, err := orm.DBFrom(h.db)
	if err != nil {
		panic(err)
	}
	return orm.WithDB(ctx, conn)
}

func (h here) Load(ctx context.Context, token string) (*session.Session, error) {
	return h.ServerStore.Load(h.with(ctx), token)
}

func (h here) Save(ctx context.Context, s *session.Session) (string, error) {
	return h.ServerStore.Save(h.with(ctx), s)
}

func (h here) Delete(ctx context.Context, s *session.Session) error {
	return h.ServerStore.Delete(h.with(ctx), s)
}

func (h here) List(ctx context.Context, user string) ([]session.Info, error) {
	return h.ServerStore.List(h.with(ctx), user)
}

func (h here) End(ctx context.Context, user, key string) (int, error) {
	return h.ServerStore.End(h.with(ctx), user, key)
}

func (h here) EndAll(ctx context.Context, user, keep string) (int, error) {
	return h.ServerStore.EndAll(h.with(ctx), user, keep)
}

func (h here) DeleteExpired(ctx context.Context, limit int) (int, error) {
	return h.ServerStore.DeleteExpired(h.with(ctx), limit)
}

func TestStore(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		sessiontest.Server(t, func(t *testing.T) session.ServerStore {
			return here{dbsession.NewStore(""), kind.Context(t)}
		})
	})
}

func TestUsersWithLikeNamesAreDifferent(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		store := here{dbsession.NewStore(""), kind.Context(t)}
		for _, user := range []string{"ada", "ADA", "ada ", "adá"} {
			s := session.New()
			s.Login(user, "")
			if _, err := store.Save(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		if list, err := store.List(t.Context(), "ada"); len(list) != 1 || err != nil {
			t.Errorf("%d sessions are listed, %v", len(list), err)
		}
		if n, err := store.EndAll(t.Context(), "ada", ""); n != 1 || err != nil {
			t.Errorf("%d sessions ended, %v", n, err)
		}
	})
}

// newApp is an app with a database of that kind and its tables.
func newApp(t *testing.T, kind testdb.Kind) *retort.App {
	t.Helper()
	url := kind.URL(t)
	if kind.Name == "sqlite" {
		url = "sqlite:" + filepath.Join(t.TempDir(), "sessions.db")
	}
	app := retort.New(retort.Config{SecretKey: "a key for these tests only, nowhere else", Logger: slog.New(slog.DiscardHandler)})
	app.Install(db.Open(url), dbsession.New())
	app.OnStartup(db.Migrate)
	app.Get("/login/{user}", func(c *retort.Ctx) error {
		c.Session().Login(c.Param("user"), "")
		return c.Text("in")
	})
	app.Get("/logout", func(c *retort.Ctx) error { c.Session().Clear(); return c.Text("out") })
	app.Get("/whoami", func(c *retort.Ctx) error {
		return c.Text("user " + c.Session().User() + " " + fmt.Sprint(c.Session().Keys()))
	})
	app.Get("/set/{key}", func(c *retort.Ctx) error { c.Session().Set(c.Param("key"), 1); return c.Text("set") })
	app.Post("/fail", func(c *retort.Ctx) error {
		if _, err := c.App().Sessions().EndOthers(c, c.Session()); err != nil {
			return err
		}
		c.Session().Set("half", "done")
		return retort.BadRequest("not this way")
	}).Use(db.Atomic)
	return app
}

func TestAppWithSessionsInItsDatabase(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		app := newApp(t, kind)
		ada := retorttest.New(t, app)
		phone := ada.Fresh()
		ada.Get("/login/ada")
		phone.Get("/login/ada")
		ada.Get("/whoami").Contains("user ada")
		stolen, _ := ada.Cookie("session")
		if n := count(t, app); n != 2 {
			t.Errorf("%d rows", n)
		}

		// What the transaction did is undone with it; the session is not part of it.
		ada.PostForm("/fail", nil).Status(400)
		phone.Get("/whoami").Contains("user ada")
		ada.Get("/whoami").Contains("user ada [half]")

		ada.Get("/logout")
		thief := ada.Fresh()
		thief.SetCookie("session", stolen)
		thief.Get("/whoami").Lacks("ada")
		ada.Session(func(s *session.Session) { s.Login("eve", "") })
		ada.Get("/whoami").Contains("user eve")
		if _, err := app.Call(t.Context(), "clearsessions"); err != nil {
			t.Error(err)
		}
		if n := count(t, app); n != 2 {
			t.Errorf("%d rows", n)
		}
	})
}

func count(t *testing.T, app *retort.App) int64 {
	t.Helper()
	n, err := dbsession.Sessions.Count(app.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRequestsAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		app := newApp(t, kind)
		client := retorttest.New(t, app)
		client.Get("/login/ada")
		token, _ := client.Cookie("session")
		var wg sync.WaitGroup
		for i := range 6 {
			tab := client.Fresh()
			tab.SetCookie("session", token)
			wg.Go(func() { tab.Get(fmt.Sprintf("/set/k%d", i)) })
		}
		wg.Wait()
		client.Get("/whoami").Contains("user ada [k0 k1 k2 k3 k4 k5]")
	})
}

// A client that went away while its logout was answered is logged out.
func TestALogoutDoesNotWaitForTheClient(t *testing.T) {
	t.Parallel()
	app := newApp(t, testdb.SQLite)
	ctx, leave := context.WithCancel(t.Context())
	app.Get("/leave", func(c *retort.Ctx) error {
		c.Session().Clear()
		leave()
		return c.Text("out")
	})
	client := retorttest.New(t, app)
	client.Get("/login/ada")
	r := client.NewRequest("GET", "/leave", nil).WithContext(ctx)
	token, _ := client.Cookie("session")
	r.Header.Set("Cookie", "session="+token)
	app.ServeHTTP(httptest.NewRecorder(), r)
	client.Get("/whoami").Lacks("ada")
}

func TestTheDatabaseMayBeAway(t *testing.T) {
	t.Parallel()
	app := retort.New(retort.Config{SecretKey: "a key for these tests only, nowhere else", Logger: slog.New(slog.DiscardHandler)})
	app.Install(db.Open("postgres://nobody@127.0.0.1:1/none?connect_timeout=2"), dbsession.New())
	app.Get("/", func(c *retort.Ctx) error { return c.Text("user " + c.Session().User()) })
	client := retorttest.New(t, app)
	client.SetCookie("session", strings.Repeat("A", 43))
	client.Get("/").Status(200).Contains("user ")
}

func TestAnAppNeedsADatabase(t *testing.T) {
	t.Parallel()
	app := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Install(dbsession.New())
	if err := app.Startup(t.Context()); !errors.Is(err, orm.ErrNoDatabase) || !strings.Contains(err.Error(), "install db.Open") {
		t.Errorf("error is %v", err)
	}
	two := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler)})
	two.SessionStore(session.NewMemoryStore(session.MemoryOptions{}))
	two.Install(dbsession.New())
	if err := two.Prepare(); err == nil || !strings.Contains(err.Error(), "two session stores") {
		t.Errorf("two stores: %v", err)
	}
}
