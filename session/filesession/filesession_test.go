package filesession_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/session/filesession"
	"github.com/retort-web/retort/session/sessiontest"
)

func open(t *testing.T, folder string) session.ServerStore {
	t.Helper()
	store, err := filesession.NewStore(folder)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// folder is one that is not there yet.
func folder(t *testing.T) string { return filepath.Join(t.TempDir(), "of", "sessions") }

func TestStore(t *testing.T) {
	t.Parallel()
	sessiontest.Server(t, func(t *testing.T) session.ServerStore { return open(t, folder(t)) })
}

// files are the paths below a folder of what is a session, or the note of one.
func files(t *testing.T, folder, below string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(folder, below), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func login(t *testing.T, store session.Store, user string) *session.Session {
	t.Helper()
	s := session.New()
	s.Login(user, "")
	if _, err := store.Save(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return s
}

func isThere(t *testing.T, store session.Store, id string) bool {
	t.Helper()
	s, err := store.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return !s.IsNew()
}

// What is kept is for the program's eyes only, and no name gives an ID or a user away.
func TestSecurityWhatTheFolderShows(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	store := open(t, dir)
	s := login(t, store, "../../ada")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
			t.Errorf("%s: others have rights: %v", path, info.Mode())
		}
		if strings.Contains(path, s.ID()) || strings.Contains(path, "ada") {
			t.Errorf("%s gives away whose it is", path)
		}
		if data, err := os.ReadFile(path); err == nil && strings.Contains(string(data), s.ID()) {
			t.Errorf("%s holds the ID", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, key := range []string{"", "..", "../../" + session.Key(s.ID()), session.Key(s.ID())[:63] + "/", strings.Repeat("\x00", 64)} {
		if n, err := store.End(t.Context(), "../../ada", key); n != 0 || err != nil {
			t.Errorf("key %q: %d ended, %v", key, n, err)
		}
	}
	if !isThere(t, store, s.ID()) {
		t.Error("the session is gone")
	}
}

func TestSecurityFoldersOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("rights are not bits of a mode here")
	}
	for _, mode := range []os.FileMode{0o777, 0o770, 0o703} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode|os.ModeSticky); err != nil {
			t.Fatal(err)
		}
		if _, err := filesession.NewStore(dir); err == nil || !strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", file, filepath.Join(file, "below")} {
		if _, err := filesession.NewStore(name); err == nil {
			t.Errorf("%q is no error", name)
		}
	}
}

func TestBrokenFilesAreNobody(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	store := open(t, dir)
	for i, garbage := range []string{"", "\x00", "\x02", strings.Repeat("\xff", 1000), `{"user": "root"}`} {
		s := login(t, store, "7")
		path := filepath.Join(dir, "sessions", session.Key(s.ID())[:2], session.Key(s.ID()))
		if err := os.WriteFile(path, []byte(garbage), 0o600); err != nil {
			t.Fatal(err)
		}
		if isThere(t, store, s.ID()) {
			t.Errorf("%d: somebody is logged in", i)
		}
	}
	kept := login(t, store, "7")
	if list, err := store.List(t.Context(), "7"); len(list) != 1 || err != nil {
		t.Errorf("%d sessions are listed, %v", len(list), err)
	}
	if n, err := store.DeleteExpired(t.Context(), 100); n != 5 || err != nil {
		t.Errorf("%d deleted, %v", n, err)
	}
	if n, err := store.EndAll(t.Context(), "7", session.Key(kept.ID())); n != 0 || err != nil {
		t.Errorf("%d ended, %v", n, err)
	}
	if n := len(files(t, dir, "users")); n != 1 || !isThere(t, store, kept.ID()) {
		t.Errorf("%d sessions are noted", n)
	}
}

// What a program leaves behind that was stopped goes, and what is not ours stays.
func TestCleanUp(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	store := open(t, dir)
	kept, copied := login(t, store, "7"), login(t, store, "7")
	shard := func(s *session.Session) string { return filepath.Join(dir, "sessions", session.Key(s.ID())[:2]) }
	staged, other := filepath.Join(shard(kept), "new-123"), filepath.Join(shard(kept), "README")
	writing := filepath.Join(shard(kept), "new-456")
	old := time.Now().Add(-2 * time.Hour)
	for _, path := range []string{staged, other, writing} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A copy of a backup has lost the times of the files.
	for _, path := range []string{staged, other, filepath.Join(shard(copied), session.Key(copied.ID()))} {
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := store.DeleteExpired(t.Context(), 100); n != 0 || err != nil {
		t.Errorf("%d deleted, %v", n, err)
	}
	if !isThere(t, store, kept.ID()) || !isThere(t, store, copied.ID()) {
		t.Error("a session that has not expired is gone")
	}
	for path, want := range map[string]bool{staged: false, other: true, writing: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %v", path, err == nil)
		}
	}
	if n, err := store.EndAll(t.Context(), "7", ""); n != 2 || err != nil {
		t.Errorf("%d ended, %v", n, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "users", "*", "*")); len(left) != 0 || err != nil {
		t.Errorf("%q are left of the user, %v", left, err)
	}
}

// Two stores of a folder are two processes.
func TestProcessesAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a folder is of one process here")
	}
	dir := folder(t)
	s := login(t, open(t, dir), "7")
	var wg sync.WaitGroup
	for process := range 3 {
		store := open(t, dir)
		for i := range 4 {
			wg.Go(func() {
				visit, err := store.Load(t.Context(), s.ID())
				if err != nil {
					t.Error(err)
					return
				}
				visit.Set(fmt.Sprint(process, " ", i), true)
				if _, err := store.Save(t.Context(), visit); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	got, err := open(t, dir).Load(t.Context(), s.ID())
	if err != nil || got.Len() != 12 {
		t.Errorf("%d values, %v", got.Len(), err)
	}
}

// Users come and go at once, and none of their sessions is forgotten in the list.
func TestNotesOfAUserAtOnce(t *testing.T) {
	t.Parallel()
	store := open(t, folder(t))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				s := session.New()
				s.Login("7", "")
				if _, err := store.Save(t.Context(), s); err != nil {
					t.Error(err)
					return
				}
				if n, err := store.End(t.Context(), "7", session.Key(s.ID())); n != 1 || err != nil {
					t.Errorf("%d ended, %v", n, err)
				}
			}
		})
	}
	wg.Wait()
	login(t, store, "7")
	if list, err := store.List(t.Context(), "7"); len(list) != 1 || err != nil {
		t.Errorf("%d sessions are listed, %v", len(list), err)
	}
}

func TestAppWithSessionsInAFolder(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	newApp := func() *retort.App {
		app := retort.New(retort.Config{SecretKey: "a key for these tests only, nowhere else", Logger: slog.New(slog.DiscardHandler)})
		app.Install(filesession.New(dir))
		app.Get("/login", func(c *retort.Ctx) error { c.Session().Login("ada", ""); return c.Text("in") })
		app.Get("/whoami", func(c *retort.Ctx) error { return c.Text("user " + c.Session().User()) })
		app.Get("/short", func(c *retort.Ctx) error {
			c.Session().Set("n", 1)
			c.Session().ExpireAfter(time.Nanosecond) // a second
			return c.Text("short")
		})
		return app
	}
	client := retorttest.New(t, newApp())
	client.Get("/login")
	client.Get("/whoami").Contains("user ada")
	token, _ := client.Cookie("session")

	app := newApp() // the program was started anew
	client = retorttest.New(t, app)
	client.SetCookie("session", token)
	client.Get("/whoami").Contains("user ada")

	client.Fresh().Get("/short")
	deadline := time.Now().Add(time.Minute)
	for len(files(t, dir, "sessions")) != 1 {
		if time.Now().After(deadline) {
			t.Fatal("the expired session is still there")
		}
		if _, err := app.Call(t.Context(), "clearsessions"); err != nil {
			t.Fatal(err)
		}
	}
	client.Get("/whoami").Contains("user ada")
}

// A folder that was deleted while the program runs is made again: nobody is logged in.
func TestTheFolderMayBeEmptied(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	store := open(t, dir)
	before := login(t, store, "7")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if isThere(t, store, before.ID()) {
		t.Error("the session is still there")
	}
	if after := login(t, store, "7"); !isThere(t, store, after.ID()) {
		t.Error("no session can be kept any more")
	}
}

func TestAnExtensionIsOfOneApp(t *testing.T) {
	t.Parallel()
	extension := filesession.New(folder(t))
	for i := range 2 {
		app := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler)})
		app.Install(extension)
		if err := app.Prepare(); (err != nil) != (i == 1) {
			t.Errorf("app %d: %v", i, err)
		}
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "sessions")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := filesession.NewStore(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	s := session.New()
	s.Set("cart", 3)
	token, err := store.Save(context.Background(), s)
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := store.Load(context.Background(), token)
	fmt.Println(again.Get("cart"), err)
	// Output: 3 <nil>
}
