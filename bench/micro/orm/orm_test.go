// Package orm times one operation at a time on one connection. ns/op holds
// the round trip to the database; cpu-µs/op is what this process spent.
package orm

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/retort-web/retort/bench/internal/bunstore"
	"github.com/retort-web/retort/bench/internal/entstore/ent"
	"github.com/retort-web/retort/bench/internal/entstore/ent/post"
	"github.com/retort-web/retort/bench/internal/entstore/ent/tag"
	"github.com/retort-web/retort/bench/internal/gormstore"
	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"
	"github.com/retort-web/retort/bench/internal/pgstore"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	_ "modernc.org/sqlite"
)

var ctx = context.Background()

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// timed runs f b.N times and reports its processor time too.
func timed(b *testing.B, f func() error) {
	b.Helper()
	for range 5 {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	c := cpu()
	for range b.N {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu()-c).Nanoseconds())/1000/float64(b.N), "cpu-µs/op")
}

// ops is one library's way of each operation; nil where it has none.
type ops struct {
	name                                          string
	one, twenty, list, page, insert, bulk, update func() error

	// bulk inserts a thousand rows, and bulkKeys so that they know their keys afterwards, as the
	// larger libraries always do.
	bulkKeys func() error

	stream func() error // the rows of world one by one, without holding them all
}

func check(n, want int, err error) error {
	if err == nil && n != want {
		err = fmt.Errorf("%d rows, want %d", n, want)
	}
	return err
}

var aComment = model.Comment{PostID: 7, Name: "Ada Lovelace", Email: "ada@example.org", Body: "The Analytical Engine weaves algebraical patterns just as the loom weaves flowers and leaves."}

const (
	thousand = 1000

	// worldSQL reads all rows of world, of which there are as many as worlds10k.
	worldsSQL = "SELECT id, randomnumber FROM world"
	worlds10k = 10_000
)

func BenchmarkPG(b *testing.B) {
	if os.Getenv("BENCH_DSN") == "" {
		b.Skip("BENCH_DSN is not set")
	}
	cfg, err := pgxpool.ParseConfig(kit.DSN)
	kit.Must(err)
	cfg.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	kit.Must(err)
	defer pool.Close()
	clean := func() {
		_, err := pool.Exec(ctx, "TRUNCATE comment RESTART IDENTITY")
		kit.Must(err)
	}
	sq := stdlib.OpenDB(*cfg.ConnConfig)
	sq.SetMaxOpenConns(1)
	defer sq.Close()
	run(b, clean, []ops{
		pgconnOps(cfg.ConnConfig), pgxOps(pool), sqlOps(sq, "$"), retortOps(retortPG()),
		gormOps(postgres.New(postgres.Config{Conn: stdlib.OpenDB(*cfg.ConnConfig)})),
		bunOps(bunstore.PG(kit.DSN)),
		entOps(dialect.Postgres, stdlib.OpenDB(*cfg.ConnConfig)),
	})
}

func BenchmarkSQLite(b *testing.B) {
	src := os.Getenv("BENCH_SQLITE")
	if src == "" {
		b.Skip("BENCH_SQLITE is not set")
	}
	data, err := os.ReadFile(src)
	kit.Must(err)
	file := b.TempDir() + "/db.sqlite"
	kit.Must(os.WriteFile(file, data, 0o644))
	open := func() *sql.DB {
		db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)")
		kit.Must(err)
		db.SetMaxOpenConns(1)
		return db
	}
	sq := open()
	clean := func() {
		_, err := sq.Exec("DELETE FROM comment")
		kit.Must(err)
	}
	bn := bun.NewDB(open(), sqlitedialect.New())
	bn.RegisterModel((*bunstore.PostTag)(nil))
	// GORM's SQLite driver registers the same name: package ormgormlite.
	run(b, clean, []ops{sqlOps(sq, "?"), retortOps("sqlite:" + file), bunOps(bn), entOps(dialect.SQLite, open())})
}

// BenchmarkPipeline shows what one round trip for several queries saves.
func BenchmarkPipeline(b *testing.B) {
	if os.Getenv("BENCH_DSN") == "" {
		b.Skip("BENCH_DSN is not set")
	}
	pool, err := pgxpool.New(ctx, kit.DSN)
	kit.Must(err)
	defer pool.Close()
	b.Run("select1x20/pgx batch", func(b *testing.B) {
		timed(b, func() error {
			var ws [20]model.World
			q := &pgx.Batch{}
			for range ws {
				q.Queue(pgstore.WorldSQL, kit.RandID())
			}
			r := pool.SendBatch(ctx, q)
			for i := range ws {
				if err := r.QueryRow().Scan(&ws[i].ID, &ws[i].RandomNumber); err != nil {
					return err
				}
			}
			return r.Close()
		})
	})
	b.Run("api/two queries", func(b *testing.B) {
		s := &pgstore.Store{Pool: pool}
		timed(b, func() error {
			_, err := s.List(ctx, kit.PageArgs{Status: "published", Page: 2, Size: 50})
			return err
		})
	})
	b.Run("api/pgx batch", func(b *testing.B) {
		timed(b, func() error {
			q := &pgx.Batch{}
			q.Queue(pgstore.CountSQL, "published")
			q.Queue(pgstore.PostsSQL, "published", 50, 50)
			r := pool.SendBatch(ctx, q)
			n := 0
			if err := r.QueryRow().Scan(&n); err != nil {
				return err
			}
			if err := scanListed(r.Query()); err != nil {
				return err
			}
			return r.Close()
		})
	})
}

// scanListed reads the columns of pgstore.PostsSQL.
func scanListed(rows pgx.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	ps := make([]model.Post, 0, 50)
	for rows.Next() {
		ps = append(ps, model.Post{})
		p := &ps[len(ps)-1]
		if err := rows.Scan(&p.ID, &p.Title, &p.Slug, &p.Excerpt, &p.Status, &p.PublishedAt, &p.Author.ID, &p.Author.Name); err != nil {
			return err
		}
	}
	return check(len(ps), 50, rows.Err())
}

func gormOps(d gorm.Dialector) ops {
	db, err := gorm.Open(d, gormstore.Config())
	kit.Must(err)
	sq, err := db.DB()
	kit.Must(err)
	sq.SetMaxOpenConns(1)
	s := &gormstore.Store{DB: db}
	comment := gormstore.Comment{PostID: 7, Name: aComment.Name, Email: aComment.Email, Body: aComment.Body}
	return ops{
		name: "gorm",
		one:  func() error { var w gormstore.World; return s.World(ctx, &w) },
		twenty: func() error {
			var ws [20]gormstore.World
			return s.Worlds(ctx, ws[:])
		},
		list: func() error {
			var ps []gormstore.Post
			err := s.DB.WithContext(ctx).Joins("Author").Where("status = ?", "published").Order("post.id DESC").Limit(50).Find(&ps).Error
			return check(len(ps), 50, err)
		},
		page:   func() error { ps, err := s.Page(ctx); return check(len(ps), 50, err) },
		insert: func() error { c := comment; return s.Create(ctx, &c) },
		update: func() error {
			return s.DB.WithContext(ctx).Model(&gormstore.World{ID: kit.RandID()}).Update("randomnumber", kit.RandID()).Error
		},
		stream: func() error {
			rows, err := s.DB.WithContext(ctx).Model(&gormstore.World{}).Rows()
			if err != nil {
				return err
			}
			defer rows.Close()
			n := 0
			for rows.Next() {
				var w gormstore.World
				if err := s.DB.ScanRows(rows, &w); err != nil {
					return err
				}
				n++
			}
			return check(n, worlds10k, rows.Err())
		},
		bulkKeys: func() error {
			cs := make([]gormstore.Comment, thousand)
			for i := range cs {
				cs[i] = comment
			}
			return s.DB.WithContext(ctx).CreateInBatches(&cs, thousand).Error
		},
	}
}

func bunOps(db *bun.DB) ops {
	db.SetMaxOpenConns(1)
	s := &bunstore.Store{DB: db}
	comment := bunstore.Comment{PostID: 7, Name: aComment.Name, Email: aComment.Email, Body: aComment.Body}
	return ops{
		name: "bun",
		one:  func() error { var w bunstore.World; return s.World(ctx, &w) },
		twenty: func() error {
			var ws [20]bunstore.World
			return s.Worlds(ctx, ws[:])
		},
		list: func() error {
			var ps []bunstore.Post
			err := db.NewSelect().Model(&ps).Relation("Author").Where("post.status = ?", "published").Order("post.id DESC").Limit(50).Scan(ctx)
			return check(len(ps), 50, err)
		},
		page:   func() error { ps, err := s.Page(ctx); return check(len(ps), 50, err) },
		insert: func() error { c := comment; return s.Create(ctx, &c) },
		update: func() error {
			w := bunstore.World{ID: kit.RandID(), RandomNumber: kit.RandID()}
			_, err := db.NewUpdate().Model(&w).Column("randomnumber").WherePK().Exec(ctx)
			return err
		},
		stream: func() error {
			rows, err := db.NewSelect().Model((*bunstore.World)(nil)).Rows(ctx)
			if err != nil {
				return err
			}
			defer rows.Close()
			n := 0
			for rows.Next() {
				var w bunstore.World
				if err := db.ScanRow(ctx, rows, &w); err != nil {
					return err
				}
				n++
			}
			return check(n, worlds10k, rows.Err())
		},
		bulkKeys: func() error {
			cs := make([]bunstore.Comment, thousand)
			for i := range cs {
				cs[i] = comment
			}
			_, err := db.NewInsert().Model(&cs).Exec(ctx)
			return err
		},
	}
}

func entOps(name string, db *sql.DB) ops {
	db.SetMaxOpenConns(1)
	c := ent.NewClient(ent.Driver(entsql.OpenDB(name, db)))
	create := func() *ent.CommentCreate {
		return c.Comment.Create().SetPostID(7).SetName(aComment.Name).SetEmail(aComment.Email).SetBody(aComment.Body)
	}
	one := func() error { _, err := c.World.Get(ctx, kit.RandID()); return err }
	return ops{
		name: "ent",
		one:  one,
		twenty: func() error {
			for range 20 {
				if err := one(); err != nil {
					return err
				}
			}
			return nil
		},
		list: func() error {
			ps, err := c.Post.Query().Where(post.StatusEQ("published")).WithAuthor().Order(ent.Desc(post.FieldID)).Limit(50).All(ctx)
			return check(len(ps), 50, err)
		},
		page: func() error {
			ps, err := c.Post.Query().Where(post.StatusEQ("published")).WithAuthor().WithTags(func(q *ent.TagQuery) { q.Order(ent.Asc(tag.FieldID)) }).Order(ent.Desc(post.FieldID)).Limit(50).All(ctx)
			return check(len(ps), 50, err)
		},
		insert: func() error { _, err := create().Save(ctx); return err },
		update: func() error {
			return c.World.UpdateOneID(kit.RandID()).SetRandomnumber(kit.RandID()).Exec(ctx)
		},
		bulkKeys: func() error {
			cs := make([]*ent.CommentCreate, thousand)
			for i := range cs {
				cs[i] = create()
			}
			return c.Comment.CreateBulk(cs...).Exec(ctx)
		},
	}
}
