package orm

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"
)

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
	posts := prep("SELECT "+handColumns+" FROM "+handTables+" WHERE p.status = %s ORDER BY p.id DESC LIMIT 50", 1)
	tags := prep("SELECT pt.post_id, t.id, t.name, t.slug FROM post_tag pt JOIN tag t ON t.id = pt.tag_id WHERE pt.post_id IN (%s) ORDER BY t.id", 50)
	ins := prep("INSERT INTO comment (post_id, name, email, body, created_at) VALUES (%s) RETURNING id", 5)
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
	list := func() ([]handPost, error) {
		rows, err := posts.QueryContext(ctx, "published")
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
			at := make(map[int32]*handPost, len(ps))
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
			c := newHandComment()
			return ins.QueryRowContext(ctx, c.PostID, c.Name, c.Email, c.Body, handTime(mark, c.CreatedAt)).Scan(&c.ID)
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
			cs := newHandComments()
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

// handTime is a time as a database keeps it: SQLite has it as text that sorts.
func handTime(mark string, t time.Time) any {
	if mark == "?" {
		return t.Format("2006-01-02 15:04:05.000000")
	}
	return t
}

// insertPart inserts comments and reads their keys.
func insertPart(insert *sql.Stmt, part []*handComment, mark string) error {
	args := make([]any, 0, 5*len(part))
	for i := range part {
		c := part[i]
		args = append(args, c.PostID, c.Name, c.Email, c.Body, handTime(mark, c.CreatedAt))
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
