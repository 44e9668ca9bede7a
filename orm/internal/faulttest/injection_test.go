package faulttest_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// attacks are texts that have got into SQL elsewhere: quotes of all kinds, comments,
// control characters and dots that slipped past a first fix, backslashes, placeholders.
var attacks = []string{
	`'; DROP TABLE faulttest_test_canary; --`,
	`"; DROP TABLE faulttest_test_canary; --`,
	"`; DROP TABLE faulttest_test_canary; -- ",
	`x" FROM faulttest_test_canary; DELETE FROM faulttest_test_canary; --`,
	`') OR 1=1 --`, `") OR 1=1 --`, `1)) OR ((1=1`, `a'b"c` + "`d", `\`, `\'; DELETE FROM faulttest_test_canary; --`, `'' OR ''='`,
	"a\x00'; DELETE FROM faulttest_test_canary; --", "a\n'; DELETE FROM faulttest_test_canary; --", "a\tb", "a.b", "a.b\".c", "/* */", "--", "#", "?", "$1", "$$", "%s", "%(a)s",
	"$[*]", "$.a' = 'b", "[last]", `a"] || (SELECT 1) || ["`, "year' FROM now()); --", "day', now()) --", "UTC'; --", "é\xff'", "🙂'\"", strings.Repeat("'", 300), "",
	"name__icontains", "owner__secret", "pk; DROP TABLE faulttest_test_canary", "name ASC; --", "-name'", "--name", "name desc nulls first, (SELECT 1)",
}

// misread are what databases say of SQL that is not what the compiler meant to write.
var misread = []string{
	"syntax", "SQLSTATE 42601", "Error 1064", "unrecognized token", "unterminated", "no such column", "42703", "Unknown column", "malformed",
	"near \"", "incomplete input", "no such function", "42883", "multiple commands", "cannot insert multiple", "JSON path",
}

// position is a place where a text of a request is a name, an option or a value.
type position struct {
	name string
	run  func(ctx context.Context, text string) error
}

// positions are all places where a program may hand over a text that came from outside.
func positions() []position {
	a := Accounts.Fields()
	rows := func(ctx context.Context, q orm.QuerySet[Account]) error {
		_, err := q.Limit(3).All(ctx)
		return err
	}
	where := func(name string, cond func(text string) orm.Cond) position {
		return position{name, func(ctx context.Context, text string) error { return rows(ctx, Accounts.Where(cond(text))) }}
	}
	column := func(name string, expr func(text string) orm.Expr) position {
		return position{name, func(ctx context.Context, text string) error {
			_, err := orm.Select[map[string]any](Accounts.Limit(3), orm.As("x", expr(text))).All(ctx)
			return err
		}}
	}
	return []position{
		// Values.
		where("Eq", func(s string) orm.Cond { return orm.Eq(&a.Name, s) }),
		where("In", func(s string) orm.Cond { return orm.In(&a.Name, s, "b") }),
		where("a long In", func(s string) orm.Cond {
			return orm.In(&a.Name, strings.Split(strings.Repeat(s+"\x01", 50), "\x01")...)
		}),
		where("Contains", func(s string) orm.Cond { return orm.Contains(&a.Name, s) }),
		where("IContains", func(s string) orm.Cond { return orm.IContains(&a.Name, s) }),
		where("Search", func(s string) orm.Cond { return orm.Search(s, &a.Name, &a.Note) }),
		column("V", func(s string) orm.Expr { return orm.V(s) }),
		column("Replace", func(s string) orm.Expr { return orm.Replace(&a.Name, s, s) }),
		// Separators of aggregates: CVE-2020-7471.
		column("StringAgg", func(s string) orm.Expr { return orm.StringAgg(&a.Name, s) }),
		// Keys of JSON: CVE-2019-14234, 2024-42005, 2024-53908.
		where("JSONPath", func(s string) orm.Cond { return orm.JSONPath(&a.Extra, "a", s).Eq(s) }),
		where("HasKey", func(s string) orm.Cond { return orm.HasKey(&a.Extra, s) }),
		where("HasAnyKey", func(s string) orm.Cond { return orm.HasAnyKey(&a.Extra, s, "b") }),
		where("JSONContains", func(s string) orm.Cond { return orm.JSONContains(&a.Extra, map[string]any{s: s}) }),
		column("JSON as a value", func(s string) orm.Expr { return orm.JSONPath(&a.Extra, s) }),
		column("JSONObject", func(s string) orm.Expr { return orm.JSONObject(s, &a.Name) }),
		// Aliases of annotations: CVE-2022-28346, 2025-57833, 2025-59681, 2025-13372.
		{"As", func(ctx context.Context, s string) error {
			_, err := orm.Select[map[string]any](Accounts.Limit(3), orm.As(s, &a.Name), orm.As("n", orm.Upper(&a.Name))).All(ctx)
			return err
		}},
		{"As of groups", func(ctx context.Context, s string) error {
			_, err := orm.Select[map[string]any](Accounts.GroupBy(orm.Upper(&a.Name)), orm.As(s, orm.Upper(&a.Name)), orm.As("n", orm.Count(&a.ID))).All(ctx)
			return err
		}},
		// Names of an order: CVE-2021-35042, 2026-1312.
		{"OrderLookup", func(ctx context.Context, s string) error { return rows(ctx, Accounts.OrderBy(orm.OrderLookup(s))) }},
		{"an order of a request", func(ctx context.Context, s string) error {
			terms, err := orm.Allow(Accounts, "name").OrderBy("name").Order(s)
			if err != nil {
				return err
			}
			return rows(ctx, Accounts.OrderBy(terms...))
		}},
		// Lookups and their connectors: CVE-2022-28347, 2025-64459.
		where("Lookup path", func(s string) orm.Cond { return orm.Lookup(s, "x") }),
		where("Lookup comparison", func(s string) orm.Cond { return orm.Lookup("name__"+s, "x") }),
		where("Lookup value", func(s string) orm.Cond { return orm.Lookup("name__in", s) }),
		where("Lookup number", func(s string) orm.Cond { return orm.Lookup("balance__gte", s) }),
		where("Lookup of JSON", func(s string) orm.Cond { return orm.Lookup("extra__"+s, s) }),
		{"a filter of a request", func(ctx context.Context, s string) error {
			list := orm.Allow(Accounts, "name", "name__icontains", "at__year", "balance__range")
			conds := list.Where(url.Values{"name": {s}, "name__icontains": {s}, "at__year": {s}, "_connector": {s}, s: {s}})
			return rows(ctx, Accounts.Where(conds...))
		}},
		// Units of dates: CVE-2022-34265.
		column("Trunc", func(s string) orm.Expr { return orm.Trunc(orm.Unit(s), &a.At) }),
		column("Extract", func(s string) orm.Expr { return orm.Extract(orm.Unit(s), &a.At) }),
		column("AtZone", func(s string) orm.Expr { return orm.Trunc(orm.Day, &a.At).AtZone(time.FixedZone(s, 3600)) }),
		column("Collate", func(s string) orm.Expr { return orm.Collate(&a.Name, s) }),
		column("Func", func(s string) orm.Expr { return orm.Func(s, &a.Name) }),
		// Options of EXPLAIN: CVE-2022-28347.
		{"Explain", func(ctx context.Context, s string) error {
			_, err := Accounts.Explain(ctx, orm.ExplainOptions{Format: s})
			return err
		}},
		{"CursorPage", func(ctx context.Context, s string) error {
			_, err := Accounts.OrderBy(orm.Asc(&a.Name)).CursorPage(ctx, s, 3)
			return err
		}},
		{"Lock", func(ctx context.Context, s string) error {
			db, err := orm.DBFrom(ctx)
			if err != nil {
				return err
			}
			unlock, err := db.Lock(ctx, s)
			if err == nil {
				unlock()
			}
			return err
		}},
		{"Insert", func(ctx context.Context, s string) error {
			row := &Account{Name: s, Note: s, Data: []byte(s), Extra: orm.JSONOf[any](map[string]any{s: s})}
			if err := Accounts.Insert(ctx, row); err != nil {
				return err
			}
			defer func() { _ = Accounts.DeleteRow(ctx, row) }()
			got, err := Accounts.Where(orm.Eq(&a.ID, row.ID)).Get(ctx)
			if err == nil && (got.Name != s || got.Note != s || string(got.Data) != s) {
				return fmt.Errorf("%q came back as syntax %q, %q, %q", s, got.Name, got.Note, got.Data)
			}
			return err
		}},
	}
}

func attack(t *testing.T, ctx context.Context, text string) {
	t.Helper()
	for _, p := range positions() {
		err := p.run(ctx, text)
		if err == nil || errors.Is(err, orm.ErrValue) {
			continue
		}
		for _, words := range misread {
			// A collation or function of that name may well be missing.
			missing := (p.name == "Collate" || p.name == "Func") && strings.Contains(err.Error(), "no such") || strings.Contains(err.Error(), "42883") && p.name == "Func"
			if strings.Contains(err.Error(), words) && !missing {
				t.Errorf("%s of %q got into the SQL: %v", p.name, text, err)
			}
		}
	}
	if n, err := Canaries.Count(ctx); n != 1 || err != nil {
		t.Fatalf("after %q: %d canaries, %v", text, n, err)
	}
}

func contextWithRows(t testing.TB, kind testdb.Kind) context.Context {
	t.Helper()
	ctx := kind.Context(t)
	must(t, Canaries.Insert(ctx, &Canary{Name: "tweet"}))
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	must(t, Accounts.Insert(ctx,
		&Account{Name: "a", Extra: orm.JSONOf[any](map[string]any{"a": map[string]any{"b": "c"}}), At: &at},
		&Account{Name: "b", Balance: 7},
	))
	return ctx
}

func TestTextsOfRequestsNeverGetIntoSQL(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := contextWithRows(t, kind)
		for _, text := range attacks {
			attack(t, ctx, text)
		}
	})
}

func FuzzTextsOfRequests(f *testing.F) {
	for _, text := range attacks[:2] { // the test above has them all
		f.Add(text)
	}
	var databases []context.Context
	for _, kind := range testdb.Kinds() {
		databases = append(databases, contextWithRows(f, kind))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		for _, ctx := range databases {
			attack(t, context.WithoutCancel(ctx), text)
		}
	})
}

// A minus sign before a parameter must not make a comment with the value's own:
// CVE-2024-27289 of pgx.
func TestNegativeValuesAfterAMinus(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		ctx := contextWithRows(t, kind)
		a := Accounts.Fields()
		type row struct{ Sub, Neg int64 }
		got, err := orm.Select[row](
			Accounts.Where(orm.Eq(&a.Name, "b")), orm.As("Sub", orm.Sub(&a.Balance, -3)), orm.As("Neg", orm.V(-4).Neg()),
		).Get(ctx)
		if err != nil || got != (row{10, 4}) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// What a request may not ask for is not answered, by conditions or by an order, also not
// through relations: the list is the only way in.
func TestLookupsOfRequestsAreNoOracle(t *testing.T) {
	t.Parallel()
	list := orm.Allow(Accounts, "name").OrderBy("name")
	must(t, list.Check())
	if conds := list.Where(url.Values{"owner__secret__startswith": {"a"}, "name__startswith": {"a"}, "pk": {"1"}}); len(conds) != 0 {
		t.Errorf("%d conditions that are not on the list", len(conds))
	}
	for _, order := range []string{"owner__secret", "-owner__secret", "name,owner__secret", "pk", "?"} {
		if _, err := list.Order(order); err == nil {
			t.Errorf("ordered by %s", order)
		} else if _, ok := errors.AsType[*orm.LookupError](err); !ok {
			t.Errorf("%s: %v is no LookupError", order, err)
		}
	}
}
