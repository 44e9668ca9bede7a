package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/retort-web/retort/orm"
)

// moveDatabase renames the files of a database.
func moveDatabase(t *testing.T, from, to string) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(from+suffix, to+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

func TestFileIsMovedAwayAndComesBack(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // which does not let open files be moved
	}
	ctx := context.Background()
	dir := t.TempDir()
	path, away := filepath.Join(dir, "site.db"), filepath.Join(dir, "away.db")
	db, err := Open(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	insert := func() error {
		_, err := db.Exec(ctx, "INSERT INTO notes (text) VALUES ('x')")
		return err
	}
	if _, err := db.Exec(ctx, "CREATE TABLE notes (text TEXT)"); err != nil {
		t.Fatal(err)
	}
	if err := insert(); err != nil {
		t.Fatal(err)
	}

	moveDatabase(t, path, away)
	if err := insert(); !errors.Is(err, orm.ErrUnavailable) {
		t.Errorf("a write without the file: %v", err)
	}
	time.Sleep(lookEvery)
	if _, err := db.Values(ctx, "SELECT * FROM notes"); !errors.Is(err, orm.ErrUnavailable) {
		t.Errorf("a read without the file: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a new file was made: %v", err)
	}

	moveDatabase(t, away, path)
	if err := insert(); err != nil {
		t.Errorf("a write with the file back: %v", err)
	}
	if got, err := db.Values(ctx, "SELECT count(*) FROM notes"); err != nil || got[0][0] != int64(2) {
		t.Errorf("with the file back: %v %v", got, err)
	}
}

func TestFileIsReplacedByABackup(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // which does not let open files be replaced
	}
	ctx := context.Background()
	dir := t.TempDir()
	path, backup, old := filepath.Join(dir, "site.db"), filepath.Join(dir, "backup.db"), filepath.Join(dir, "old.db")
	db, err := Open(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	count := func() any {
		t.Helper()
		got, err := db.Values(ctx, "SELECT count(*) FROM notes")
		if err != nil {
			t.Fatal(err)
		}
		return got[0][0]
	}
	for _, sql := range []string{"CREATE TABLE notes (text TEXT)", "INSERT INTO notes VALUES ('x')"} {
		if _, err := db.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(ctx, "VACUUM INTO ?", backup); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(ctx, "INSERT INTO notes VALUES ('y')"); err != nil || count() != int64(2) {
		t.Fatal(err, count())
	}

	moveDatabase(t, path, old)
	moveDatabase(t, backup, path)
	time.Sleep(lookEvery)
	if got := count(); got != int64(1) {
		t.Errorf("%v rows are read, want the one of the backup", got)
	}
	if _, err := db.Exec(ctx, "INSERT INTO notes VALUES ('z')"); err != nil || count() != int64(2) {
		t.Errorf("writing to the backup: %v, %v rows", err, count())
	}
}
