package db_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

// watchedTest is a test that keeps what it is told.
type watchedTest struct {
	testing.TB
	errors, logs string
}

func (w *watchedTest) Error(args ...any) { w.errors += fmt.Sprintln(args...) }
func (w *watchedTest) Log(args ...any)   { w.logs += fmt.Sprintln(args...) }

func TestTestsAreToldOfQueriesInLoops(t *testing.T) {
	t.Parallel()
	app := retort.New()
	app.Install(db.Open("sqlite::memory:"))
	app.OnStartup(db.Migrate)
	load := func(c *retort.Ctx, from orm.QuerySet[Note]) error {
		notes, err := from.All(c)
		for _, n := range notes {
			if _, err := n.Account.Load(c); err != nil {
				return err
			}
		}
		return errors.Join(err, c.NoContent())
	}
	n := Notes.Fields()
	app.Get("/loop", func(c *retort.Ctx) error { return load(c, Notes) })
	app.Get("/with", func(c *retort.Ctx) error { return load(c, Notes.With(&n.Account)) })
	w := &watchedTest{TB: t}
	client := retorttest.New(w, app)
	account := &Account{Name: "ada"}
	if err := Accounts.Insert(app.Context(), account); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := Notes.Insert(app.Context(), &Note{Account: orm.FK[Account]{ID: account.ID}, Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	const want = "add With(&p.Account) to the query of Note"
	client.Get("/loop")
	if w.errors != "" || !strings.Contains(w.logs, want) || !strings.Contains(w.logs, "guard_test.go:") {
		t.Errorf("errors %q, log %q", w.errors, w.logs)
	}
	client.NoRepeatedQueries, w.logs = true, ""
	client.Get("/with")
	if w.errors != "" || w.logs != "" {
		t.Errorf("errors %q, log %q", w.errors, w.logs)
	}
	client.Fresh().Get("/loop")
	if !strings.Contains(w.errors, want) {
		t.Errorf("errors %q", w.errors)
	}
	w.errors = ""
	ctx := retorttest.NoRepeatedQueries(w, app.Context())
	for range 5 {
		if _, err := Notes.Count(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(w.errors, "guard_test.go:") {
		t.Errorf("errors %q", w.errors)
	}
}
