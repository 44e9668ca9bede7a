package db

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSecretColumn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ sql, want string }{
		{`SELECT "id", "password" FROM "auth_user" WHERE "auth_user"."id" = ?1`, ""},
		{`SELECT "id" FROM "auth_user" WHERE "auth_user"."password" = ?1`, "password"},
		{`SELECT "id" FROM "session" WHERE "session"."data" = ?1`, ""},
		{`UPDATE "auth_user" SET "password" = ?1 WHERE "id" = ?2`, "password"},
		{`INSERT INTO "session_keys" ("user_id", "token") VALUES (?1, ?2)`, "token"},
		{`INSERT INTO "blog_author" ("author", "keyword") VALUES (?1, ?2)`, ""},
		{`DELETE FROM "tokens" WHERE "tokens"."id" = ?1`, ""},
		{`select name from people where api_key = ?`, "api_key"},
		{`PRAGMA foreign_keys = ON`, "foreign_keys"},
		{`SELECT 1`, ""},
		{"SELECT * FROM t WHERE `Secret` = ?", "Secret"},
		{`SELECT "unfinished`, ""},
		{``, ""},
	} {
		if got := secretColumn(test.sql); got != test.want {
			t.Errorf("%s: %q, want %q", test.sql, got, test.want)
		}
	}
}

func TestFormatArgs(t *testing.T) {
	t.Parallel()
	many := make([]any, maxArguments+5)
	for i := range many {
		many[i] = int64(1)
	}
	for _, test := range []struct {
		args []any
		want string
	}{
		{nil, ""},
		{[]any{nil, int64(3), "it's", []byte("abc"), 1.5, true}, `-- NULL, 3, "it's", (3 bytes), 1.5, true`},
		{[]any{strings.Repeat("é", 100)}, `-- "` + strings.Repeat("é", 40) + `…"`},
		{many, "-- 1" + strings.Repeat(", 1", maxArguments-1) + " … 5 more"},
	} {
		if got := formatArgs("SELECT 1", test.args); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func FuzzSecretColumn(f *testing.F) {
	f.Add(`UPDATE "a" SET "b" = ? WHERE "c"."d" = ?`)
	f.Add("\"\"\"`")
	f.Fuzz(func(t *testing.T, sql string) {
		secretColumn(sql)
		if utf8.ValidString(sql) && !utf8.ValidString(clip(sql, 10)) {
			t.Errorf("%q was cut inside a character", sql)
		}
	})
}
