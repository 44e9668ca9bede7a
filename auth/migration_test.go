package auth_test

import (
	"os"
	"testing"
	"time"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/migrate/migratetest"
)

// Who has an authenticator app keeps it, and what is sent comes beside it.
func TestMigrationOfSentCodes(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]string{
		"sqlite": "", "postgres": os.Getenv("RETORT_TEST_POSTGRES"), "mysql": os.Getenv("RETORT_TEST_MYSQL"),
	} {
		if server == "" && name != "sqlite" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := migratetest.Start(t, "auth", "0005", migratetest.Options{URL: server})
			now := time.Now().UTC().Truncate(time.Second)
			m.Insert("auth_users", migratetest.Row{
				"id": 7, "email": "ann@example.com", "login": "ann@example.com", "name": "", "password_hash": "!", "staff": false, "superuser": false, "joined": now,
			})
			m.Insert("auth_second_factors", migratetest.Row{"user_id": 7, "secret": "sealed", "last_step": 3, "created": now})
			m.Forward()
			m.Want("SELECT user_id, way, secret, last_step FROM auth_second_factors", "7||sealed|3")
			m.Insert("auth_sent_codes", migratetest.Row{"user_id": 7, "hash": "x", "expires": now})
			// A program of before goes on for a while.
			m.Exec("DELETE FROM auth_second_factors")
			m.Insert("auth_second_factors", migratetest.Row{"user_id": 7, "secret": "anew", "last_step": 3, "created": now})
			row, err := auth.SecondFactors.Get(m.Context())
			if err != nil || row.Way != "" || row.Secret != "anew" {
				t.Error(row, err)
			}
			m.Exec("DELETE FROM auth_users")
			m.Want("SELECT user_id FROM auth_sent_codes")
			m.Backward()
		})
	}
}
