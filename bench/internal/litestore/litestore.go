// Package litestore is pgstore's twin over SQLite, for db, fortunes and page.
package litestore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"
)

type Store struct {
	DB                           *sql.DB
	world, fortunes, posts, tags *sql.Stmt
	count                        *sql.Stmt
}

// DSN of a driver: "sqlite" is modernc's, "sqlite3" is mattn's with cgo.
func DSN(driver string) string {
	if driver == "sqlite3" {
		return "file:" + kit.SQLite + "?_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=5000"
	}
	return "file:" + kit.SQLite + "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(5000)"
}

func Open(driver string) *Store {
	db, err := sql.Open(driver, DSN(driver))
	kit.Must(err)
	db.SetMaxOpenConns(kit.Pool)
	db.SetMaxIdleConns(kit.Pool)
	prep := func(q string) *sql.Stmt {
		s, err := db.Prepare(q)
		kit.Must(err)
		return s
	}
	return &Store{
		db,
		prep("SELECT id, randomnumber FROM world WHERE id = ?"),
		prep("SELECT id, message FROM fortune"),
		prep("SELECT p.id, p.title, p.slug, p.excerpt, p.status, p.published_at, a.id, a.name FROM post p JOIN author a ON a.id = p.author_id WHERE p.status = ? ORDER BY p.id DESC LIMIT ? OFFSET ?"),
		prep("SELECT pt.post_id, t.id, t.name, t.slug FROM post_tag pt JOIN tag t ON t.id = pt.tag_id WHERE pt.post_id IN (?" + strings.Repeat(",?", model.PageSize-1) + ") ORDER BY t.id"),
		prep("SELECT count(*) FROM post WHERE status = ?"),
	}
}

func (s *Store) World(ctx context.Context, w *model.World) error {
	return s.world.QueryRowContext(ctx, kit.RandID()).Scan(&w.ID, &w.RandomNumber)
}

func (s *Store) Fortunes(ctx context.Context) ([]model.Fortune, error) {
	rows, err := s.fortunes.QueryContext(ctx)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	fs := make([]model.Fortune, 0, 16)
	for rows.Next() {
		var f model.Fortune
		if err := rows.Scan(&f.ID, &f.Message); err != nil {
			return nil, err
		}
		fs = append(fs, f)
	}
	fs = append(fs, model.Fortune{Message: model.ExtraFortune})
	slices.SortFunc(fs, func(a, b model.Fortune) int { return strings.Compare(a.Message, b.Message) })
	return fs, rows.Err()
}

func (s *Store) list(ctx context.Context, status string, limit, offset int) ([]model.Post, error) {
	rows, err := s.posts.QueryContext(ctx, status, limit, offset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	ps := make([]model.Post, 0, limit)
	for rows.Next() {
		ps = append(ps, model.Post{})
		p := &ps[len(ps)-1]
		if err := rows.Scan(&p.ID, &p.Title, &p.Slug, &p.Excerpt, &p.Status, &p.PublishedAt, &p.Author.ID, &p.Author.Name); err != nil {
			return nil, err
		}
	}
	return ps, rows.Err()
}

func (s *Store) Page(ctx context.Context) ([]model.Post, error) {
	ps, err := s.list(ctx, "published", model.PageSize, 0)
	if err != nil {
		return nil, err
	}
	ids := make([]any, len(ps))
	at := make(map[int32]*model.Post, len(ps))
	for i := range ps {
		ids[i] = ps[i].ID
		at[ps[i].ID] = &ps[i]
	}
	rows, err := s.tags.QueryContext(ctx, ids...)
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

func (s *Store) List(ctx context.Context, a kit.PageArgs) (*model.PostList, error) {
	l := &model.PostList{Page: a.Page, PageSize: a.Size}
	if err := s.count.QueryRowContext(ctx, a.Status).Scan(&l.Count); err != nil {
		return nil, err
	}
	var err error
	l.Results, err = s.list(ctx, a.Status, a.Size, (a.Page-1)*a.Size)
	return l, err
}

var errPG = errors.New("only on PostgreSQL")

func (s *Store) Worlds(context.Context, []model.World) error { return errPG }
func (s *Store) Update(context.Context, []model.World) error { return errPG }

func (s *Store) Create(ctx context.Context, c model.Comment) (int, error) {
	r, err := s.DB.ExecContext(ctx, "INSERT INTO comment (post_id, name, email, body, created_at) VALUES (?,?,?,?,?)", c.PostID, c.Name, c.Email, c.Body, time.Now().UTC().Format(time.DateTime))
	if err != nil {
		return 0, err
	}
	id, err := r.LastInsertId()
	return int(id), err
}
