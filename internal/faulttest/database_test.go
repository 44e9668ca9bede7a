//go:build unix

package faulttest_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/orm"
)

// comment is a request that writes.
func comment(text string) string {
	return request("POST", "/posts/"+anyPost, "name=A+reader&text="+text, urlencoded)
}

// answers asks for pages, many at once, so that the site needs more
// connections to its database than it has; and writes a comment. None of it
// may hang, or be answered otherwise than said.
func (s *site) answers(t testing.TB, read, write []int) {
	t.Helper()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, target := range []string{"/", "/posts/" + anyPost, "/api/posts?q=water"} {
				a := s.ask(t, get(target))
				a.proper(t)
				if !slices.Contains(read, a.status) {
					t.Errorf("%s: %d, want %v", target, a.status, read)
				}
			}
		})
	}
	wg.Wait()
	begin := time.Now()
	a := s.ask(t, comment("A+comment."))
	a.proper(t)
	if !slices.Contains(write, a.status) {
		t.Errorf("a comment: %d, want %v\n%.300s", a.status, write, a.body)
	}
	if a.status == 503 && a.header.Get("Retry-After") == "" && strings.HasPrefix(a.header.Get("Content-Type"), "application/") {
		t.Errorf("503 without Retry-After: %v", a.header)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the comment took %v", took)
	}
	// What needs no database goes on.
	if a := s.ask(t, get("/static/blog/style.css")); a.status != 200 {
		t.Errorf("the style sheet: %d", a.status)
	}
}

// heals waits until reading and writing work, without a restart.
func (s *site) heals(t testing.TB) {
	t.Helper()
	await(t, "the site to be well", func() bool {
		return s.ask(t, get("/posts/"+anyPost)).status == 200 && s.ask(t, comment("All+is+well.")).status == 303
	})
	s.answers(t, is(200), is(303))
	seeded(t, s)
}

// move renames the files of a database.
func move(t testing.TB, from, to string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(from, "blog.db*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%v: no database", err)
	}
	for _, name := range names {
		if err := os.Rename(name, filepath.Join(to, filepath.Base(name))); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDatabaseFileMovedAway(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{faulty: true})
	s.answers(t, is(200), is(303))
	away := t.TempDir()
	move(t, s.dir, away)
	// Pages may go on for as long as the files are open, but nothing may be
	// written into the void, and no empty database may take the place.
	s.answers(t, is(200, 503), is(503))
	s.answers(t, is(200, 503), is(503))
	if left, _ := filepath.Glob(filepath.Join(s.dir, "blog.db*")); len(left) > 0 {
		t.Errorf("a new database was made: %v", left)
	}
	move(t, away, s.dir)
	s.heals(t)
	s.stop()
	sound(t, s.dir)
}

func TestDatabaseReplacedByABackup(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{faulty: true})
	backup, away := t.TempDir(), t.TempDir()
	if _, err := open(t, s.dir).Exec(context.Background(), "VACUUM INTO ?", filepath.Join(backup, "blog.db")); err != nil {
		t.Fatal(err)
	}
	s.answers(t, is(200), is(303))
	if page := s.ask(t, get("/posts/"+anyPost)).body; !strings.Contains(page, "A comment.") {
		t.Error("the comment is not there")
	}
	move(t, s.dir, away)
	move(t, backup, s.dir)
	s.heals(t)
	await(t, "the backup to be read", func() bool {
		return strings.Count(s.ask(t, get("/posts/"+anyPost)).body, "A comment.") == 1
	})
	s.stop()
	sound(t, s.dir)
	sound(t, away)
}

func TestDatabaseLockedByAnotherProgram(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{faulty: true, env: []string{"DATABASE_URL=sqlite:blog.db?busy_timeout=200ms"}})
	other := open(t, s.dir)
	err := other.Atomic(context.Background(), orm.TxOptions{}, func(context.Context) error {
		s.answers(t, is(200), is(503))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.heals(t)
}

func TestDatabaseForReadingOnly(t *testing.T) {
	t.Parallel()
	first := start(t, blogProgram, options{})
	first.stop()
	s := start(t, blogProgram, options{dir: first.dir, faulty: true, env: []string{"DATABASE_URL=sqlite:blog.db?read_only=true"}})
	s.answers(t, is(200), is(503))
}

func TestDatabaseThatIsNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "blog.db"), []byte(strings.Repeat("This is no database. ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := launch(t, blogProgram, options{dir: dir, faulty: true})
	if s.serves() {
		s.answers(t, is(503), is(503))
		return
	}
	if s.wait() == nil || !strings.Contains(s.logged(), "not a database") {
		t.Errorf("%v\n%s", s.exit, s.logged())
	}
}
