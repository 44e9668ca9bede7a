package orm_test

import (
	"testing"

	"github.com/retort-web/retort/orm"
)

func TestWhatAnEventTellsATrace(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string][2]string{
		`SELECT "a"."x" FROM "blog_post" AS "a" WHERE 1 = ?`: {"SELECT", "blog_post"},
		"select count(*) from t":                             {"SELECT", "t"},
		"SELECT COUNT(*) FROM (SELECT 1) AS x":               {"SELECT", ""},
		"INSERT INTO `blog_post` (`a`) VALUES (?)":           {"INSERT", "blog_post"},
		"INSERT INTO t(a) VALUES (1)":                        {"INSERT", "t"},
		`UPDATE "p" SET "a" = ?`:                             {"UPDATE", "p"},
		`DELETE FROM p`:                                      {"DELETE", "p"},
		"SAVEPOINT retort_1":                                 {"SAVEPOINT", ""},
		"":                                                   {"", ""},
	} {
		e := &orm.QueryEvent{SQL: sql}
		if got := [2]string{e.Operation(), e.Table()}; got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

func TestTheHookKnowsTheSystem(t *testing.T) {
	t.Parallel()
	if db := newCounted(t); db.system(t) != "sqlite" {
		t.Error("no system")
	}
}
