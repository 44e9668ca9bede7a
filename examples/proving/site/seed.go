package site

import (
	"context"
	"fmt"
	"time"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// The seeded users, all with the same password; see README.md.
const (
	Admin      = "admin@proving.example"
	Staff      = "staff@proving.example"
	Ann        = "ann@proving.example"
	Bob        = "bob@proving.example"
	Spare      = "spare@proving.example"
	Inactive   = "inactive@proving.example"
	NoPassword = "nopassword@proving.example"
)

// seed fills an empty database; with Options.Reset any.
func (s *Site) seed(ctx context.Context) error {
	if some, err := auth.Users.Exists(ctx); err != nil || some && !s.options.Reset {
		return err
	}
	return orm.Atomic(ctx, func(ctx context.Context) error {
		if s.options.Reset {
			// What refers to users goes with them.
			for _, empty := range []func(context.Context) error{
				func(ctx context.Context) error { _, err := auth.Users.DeleteAll(ctx); return err },
				func(ctx context.Context) error { _, err := Samples.DeleteAll(ctx); return err },
			} {
				if err := empty(ctx); err != nil {
					return err
				}
			}
		}
		users := map[string]*auth.User{}
		for _, u := range []*auth.User{
			{Email: Admin, Name: "Ada Admin", Active: true, Staff: true, Superuser: true},
			{Email: Staff, Name: "Sam Staff", Active: true, Staff: true},
			{Email: Ann, Name: "Ann", Active: true},
			{Email: Bob, Name: "Bob", Active: true},
			{Email: Spare, Name: "Spare", Active: true},
			{Email: Inactive, Name: "Ian Inactive"},
			{Email: NoPassword, Name: "Nora", Active: true},
		} {
			secret := s.options.Password
			if u.Email == NoPassword {
				secret = ""
			}
			now := time.Now().UTC().Truncate(time.Second)
			u.Verified = &now
			if err := s.auth.Create(ctx, u, secret); err != nil {
				return err
			}
			users[u.Email] = u
		}
		if err := auth.Grant(ctx, users[Staff], auth.On(Posts, auth.View), auth.On(Posts, auth.Add), auth.On(Posts, auth.Change)); err != nil {
			return err
		}
		return seedRows(ctx, users)
	})
}

func seedRows(ctx context.Context, users map[string]*auth.User) error {
	start := time.Date(2026, time.January, 1, 9, 0, 0, 0, time.UTC)
	var posts []*Post
	var samples []*Sample
	for i := range 40 {
		created := start.Add(time.Duration(i) * 31 * time.Hour)
		post := &Post{
			Title: fmt.Sprintf("Post number %d", i+1), Body: fmt.Sprintf("What there is to say about %d.\n\nAnd a second paragraph.", i+1),
			Published: i != 39, Created: created, Data: map[string]any{"number": i + 1, "tags": []string{"proving", "ground"}},
		}
		post.Author.Set(users[Admin])
		if i%2 == 1 {
			post.Author.Set(users[Staff])
		}
		posts = append(posts, post)
		samples = append(samples, &Sample{
			Name: fmt.Sprintf("Sample %02d", i+1), Amount: i * i, Taken: created,
			Data: map[string]any{"color": []string{"red", "green", "blue"}[i%3], "size": map[string]any{"width": i}},
		})
	}
	posts[39].Title = "A post that is not published"
	if err := Posts.Insert(ctx, posts...); err != nil {
		return err
	}
	if err := Samples.Insert(ctx, samples...); err != nil {
		return err
	}
	comment := &Comment{Name: "Ann", URL: "https://ann.example/", Text: "The first comment."}
	comment.Post.Set(posts[0])
	if err := Comments.Insert(ctx, comment); err != nil {
		return err
	}
	var notes []*Note
	for _, owner := range []string{Ann, Bob} {
		for i := range 3 {
			note := &Note{Title: fmt.Sprintf("Note %d of %s", i+1, users[owner].Name), Text: "Nobody else's business."}
			note.Owner.Set(users[owner])
			notes = append(notes, note)
		}
	}
	return Notes.Insert(ctx, notes...)
}
