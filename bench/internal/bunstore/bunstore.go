// Package bunstore is the data layer of the Bun contender.
package bunstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
)

type World struct {
	bun.BaseModel `bun:"table:world" json:"-"`
	ID            int32 `bun:",pk" json:"id"`
	RandomNumber  int32 `bun:"randomnumber" json:"randomNumber"`
}

type Fortune struct {
	bun.BaseModel `bun:"table:fortune"`
	ID            int32 `bun:",pk"`
	Message       string
}

type Author struct {
	bun.BaseModel `bun:"table:author" json:"-"`
	ID            int32  `bun:",pk,autoincrement" json:"id"`
	Name          string `json:"name"`
	Email         string `json:"-"`
}

type Tag struct {
	bun.BaseModel `bun:"table:tag"`
	ID            int32 `bun:",pk,autoincrement"`
	Name          string
	Slug          string
}

type PostTag struct {
	bun.BaseModel `bun:"table:post_tag"`
	PostID        int32 `bun:",pk"`
	Post          *Post `bun:"rel:belongs-to,join:post_id=id"`
	TagID         int32 `bun:",pk"`
	Tag           *Tag  `bun:"rel:belongs-to,join:tag_id=id"`
}

type Post struct {
	bun.BaseModel `bun:"table:post" json:"-"`
	ID            int32     `bun:",pk,autoincrement" json:"id"`
	AuthorID      int32     `json:"-"`
	Title         string    `json:"title"`
	Slug          string    `json:"slug"`
	Excerpt       string    `json:"excerpt"`
	Status        string    `json:"status"`
	PublishedAt   time.Time `json:"published_at"`
	Author        *Author   `bun:"rel:belongs-to,join:author_id=id" json:"author"`
	Tags          []Tag     `bun:"m2m:post_tag,join:Post=Tag" json:"-"`
}

type Comment struct {
	bun.BaseModel `bun:"table:comment"`
	ID            int32 `bun:",pk,autoincrement"`
	PostID        int32
	Name          string
	Email         string
	Body          string
	CreatedAt     time.Time `bun:",nullzero,default:current_timestamp"`
}

type PostList struct {
	Count    int64  `json:"count"`
	Page     int    `json:"page"`
	PageSize int    `json:"page_size"`
	Results  []Post `json:"results"`
}

type Store struct{ DB *bun.DB }

// PG opens Bun over pgx with the simple protocol, as Bun's documentation
// says: Bun formats the arguments into the query itself.
func PG(dsn string) *bun.DB {
	c, err := pgx.ParseConfig(dsn)
	kit.Must(err)
	c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	db := bun.NewDB(stdlib.OpenDB(*c), pgdialect.New(), bun.WithDiscardUnknownColumns())
	db.RegisterModel((*PostTag)(nil))
	return db
}

// Lite is set by the build with -tags sqlite.
var Lite func() *bun.DB

func Open() *Store {
	var db *bun.DB
	if kit.DB == "sqlite" {
		db = Lite()
	} else {
		db = PG(kit.DSN)
	}
	db.SetMaxOpenConns(kit.Pool)
	db.SetMaxIdleConns(kit.Pool)
	return &Store{db}
}

func (s *Store) World(ctx context.Context, w *World) error {
	return s.DB.NewSelect().Model(w).Where("id = ?", kit.RandID()).Scan(ctx)
}

func (s *Store) Worlds(ctx context.Context, ws []World) error {
	for i := range ws {
		if err := s.World(ctx, &ws[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) Update(ctx context.Context, ws []World) error {
	if err := s.Worlds(ctx, ws); err != nil {
		return err
	}
	slices.SortFunc(ws, func(a, b World) int { return int(a.ID - b.ID) })
	for i := range ws {
		ws[i].RandomNumber = kit.RandID()
	}
	_, err := s.DB.NewUpdate().Model(&ws).Column("randomnumber").Bulk().Exec(ctx)
	return err
}

func (s *Store) Fortunes(ctx context.Context) ([]Fortune, error) {
	var fs []Fortune
	err := s.DB.NewSelect().Model(&fs).Scan(ctx)
	fs = append(fs, Fortune{Message: model.ExtraFortune})
	slices.SortFunc(fs, func(a, b Fortune) int { return strings.Compare(a.Message, b.Message) })
	return fs, err
}

func (s *Store) Page(ctx context.Context) ([]Post, error) {
	var ps []Post
	err := s.DB.NewSelect().Model(&ps).Relation("Author").
		Relation("Tags", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("tag.id") }).
		Where("post.status = ?", "published").Order("post.id DESC").Limit(model.PageSize).Scan(ctx)
	return ps, err
}

func (s *Store) List(ctx context.Context, a kit.PageArgs) (*PostList, error) {
	l := &PostList{Page: a.Page, PageSize: a.Size}
	var err error
	if l.Count, err = s.DB.NewSelect().Model((*Post)(nil)).Where("status = ?", a.Status).Count(ctx); err != nil {
		return nil, err
	}
	err = s.DB.NewSelect().Model(&l.Results).Relation("Author").Where("post.status = ?", a.Status).
		Order("post.id DESC").Limit(int64(a.Size)).Offset(int64((a.Page - 1) * a.Size)).Scan(ctx)
	return l, err
}

func (s *Store) Create(ctx context.Context, c *Comment) error {
	_, err := s.DB.NewInsert().Model(c).Exec(ctx)
	return err
}
