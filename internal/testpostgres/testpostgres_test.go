//go:build unix

package testpostgres_test

import (
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/internal/testpostgres"
)

func TestWhatWasWrittenOutlivesTheServer(t *testing.T) {
	t.Parallel()
	server := testpostgres.Start(t)
	db := testdb.OpenURL(t, server.URL)
	if _, err := db.Exec(t.Context(), "CREATE TABLE kept (id int)"); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	// Its processes end by themselves when the first has gone.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err := db.Exec(t.Context(), "SELECT 1"); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it answers after its end")
		}
	}
	server.Restart()
	if rows, err := testdb.OpenURL(t, server.URL).Values(t.Context(), "SELECT count(*) FROM kept"); err != nil || len(rows) != 1 {
		t.Error(rows, err)
	}
}
