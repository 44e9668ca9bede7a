//go:build unix

package faulttest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/sqlite"
)

// open opens a site's database beside the site.
func open(t testing.TB, dir string) *orm.DB {
	t.Helper()
	db, err := sqlite.Open(context.Background(), filepath.Join(dir, "blog.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// sound checks a database that nobody uses.
func sound(t testing.TB, dir string) {
	t.Helper()
	db := open(t, dir)
	defer db.Close()
	for pragma, want := range map[string]string{"integrity_check": "[[ok]]", "foreign_key_check": "[]"} {
		got, err := db.Values(context.Background(), "PRAGMA "+pragma)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("PRAGMA %s: %v %v", pragma, got, err)
		}
	}
}

// seeded checks that a site has exactly the posts it invents.
func seeded(t testing.TB, s *site) {
	t.Helper()
	var page struct{ Total int }
	a := s.ask(t, get("/api/posts"))
	if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != 200 || page.Total < 200 || page.Total > 400 {
		t.Errorf("%d %v: %d posts", a.status, err, page.Total)
	}
	if a := s.ask(t, get("/authors/tomasz-reed")); a.status != 200 {
		t.Errorf("an author: %d", a.status)
	}
}

func TestKillWhileWritingKeepsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var c crowd
	for round := range 3 {
		s := start(t, blogProgram, options{dir: dir})
		// Connections that are cut are no loss here: those requests were not
		// acknowledged.
		c.join(s, 6)
		await(t, "comments", func() bool { return c.writes.Load() > int64(30*(round+1)) })
		s.kill()
		c.wg.Wait()
	}
	// A copy is checked, so that the site itself has to repair its database.
	beside := t.TempDir()
	if err := os.CopyFS(beside, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	sound(t, beside)
	s := start(t, blogProgram, options{dir: dir})
	missing(t, s, c.kept)
	seeded(t, s)
	s.stop()
	sound(t, dir)
}

// TestKillDuringTheFirstStart cuts the migrations and the seed at many points.
func TestKillDuringTheFirstStart(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	whole := start(t, blogProgram, options{})
	took := time.Since(begin)
	seeded(t, whole)
	const cuts = 12
	for cut := range cuts {
		dir := t.TempDir()
		s := launch(t, blogProgram, options{dir: dir})
		if cut%2 == 0 {
			// From when the file is there, which is when it matters.
			await(t, "a database", func() bool { _, err := os.Stat(filepath.Join(dir, "blog.db")); return err == nil })
		}
		time.Sleep(took * time.Duration(cut) / cuts) // the moment is the point here
		s.kill()
		again := start(t, blogProgram, options{dir: dir})
		seeded(t, again)
		again.stop()
		sound(t, dir)
	}
}

func TestSeveralFirstStartsAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var sites []*site
	for range 4 {
		sites = append(sites, launch(t, blogProgram, options{dir: dir}))
	}
	for _, s := range sites {
		if !s.serves() {
			t.Fatalf("one does not serve: %v\n%s", s.exit, s.logged())
		}
		seeded(t, s)
	}
	// They go on side by side.
	var c crowd
	for _, s := range sites {
		c.join(s, 1)
	}
	await(t, "comments", func() bool { return c.writes.Load() > 20 })
	for _, s := range sites {
		s.stop()
	}
	c.wg.Wait()
	for _, err := range c.lost {
		t.Errorf("lost: %v", err)
	}
	sound(t, dir)
}
