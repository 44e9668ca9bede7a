package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/postgres"
)

type Thing struct {
	orm.Model
	Name  string `orm:"size=50,unique"`
	Count int
	Note  *string
	Made  time.Time
}

func (Thing) Meta(t *Thing) orm.Meta {
	return orm.Meta{Checks: orm.Checks(orm.Check("count_not_negative", orm.Ge(&t.Count, 0)))}
}

var Things = orm.Register[Thing]()

// server returns the kind of database of this package's tests.
func server(t testing.TB) testdb.Kind {
	t.Helper()
	for _, kind := range testdb.Kinds() {
		if kind.Name == "postgres" {
			return kind
		}
	}
	t.Skip("RETORT_TEST_POSTGRES names no server")
	return testdb.Kind{}
}

// openWith opens a new database, with options added to its URL, and makes the tables.
func openWith(t testing.TB, options ...string) (context.Context, *orm.DB) {
	t.Helper()
	url := server(t).URL(t)
	for _, o := range options {
		url += "&" + o
	}
	db := testdb.OpenURL(t, url)
	testdb.CreateTables(t, db)
	return orm.WithDB(t.Context(), db), db
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAStatementThatTakesTooLong(t *testing.T) {
	t.Parallel()
	ctx, db := openWith(t, "statement_timeout=100ms")
	if _, err := db.Values(ctx, "SELECT pg_sleep(60)"); !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		t.Error(err)
	}
	if _, err := db.Values(ctx, "SELECT pg_sleep(0.001)"); err != nil {
		t.Error(err)
	}
}

// TestWaysToSendValues runs the same with prepared statements, without, and with the
// values in the text.
func TestWaysToSendValues(t *testing.T) {
	t.Parallel()
	for _, option := range []string{"statements=2", "statements=0", "simple_protocol=true"} {
		t.Run(option, func(t *testing.T) {
			t.Parallel()
			ctx, db := openWith(t, option)
			f := Things.Fields()
			made := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
			for i := range 5 {
				must(t, Things.Insert(ctx, &Thing{Name: fmt.Sprint(`it's \`, i), Count: i, Made: made, Note: new("x")}))
			}
			rows, err := Things.Where(orm.Ge(&f.Count, 2), orm.In(&f.ID, 1, 2, 3, 4), orm.Lt(&f.Made, made.Add(time.Second))).OrderBy(orm.Asc(&f.ID)).All(ctx)
			must(t, err)
			if len(rows) != 2 || rows[0].Name != `it's \2` || !rows[0].Made.Equal(made) || *rows[0].Note != "x" {
				t.Errorf("%+v", rows)
			}
			if n, err := Things.Where(orm.Gt(&f.Count, 0)).Update(ctx, orm.Set(&f.Note, nil)); n != 4 || err != nil {
				t.Error(n, err)
			}
			values, err := db.Values(ctx, "SELECT true, 1::int2, 2::int4, 3::int8, 4.5::float4, 5.25::float8, 'x'::text, '\\x0102'::bytea, '2026-01-02'::date, 7.50::numeric, NULL, '{\"a\": 1}'::jsonb, '0193c8a4-7f0e-7000-8000-0123456789ab'::uuid, '2026-01-02 03:04:05.678+02'::timestamptz, '{1,2}'::int[], '1 day 02:00:00'::interval, '10.0.0.1/8'::inet")
			must(t, err)
			want := []any{
				true, int64(1), int64(2), int64(3), 4.5, 5.25, "x",
				[]byte{1, 2},
				"2026-01-02", "7.50", nil, `{"a": 1}`,
				"0193c8a4-7f0e-7000-8000-0123456789ab", time.Date(2026, 1, 2, 1, 4, 5, 678e6, time.UTC), "{1,2}", "P1DT2H", "10.0.0.1/8",
			}
			if got, want := fmt.Sprint(values[0]...), fmt.Sprint(want...); got != want {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	ctx, db := openWith(t)
	must(t, Things.Insert(ctx, &Thing{Name: "a"}))
	exec := func(sql string, args ...any) error {
		_, err := db.Exec(ctx, sql, args...)
		return err
	}
	for _, tt := range []struct {
		name string
		err  error
		want error
	}{
		{"NUL", Things.Insert(ctx, &Thing{Name: "a\x00b"}), orm.ErrValue},
		{"NUL in SQL", exec("UPDATE postgres_test_thing SET name = $1", "\x00"), orm.ErrValue},
		{"not UTF-8", exec("UPDATE postgres_test_thing SET name = $1", "\xff"), orm.ErrValue},
		{"too long", exec("UPDATE postgres_test_thing SET name = $1", strings.Repeat("x", 51)), orm.ErrValue},
		{"out of range", exec("SELECT 1 WHERE $1::int2 = 1", 70000), orm.ErrValue},
		{"read only", db.Atomic(ctx, orm.TxOptions{ReadOnly: true}, func(ctx context.Context) error { return Things.Insert(ctx, &Thing{Name: "b"}) }), orm.ErrReadOnly},
	} {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, tt.err, tt.want)
		}
	}
	err := Things.Insert(ctx, &Thing{Name: "a"})
	c, ok := errors.AsType[*orm.ConstraintError](err)
	if !ok || !orm.IsUnique(err) || len(c.Fields()) != 1 || c.Fields()[0].Name != "Name" {
		t.Errorf("unique: %v", err)
	}
	err = exec("INSERT INTO postgres_test_thing (name, count, made) VALUES ('c', -1, now())")
	if c, ok := errors.AsType[*orm.ConstraintError](err); !ok || !orm.IsCheck(err) || c.Constraint != "count_not_negative" {
		t.Errorf("check: %v", err)
	}
	err = exec("INSERT INTO postgres_test_thing (count, made) VALUES (1, now())")
	if c, ok := errors.AsType[*orm.ConstraintError](err); !ok || !orm.IsNotNull(err) || c.Columns[0] != "name" {
		t.Errorf("not null: %v", err)
	}
	if err := exec("SELECT $1", 1, 2); err == nil {
		t.Error("too many arguments: no error")
	}
}

// TestCancelStopsTheQuery cancels a query that would run for long, and looks on the
// server whether it is gone and whether the one connection can be used again.
func TestCancelStopsTheQuery(t *testing.T) {
	t.Parallel()
	ctx, db := openWith(t, "pool_max_conns=1")
	before, err := db.Values(ctx, "SELECT pg_backend_pid()")
	must(t, err)
	for range 3 {
		short, stop := context.WithTimeout(ctx, 30*time.Millisecond)
		start := time.Now()
		_, err := db.Values(short, "SELECT pg_sleep(30)")
		stop()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 10*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	}
	after, err := db.Values(ctx, "SELECT pg_backend_pid()")
	must(t, err)
	if before[0][0] != after[0][0] {
		t.Error("the connection was thrown away")
	}
}

func TestNoConnectionBecomesFree(t *testing.T) {
	t.Parallel()
	ctx, db := openWith(t, "pool_max_conns=1", "queue_timeout=50ms")
	must(t, orm.Atomic(ctx, func(inside context.Context) error {
		if _, err := db.Values(context.WithoutCancel(t.Context()), "SELECT 1"); !errors.Is(err, orm.ErrLocked) || !strings.Contains(err.Error(), "orm.Atomic") {
			t.Errorf("beside the transaction: %v", err)
		}
		short, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		if _, err := db.Values(short, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a deadline: %v", err)
		}
		_, err := db.Values(inside, "SELECT 1")
		return err
	}))
}

// TestServerClosesConnections ends the sessions of the pool, as a restart does: idle
// ones are replaced without an error, and a transaction fails as a whole.
func TestServerClosesConnections(t *testing.T) {
	t.Parallel()
	ctx, db := openWith(t, "application_name=retort_closes", "pool_max_conns=3")
	admin := testdb.OpenURL(t, server(t).URL(t))
	end := func(pid any) {
		t.Helper()
		_, err := admin.Values(t.Context(), "SELECT pg_terminate_backend($1)", pid)
		must(t, err)
		for {
			rows, err := admin.Values(t.Context(), "SELECT 1 FROM pg_stat_activity WHERE pid = $1", pid)
			must(t, err)
			if len(rows) == 0 {
				return
			}
		}
	}
	for range 5 {
		rows, err := db.Values(ctx, "SELECT pg_backend_pid()")
		must(t, err)
		end(rows[0][0])
		if _, err := Things.Count(ctx); err != nil {
			t.Fatalf("after the end of an idle connection: %v", err)
		}
	}
	err := orm.Atomic(ctx, func(ctx context.Context) error {
		must(t, Things.Insert(ctx, &Thing{Name: "lost"}))
		rows, err := db.Values(ctx, "SELECT pg_backend_pid()")
		must(t, err)
		end(rows[0][0])
		return Things.Insert(ctx, &Thing{Name: "never"})
	})
	if !errors.Is(err, orm.ErrUnavailable) {
		t.Errorf("in a transaction: %v", err)
	}
	if n, err := Things.Count(ctx); n != 0 || err != nil {
		t.Error(n, err)
	}
}

// TestTableChangesUnderStatements changes a table while statements over it are kept.
func TestTableChangesUnderStatements(t *testing.T) {
	t.Parallel()
	ctx, db := openWith(t, "pool_max_conns=1")
	for i := range 3 {
		rows, err := db.Values(ctx, "SELECT * FROM postgres_test_thing WHERE id = $1", 1)
		if err != nil || len(rows) != 0 {
			t.Fatal(i, rows, err)
		}
		_, err = db.Exec(ctx, fmt.Sprintf("ALTER TABLE postgres_test_thing ADD COLUMN extra%d int", i))
		must(t, err)
	}
	_, err := db.Exec(ctx, "DISCARD ALL") // as a pooler does between clients
	must(t, err)
	if _, err := db.Values(ctx, "SELECT * FROM postgres_test_thing WHERE id = $1", 1); err != nil {
		t.Error(err)
	}
}

func TestStatementsAreForgotten(t *testing.T) {
	t.Parallel()
	ctx, db := openWith(t, "pool_max_conns=1", "statements=3")
	for i := range 10 {
		_, err := db.Values(ctx, fmt.Sprintf("SELECT %d + $1::int", i), 1)
		must(t, err)
	}
	rows, err := db.Values(ctx, "SELECT count(*) FROM pg_prepared_statements")
	must(t, err)
	if n, _ := rows[0][0].(int64); n > 3 {
		t.Errorf("%d statements are kept", n)
	}
}

func TestDeadlockAndSerialization(t *testing.T) {
	t.Parallel()
	ctx, _ := openWith(t)
	a, b := &Thing{Name: "a"}, &Thing{Name: "b"}
	must(t, Things.Insert(ctx, a, b))
	f := Things.Fields()
	both := func(options orm.TxOptions, fn func(ctx context.Context, mine, other *Thing, met func()) error) (failed []error) {
		var wg, meet sync.WaitGroup
		meet.Add(2)
		errs := make([]error, 2)
		for i, pair := range [][2]*Thing{{a, b}, {b, a}} {
			wg.Go(func() {
				errs[i] = orm.AtomicWith(ctx, options, func(ctx context.Context) error {
					return fn(ctx, pair[0], pair[1], func() { meet.Done(); meet.Wait() })
				})
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				failed = append(failed, err)
			}
		}
		return failed
	}
	add := func(ctx context.Context, row *Thing) error {
		_, err := Things.Where(orm.Eq(&f.ID, row.ID)).Update(ctx, orm.Set(&f.Count, orm.Add(&f.Count, 1)))
		return err
	}
	failed := both(orm.TxOptions{}, func(ctx context.Context, mine, other *Thing, met func()) error {
		err := add(ctx, mine)
		met()
		if err == nil {
			err = add(ctx, other)
		}
		return err
	})
	if len(failed) != 1 || !errors.Is(failed[0], orm.ErrDeadlock) {
		t.Errorf("deadlock: %v", failed)
	}
	failed = both(orm.TxOptions{Isolation: orm.Serializable}, func(ctx context.Context, mine, _ *Thing, met func()) error {
		_, err := Things.Count(ctx)
		met()
		if err == nil {
			err = Things.Insert(ctx, &Thing{Name: mine.Name + "2"})
		}
		return err
	})
	if len(failed) != 1 || !errors.Is(failed[0], orm.ErrSerialization) {
		t.Errorf("serialization: %v", failed)
	}
}

func TestRowsLeftOpen(t *testing.T) {
	t.Parallel()
	ctx, db := openWith(t)
	must(t, orm.Atomic(ctx, func(ctx context.Context) error {
		rows, err := db.QueryRows(ctx, "SELECT generate_series(1, 10)")
		must(t, err)
		if !rows.Next() {
			t.Error("no row")
		}
		rows.Close()
		_, err = db.Values(ctx, "SELECT 1")
		return err
	}))
	// The server is asked to stop when much is left.
	start := time.Now()
	rows, err := db.QueryRows(ctx, "SELECT generate_series(1, 1000000000)")
	must(t, err)
	rows.Next()
	rows.Close()
	if err := rows.Err(); err != nil || time.Since(start) > 20*time.Second {
		t.Error(err, time.Since(start))
	}
}

// TestUpdateRowsIsOneStatement needs no transaction where no row may be left out.
func TestUpdateRowsIsOneStatement(t *testing.T) {
	t.Parallel()
	ctx, db := openWith(t)
	things := make([]*Thing, 300)
	for i := range things {
		things[i] = &Thing{Name: fmt.Sprint(i)}
	}
	must(t, Things.Insert(ctx, things...))
	log := &statements{}
	db.AddHook(log)
	must(t, Things.UpdateRows(ctx, things, &Things.Fields().Count, &Things.Fields().Made))
	if len(log.list) != 1 || log.list[0].InTx || log.list[0].Rows != 300 {
		t.Errorf("%d statements, the first of which changed %d rows", len(log.list), log.list[0].Rows)
	}
}

// statements are those that ran.
type statements struct{ list []*orm.QueryEvent }

func (s *statements) QueryStart(ctx context.Context, e *orm.QueryEvent) context.Context {
	s.list = append(s.list, e)
	return ctx
}

func (s *statements) QueryEnd(context.Context, *orm.QueryEvent) {}

func TestOwnPool(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), strings.ReplaceAll(server(t).URL(t), "&statements=0", ""))
	must(t, err)
	defer pool.Close()
	db, err := postgres.New(pool, postgres.Options{Statements: -1})
	must(t, err)
	testdb.CreateTables(t, db)
	ctx := orm.WithDB(t.Context(), db)
	must(t, Things.Insert(ctx, &Thing{Name: "a", Made: time.Now()}))
	if _, err := Things.First(ctx); err != nil {
		t.Error(err)
	}
	must(t, db.Close())
	if err := pool.Ping(t.Context()); err != nil {
		t.Error("the pool was closed with the database:", err)
	}
	if _, err := postgres.New(pool, postgres.Options{QueueTimeout: -1}); err == nil {
		t.Error("no error")
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://user:secret@[::1/x":                       "is not valid",
		"postgres://localhost/x?statements=many":              "statements",
		"postgres://localhost/x?queue_timeout=-1s":            "negative",
		"postgres://localhost/x?simple_protocol=perhaps":      "simple_protocol",
		"postgres://user:secret@localhost/x?sslmode=perhaps":  "sslmode",
		"postgres://user:secret@localhost/x?pool_max_conns=0": "pool_max_conns",
	} {
		_, err := orm.Open(t.Context(), url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := orm.Open(t.Context(), "postgresql://nobody@127.0.0.1:1/x?connect_timeout=2"); !errors.Is(err, orm.ErrUnavailable) {
		t.Errorf("no server: %v", err)
	}
}

func TestLockRows(t *testing.T) {
	t.Parallel()
	ctx, _ := openWith(t)
	must(t, Things.Insert(ctx, &Thing{Name: "a"}))
	must(t, orm.Atomic(ctx, func(inside context.Context) error {
		if _, err := Things.ForUpdate().First(inside); err != nil {
			return err
		}
		short, stop := context.WithTimeout(ctx, 50*time.Millisecond)
		defer stop()
		err := orm.Atomic(short, func(ctx context.Context) error {
			_, err := Things.ForUpdate().First(ctx)
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a locked row was given out: %v", err)
		}
		return nil
	}))
}

func TestAdvisoryLock(t *testing.T) {
	t.Parallel()
	ctx, db := openWith(t, "pool_max_conns=1")
	unlock, err := db.Lock(ctx, "x")
	must(t, err)
	short, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	if _, err := db.Lock(short, "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("held twice: %v", err)
	}
	other, err := db.Lock(ctx, "y")
	must(t, err)
	other()
	unlock()
	again, err := db.Lock(ctx, "x")
	must(t, err)
	again()
}
