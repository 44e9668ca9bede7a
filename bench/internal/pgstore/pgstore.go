// Package pgstore is hand SQL over pgx: what sqlc would generate, and the
// data layer of every contender without an ORM.
package pgstore

import (
	"context"
	"slices"
	"strings"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	WorldSQL    = "SELECT id, randomnumber FROM world WHERE id = $1"
	UpdateSQL   = "UPDATE world SET randomnumber = v.r FROM (SELECT unnest($1::int[]) AS id, unnest($2::int[]) AS r) v WHERE world.id = v.id"
	FortunesSQL = "SELECT id, message FROM fortune"
	PostsSQL    = "SELECT p.id, p.title, p.slug, p.excerpt, p.status, p.published_at, a.id, a.name FROM post p JOIN author a ON a.id = p.author_id WHERE p.status = $1 ORDER BY p.id DESC LIMIT $2 OFFSET $3"
	CountSQL    = "SELECT count(*) FROM post WHERE status = $1"
	TagsSQL     = "SELECT pt.post_id, t.id, t.name, t.slug FROM post_tag pt JOIN tag t ON t.id = pt.tag_id WHERE pt.post_id = ANY($1) ORDER BY t.id"
	CommentSQL  = "INSERT INTO comment (post_id, name, email, body) VALUES ($1, $2, $3, $4) RETURNING id"
)

type Store struct{ Pool *pgxpool.Pool }

func Open() *Store {
	c, err := pgxpool.ParseConfig(kit.DSN)
	kit.Must(err)
	c.MaxConns = int32(kit.Pool)
	p, err := pgxpool.NewWithConfig(context.Background(), c)
	kit.Must(err)
	return &Store{p}
}

func (s *Store) World(ctx context.Context, w *model.World) error {
	return s.Pool.QueryRow(ctx, WorldSQL, kit.RandID()).Scan(&w.ID, &w.RandomNumber)
}

// Worlds runs one query after the other, as the rules ask, on one connection.
func (s *Store) Worlds(ctx context.Context, ws []model.World) error {
	c, err := s.Pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	for i := range ws {
		if err := c.QueryRow(ctx, WorldSQL, kit.RandID()).Scan(&ws[i].ID, &ws[i].RandomNumber); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) Update(ctx context.Context, ws []model.World) error {
	if err := s.Worlds(ctx, ws); err != nil {
		return err
	}
	slices.SortFunc(ws, func(a, b model.World) int { return int(a.ID - b.ID) })
	ids, rs := make([]int32, len(ws)), make([]int32, len(ws))
	for i := range ws {
		ws[i].RandomNumber = kit.RandID()
		ids[i], rs[i] = ws[i].ID, ws[i].RandomNumber
	}
	_, err := s.Pool.Exec(ctx, UpdateSQL, ids, rs)
	return err
}

func (s *Store) Fortunes(ctx context.Context) ([]model.Fortune, error) {
	rows, err := s.Pool.Query(ctx, FortunesSQL)
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

func (s *Store) posts(ctx context.Context, status string, limit, offset int) ([]model.Post, error) {
	rows, err := s.Pool.Query(ctx, PostsSQL, status, limit, offset)
	if err != nil {
		return nil, err
	}
	return collect(rows, limit)
}

func collect(rows pgx.Rows, limit int) ([]model.Post, error) {
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

// Page is the latest posts with their authors and tags: two queries.
func (s *Store) Page(ctx context.Context) ([]model.Post, error) {
	ps, err := s.posts(ctx, "published", model.PageSize, 0)
	if err != nil {
		return nil, err
	}
	ids := make([]int32, len(ps))
	at := make(map[int32]*model.Post, len(ps))
	for i := range ps {
		ids[i] = ps[i].ID
		at[ps[i].ID] = &ps[i]
	}
	rows, err := s.Pool.Query(ctx, TagsSQL, ids)
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

// List is one page of the API: a count and a page of rows.
func (s *Store) List(ctx context.Context, a kit.PageArgs) (*model.PostList, error) {
	l := &model.PostList{Page: a.Page, PageSize: a.Size}
	if err := s.Pool.QueryRow(ctx, CountSQL, a.Status).Scan(&l.Count); err != nil {
		return nil, err
	}
	var err error
	l.Results, err = s.posts(ctx, a.Status, a.Size, (a.Page-1)*a.Size)
	return l, err
}

func (s *Store) Create(ctx context.Context, c model.Comment) (id int, err error) {
	err = s.Pool.QueryRow(ctx, CommentSQL, c.PostID, c.Name, c.Email, c.Body).Scan(&id)
	return id, err
}
