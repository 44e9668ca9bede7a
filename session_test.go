package retort_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session"
)

func sessionApp(cfg retort.Config) *retort.App {
	app := retort.New(cfg)
	app.Get("/set", func(c *retort.Ctx) error { c.Session().Set("user", c.Query("user")); return c.Text("set") })
	app.Get("/get", func(c *retort.Ctx) error {
		user, _ := session.Get[string](c.Session(), "user")
		return c.Text("user " + user)
	})
	app.Get("/clear", func(c *retort.Ctx) error { c.Session().Clear(); return c.Text("cleared") })
	app.Get("/untouched", text("untouched"))
	app.Get("/fail", func(c *retort.Ctx) error {
		c.Session().Set("user", "half done")
		return errors.New("the rest failed")
	})
	app.Get("/bad", func(c *retort.Ctx) error {
		c.Session().Set("user", "kept")
		return retort.BadRequest("")
	})
	app.Get("/flash", func(c *retort.Ctx) error {
		c.Flash("info", "Saved")
		c.Flash("error", "Not sent")
		return c.NoContent()
	})
	app.Get("/flashes", func(c *retort.Ctx) error {
		return c.Text(fmt.Sprint(c.Flashes("error"), c.Flashes(), c.Flashes()))
	})
	return app
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, sessionApp(quiet()))
	r := client.Get("/set?user=ada").Status(200).HasHeader("Vary", "Cookie")
	cookie := r.Header().Get("Set-Cookie")
	for _, flag := range []string{"session=", "Path=/", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(cookie, flag) {
			t.Errorf("the cookie lacks %s: %s", flag, cookie)
		}
	}
	if strings.Contains(cookie, "Secure") || strings.Contains(cookie, "Domain") || strings.Contains(cookie, "ada") {
		t.Errorf("cookie %s", cookie)
	}
	client.Get("/get").Contains("user ada").HasHeader("Vary", "Cookie").HasHeader("Set-Cookie", "")
	client.Get("/untouched").HasHeader("Vary", "").HasHeader("Set-Cookie", "")
	client.Fresh().Get("/get").Contains("user ").HasHeader("Vary", "Cookie").HasHeader("Set-Cookie", "")

	t.Run("emptied", func(t *testing.T) {
		cookie := client.Get("/clear").Header().Get("Set-Cookie")
		if !strings.HasPrefix(cookie, "session=;") || !strings.Contains(cookie, "Max-Age=0") {
			t.Errorf("cookie %s", cookie)
		}
		if _, ok := client.Cookie("session"); ok {
			t.Error("the client still has the cookie")
		}
	})
}

func TestSecuritySessionCookieUnderTLS(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, sessionApp(quiet()))
	client.Secure = true
	cookie := client.Get("/set?user=ada").Header().Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-session=") || !strings.Contains(cookie, "; Secure") {
		t.Errorf("cookie %s", cookie)
	}
	client.Get("/get").Contains("user ada")
	// A cookie planted over plain HTTP is not looked at.
	planted, _ := client.Cookie("__Host-session")
	other := client.Fresh()
	other.SetCookie("session", planted)
	if got := other.Get("/get").Text(); got != "user " {
		t.Errorf("a planted session counts: %s", got)
	}
}

func TestSecurityBrokenSessionsMeanNobody(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := sessionApp(cfg)
	client := retorttest.New(t, app)
	client.Get("/set?user=ada")
	good, _ := client.Cookie("session")
	for _, cookie := range []string{
		"session=", "session=x", "session=" + good + "x", "session=" + good[:len(good)-2], "session=" + strings.ToUpper(good),
		"session=\"" + good, "=session=" + good, "session=" + strings.Repeat("A", 70_000), "session; session", "\xff\xfe=\x00",
		"session=....", "session=%00%00", strings.Repeat("a=b; ", 5000),
	} {
		rec := ask(app, "GET", "/get", func(r *http.Request) { r.Header.Set("Cookie", cookie) })
		if rec.Code != 200 || rec.Body.String() != "user " {
			t.Errorf("cookie %.40q: %d %q", cookie, rec.Code, rec.Body)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged: %s", log)
	}
}

func TestSecuritySessionsOfOtherKeysAndPurposes(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, sessionApp(quiet()))
	client.Get("/set?user=ada")
	cookie, _ := client.Cookie("session")
	with := func(key string, fallbacks ...string) string {
		cfg := quiet()
		cfg.SecretKey, cfg.SecretKeyFallbacks = key, fallbacks
		other := retorttest.New(t, sessionApp(cfg))
		other.SetCookie("session", cookie)
		return other.Get("/get").Text()
	}
	old := quiet().SecretKey
	if got := with("another key, long enough to be taken"); got != "user " {
		t.Errorf("another key: %s", got)
	}
	if got := with("another key, long enough to be taken", old); got != "user ada" {
		t.Errorf("a fallback key: %s", got)
	}

	// The fallback verifies and never signs.
	cfg := quiet()
	cfg.SecretKey, cfg.SecretKeyFallbacks = "another key, long enough to be taken", []string{old}
	rotated := retorttest.New(t, sessionApp(cfg))
	rotated.Get("/set?user=bob")
	cookie, _ = rotated.Cookie("session")
	if got := with(old); got != "user " {
		t.Errorf("the fallback key signed: %s", got)
	}

	// A token for another purpose is no session.
	app := sessionApp(quiet())
	forger := retorttest.New(t, app)
	forger.SetCookie("session", app.Keys().Seal("password reset", []byte(`{"user":"root"}`)))
	if got := forger.Get("/get").Text(); got != "user " {
		t.Errorf("a token of another purpose is a session: %s", got)
	}
}

func TestFailedRequestsDoNotChangeTheSession(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, sessionApp(quiet()))
	client.Get("/set?user=ada")
	client.Get("/fail").Status(500)
	client.Get("/get").Contains("user ada")
	client.Get("/bad").Status(400)
	client.Get("/get").Contains("user kept")
}

func TestFlashesAreShownOnce(t *testing.T) {
	t.Parallel()
	client := retorttest.New(t, sessionApp(quiet()))
	client.Get("/flash").Status(204)
	client.Get("/untouched")
	// Two parts of one page may both ask; the next page has none.
	client.Get("/flashes").Contains("[{error Not sent}] [{info Saved} {error Not sent}]")
	client.Get("/flashes").Contains("[] [] []")
	// The page without messages depends on the cookie too, and may be cached.
	client.Fresh().Get("/flashes").HasHeader("Vary", "Cookie").HasHeader("Cache-Control", "")
}

func TestSessionIsTooLateOnceTheAnswerHasBegun(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := retort.New(cfg)
	app.Get("/", func(c *retort.Ctx) error {
		if c.Query("early") != "" {
			c.Session()
		}
		if _, err := c.Writer().Write([]byte("begun")); err != nil {
			return err
		}
		c.Session().Set("late", true)
		return nil
	})
	client := retorttest.New(t, app)
	for _, path := range []string{"/", "/?early=1"} {
		log.Reset()
		client.Get(path).Status(200).HasHeader("Set-Cookie", "")
		if !strings.Contains(log.String(), "after the response began") {
			t.Errorf("%s: log: %s", path, log)
		}
	}
}

// awayStore is a session store that does not answer.
type awayStore struct{}

var errAway = errors.New("the store is away")

func (awayStore) Load(context.Context, string) (*session.Session, error) { return nil, errAway }
func (awayStore) Save(context.Context, *session.Session) (string, error) { return "", errAway }
func (awayStore) Delete(context.Context, *session.Session) error         { return errAway }

func TestPagesGoOnWithoutTheSessionStore(t *testing.T) {
	t.Parallel()
	cfg, log := logged()
	app := sessionApp(cfg)
	app.SessionStore(awayStore{})
	client := retorttest.New(t, app)
	client.SetCookie("session", "some token")
	client.Get("/untouched").Status(200)
	if log.Len() > 0 {
		t.Errorf("a page without a session asked the store: %s", log)
	}
	client.Get("/get").Status(200).Contains("user ").Lacks("away")
	if !strings.Contains(log.String(), errAway.Error()) {
		t.Errorf("log: %s", log)
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/set", func(c *retort.Ctx) error {
		c.SetCookie(retort.Cookie{Name: "theme", Value: c.Query("v"), MaxAge: 90 * time.Second})
		return c.NoContent()
	})
	app.Get("/get", func(c *retort.Ctx) error {
		v, ok := c.Cookie("theme")
		return c.Text(fmt.Sprintf("%q %v", v, ok))
	})
	app.Get("/flags", func(c *retort.Ctx) error {
		c.SetCookie(retort.Cookie{Name: "a", Value: "1", Path: "/x", Domain: "localhost", Scripts: true, SameSite: http.SameSiteNoneMode, Partitioned: true})
		return c.NoContent()
	})
	app.Get("/delete", func(c *retort.Ctx) error { c.DeleteCookie(retort.Cookie{Name: "theme"}); return c.NoContent() })
	client := retorttest.New(t, app)

	if got := client.Get("/set?v=dark").Header().Get("Set-Cookie"); got != "theme=dark; Path=/; Max-Age=90; HttpOnly; SameSite=Lax" {
		t.Errorf("cookie %s", got)
	}
	client.Get("/get").Contains(`"dark" true`)
	if got := client.Get("/flags").Header().Get("Set-Cookie"); got != "a=1; Path=/x; Domain=localhost; Secure; SameSite=None; Partitioned" {
		t.Errorf("cookie %s", got)
	}
	if got := client.Get("/delete").Header().Get("Set-Cookie"); !strings.Contains(got, "theme=; Path=/; Max-Age=0") {
		t.Errorf("cookie %s", got)
	}
	client.Get("/get").Contains(`"" false`)

	t.Run("any text survives", func(t *testing.T) {
		for _, v := range []string{"a b", `"quoted"`, "semi;colon, comma", `back\slash`, "100 %41", "ü ✓", "line\r\nbreak: x", "\x00"} {
			r := client.Get("/set?v=" + url.QueryEscape(v)).Status(204)
			if h := r.Header()["Set-Cookie"]; len(h) != 1 || strings.ContainsAny(h[0], "\r\n") {
				t.Errorf("%q: header %q", v, h)
			}
			client.Get("/get").Contains(fmt.Sprintf("%q true", v))
		}
	})
}

func TestSecurityNamelessCookieShadowsNothing(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/", func(c *retort.Ctx) error {
		v, ok := c.Cookie("__Host-id")
		return c.Text(fmt.Sprint(v, ok))
	})
	rec := ask(app, "GET", "/", func(r *http.Request) { r.Header.Set("Cookie", "=__Host-id=planted; __Host-id=real") })
	if rec.Body.String() != "realtrue" {
		t.Errorf("read %q", rec.Body)
	}
}

// brittleStore is a store on the server that is away at times.
type brittleStore struct {
	session.ServerStore
	away atomic.Bool
}

var errStoreAway = errors.New("connection refused")

func (b *brittleStore) Load(ctx context.Context, token string) (*session.Session, error) {
	if b.away.Load() {
		return nil, errStoreAway
	}
	return b.ServerStore.Load(ctx, token)
}

func (b *brittleStore) Save(ctx context.Context, s *session.Session) (string, error) {
	if b.away.Load() {
		return "", errStoreAway
	}
	return b.ServerStore.Save(ctx, s)
}

func brittleApp(t *testing.T, away string) (*retorttest.Client, *brittleStore, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	app := sessionApp(retort.Config{SecretKey: "a key for these tests only, nowhere else", Logger: slog.New(slog.NewTextHandler(log, nil))})
	app.SetConfig(func(cfg *retort.Config) { cfg.Session.Away = away })
	store := &brittleStore{ServerStore: session.NewMemoryStore(session.MemoryOptions{})}
	app.SessionStore(store)
	return retorttest.New(t, app), store, log
}

func TestVisitorsAreNobodyWhileTheSessionStoreIsAway(t *testing.T) {
	t.Parallel()
	client, store, log := brittleApp(t, "anonymous")
	client.Get("/set?user=ada")
	cookie, _ := client.Cookie("session")
	store.away.Store(true)
	for range 200 {
		client.Get("/get").Status(200).Lacks("ada")
		client.Get("/set?user=eve").Status(200).HasHeader("Set-Cookie", "")
		client.Fresh().Get("/set?user=bob").Status(200).HasHeader("Set-Cookie", "")
		client.Get("/untouched").Status(200)
	}
	if n := strings.Count(log.String(), "\n"); n > 3 || !strings.Contains(log.String(), "connection refused") {
		t.Errorf("%d log lines for 600 requests: %.500s", n, log)
	}
	store.away.Store(false)
	client.Get("/get").Contains("user ada")
	if got, _ := client.Cookie("session"); got != cookie {
		t.Error("the visitor lost the session to the outage")
	}
	if !strings.Contains(log.String(), "is back") {
		t.Errorf("nobody is told that it is back: %s", log)
	}
}

func TestPagesFailWhileTheSessionStoreIsAwayIfTheyAreToldTo(t *testing.T) {
	t.Parallel()
	client, store, log := brittleApp(t, "fail")
	client.Get("/set?user=ada")
	store.away.Store(true)
	for range 100 {
		client.Get("/get").Status(503).HasHeader("Retry-After", "5")
		client.Get("/set?user=eve").Status(503)
		client.Get("/untouched").Status(200)
	}
	if n := strings.Count(log.String(), "\n"); n > 3 { // one a minute
		t.Errorf("%d log lines for 200 requests: %.500s", n, log)
	}
	store.away.Store(false)
	client.Get("/get").Contains("user ada")
}

func TestSessionsOnTheServerOfOneUser(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.SetConfig(func(cfg *retort.Config) { cfg.TrustedProxies = []string{"loopback"} })
	app.SessionStore(session.NewMemoryStore(session.MemoryOptions{}))
	app.Get("/login", func(c *retort.Ctx) error { c.Session().Login("7", ""); return c.Text("in") })
	app.Get("/sessions", func(c *retort.Ctx) error {
		list, err := c.App().Sessions().List(c, c.Session().User(), c.Session())
		if err != nil {
			return err
		}
		var lines []string
		for _, info := range list {
			lines = append(lines, fmt.Sprint(info.Agent, " ", info.Address, " ", info.Current))
		}
		slices.Sort(lines)
		return c.Text(strings.Join(lines, "\n"))
	})
	app.Get("/end-others", func(c *retort.Ctx) error {
		n, err := c.App().Sessions().EndOthers(c, c.Session())
		if err != nil {
			return err
		}
		return c.Text(fmt.Sprint(n))
	})
	phone := retorttest.New(t, app)
	laptop := phone.Fresh()
	phone.Header.Set("User-Agent", "phone")
	phone.Header.Set("X-Forwarded-For", "198.51.100.7")
	laptop.Header.Set("User-Agent", "laptop")
	phone.Get("/login")
	laptop.Get("/login")
	if got := phone.Get("/sessions").Text(); got != "laptop 127.0.0.1 false\nphone 198.51.100.7 true" {
		t.Errorf("sessions:\n%s", got)
	}
	phone.Get("/end-others").Contains("1")
	laptop.Get("/sessions").Status(500) // nobody's
	phone.Session(func(s *session.Session) {
		if s.User() != "7" {
			t.Errorf("the user is %q", s.User())
		}
	})
}
