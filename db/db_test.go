package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/sqlite"
	"github.com/retort-web/retort/retorttest"
)

// Account is a model with a value that must not be shown.
type Account struct {
	orm.Model
	Name     string `orm:"size=50,unique"`
	Password string `orm:"size=100"`
	Notes    orm.HasMany[Note]
}

// Note is a model that refers to another.
type Note struct {
	orm.Model
	Account orm.FK[Account] `orm:"on_delete=cascade"`
	Text    string          `orm:"text"`
}

// Meta gives the table a check.
func (Note) Meta(n *Note) orm.Meta {
	return orm.Meta{Checks: orm.Checks(orm.Check("text_not_empty", orm.Ne(&n.Text, "")))}
}

// Idea is a model that no migration creates.
type Idea struct {
	orm.Model
	Text string `orm:"text"`
}

var (
	Accounts = orm.Register[Account]()
	Notes    = orm.Register[Note]()
	Ideas    = orm.Register[Idea]()
)

// The tables of all models but Idea have migrations.
func init() {
	tables, err := orm.Tables()
	if err != nil {
		panic(err)
	}
	set := migrate.Register("db_test")
	for _, t := range tables {
		if t.Model == "Account" {
			set.Add(migrate.Migration{Name: "0001_initial", Operations: []migrate.Operation{migrate.CreateModel{Table: *t}}})
		}
	}
	for _, t := range tables {
		if t.Model == "Note" {
			set.Add(migrate.Migration{
				Name: "0002_note", Dependencies: []string{"db_test.0001_initial"},
				Operations: []migrate.Operation{
					migrate.CreateModel{Table: *t},
					migrate.RunSQL{SQL: "UPDATE db_test_account SET name = upper(name)", ReverseSQL: migrate.Noop},
				},
			})
		}
	}
	migrate.Register("empty")
}

// newApp makes an app with a database of its own.
func newApp(t testing.TB, databaseURL string, configure ...func(cfg *retort.Config)) *retort.App {
	t.Helper()
	cfg := retort.Config{Name: "app", Logger: slog.New(slog.DiscardHandler)}
	for _, fn := range configure {
		fn(&cfg)
	}
	app := retort.New(cfg)
	app.Install(db.Open(databaseURL))
	return app
}

// file returns the URL of a new database file.
func file(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.ToSlash(filepath.Join(t.TempDir(), "test.db"))
}

// migrated makes an app whose tables exist when it has started.
func migrated(t testing.TB, configure ...func(cfg *retort.Config)) *retort.App {
	t.Helper()
	return migratedOn(t, testdb.SQLite, configure...)
}

func migratedOn(t testing.TB, kind testdb.Kind, configure ...func(cfg *retort.Config)) *retort.App {
	t.Helper()
	app := newApp(t, kind.URL(t), configure...)
	app.OnStartup(db.Migrate)
	return app
}

func debugMode(logs *bytes.Buffer) func(cfg *retort.Config) {
	return func(cfg *retort.Config) {
		cfg.Debug = true
		if logs != nil {
			cfg.Logger = slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
	}
}

func TestDatabaseIsOnEveryContext(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		app := migratedOn(t, kind)
		app.Get("/", func(c *retort.Ctx) error {
			if err := Accounts.Insert(c, &Account{Name: "ada"}); err != nil {
				return err
			}
			n, err := Accounts.Count(c)
			if err != nil {
				return err
			}
			return c.Text(fmt.Sprint(n))
		})
		app.Command(retort.Command{Name: "count", Run: func(ctx context.Context, in *retort.Invocation) error {
			n, err := Accounts.Count(ctx)
			fmt.Fprint(in.Out, n)
			return err
		}})
		client := retorttest.New(t, app)
		client.Get("/").Status(200).Contains("1")
		if out, err := app.Call(t.Context(), "count"); err != nil || out != "1" {
			t.Errorf("the command printed %q, %v", out, err)
		}
		counted := make(chan error, 1)
		app.Go("count", func(ctx context.Context) {
			_, err := Accounts.Count(ctx)
			counted <- err
		})
		if err := <-counted; err != nil {
			t.Errorf("in the background: %v", err)
		}
	})
}

func TestEmptyURLIsTheConfigured(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "configured.db")
	app := newApp(t, "", func(cfg *retort.Config) { cfg.DatabaseURL = "sqlite:" + filepath.ToSlash(path) })
	app.OnStartup(db.Migrate)
	retorttest.New(t, app)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestStartFailsForAWrongURL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, url, want string }{
		{"none", "", "no database is configured"},
		{"no scheme", "blog.db", "has no scheme"},
		{"unknown scheme", "oracle://db", "no driver for \"oracle\""},
		{"unknown option", "sqlite::memory:?x=1", "unknown option"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := newApp(t, test.url).Startup(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestInstalledTwiceIsAnError(t *testing.T) {
	t.Parallel()
	ext := db.Open("sqlite::memory:")
	first, second := retort.New(), retort.New()
	first.Install(ext)
	second.Install(ext)
	if err := second.Prepare(); err == nil || !strings.Contains(err.Error(), "installed already") {
		t.Errorf("got %v", err)
	}
}

func TestCommandsThatNeedNoDatabaseDoNotOpenIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	app := newApp(t, "sqlite:"+filepath.ToSlash(path))
	app.Get("/", func(c *retort.Ctx) error { return c.Text("") })
	for _, args := range [][]string{{"routes"}, {"check"}, {"config"}, {"version"}, {"help"}, {"makemigrations", "--check"}} {
		if out, err := app.Call(t.Context(), args...); err != nil && args[0] != "makemigrations" {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the database was opened: %v", err)
	}
}

func TestDatabaseAwayAtStartAnswers503AndHeals(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "later")
	var logs bytes.Buffer
	app := newApp(t, "sqlite:"+filepath.ToSlash(filepath.Join(folder, "test.db")), func(cfg *retort.Config) {
		cfg.Logger = slog.New(slog.NewTextHandler(&logs, nil))
	})
	app.HealthRoutes()
	app.Get("/with", func(c *retort.Ctx) error {
		if err := db.Migrate(c); err != nil {
			return err
		}
		n, err := Accounts.Count(c)
		if err != nil {
			return err
		}
		return c.Text(fmt.Sprint(n))
	})
	app.Get("/without", func(c *retort.Ctx) error { return c.Text("fine") })
	client := retorttest.New(t, app)
	for range 3 {
		client.Get("/with").Status(503).HasHeader("Retry-After", "1").Lacks(folder)
	}
	client.Get("/without").Status(200)
	client.Get("/readyz").Status(503).Contains("database: failed")
	if n := strings.Count(logs.String(), "the database cannot be opened"); n != 1 {
		t.Errorf("it was logged %d times that the database is away:\n%s", n, logs.String())
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for client.Get("/with").Code != 200 {
		if time.Now().After(deadline) {
			t.Fatal("the app did not heal")
		}
		time.Sleep(50 * time.Millisecond)
	}
	client.Get("/readyz").Status(200)
	if !strings.Contains(logs.String(), "the database is back") {
		t.Error("it was not logged that the database is back")
	}
}

func TestShutdownClosesTheDatabase(t *testing.T) {
	t.Parallel()
	app := migrated(t)
	if err := app.Startup(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := app.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := Accounts.Count(app.Context()); !errors.Is(err, orm.ErrUnavailable) {
		t.Errorf("after shutdown: %v", err)
	}
	unused := newApp(t, file(t))
	if err := unused.Shutdown(t.Context()); err != nil {
		t.Errorf("one that was never opened: %v", err)
	}
	if _, err := Accounts.Count(unused.Context()); !errors.Is(err, orm.ErrUnavailable) {
		t.Errorf("opened after shutdown: %v", err)
	}
}

func TestErrorsAreAnsweredAsWhatTheyAre(t *testing.T) {
	t.Parallel()
	a := Accounts.Fields()
	insert := func(ctx context.Context, name string) error { return Accounts.Insert(ctx, &Account{Name: name}) }
	tests := []struct {
		name   string
		run    func(ctx context.Context) error
		status int
		want   string // in the problem document
	}{
		{"not found", func(ctx context.Context) error {
			_, err := Accounts.Where(orm.Eq(&a.Name, "nobody")).Get(ctx)
			return err
		}, 404, "Not Found"},
		{"wrapped", func(context.Context) error { return fmt.Errorf("shop: %w", orm.ErrNotFound) }, 404, "Not Found"},
		{"unique", func(ctx context.Context) error {
			return errors.Join(insert(ctx, "ada"), insert(ctx, "ada"))
		}, 409, `"field":"name"`},
		{"foreign key", func(ctx context.Context) error {
			n := &Note{Text: "x"}
			n.Account.SetID(99)
			return Notes.Insert(ctx, n)
		}, 409, "Conflict"},
		{"check", func(ctx context.Context) error {
			owner := &Account{Name: "owner"}
			if err := Accounts.Insert(ctx, owner); err != nil {
				return err
			}
			n := &Note{}
			n.Account.Set(owner)
			return Notes.Insert(ctx, n)
		}, 422, "not allowed"},
		{"lookup of a request", func(ctx context.Context) error {
			_, err := Accounts.Where(orm.Lookup("nonsense__exact", 1)).All(ctx)
			return err
		}, 400, "A filter is not valid"},
		{"too long", func(ctx context.Context) error { return insert(ctx, strings.Repeat("x", 51)) }, 422, `"field":"name"`},
		{"foreign key that the program forgot", func(ctx context.Context) error {
			return Notes.Insert(ctx, &Note{Text: "x"})
		}, 500, "Internal"},
		{"NULL where none may be", func(ctx context.Context) error {
			conn, err := orm.DBFrom(ctx)
			if err != nil {
				return err
			}
			_, err = conn.Exec(ctx, "INSERT INTO db_test_account (name) VALUES ('x')")
			return err
		}, 500, "Internal"},
		{"locked", func(context.Context) error { return orm.ErrLocked }, 503, "Unavailable"},
		{"away", func(context.Context) error { return orm.ErrUnavailable }, 503, "Unavailable"},
		{"full", func(context.Context) error { return orm.ErrFull }, 507, "no room"},
		{"more than one", func(context.Context) error { return orm.ErrMultiple }, 500, "Internal"},
		{"anything else", func(context.Context) error { return errors.New("boom") }, 500, "Internal"},
	}
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		app := migratedOn(t, kind)
		for i, test := range tests {
			app.Get(fmt.Sprint("/", i), func(c *retort.Ctx) error { return test.run(c) })
		}
		client := retorttest.New(t, app)
		client.Header.Set("Accept", "application/json")
		for i, test := range tests {
			t.Run(test.name, func(t *testing.T) { //nolint:paralleltest // one database for all
				client.Get(fmt.Sprint("/", i)).Status(test.status).Contains(test.want).Lacks("SQL", "boom", "db_test", "nonsense")
			})
		}
	})
}

func TestAtomic(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		app := migratedOn(t, kind)
		write := func(c *retort.Ctx) error {
			if err := Accounts.Insert(c, &Account{Name: c.Query("name")}); err != nil {
				return err
			}
			switch c.Query("then") {
			case "fail":
				return retort.Conflict("no")
			case "panic":
				panic("no")
			}
			return c.Text(fmt.Sprint(orm.InTransaction(c)))
		}
		app.Get("/", func(c *retort.Ctx) error { return c.Text(fmt.Sprint(orm.InTransaction(c))) }).Use(db.Atomic)
		app.Post("/", write).Use(db.Atomic)
		app.Post("/bare", write)
		client := retorttest.New(t, app)
		client.Get("/").Contains("false")
		client.PostForm("/?name=kept", url.Values{}).Status(200).Contains("true")
		client.PostForm("/?name=failed&then=fail", nil).Status(409)
		client.PostForm("/?name=panicked&then=panic", nil).Status(500)
		client.PostForm("/bare?name=half&then=fail", nil).Status(409)
		a := Accounts.Fields()
		names, err := orm.Select[string](Accounts.OrderBy(orm.Asc(&a.ID)), orm.As("Name", &a.Name)).All(app.Context())
		if got := strings.Join(names, " "); err != nil || got != "kept half" {
			t.Errorf("stored: %s (%v)", got, err)
		}
	})
}

func TestAtomicLeavesTheContextAsItWas(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		app := migratedOn(t, kind)
		app.Use(func(next retort.Handler) retort.Handler {
			return func(c *retort.Ctx) error {
				err := next(c)
				if orm.InTransaction(c) {
					t.Error("the transaction is on the context after it has ended")
				}
				return err
			}
		})
		committed := false
		app.Post("/", func(c *retort.Ctx) error {
			orm.OnCommit(c, func(context.Context) { committed = true })
			if committed {
				t.Error("OnCommit ran before the commit")
			}
			return c.NoContent()
		}).Use(db.Atomic)
		retorttest.New(t, app).PostForm("/", nil).Status(204)
		if !committed {
			t.Error("OnCommit did not run")
		}
	})
}

func TestDebugPageShowsTheStatementsOfTheRequest(t *testing.T) {
	t.Parallel()
	app := migrated(t, debugMode(nil))
	app.Get("/", func(c *retort.Ctx) error {
		a := Accounts.Fields()
		if _, err := Accounts.Where(orm.Eq(&a.Name, "visible-name")).All(c); err != nil {
			return err
		}
		if _, err := Accounts.Where(orm.Eq(&a.Password, "hunter2")).All(c); err != nil {
			return err
		}
		if err := Accounts.Insert(c, &Account{Name: "x", Password: "hunter3"}); err != nil {
			return err
		}
		return errors.New("boom")
	})
	app.Get("/else", func(*retort.Ctx) error { return errors.New("boom") })
	client := retorttest.New(t, app)
	client.Header.Set("Accept", "text/html")
	client.Get("/").Status(500).
		Contains("SQL (3 statements", "FROM &#34;db_test_account&#34;", "visible-name", "values hidden").
		Lacks("hunter2", "hunter3")
	client.Get("/else").Status(500).Lacks("SQL (3")
}

func TestProductionRecordsNothing(t *testing.T) {
	t.Parallel()
	app := migrated(t)
	app.Get("/", func(c *retort.Ctx) error {
		_, err := Accounts.Count(c)
		return errors.Join(err, errors.New("boom"))
	})
	retorttest.New(t, app).Get("/").Status(500).Lacks("SELECT", "boom")
}

// lockedBuffer is written to by several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestRepeatedAndSlowStatementsAreLogged(t *testing.T) {
	t.Parallel()
	var logs lockedBuffer
	app := retort.New(retort.Config{
		Debug: true, Logger: slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	app.Install(db.Open("sqlite::memory:", db.Options{SlowQuery: time.Nanosecond}))
	app.OnStartup(db.Migrate)
	a := Accounts.Fields()
	ask := func(times int) retort.Handler {
		return func(c *retort.Ctx) error {
			var running sync.WaitGroup
			for i := range times {
				running.Go(func() { _, _ = Accounts.Where(orm.Eq(&a.ID, int64(i))).All(c) })
			}
			running.Wait()
			return c.NoContent()
		}
	}
	app.Get("/four", ask(4))
	app.Get("/five", ask(5))
	app.Get("/accounts", func(c *retort.Ctx) error {
		notes, err := Notes.All(c)
		for _, n := range notes {
			if _, err := n.Account.Load(c); err != nil {
				return err
			}
		}
		return errors.Join(err, c.NoContent())
	})
	client := retorttest.New(t, app)
	client.Get("/four").Status(204)
	client.Get("/four").Status(204)
	if strings.Contains(logs.String(), "again and again") {
		t.Error("four times is called often")
	}
	if !strings.Contains(logs.String(), "slow statement") {
		t.Error("no slow statement was logged")
	}
	client.Get("/five").Status(204)
	if !strings.Contains(logs.String(), "count=5 path=/five") {
		t.Errorf("the repetition was not logged:\n%s", logs.String())
	}
	account := &Account{Name: "ada"}
	if err := Accounts.Insert(app.Context(), account); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := Notes.Insert(app.Context(), &Note{Account: orm.FK[Account]{ID: account.ID}, Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	client.Get("/accounts")
	if logs := logs.String(); !strings.Contains(logs, `add With(&p.Account) to the query of Note`) || !strings.Contains(logs, "db_test.go:") {
		t.Errorf("the loop was not logged:\n%s", logs)
	}
}

// counter is a hook of a program's own.
type counter struct{ n int }

func (*counter) QueryStart(ctx context.Context, _ *orm.QueryEvent) context.Context { return ctx }

func (k *counter) QueryEnd(context.Context, *orm.QueryEvent) { k.n++ }

func TestHooksOfTheProgram(t *testing.T) {
	t.Parallel()
	k := &counter{}
	app := retort.New()
	app.Install(db.Open("sqlite::memory:", db.Options{Hooks: []orm.QueryHook{k}}))
	if err := app.Startup(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer app.Shutdown(t.Context())
	if conn, err := orm.DBFrom(app.Context()); err != nil {
		t.Error(err)
	} else if err := conn.Ping(t.Context()); err != nil || k.n != 1 {
		t.Errorf("the hook saw %d statements (%v)", k.n, err)
	}
}

// A request that uses no database pays nothing for it but a hook that returns.
func BenchmarkRequestWithoutQuery(b *testing.B) {
	for _, with := range []bool{false, true} {
		b.Run(fmt.Sprintf("installed=%v", with), func(b *testing.B) {
			app := retort.New()
			if with {
				app.Install(db.Open("sqlite::memory:"))
			}
			app.Get("/", func(c *retort.Ctx) error { return c.Text("ok") })
			if err := app.Startup(b.Context()); err != nil {
				b.Fatal(err)
			}
			r, err := http.NewRequest("GET", "/", nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Host = "localhost"
			b.ReportAllocs()
			for b.Loop() {
				app.ServeHTTP(discard{}, r)
			}
		})
	}
}

// discard is a response that nobody reads.
type discard struct{}

func (discard) Header() http.Header { return http.Header{} }

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func (discard) WriteHeader(int) {}
