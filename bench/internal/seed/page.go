package seed

import (
	"slices"
	"strings"

	"github.com/retort-web/retort/bench/internal/model"
)

// Page is the list page's data as the page workload reads it.
func Page() *model.Page {
	d := Make()
	tags := map[int][]model.Tag{}
	for _, pt := range d.PostTags {
		t := d.Tags[pt[1]-1]
		tags[pt[0]] = append(tags[pt[0]], model.Tag{ID: int32(t.ID), Name: t.Name, Slug: t.Slug})
	}
	p := &model.Page{User: "alice", CSRFName: "csrf_token", CSRFToken: strings.Repeat("Tok3n-_x", 10)}
	for i := len(d.Posts) - 1; len(p.Posts) < model.PageSize; i-- {
		q := d.Posts[i]
		if q.Status != "published" {
			continue
		}
		ts := tags[q.ID]
		slices.SortFunc(ts, func(a, b model.Tag) int { return int(a.ID - b.ID) })
		p.Posts = append(p.Posts, model.Post{
			ID: int32(q.ID), Title: q.Title, Slug: q.Slug, Excerpt: q.Excerpt, Status: q.Status, PublishedAt: q.PublishedAt,
			Author: model.Author{ID: int32(q.AuthorID), Name: d.Authors[q.AuthorID-1].Name}, Tags: ts,
		})
	}
	return p
}

// Fortunes are the rows of the fortunes page, sorted.
func Fortunes() []model.Fortune {
	fs := []model.Fortune{{Message: model.ExtraFortune}}
	for i, m := range fortunes {
		fs = append(fs, model.Fortune{ID: int32(i + 1), Message: m})
	}
	slices.SortFunc(fs, func(a, b model.Fortune) int { return strings.Compare(a.Message, b.Message) })
	return fs
}
