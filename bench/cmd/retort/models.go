package main

import (
	"time"

	"github.com/retort-web/retort/orm"
)

// World is a row of the workloads db, queries and updates.
type World struct {
	ID           int32 `json:"id" orm:"pk"`
	RandomNumber int32 `json:"randomNumber" orm:"column=randomnumber"`
}

// Fortune is a row of the workload fortunes.
type Fortune struct {
	ID      int32  `orm:"pk"`
	Message string `orm:"size=2048"`
}

// Author writes posts.
type Author struct {
	ID    int32  `orm:"pk"`
	Name  string `orm:"size=100"`
	Email string `orm:"size=200"`
}

// Tag is a topic of posts.
type Tag struct {
	ID   int32  `orm:"pk"`
	Name string `orm:"size=60"`
	Slug string `orm:"size=60,unique"`
}

// Post is a row of the workloads page and api.
type Post struct {
	ID          int32                         `orm:"pk"`
	Author      orm.ForeignKey[Author, int32] `orm:"on_delete=cascade"`
	Title       string                        `orm:"size=200"`
	Slug        string                        `orm:"size=200,unique"`
	Excerpt     string                        `orm:"text"`
	Status      string                        `orm:"size=20"`
	PublishedAt time.Time
	Tag         orm.ManyToMany[Tag] // its table is post_tag
}

// Comment is what the workload create inserts.
type Comment struct {
	ID        int32                       `orm:"pk"`
	Post      orm.ForeignKey[Post, int32] `orm:"on_delete=cascade"`
	Name      string                      `orm:"size=100"`
	Email     string                      `orm:"size=200"`
	Body      string                      `orm:"text"`
	CreatedAt time.Time                   `orm:"auto_now_add"`
}

var (
	worlds   = orm.Register[World]()
	fortunes = orm.Register[Fortune]()
	_        = orm.Register[Author]()
	_        = orm.Register[Tag]()
	posts    = orm.Register[Post]()
	comments = orm.Register[Comment]()
)
