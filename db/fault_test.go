package db_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

// writer is an app that stores an account with each POST.
func writer(t *testing.T, address string) (*retort.App, *retorttest.Client) {
	t.Helper()
	app := newApp(t, address)
	app.OnStartup(db.Migrate)
	app.Post("/", func(c *retort.Ctx) error {
		if err := Accounts.Insert(c, &Account{Name: c.FormValue("name"), Password: c.FormValue("password")}); err != nil {
			return err
		}
		return c.NoContent()
	})
	app.Get("/", func(c *retort.Ctx) error {
		n, err := Accounts.Count(c)
		if err != nil {
			return err
		}
		return c.Text(fmt.Sprint(n))
	})
	return app, retorttest.New(t, app)
}

func TestFullDatabaseAnswers507AndIsWellWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	app, client := writer(t, file(t))
	conn, err := orm.DBFrom(app.Context())
	if err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(20)
	send := func(i int) int {
		return client.PostForm("/", url.Values{"name": {fmt.Sprint(i)}, "password": {strings.Repeat("x", 100)}}).Code
	}
	stored := 0
	for ; send(stored) == 204; stored++ {
		if stored == 5000 {
			t.Fatal("the database did not become full")
		}
	}
	client.PostForm("/", url.Values{"name": {"more"}, "password": {strings.Repeat("x", 100)}}).Status(507).Contains("no room")
	client.Get("/").Status(200).Contains(fmt.Sprint(stored))
	limit(10_000)
	if code := send(stored); code != 204 {
		t.Errorf("with room again: %d", code)
	}
	client.Get("/").Contains(fmt.Sprint(stored + 1))
}

func TestDatabaseThatAnotherProcessHoldsAnswers503(t *testing.T) {
	t.Parallel()
	path := filepath.ToSlash(filepath.Join(t.TempDir(), "test.db"))
	_, client := writer(t, "sqlite:"+path+"?busy_timeout=50ms")
	other, err := orm.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = other.Atomic(t.Context(), orm.TxOptions{}, func(context.Context) error {
		client.PostForm("/", url.Values{"name": {"ada"}}).Status(503).HasHeader("Retry-After", "1")
		client.Get("/").Status(200) // readers do not wait
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	client.PostForm("/", url.Values{"name": {"ada"}}).Status(204)
}

func TestServerWarnsOfMigrations(t *testing.T) {
	t.Parallel()
	pending := "not applied: db_test.0001_initial, db_test.0002_note"
	t.Run("development", func(t *testing.T) {
		t.Parallel()
		serveUntilLogged(t, true, pending, "no migration makes")
	})
	t.Run("production", func(t *testing.T) {
		t.Parallel()
		serveUntilLogged(t, false, pending)
	})
}

func serveUntilLogged(t *testing.T, debug bool, wants ...string) {
	t.Helper()
	logs := &lockedBuffer{}
	app := retort.New(retort.Config{
		Addr: "127.0.0.1:0", Debug: debug, SecretKey: rand.Text() + rand.Text(), Logger: slog.New(slog.NewTextHandler(logs, nil)),
	})
	app.Install(db.Open(file(t)))
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		var out bytes.Buffer
		served <- app.Execute(ctx, []string{"serve"}, strings.NewReader(""), &out, &out)
	}()
	for _, want := range wants {
		for deadline := time.Now().Add(30 * time.Second); !strings.Contains(logs.String(), want); time.Sleep(10 * time.Millisecond) {
			if len(served) > 0 {
				t.Fatalf("it does not serve: %v", <-served)
			}
			if time.Now().After(deadline) {
				t.Fatalf("not logged: %s\n%s", want, logs.String())
			}
		}
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
