// Package gormstore is the data layer of the GORM contenders, tuned as
// TechEmpower's entry is: prepared statements, no default transaction, no log.
package gormstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

type World struct {
	ID           int32 `json:"id"`
	RandomNumber int32 `json:"randomNumber" gorm:"column:randomnumber"`
}

type Fortune struct {
	ID      int32
	Message string
}

type Author struct {
	ID    int32  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"-"`
}

type Tag struct {
	ID   int32
	Name string
	Slug string
}

type Post struct {
	ID          int32     `json:"id"`
	AuthorID    int32     `json:"-"`
	Title       string    `json:"title"`
	Slug        string    `json:"slug"`
	Excerpt     string    `json:"excerpt"`
	Status      string    `json:"status"`
	PublishedAt time.Time `json:"published_at"`
	Author      Author    `json:"author"`
	Tags        []Tag     `json:"-" gorm:"many2many:post_tag"`
}

type Comment struct {
	ID        int32
	PostID    int32
	Name      string
	Email     string
	Body      string
	CreatedAt time.Time
}

type PostList struct {
	Count    int64  `json:"count"`
	Page     int    `json:"page"`
	PageSize int    `json:"page_size"`
	Results  []Post `json:"results"`
}

func (World) TableName() string   { return "world" }
func (Fortune) TableName() string { return "fortune" }
func (Author) TableName() string  { return "author" }
func (Tag) TableName() string     { return "tag" }
func (Post) TableName() string    { return "post" }
func (Comment) TableName() string { return "comment" }

type Store struct{ DB *gorm.DB }

// Lite is set by the build with -tags sqlite.
var Lite func() gorm.Dialector

func Config() *gorm.Config {
	return &gorm.Config{PrepareStmt: true, SkipDefaultTransaction: true, Logger: logger.Discard}
}

func Open() *Store {
	d := postgres.Open(kit.DSN)
	if kit.DB == "sqlite" {
		d = Lite()
	}
	db, err := gorm.Open(d, Config())
	kit.Must(err)
	sq, err := db.DB()
	kit.Must(err)
	sq.SetMaxOpenConns(kit.Pool)
	sq.SetMaxIdleConns(kit.Pool)
	return &Store{db}
}

func (s *Store) World(ctx context.Context, w *World) error {
	return s.DB.WithContext(ctx).Take(w, kit.RandID()).Error
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
	return s.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for i := range ws {
			if err := tx.Model(&ws[i]).Update("randomnumber", kit.RandID()).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) Fortunes(ctx context.Context) ([]Fortune, error) {
	var fs []Fortune
	err := s.DB.WithContext(ctx).Find(&fs).Error
	fs = append(fs, Fortune{Message: model.ExtraFortune})
	slices.SortFunc(fs, func(a, b Fortune) int { return strings.Compare(a.Message, b.Message) })
	return fs, err
}

func (s *Store) Page(ctx context.Context) ([]Post, error) {
	var ps []Post
	err := s.DB.WithContext(ctx).Joins("Author").
		Preload("Tags", func(db *gorm.DB) *gorm.DB { return db.Order("tag.id") }).
		Where("status = ?", "published").Order("post.id DESC").Limit(model.PageSize).Find(&ps).Error
	return ps, err
}

func (s *Store) List(ctx context.Context, a kit.PageArgs) (*PostList, error) {
	l := &PostList{Page: a.Page, PageSize: a.Size}
	db := s.DB.WithContext(ctx)
	if err := db.Model(&Post{}).Where("status = ?", a.Status).Count(&l.Count).Error; err != nil {
		return nil, err
	}
	err := db.Joins("Author").Where("status = ?", a.Status).Order("post.id DESC").
		Limit(a.Size).Offset((a.Page - 1) * a.Size).Find(&l.Results).Error
	return l, err
}

func (s *Store) Create(ctx context.Context, c *Comment) error {
	return s.DB.WithContext(ctx).Create(c).Error
}
