package auth_test

import (
	"context"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
)

// badges is a kind of second factor: a badge for each user that has an entry.
type badges map[int64]string

func (badges) Name() string { return "badges" }

func (b badges) Has(_ context.Context, user *auth.User) (bool, error) { return b[user.ID] != "", nil }

func (b badges) Holds(_ context.Context, user *auth.User, mark string) (bool, error) {
	return mark != "" && b[user.ID] == mark, nil
}

func TestOtherFactors(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{SecondFactorURL: "/second-factor"})
	ann, bob := s.user(t, "ann@example.com"), s.user(t, "bob@example.com")
	b := badges{ann.ID: "gold"}
	s.auth.AddFactor(b)
	s.app.Get("/vault", func(c *retort.Ctx) error { return c.Text("gold") }).Use(auth.RequireSecondFactor)
	s.app.Post("/badge/{mark}", func(c *retort.Ctx) error {
		user, err := auth.Find(c, c.Query("email"))
		if err != nil {
			return err
		}
		if err := s.auth.LoginBy(c, user, false, b, c.Param("mark")); err != nil {
			return err
		}
		return c.Text("in")
	}).DisableCSRF()
	s.app.Post("/half", func(c *retort.Ctx) error {
		done, err := s.auth.BeginLogin(c, ann, true)
		if err != nil {
			return err
		}
		return c.Text(map[bool]string{true: "in", false: "half"}[done])
	}).DisableCSRF()
	s.app.Post("/half/{mark}", func(c *retort.Ctx) error {
		if _, err := s.auth.FinishLoginBy(c, b, c.Param("mark")); err != nil {
			return err
		}
		return c.Text("in")
	}).DisableCSRF()
	page := func(client *retorttest.Client) *retorttest.Response {
		r := client.NewRequest("GET", "/vault", nil)
		r.Header.Set("Accept", "text/html")
		return client.Do(r)
	}

	// Who has none of any kind gets one; who has one gives it.
	client := retorttest.New(t, s.app)
	login(client, "bob@example.com", secret).Status(200)
	page(client).RedirectsTo("/second-factor?next=%2Fvault")
	login(client, "ann@example.com", secret).Status(200)
	page(client).RedirectsTo("/login?next=%2Fvault")
	// Nobody else's, and none that is not there.
	client.PostForm("/badge/gold?email=bob@example.com", nil).Status(403)
	client.PostForm("/badge/tin?email=ann@example.com", nil).Status(403)
	client.PostForm("/badge/gold?email=ann@example.com", nil).Status(200)
	page(client).Status(200)
	// It ends when the factor does.
	b[ann.ID] = "silver"
	page(client).RedirectsTo("/login?next=%2Fvault")

	// In place of a code.
	factor := auth.SecondFactors.New()
	factor.User.Set(ann)
	if err := auth.SecondFactors.Insert(s.ctx, factor); err != nil {
		t.Fatal(err)
	}
	client = retorttest.New(t, s.app)
	client.PostForm("/half/silver", nil).Status(500) // nobody has given a password
	client.PostForm("/half", nil).Contains("half")
	client.Get("/whoami").Contains("nobody")
	client.PostForm("/half/gold", nil).Status(403)
	client.Get("/whoami").Contains("nobody")
	client.PostForm("/half/silver", nil).Status(200)
	client.Get("/whoami").Contains("ann@example.com")
	page(client).Status(200)
	_ = bob
}
