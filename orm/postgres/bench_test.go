package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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

const benchColumns = `SELECT id, title, views, score, note, live, added FROM postgres_test_bench`

// benchDB fills a table with 1000 rows and opens it both ways.
func benchDB(b *testing.B) (context.Context, *pgxpool.Pool) {
	b.Helper()
	ctx, db := openWith(b)
	rows := make([]*Bench, 1000)
	for i := range rows {
		rows[i] = &Bench{Title: fmt.Sprint("title of row ", i), Views: i, Score: float64(i) / 3, Live: i%2 == 0, Added: time.Now()}
		if i%3 == 0 {
			rows[i].Note = new("a note")
		}
	}
	must(b, Benches.Insert(ctx, rows...))
	_, err := db.Exec(ctx, "ANALYZE postgres_test_bench")
	must(b, err)
	path, err := db.Values(ctx, "SHOW search_path")
	must(b, err)
	config, err := pgxpool.ParseConfig(server(b).URL(b))
	must(b, err)
	config.ConnConfig.RuntimeParams["search_path"] = path[0][0].(string)
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	must(b, err)
	b.Cleanup(pool.Close)
	b.ReportAllocs()
	return ctx, pool
}

func scanBench(row pgx.Row) (*Bench, error) {
	var r Bench
	err := row.Scan(&r.ID, &r.Title, &r.Views, &r.Score, &r.Note, &r.Live, &r.Added)
	return &r, err
}

func BenchmarkOneRow(b *testing.B) {
	ctx, pool := benchDB(b)
	f := Benches.Fields()
	b.Run("orm", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, err := Benches.Where(orm.Eq(&f.ID, int64(i%1000+1))).Get(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("pgx", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, err := scanBench(pool.QueryRow(ctx, benchColumns+` WHERE id = $1`, int64(i%1000+1))); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkThousandRows(b *testing.B) {
	ctx, pool := benchDB(b)
	b.Run("orm", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if rows, err := Benches.All(ctx); err != nil || len(rows) != 1000 {
				b.Fatal(err)
			}
		}
	})
	b.Run("pgx", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			rows, err := pool.Query(ctx, benchColumns)
			must(b, err)
			var list []*Bench
			for rows.Next() {
				r, err := scanBench(rows)
				must(b, err)
				list = append(list, r)
			}
			must(b, rows.Err())
			if len(list) != 1000 {
				b.Fatal(len(list))
			}
		}
	})
}

func BenchmarkInsert(b *testing.B) {
	ctx, pool := benchDB(b)
	b.Run("orm", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			must(b, Benches.Insert(ctx, &Bench{Title: "new", Views: i, Added: time.Now()}))
		}
	})
	b.Run("pgx", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			r := &Bench{Title: "new", Views: i, Added: time.Now()}
			must(b, pool.QueryRow(ctx, `INSERT INTO postgres_test_bench (title, views, score, note, live, added) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
				r.Title, r.Views, r.Score, r.Note, r.Live, r.Added).Scan(&r.ID))
		}
	})
}
