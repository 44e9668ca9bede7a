package orm_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
)

// Bench is a row of seven columns, as many as the hand-written code beside it reads.
type Bench struct {
	orm.Model
	Title string `orm:"size=200"`
	Views int
	Score float64
	Note  *string
	Live  bool
	Added time.Time
}

var Benches = orm.Register[Bench]()

// benchDB opens a file with n rows both ways: by this package and by database/sql.
func benchDB(b *testing.B, n int) (context.Context, *sql.DB) {
	b.Helper()
	path := b.TempDir() + "/bench.db"
	ctx := openURL(b, "sqlite:"+path)
	rows := make([]*Bench, n)
	for i := range rows {
		rows[i] = &Bench{Title: fmt.Sprint("title of row ", i), Views: i, Score: float64(i) / 3, Live: i%2 == 0, Added: time.Now()}
		if i%3 == 0 {
			rows[i].Note = new("a note")
		}
	}
	must(b, Benches.Insert(ctx, rows...))
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)&_txlock=immediate")
	must(b, err)
	b.Cleanup(func() { db.Close() })
	must(b, db.PingContext(ctx))
	b.ReportAllocs()
	b.ResetTimer()
	return ctx, db
}

const benchColumns = `SELECT id, title, views, score, note, live, added FROM orm_test_bench`

// scanBench is what one writes by hand.
func scanBench(rows interface{ Scan(...any) error }) (*Bench, error) {
	var r Bench
	var added string
	if err := rows.Scan(&r.ID, &r.Title, &r.Views, &r.Score, &r.Note, &r.Live, &added); err != nil {
		return nil, err
	}
	var err error
	r.Added, err = time.Parse("2006-01-02 15:04:05.000000", added)
	return &r, err
}

func BenchmarkOneRow(b *testing.B) {
	b.Run("orm", func(b *testing.B) {
		ctx, _ := benchDB(b, 1000)
		f := Benches.Fields()
		for i := range b.N {
			if _, err := Benches.Where(orm.Eq(&f.ID, int64(i%1000+1))).Get(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("database/sql", func(b *testing.B) {
		ctx, db := benchDB(b, 1000)
		for i := range b.N {
			if _, err := scanBench(db.QueryRowContext(ctx, benchColumns+` WHERE id = ?`, int64(i%1000+1))); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("database/sql prepared", func(b *testing.B) {
		ctx, db := benchDB(b, 1000)
		stmt, err := db.PrepareContext(ctx, benchColumns+` WHERE id = ?`)
		must(b, err)
		defer stmt.Close()
		for i := range b.N {
			if _, err := scanBench(stmt.QueryRowContext(ctx, int64(i%1000+1))); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkThousandRows(b *testing.B) {
	b.Run("orm", func(b *testing.B) {
		ctx, _ := benchDB(b, 1000)
		for range b.N {
			if rows, err := Benches.All(ctx); err != nil || len(rows) != 1000 {
				b.Fatal(err)
			}
		}
	})
	b.Run("database/sql prepared", func(b *testing.B) {
		ctx, db := benchDB(b, 1000)
		stmt, err := db.PrepareContext(ctx, benchColumns)
		must(b, err)
		defer stmt.Close()
		for range b.N {
			rows, err := stmt.QueryContext(ctx)
			must(b, err)
			var list []*Bench
			for rows.Next() {
				r, err := scanBench(rows)
				must(b, err)
				list = append(list, r)
			}
			must(b, rows.Err())
			if len(list) == 0 {
				b.Fatal("no rows")
			}
			rows.Close()
		}
	})
}

func BenchmarkInsert(b *testing.B) {
	b.Run("orm", func(b *testing.B) {
		ctx, _ := benchDB(b, 1)
		for i := range b.N {
			must(b, Benches.Insert(ctx, &Bench{Title: "new", Views: i, Added: time.Now()}))
		}
	})
	b.Run("database/sql prepared", func(b *testing.B) {
		ctx, db := benchDB(b, 1)
		db.SetMaxOpenConns(1)
		stmt, err := db.PrepareContext(ctx, `INSERT INTO orm_test_bench (title, views, score, note, live, added) VALUES (?, ?, ?, ?, ?, ?)`)
		must(b, err)
		defer stmt.Close()
		for i := range b.N {
			r := &Bench{Title: "new", Views: i, Added: time.Now()}
			result, err := stmt.ExecContext(ctx, r.Title, r.Views, r.Score, r.Note, r.Live, r.Added.UTC().Format("2006-01-02 15:04:05.000000"))
			must(b, err)
			r.ID, err = result.LastInsertId()
			must(b, err)
		}
	})
}

func BenchmarkInsertHundred(b *testing.B) {
	ctx, _ := benchDB(b, 1)
	for range b.N {
		rows := make([]*Bench, 100)
		for i := range rows {
			rows[i] = &Bench{Title: "new", Views: i}
		}
		must(b, Benches.Insert(ctx, rows...))
	}
}

// BenchmarkSQL is the making of a query with two conditions and a join, and of its
// SQL, without running it.
func BenchmarkSQL(b *testing.B) {
	ctx := open(b, testdb.SQLite)
	p := Posts.Fields()
	b.ReportAllocs()
	for range b.N {
		q := Posts.Where(orm.Eq(&p.Author.To().Username, "alice"), orm.Gt(&p.Views, 10)).OrderBy(orm.Desc(&p.Published)).Limit(20)
		if _, _, err := q.SQL(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCondition(b *testing.B) {
	p := Posts.Fields()
	b.ReportAllocs()
	for range b.N {
		_ = orm.Gt(&p.Views, 10)
	}
}

func BenchmarkWith(b *testing.B) {
	ctx := blog(b, testdb.SQLite)
	p := Posts.Fields()
	q := Posts.With(&p.Author, &p.Tags)
	b.ReportAllocs()
	for range b.N {
		if _, err := q.All(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
