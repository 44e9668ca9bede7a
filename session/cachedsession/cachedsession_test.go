package cachedsession_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testredis"
	_ "github.com/retort-web/retort/orm/sqlite"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/session/cachedsession"
	"github.com/retort-web/retort/session/dbsession"
	"github.com/retort-web/retort/session/filesession"
	"github.com/retort-web/retort/session/redissession"
	"github.com/retort-web/retort/session/sessiontest"
)

func memory() session.ServerStore { return session.NewMemoryStore(session.MemoryOptions{}) }

func cached(fast, lasting session.ServerStore) session.ServerStore {
	return session.NewCachedStore(fast, lasting, session.CachedOptions{Logger: silent})
}

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestStores(t *testing.T) {
	t.Parallel()
	files := func(t *testing.T) session.ServerStore {
		store, err := filesession.NewStore(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	t.Run("memory, memory", func(t *testing.T) {
		t.Parallel()
		sessiontest.Server(t, func(*testing.T) session.ServerStore { return cached(memory(), memory()) })
	})
	t.Run("memory, files", func(t *testing.T) {
		t.Parallel()
		sessiontest.Server(t, func(t *testing.T) session.ServerStore { return cached(memory(), files(t)) })
	})
	t.Run("redis, files", func(t *testing.T) {
		t.Parallel()
		url := testredis.URL(t)
		sessiontest.Server(t, func(t *testing.T) session.ServerStore {
			app := retort.New(retort.Config{Logger: silent()})
			fast, err := redissession.New(url, redissession.Options{Prefix: "test:" + rand.Text() + ":"}).Store(app)
			if err != nil {
				t.Fatal(err)
			}
			return cached(fast, files(t))
		})
	})
	t.Run("the fast one is away", func(t *testing.T) {
		t.Parallel()
		sessiontest.Server(t, func(t *testing.T) session.ServerStore {
			fast := &watched{ServerStore: memory()}
			fast.away.Store(true)
			return cached(fast, files(t))
		})
	})
}

// watched is a store that counts and may be away.
type watched struct {
	session.ServerStore
	away         atomic.Bool
	loads, saves atomic.Int64
}

var errAway = errors.New("the store is away")

func (w *watched) Load(ctx context.Context, token string) (*session.Session, error) {
	w.loads.Add(1)
	if w.away.Load() {
		return nil, errAway
	}
	return w.ServerStore.Load(ctx, token)
}

func (w *watched) Save(ctx context.Context, s *session.Session) (string, error) {
	w.saves.Add(1)
	if w.away.Load() {
		return "", errAway
	}
	return w.ServerStore.Save(ctx, s)
}

func save(t *testing.T, store session.Store, s *session.Session) string {
	t.Helper()
	token, err := store.Save(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func load(t *testing.T, store session.Store, token string) *session.Session {
	t.Helper()
	s, err := store.Load(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func login(t *testing.T, store session.Store, user string) string {
	t.Helper()
	s := session.New()
	s.Login(user, "")
	return save(t, store, s)
}

func TestReadingAsksTheFastStoreOnly(t *testing.T) {
	t.Parallel()
	lasting := &watched{ServerStore: memory()}
	fast := memory()
	store := cached(fast, lasting)
	token := login(t, store, "7")
	lasting.loads.Store(0)
	for range 3 {
		if user := load(t, store, token).User(); user != "7" {
			t.Errorf("the user is %q", user)
		}
	}
	if n := lasting.loads.Load(); n != 0 {
		t.Errorf("the lasting store was asked %d times", n)
	}

	// The fast store was emptied: once it is asked, and then no more.
	store = cached(memory(), lasting)
	for range 3 {
		if user := load(t, store, token).User(); user != "7" {
			t.Errorf("after the fast store was emptied the user is %q", user)
		}
	}
	if n := lasting.loads.Load(); n != 1 {
		t.Errorf("the lasting store was asked %d times", n)
	}
	// And while the lasting one is away, those who have come before are known.
	lasting.away.Store(true)
	if user := load(t, store, token).User(); user != "7" {
		t.Errorf("while the lasting store is away the user is %q", user)
	}
}

// A copy from the lasting store says when the session was last used, and not when it was
// copied, or sessions would live on by being looked at.
func TestACopyIsNoUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := session.NewCachedStore(memory(), memory(), session.CachedOptions{Fresh: 5 * time.Minute, Logger: silent})
		m, err := session.NewManager(store, session.Options{Lifetime: 10 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: "session", Value: login(t, store, "7")})
		time.Sleep(6 * time.Minute) // the copy of the login is too old
		for _, want := range []string{"7", ""} {
			s, err := m.Load(t.Context(), r, false)
			if err != nil || s.User() != want {
				t.Errorf("the user is %q, want %q; %v", s.User(), want, err)
			}
			time.Sleep(4*time.Minute + 30*time.Second)
		}
	})
}

// slow is a store of which one answer is held back.
type slow struct {
	session.ServerStore
	hold func() // run between the reading and the answer
}

func (s *slow) Load(ctx context.Context, token string) (*session.Session, error) {
	found, err := s.ServerStore.Load(ctx, token)
	if hold := s.hold; hold != nil {
		s.hold = nil
		hold()
	}
	return found, err
}

// Whoever has read a session before it ended does not bring it back by copying it.
func TestSecurityAnEndedSessionIsNotCopied(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, store session.ServerStore, token string){
		"deleted": func(t *testing.T, store session.ServerStore, token string) {
			if err := store.Delete(t.Context(), load(t, store, token)); err != nil {
				t.Error(err)
			}
		},
		"rotated": func(t *testing.T, store session.ServerStore, token string) {
			s := load(t, store, token)
			s.Rotate()
			save(t, store, s)
		},
		"ended": func(t *testing.T, store session.ServerStore, token string) {
			if n, err := store.End(t.Context(), "7", session.Key(token)); n != 1 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		},
		"all ended": func(t *testing.T, store session.ServerStore, _ string) {
			if n, err := store.EndAll(t.Context(), "7", ""); n != 1 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lasting := &slow{ServerStore: memory()}
			token := login(t, lasting, "7")
			store := cached(memory(), lasting)
			lasting.hold = func() { end(t, store, token) }
			load(t, store, token) // the answer from before
			if !load(t, store, token).IsNew() {
				t.Error("the session is found again")
			}
		})
	}
}

// Nor does who copies an older one undo what was written meanwhile.
func TestAnOlderCopyDoesNotCount(t *testing.T) {
	t.Parallel()
	lasting := &slow{ServerStore: memory()}
	token := login(t, lasting, "7")
	store := cached(memory(), lasting)
	lasting.hold = func() {
		s := load(t, store, token)
		s.Set("cart", "full")
		save(t, store, s)
	}
	load(t, store, token)
	if got := load(t, store, token).Get("cart"); got != "full" {
		t.Errorf("the cart is %v", got)
	}
}

func TestEndingMoreThanAreListed(t *testing.T) {
	t.Parallel()
	store := cached(memory(), memory())
	tokens := make([]string, 2*session.MaxListed+5)
	for i := range tokens {
		tokens[i] = login(t, store, "7")
	}
	keep := tokens[3]
	if n, err := store.EndAll(t.Context(), "7", session.Key(keep)); n != len(tokens)-1 || err != nil {
		t.Errorf("%d ended, %v", n, err)
	}
	for _, token := range tokens {
		if there := !load(t, store, token).IsNew(); there != (token == keep) {
			t.Fatalf("a session is there: %v", there)
		}
	}
}

// What the fast store keeps is no session of anybody, though a user knows the keys of theirs.
func TestSecurityACopyIsNoSession(t *testing.T) {
	t.Parallel()
	fast := &names{ServerStore: memory()}
	store := cached(fast, memory())
	login(t, store, "7")
	for _, id := range fast.saved {
		if !load(t, store, id).IsNew() {
			t.Error("the ID of a copy finds a session")
		}
		if s := load(t, fast, id); s.User() != "" {
			t.Errorf("a copy is a session of %q", s.User())
		}
	}
	if len(fast.saved) == 0 {
		t.Error("there are no copies")
	}
}

// names notes the IDs that are saved.
type names struct {
	session.ServerStore
	saved []string
}

func (n *names) Save(ctx context.Context, s *session.Session) (string, error) {
	n.saved = append(n.saved, s.ID())
	return n.ServerStore.Save(ctx, s)
}

func newApp(t *testing.T, log *strings.Builder, sessions ...retort.Extension) *retorttest.Client {
	t.Helper()
	app := retort.New(retort.Config{SecretKey: "a key for these tests only, nowhere else", Logger: slog.New(slog.NewTextHandler(log, nil))})
	app.Install(sessions...)
	app.Get("/login", func(c *retort.Ctx) error { c.Session().Login("ada", ""); return c.Text("in") })
	app.Get("/logout", func(c *retort.Ctx) error { c.Session().Clear(); return c.Text("out") })
	app.Get("/whoami", func(c *retort.Ctx) error { return c.Text("user " + c.Session().User()) })
	return retorttest.New(t, app)
}

func TestAppWithRedisInFrontOfADatabase(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	var log strings.Builder // written by one request at a time
	base := db.Open("sqlite:" + filepath.Join(t.TempDir(), "sessions.db"))
	migrated := migrating{base}
	client := newApp(t, &log, migrated, cachedsession.New(redissession.New(server.URL), dbsession.New()))
	client.Get("/login")
	client.Get("/whoami").Contains("user ada")

	server.Stop()
	for range 20 {
		client.Get("/whoami").Status(200).Contains("user ada")
	}
	stolen, _ := client.Cookie("session")
	client.Get("/logout")
	client.SetCookie("session", stolen)
	client.Get("/whoami").Lacks("ada")
	if n := strings.Count(log.String(), "level=ERROR"); n < 1 || n > 3 || !strings.Contains(log.String(), "fast store of the sessions is away") {
		t.Errorf("%d lines: %.600s", n, log.String())
	}
}

// migrating makes the tables of an app's database.
type migrating struct{ retort.Extension }

func (m migrating) Install(app *retort.App) error {
	err := m.Extension.Install(app)
	app.OnStartup(db.Migrate)
	return err
}

func TestAppWithMemoryInFrontOfAFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sessions")
	var log strings.Builder
	client := newApp(t, &log, cachedsession.New(cachedsession.Store(memory()), filesession.New(dir)))
	client.Get("/login")
	client.Get("/whoami").Contains("user ada")
	token, _ := client.Cookie("session")
	again := newApp(t, &log, cachedsession.New(cachedsession.Store(memory()), filesession.New(dir)))
	again.SetCookie("session", token)
	again.Get("/whoami").Contains("user ada")
	again.Get("/logout")
	again.SetCookie("session", token)
	again.Get("/whoami").Lacks("ada")
}

func TestStoresThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, extension := range map[string]*cachedsession.Extension{
		"a store is missing":         cachedsession.New(nil, nil),
		"cachedsession: the fast":    cachedsession.New(redissession.New("nonsense"), cachedsession.Store(memory())),
		"cachedsession: the lasting": cachedsession.New(cachedsession.Store(memory()), filesession.New(file)),
	} {
		app := retort.New(retort.Config{Logger: silent()})
		app.Install(extension)
		if err := app.Prepare(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
