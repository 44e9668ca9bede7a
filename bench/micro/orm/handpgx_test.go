package orm

import (
	"time"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"
	"github.com/retort-web/retort/bench/internal/pgstore"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	handPostsPG  = "SELECT " + handColumns + " FROM " + handTables + " WHERE p.status = $1 ORDER BY p.id DESC LIMIT 50"
	handInsertPG = "INSERT INTO comment (post_id, name, email, body, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id"
)

// pgconnOps is pgx without its type mapping: prepared statements run on the
// bare connection, binary results decoded by hand. It is the floor.
func pgconnOps(cfg *pgx.ConnConfig) ops {
	conn, err := pgx.ConnectConfig(ctx, cfg.Copy())
	kit.Must(err)
	pc := conn.PgConn()
	_, err = pc.Prepare(ctx, "w", pgstore.WorldSQL, nil)
	kit.Must(err)
	_, err = pc.Prepare(ctx, "p", handPostsPG, nil)
	kit.Must(err)
	be := func(v int32) []byte { return []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)} }
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
			r := pc.ExecPrepared(ctx, "p", [][]byte{[]byte("published")}, bin, bin)
			ps := make([]handPost, 0, 50)
			for r.NextRow() {
				v := r.Values()
				us := i64(v[6])
				ps = append(ps, handPost{
					ID: i32(v[0]), AuthorID: i32(v[1]), Title: string(v[2]), Slug: string(v[3]), Excerpt: string(v[4]), Status: string(v[5]),
					PublishedAt: time.Unix(us/1e6+946684800, us%1e6*1000).UTC(),
					Author:      handAuthor{ID: i32(v[7]), Name: string(v[8]), Email: string(v[9])},
				})
			}
			_, err := r.Close()
			return check(len(ps), 50, err)
		},
	}
}

func pgxPosts(pool *pgxpool.Pool) ([]handPost, error) {
	rows, err := pool.Query(ctx, handPostsPG, "published")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	ps := make([]handPost, 0, 50)
	for rows.Next() {
		ps = append(ps, handPost{})
		p := &ps[len(ps)-1]
		if err := rows.Scan(&p.ID, &p.AuthorID, &p.Title, &p.Slug, &p.Excerpt, &p.Status, &p.PublishedAt, &p.Author.ID, &p.Author.Name, &p.Author.Email); err != nil {
			return nil, err
		}
	}
	return ps, rows.Err()
}

// pgxPage are the posts with their tags: two queries.
func pgxPage(pool *pgxpool.Pool) ([]handPost, error) {
	ps, err := pgxPosts(pool)
	if err != nil {
		return nil, err
	}
	ids := make([]int32, len(ps))
	at := make(map[int32]*handPost, len(ps))
	for i := range ps {
		ids[i] = ps[i].ID
		at[ps[i].ID] = &ps[i]
	}
	rows, err := pool.Query(ctx, pgstore.TagsSQL, ids)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int32
		var t model.Tag
		if err := rows.Scan(&id, &t.ID, &t.Name, &t.Slug); err != nil {
			return nil, err
		}
		p := at[id]
		p.Tags = append(p.Tags, t)
	}
	return ps, rows.Err()
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
		list: func() error { ps, err := pgxPosts(pool); return check(len(ps), 50, err) },
		page: func() error { ps, err := pgxPage(pool); return check(len(ps), 50, err) },
		insert: func() error {
			c := newHandComment()
			return pool.QueryRow(ctx, handInsertPG, c.PostID, c.Name, c.Email, c.Body, c.CreatedAt).Scan(&c.ID)
		},
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
		bulkKeys: func() error { return pgxCopyKeys(pool, newHandComments()) },
	}
}

// pgxCopyKeys is what a careful program does by hand: the keys first, then COPY, all in a
// transaction.
func pgxCopyKeys(pool *pgxpool.Pool, cs []*handComment) error {
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
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"comment"}, []string{"id", "post_id", "name", "email", "body", "created_at"}, pgx.CopyFromSlice(len(cs), func(i int) ([]any, error) {
			c := cs[i]
			return []any{c.ID, c.PostID, c.Name, c.Email, c.Body, c.CreatedAt}, nil
		}))
		return err
	})
}
