package mysql_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/mysql"
)

type Account struct {
	orm.Model
	Name    string `orm:"size=20,unique"`
	Balance int64
	Note    string    `orm:"text"`
	Rate    float64   `orm:"default=0"`
	Small   int8      `orm:"default=0"`
	Opened  time.Time `orm:"default=now"`
}

var Accounts = orm.Register[Account]()

// kind is the kind of database that these tests are about.
func kind(t testing.TB) testdb.Kind {
	t.Helper()
	for _, k := range testdb.Kinds() {
		if k.Name == "mysql" {
			return k
		}
	}
	t.Skip("RETORT_TEST_MYSQL names no server, such as mysql://root@127.0.0.1:3306/test")
	return testdb.Kind{}
}

// open opens a new database with options in the form of a URL's query.
func open(t testing.TB, query string) (context.Context, *orm.DB) {
	t.Helper()
	db := testdb.OpenURL(t, kind(t).URL(t)+"?"+query)
	testdb.CreateTables(t, db)
	return orm.WithDB(t.Context(), db), db
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// one returns the single value of a query.
func one(t testing.TB, ctx context.Context, db *orm.DB, sql string, args ...any) any {
	t.Helper()
	rows, err := db.Values(ctx, sql, args...)
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	return rows[0][0]
}

func running(t testing.TB, ctx context.Context, db *orm.DB, text string) any {
	t.Helper()
	return one(t, ctx, db, "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE ? AND id <> CONNECTION_ID()", "%"+text+"%")
}

func TestTheEndOfAContextStopsTheStatementOnTheServer(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, "pool=2")
	for _, inTx := range []bool{false, true} {
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		start := time.Now()
		run := func(ctx context.Context) error {
			_, err := db.Values(ctx, "SELECT SLEEP(60), ? AS cancelled_here", 1)
			return err
		}
		err := error(nil)
		if inTx {
			err = orm.Atomic(short, run)
		} else {
			err = run(short)
		}
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 10*time.Second {
			t.Error(inTx, err, time.Since(start))
		}
		// The server has been told, and ends the statement when it gets to it.
		n := running(t, ctx, db, "cancelled_here")
		for deadline := time.Now().Add(30 * time.Second); n != int64(0) && time.Now().Before(deadline); {
			n = running(t, ctx, db, "cancelled_here")
		}
		if n != int64(0) {
			t.Errorf("%v such statements run on", n)
		}
	}
	// No connection was lost with them: two are still to be had at once.
	must(t, orm.Atomic(ctx, func(context.Context) error {
		return orm.Atomic(ctx, func(ctx context.Context) error { return db.Ping(ctx) })
	}))
}

func TestManyCancelledStatementsLeakNothing(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, "pool=8")
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 5 {
				short, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
				_, err := db.Values(short, "SELECT SLEEP(30), ? AS leak_check", 1)
				cancel()
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := running(t, ctx, db, "leak_check"); n != int64(0) {
		t.Errorf("%v statements run on", n)
	}
	// Connections of this database: the one that asks, and idle ones of the pool.
	n := one(t, ctx, db, "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE()")
	if n.(int64) > 8 {
		t.Errorf("%v connections where 8 are allowed", n)
	}
}

func TestDeadConnectionsAreReplaced(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, "pool=3")
	admin := testdb.OpenURL(t, kind(t).URL(t))
	must(t, Accounts.Insert(ctx, &Account{Name: "a"}))
	killAll := func() {
		rows, err := admin.Values(ctx, "SELECT id FROM information_schema.processlist WHERE db = ?", one(t, ctx, db, "SELECT DATABASE()"))
		must(t, err)
		for _, row := range rows {
			_, _ = admin.Exec(ctx, "KILL "+strconv.FormatInt(row[0].(int64), 10))
		}
		time.Sleep(50 * time.Millisecond)
	}
	for i := range 3 {
		killAll()
		if n, err := Accounts.Count(ctx); n != int64(i+1) || err != nil {
			t.Error("reading:", n, err)
		}
		killAll()
		must(t, Accounts.Insert(ctx, &Account{Name: "b" + strconv.Itoa(i)}))
		killAll()
		must(t, orm.Atomic(ctx, func(ctx context.Context) error { return db.Ping(ctx) }))
	}
}

func TestAConnectionLostInATransaction(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, "")
	admin := testdb.OpenURL(t, kind(t).URL(t))
	kill := func(ctx context.Context) {
		id := one(t, ctx, db, "SELECT CONNECTION_ID()")
		_, err := admin.Exec(t.Context(), "KILL "+strconv.FormatInt(id.(int64), 10))
		must(t, err)
		time.Sleep(50 * time.Millisecond)
	}
	err := orm.Atomic(ctx, func(ctx context.Context) error {
		must(t, Accounts.Insert(ctx, &Account{Name: "lost"}))
		kill(ctx)
		err := Accounts.Insert(ctx, &Account{Name: "late"})
		if !errors.Is(err, orm.ErrUnavailable) {
			t.Error(err)
		}
		// A savepoint does not mend it: nothing may be written for itself.
		if err := orm.Atomic(ctx, func(ctx context.Context) error { return db.Ping(ctx) }); !errors.Is(err, orm.ErrBrokenTransaction) {
			t.Error(err)
		}
		return err
	})
	if !errors.Is(err, orm.ErrUnavailable) || errors.Is(err, orm.ErrCommitUnknown) {
		t.Error(err)
	}
	err = orm.Atomic(ctx, func(ctx context.Context) error {
		must(t, Accounts.Insert(ctx, &Account{Name: "unknown"}))
		kill(ctx)
		return nil
	})
	if !errors.Is(err, orm.ErrCommitUnknown) || !errors.Is(err, orm.ErrUnavailable) {
		t.Error("the connection was lost at the commit:", err)
	}
	if n, err := Accounts.Count(ctx); n != 0 || err != nil {
		t.Error(n, err)
	}
}

func TestDeadlock(t *testing.T) {
	t.Parallel()
	ctx, _ := open(t, "")
	a := Accounts.Fields()
	must(t, Accounts.Insert(ctx, &Account{Name: "a"}, &Account{Name: "b"}))
	add := func(ctx context.Context, name string) error {
		_, err := Accounts.Where(orm.Eq(&a.Name, name)).Update(ctx, orm.Set(&a.Balance, orm.Add(&a.Balance, 1)))
		return err
	}
	// meet runs two transactions that change the rows in opposite orders and wait for
	// each other between.
	meet := func(retries int) []error {
		var wg sync.WaitGroup
		var both sync.WaitGroup
		both.Add(2)
		errs := make([]error, 2)
		for i, names := range [][]string{{"a", "b"}, {"b", "a"}} {
			wg.Go(func() {
				first := true
				errs[i] = orm.AtomicWith(ctx, orm.TxOptions{Retries: retries}, func(ctx context.Context) error {
					if err := add(ctx, names[0]); err != nil {
						return err
					}
					if first {
						first = false
						both.Done()
						both.Wait()
					}
					return add(ctx, names[1])
				})
			})
		}
		wg.Wait()
		return errs
	}
	errs := meet(0)
	if err := errors.Join(errs...); !errors.Is(err, orm.ErrDeadlock) || errs[0] != nil && errs[1] != nil {
		t.Errorf("one of the two ends with a deadlock: %v", errs)
	}
	must(t, errors.Join(meet(5)...))
	for _, row := range list(t, ctx) {
		if row.Balance != 3 {
			t.Errorf("%s has %d, want 3", row.Name, row.Balance)
		}
	}
}

func list(t testing.TB, ctx context.Context) []*Account {
	t.Helper()
	rows, err := Accounts.All(ctx)
	must(t, err)
	return rows
}

func TestALockThatIsNotGiven(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, "lock_timeout=1s")
	a := Accounts.Fields()
	must(t, Accounts.Insert(ctx, &Account{Name: "a"}))
	must(t, orm.Atomic(ctx, func(inner context.Context) error {
		_, err := Accounts.ForUpdate().All(inner)
		must(t, err)
		if _, err := Accounts.Where(orm.Eq(&a.Name, "a")).Update(ctx, orm.Set(&a.Note, "x")); !errors.Is(err, orm.ErrLocked) {
			t.Error("after the timeout:", err)
		}
		short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		if _, err := Accounts.Where(orm.Eq(&a.Name, "a")).Update(short, orm.Set(&a.Note, "x")); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("at the end of the context:", err)
		}
		return nil
	}))
	must(t, db.Ping(ctx))
}

func TestAStatementThatTakesTooLong(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, "statement_timeout=150ms")
	const digits = "(SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7)"
	tables := strings.TrimSuffix(strings.Repeat(digits+" AS t#, ", 14), ", ")
	for i := range 14 {
		tables = strings.Replace(tables, "#", strconv.Itoa(i), 1)
	}
	rows, err := db.Values(ctx, "SELECT COUNT(*) FROM "+tables+" WHERE t0.n + t13.n > 20")
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		t.Error(rows, err)
	}
	must(t, Accounts.Insert(ctx, &Account{Name: "a"}))
}

func TestThePoolIsExhausted(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, "pool=1&queue_timeout=50ms")
	must(t, orm.Atomic(ctx, func(context.Context) error {
		if err := db.Ping(ctx); !errors.Is(err, orm.ErrLocked) {
			t.Error(err)
		}
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		if err := db.Ping(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		return nil
	}))
	must(t, db.Ping(ctx))
}

func TestLongResults(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, "pool=2")
	const many = "SELECT a.seq * 1000 + b.seq FROM seq_1_to_300 a, seq_1_to_1000 b WHERE ? = 1"
	if !strings.Contains(one(t, ctx, db, "SELECT VERSION()").(string), "MariaDB") {
		t.Skip("MySQL has no sequence tables")
	}
	rows, err := db.QueryRows(ctx, many, 1)
	must(t, err)
	n := 0
	for rows.Next() {
		n++
	}
	rows.Close()
	if n != 300_000 || rows.Err() != nil {
		t.Error(n, rows.Err())
	}
	// One that nobody reads to the end is not sent to the end either.
	start := time.Now()
	rows, err = db.QueryRows(ctx, strings.Replace(many, "seq_1_to_300", "seq_1_to_300000000", 1), 1)
	must(t, err)
	rows.Next()
	rows.Close()
	if err := rows.Err(); err != nil || time.Since(start) > 20*time.Second {
		t.Error(err, time.Since(start))
	}
	// In a transaction another statement makes room for itself.
	must(t, orm.Atomic(ctx, func(ctx context.Context) error {
		rows, err := db.QueryRows(ctx, "SELECT seq, CAST(seq AS CHAR) FROM seq_1_to_10 WHERE ? = 1", 1)
		must(t, err)
		defer rows.Close()
		got := ""
		for rows.Next() {
			must(t, Accounts.Insert(ctx, &Account{Name: "row " + strconv.Itoa(len(got))}))
			values, err := rows.Values()
			must(t, err)
			got += values[1].(string)
		}
		if got != "12345678910" || rows.Err() != nil {
			t.Error(got, rows.Err())
		}
		return nil
	}))
	if n := len(list(t, ctx)); n != 10 {
		t.Error(n)
	}
}

func TestGoroutinesShareATransaction(t *testing.T) {
	t.Parallel()
	ctx, _ := open(t, "")
	must(t, orm.Atomic(ctx, func(ctx context.Context) error {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 10 {
					if err := Accounts.Insert(ctx, &Account{Name: strconv.Itoa(i*100 + j)}); err != nil {
						t.Error(err)
					}
					if _, err := Accounts.All(ctx); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		return nil
	}))
	if n := len(list(t, ctx)); n != 80 {
		t.Error(n)
	}
}

func TestValuesThatDoNotFit(t *testing.T) {
	t.Parallel()
	ctx, db := open(t, "")
	for name, run := range map[string]func() error{
		"too long": func() error {
			_, err := db.Exec(ctx, "INSERT INTO mysql_test_account (name, balance, note, rate, small, opened) VALUES (?, 0, '', 0, 0, UTC_TIMESTAMP())", strings.Repeat("x", 21))
			return err
		},
		"out of range": func() error {
			_, err := db.Exec(ctx, "INSERT INTO mysql_test_account (name, balance, note, rate, small, opened) VALUES (?, 0, '', 0, ?, UTC_TIMESTAMP())", "a", 1<<40)
			return err
		},
		"not UTF-8": func() error {
			_, err := db.Exec(ctx, "INSERT INTO mysql_test_account (name, balance, note, rate, small, opened) VALUES (?, 0, '', 0, 0, UTC_TIMESTAMP())", "\xff")
			return err
		},
	} {
		if err := run(); !errors.Is(err, orm.ErrValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(list(t, ctx)); n != 0 {
		t.Errorf("%d rows were written, cut to fit", n)
	}
}

func TestTextIsComparedByCodePoint(t *testing.T) {
	t.Parallel()
	ctx, _ := open(t, "")
	a := Accounts.Fields()
	must(t, Accounts.Insert(ctx, &Account{Name: "a"}, &Account{Name: "A"}, &Account{Name: "a "}, &Account{Name: "á"}, &Account{Name: "É"}, &Account{Name: `50%\`}))
	for name, tt := range map[string]struct {
		cond orm.Cond
		want int64
	}{
		"equal": {orm.Eq(&a.Name, "a"), 1}, "contains": {orm.Contains(&a.Name, "a"), 2}, "folded": {orm.IContains(&a.Name, "A"), 3},
		"accent": {orm.IContains(&a.Name, "é"), 1}, "percent": {orm.Contains(&a.Name, "%"), 1}, "backslash": {orm.Contains(&a.Name, `\`), 1},
	} {
		if n, err := Accounts.Where(tt.cond).Count(ctx); n != tt.want || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

func TestIsolation(t *testing.T) {
	t.Parallel()
	ctx, _ := open(t, "")
	for _, tt := range []struct {
		level orm.Isolation
		sees  int64
	}{{"", 1}, {orm.ReadCommitted, 1}, {orm.RepeatableRead, 0}} {
		must(t, orm.AtomicWith(ctx, orm.TxOptions{Isolation: tt.level}, func(inner context.Context) error {
			before, err := Accounts.Count(inner)
			must(t, err)
			must(t, Accounts.Insert(ctx, &Account{Name: string(tt.level)}))
			after, err := Accounts.Count(inner)
			if after-before != tt.sees || err != nil {
				t.Errorf("%q sees %d, %v", tt.level, after-before, err)
			}
			return nil
		}))
	}
	err := orm.AtomicWith(ctx, orm.TxOptions{ReadOnly: true}, func(ctx context.Context) error {
		return Accounts.Insert(ctx, &Account{Name: "x"})
	})
	if !errors.Is(err, orm.ErrReadOnly) {
		t.Error(err)
	}
}

func TestOpenFailures(t *testing.T) {
	t.Parallel()
	k := kind(t)
	for name, tt := range map[string]struct {
		url  string
		want error
	}{
		"no server":   {"mysql://root:secret@127.0.0.1:1/x?connect_timeout=1s", orm.ErrUnavailable},
		"no database": {strings.Replace(k.URL(t), "/retort_", "/missing_", 1), nil},
	} {
		_, err := orm.Open(t.Context(), tt.url)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := mysql.Open(t.Context(), "mysql://h/x?pool=3", mysql.Options{}); err == nil {
		t.Error("options twice")
	}
}
