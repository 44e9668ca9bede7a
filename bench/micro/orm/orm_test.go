// Package orm times one operation at a time on one connection. ns/op holds
// the round trip to the database; cpu-µs/op is what this process spent.
package orm

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
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
	"github.com/jackc/pgx/v5/pgconn"
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

// pgconnOps is pgx without its type mapping: prepared statements run on the
// bare connection, binary results decoded by hand. It is the floor.
func pgconnOps(cfg *pgx.ConnConfig) ops {
	conn, err := pgx.ConnectConfig(ctx, cfg.Copy())
	kit.Must(err)
	pc := conn.PgConn()
	_, err = pc.Prepare(ctx, "w", pgstore.WorldSQL, nil)
	kit.Must(err)
	_, err = pc.Prepare(ctx, "p", pgstore.PostsSQL, nil)
	kit.Must(err)
	be := func(v int32) []byte { return []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)} }
	be64 := func(v int64) []byte { return append(be(int32(v>>32)), be(int32(v))...) }
	i32 := func(b []byte) int32 { return int32(b[0])<<24 | int32(b[1])<<16 | int32(b[2])<<8 | int32(b[3]) }
	i64 := func(b []byte) int64 { return int64(i32(b))<<32 | int64(uint32(i32(b[4:]))) }
	bin := []int16{1}
	read := func(r *pgconn.ResultReader) error {
		n := 0
		for r.NextRow() {
			v := r.Values()
			w := model.World{ID: i32(v[0]), RandomNumber: i32(v[1])}
			n += min(1, int(w.ID))
		}
		_, err := r.Close()
		return check(n, 1, err)
	}
	one := func() error { return read(pc.ExecPrepared(ctx, "w", [][]byte{be(kit.RandID())}, bin, bin)) }
	return ops{
		name: "pgconn",
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
			r := pc.ExecPrepared(ctx, "p", [][]byte{[]byte("published"), be64(50), be64(0)}, bin, bin)
			ps := make([]model.Post, 0, 50)
			for r.NextRow() {
				v := r.Values()
				us := i64(v[5])
				ps = append(ps, model.Post{
					ID: i32(v[0]), Title: string(v[1]), Slug: string(v[2]), Excerpt: string(v[3]), Status: string(v[4]),
					PublishedAt: time.Unix(us/1e6+946684800, us%1e6*1000).UTC(), Author: model.Author{ID: i32(v[6]), Name: string(v[7])},
				})
			}
			_, err := r.Close()
			return check(len(ps), 50, err)
		},
	}
}

func scanPosts(rows pgx.Rows, err error) error {
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

func pgxOps(pool *pgxpool.Pool) ops {
	s := &pgstore.Store{Pool: pool}
	return ops{
		name: "pgx",
		one:  func() error { var w model.World; return s.World(ctx, &w) },
		twenty: func() error {
			var ws [20]model.World
			return s.Worlds(ctx, ws[:])
		},
		list:   func() error { return scanPosts(pool.Query(ctx, pgstore.PostsSQL, "published", 50, 0)) },
		page:   func() error { ps, err := s.Page(ctx); return check(len(ps), 50, err) },
		insert: func() error { _, err := s.Create(ctx, aComment); return err },
		update: func() error {
			_, err := pool.Exec(ctx, "UPDATE world SET randomnumber = $1 WHERE id = $2", kit.RandID(), kit.RandID())
			return err
		},
		stream: func() error {
			rows, err := pool.Query(ctx, worldsSQL)
			if err != nil {
				return err
			}
			defer rows.Close()
			n := 0
			for rows.Next() {
				var w model.World
				if err := rows.Scan(&w.ID, &w.RandomNumber); err != nil {
					return err
				}
				n++
			}
			return check(n, worlds10k, rows.Err())
		},
		bulk: func() error {
			_, err := pool.CopyFrom(ctx, pgx.Identifier{"comment"}, []string{"post_id", "name", "email", "body"}, pgx.CopyFromSlice(thousand, func(int) ([]any, error) {
				return []any{aComment.PostID, aComment.Name, aComment.Email, aComment.Body}, nil
			}))
			return err
		},
		bulkKeys: func() error {
			cs := make([]savedComment, thousand)
			for i := range cs {
				cs[i].Comment = aComment
			}
			return pgxCopyKeys(pool, cs)
		},
	}
}

// savedComment is a comment that knows its key.
type savedComment struct {
	ID int32
	model.Comment
}

// pgxCopyKeys is what a careful program does by hand: the keys first, then COPY, all in a
// transaction.
func pgxCopyKeys(pool *pgxpool.Pool, cs []savedComment) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "SELECT nextval(pg_get_serial_sequence('comment', 'id')) FROM generate_series(1, $1)", len(cs))
		if err != nil {
			return err
		}
		i := 0
		for ; rows.Next() && i < len(cs); i++ {
			if err := rows.Scan(&cs[i].ID); err != nil {
				return err
			}
		}
		rows.Close()
		if err := check(i, len(cs), rows.Err()); err != nil {
			return err
		}
		now := time.Now().UTC()
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"comment"}, []string{"id", "post_id", "name", "email", "body", "created_at"}, pgx.CopyFromSlice(len(cs), func(i int) ([]any, error) {
			c := &cs[i]
			return []any{c.ID, c.PostID, c.Name, c.Email, c.Body, now}, nil
		}))
		return err
	})
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
			if err := scanPosts(r.Query()); err != nil {
				return err
			}
			return r.Close()
		})
	})
}

func sqlOps(db *sql.DB, mark string) ops {
	n := 0
	ph := func(k int) string {
		var p []string
		for range k {
			n++
			if mark == "$" {
				p = append(p, fmt.Sprintf("$%d", n))
			} else {
				p = append(p, "?")
			}
		}
		return strings.Join(p, ",")
	}
	prep := func(f string, ks ...int) *sql.Stmt {
		n = 0
		var a []any
		for _, k := range ks {
			a = append(a, ph(k))
		}
		st, err := db.Prepare(fmt.Sprintf(f, a...))
		kit.Must(err)
		return st
	}
	world := prep("SELECT id, randomnumber FROM world WHERE id = %s", 1)
	posts := prep("SELECT p.id, p.title, p.slug, p.excerpt, p.status, p.published_at, a.id, a.name FROM post p JOIN author a ON a.id = p.author_id WHERE p.status = %s ORDER BY p.id DESC LIMIT %s", 1, 1)
	tags := prep("SELECT pt.post_id, t.id, t.name, t.slug FROM post_tag pt JOIN tag t ON t.id = pt.tag_id WHERE pt.post_id IN (%s) ORDER BY t.id", 50)
	ins := prep("INSERT INTO comment (post_id, name, email, body) VALUES (%s) RETURNING id", 4)
	upd := prep("UPDATE world SET randomnumber = %s WHERE id = %s", 1, 1)
	many := "INSERT INTO comment (post_id, name, email, body) VALUES (%s)" + strings.Repeat(",(%s)", thousand-1)
	fours := make([]int, thousand)
	for i := range fours {
		fours[i] = 4
	}
	bulk := prep(many, fours...)
	const keysAtOnce = 200
	fives := make([]int, keysAtOnce)
	for i := range fives {
		fives[i] = 5
	}
	keys := prep("INSERT INTO comment (post_id, name, email, body, created_at) VALUES (%s)"+strings.Repeat(",(%s)", keysAtOnce-1)+" RETURNING id", fives...)
	list := func() ([]model.Post, error) {
		rows, err := posts.QueryContext(ctx, "published", 50)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		ps := make([]model.Post, 0, 50)
		for rows.Next() {
			ps = append(ps, model.Post{})
			p := &ps[len(ps)-1]
			if err := rows.Scan(&p.ID, &p.Title, &p.Slug, &p.Excerpt, &p.Status, &p.PublishedAt, &p.Author.ID, &p.Author.Name); err != nil {
				return nil, err
			}
		}
		return ps, rows.Err()
	}
	one := func() error {
		var w model.World
		return world.QueryRowContext(ctx, kit.RandID()).Scan(&w.ID, &w.RandomNumber)
	}
	return ops{
		name: "database/sql",
		one:  one,
		twenty: func() error {
			for range 20 {
				if err := one(); err != nil {
					return err
				}
			}
			return nil
		},
		list: func() error { ps, err := list(); return check(len(ps), 50, err) },
		page: func() error {
			ps, err := list()
			if err != nil {
				return err
			}
			ids := make([]any, len(ps))
			at := make(map[int32]*model.Post, len(ps))
			for i := range ps {
				ids[i] = ps[i].ID
				at[ps[i].ID] = &ps[i]
			}
			rows, err := tags.QueryContext(ctx, ids...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id int32
				var t model.Tag
				if err := rows.Scan(&id, &t.ID, &t.Name, &t.Slug); err != nil {
					return err
				}
				at[id].Tags = append(at[id].Tags, t)
			}
			return rows.Err()
		},
		insert: func() error {
			var id int
			return ins.QueryRowContext(ctx, aComment.PostID, aComment.Name, aComment.Email, aComment.Body).Scan(&id)
		},
		update: func() error { _, err := upd.ExecContext(ctx, kit.RandID(), kit.RandID()); return err },
		stream: func() error {
			rows, err := db.QueryContext(ctx, worldsSQL)
			if err != nil {
				return err
			}
			defer rows.Close()
			n := 0
			for rows.Next() {
				var w model.World
				if err := rows.Scan(&w.ID, &w.RandomNumber); err != nil {
					return err
				}
				n++
			}
			return check(n, worlds10k, rows.Err())
		},
		bulk: func() error {
			args := make([]any, 0, 4*thousand)
			for range thousand {
				args = append(args, aComment.PostID, aComment.Name, aComment.Email, aComment.Body)
			}
			_, err := bulk.ExecContext(ctx, args...)
			return err
		},
		bulkKeys: func() error {
			cs := make([]savedComment, thousand)
			for i := range cs {
				cs[i].Comment = aComment
			}
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			insert := tx.StmtContext(ctx, keys)
			for part := range slices.Chunk(cs, keysAtOnce) {
				if err := insertPart(insert, part, mark); err != nil {
					return err
				}
			}
			return tx.Commit()
		},
	}
}

// insertPart inserts comments and reads their keys.
func insertPart(insert *sql.Stmt, part []savedComment, mark string) error {
	var now any = time.Now().UTC()
	if mark == "?" {
		now = time.Now().UTC().Format("2006-01-02 15:04:05.000000")
	}
	args := make([]any, 0, 5*len(part))
	for i := range part {
		c := &part[i]
		args = append(args, c.PostID, c.Name, c.Email, c.Body, now)
	}
	rows, err := insert.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	i := 0
	for ; rows.Next() && i < len(part); i++ {
		if err := rows.Scan(&part[i].ID); err != nil {
			return err
		}
	}
	return check(i, len(part), rows.Err())
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
