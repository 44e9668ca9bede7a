package redissession

import (
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/internal/testredis"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/session/sessiontest"
)

func prefix() string { return "test:" + rand.Text() + ":" }

func TestStore(t *testing.T) {
	t.Parallel()
	url := testredis.URL(t)
	sessiontest.Server(t, func(t *testing.T) session.ServerStore {
		s, client, err := newStore(url, prefix())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		return s
	})
}

func newApp(t *testing.T, url string, log *strings.Builder) *retorttest.Client {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	if log != nil {
		logger = slog.New(slog.NewTextHandler(log, nil))
	}
	app := retort.New(retort.Config{SecretKey: "a key for these tests only, nowhere else", Logger: logger})
	app.Install(New(url, Options{Prefix: prefix()}))
	app.Get("/login", func(c *retort.Ctx) error { c.Session().Login("ada", ""); return c.Text("in") })
	app.Get("/logout", func(c *retort.Ctx) error { c.Session().Clear(); return c.Text("out") })
	app.Get("/whoami", func(c *retort.Ctx) error { return c.Text("user " + c.Session().User()) })
	app.Get("/untouched", func(c *retort.Ctx) error { return c.Text("fine") })
	return retorttest.New(t, app)
}

func TestAppWithSessionsInRedis(t *testing.T) {
	t.Parallel()
	client := newApp(t, testredis.URL(t), nil)
	client.Get("/login")
	client.Get("/whoami").Contains("user ada")
	stolen, _ := client.Cookie("session")
	client.Get("/logout")
	client.SetCookie("session", stolen)
	client.Get("/whoami").Lacks("ada")
	client.Session(func(s *session.Session) { s.Login("eve", "") })
	client.Get("/whoami").Contains("user eve")
}

func TestRedisMayGoAndComeBack(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	var log strings.Builder // written by one request at a time
	client := newApp(t, server.URL, &log)
	client.Get("/login")
	client.Get("/whoami").Contains("user ada")

	server.Stop()
	for range 500 {
		client.Get("/whoami").Status(200).Lacks("ada")
		client.Get("/untouched").Status(200)
	}
	if n := strings.Count(log.String(), "\n"); n > 3 || !strings.Contains(log.String(), "away") {
		t.Errorf("%d log lines for 1000 requests: %.400s", n, log.String())
	}

	server.Restart() // empty
	deadline := time.Now().Add(time.Minute)
	for {
		client.Get("/login")
		if client.Get("/whoami").Text() == "user ada" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("Redis is back, and sessions are not")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestServersThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://localhost", "redis://:hunter2@host:port", "nonsense"} {
		app := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler)})
		app.Install(New(url))
		if err := app.Prepare(); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
