package migratetest_test

import (
	"testing"

	"github.com/retort-web/retort/migrate/migratetest"
)

// The page docs/migrations.md quotes the functions of this file, so that its code runs.

func TestPagesAreInserted(t *testing.T) {
	t.Parallel()
	ctx := migratetest.Context(t)
	if err := Pages.Insert(ctx, &Page{Title: "Hello"}); err != nil {
		t.Fatal(err)
	}
	if n, err := Pages.Count(ctx); err != nil || n != 1 {
		t.Error(n, err)
	}
}

func TestSlugsAreFilled(t *testing.T) {
	t.Parallel()
	m := migratetest.Start(t, "migratetest_test", "0002_slug")
	m.Insert("migratetest_test_page", migratetest.Row{"id": 11, "title": "Hello"})
	m.Forward()
	m.Want("SELECT title, slug FROM migratetest_test_page WHERE id > 10", "Hello|hello")
	m.Backward()
}
