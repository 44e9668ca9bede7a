package auth_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

func TestPermissions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSite(t, kind, auth.Options{})
		ann, bob, boss, gone := s.user(t, "ann@example.com"), s.user(t, "bob@example.com"), s.user(t, "boss@example.com"), s.user(t, "gone@example.com")
		boss.Superuser, gone.Active = true, false
		editors := &auth.Group{Name: "editors"}
		for _, err := range []error{
			auth.Users.UpdateRow(s.ctx, boss, &auth.Users.Fields().Superuser), auth.Users.UpdateRow(s.ctx, gone, &auth.Users.Fields().Active), auth.Groups.Insert(s.ctx, editors),
			editors.Users.Add(s.ctx, bob, gone),
			auth.Grant(s.ctx, ann, "things.print", "things.read"), auth.GrantGroup(s.ctx, editors, "things.print", "things.print"),
			auth.Grant(s.ctx, gone, "things.print"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		has := func(u *auth.User, p auth.Permission, want bool) {
			t.Helper()
			if got, err := u.Has(s.ctx, p); got != want || err != nil {
				t.Errorf("%s %s: %v, %v", u, p, got, err)
			}
		}
		has(ann, "things.print", true)
		has(ann, "things.write", false)
		has(bob, "things.print", true)
		has(bob, "things.read", false)
		has(boss, "things.anything", true)
		has(gone, "things.print", false)
		has(nil, "things.print", false)
		holders, err := auth.WithPermission("things.print").All(s.ctx)
		var emails []string
		for _, u := range holders {
			emails = append(emails, u.Email)
		}
		if slices.Sort(emails); err != nil || strings.Join(emails, " ") != "ann@example.com bob@example.com boss@example.com" {
			t.Error(emails, err)
		}
		for _, err := range []error{auth.Revoke(s.ctx, ann, "things.print"), auth.RevokeGroup(s.ctx, editors, "things.print")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		has(ann, "things.print", false)
		has(ann, "things.read", true)
		if name := auth.On(Notes, auth.View); name != "auth.view_note" && name != "auth_test.view_note" {
			t.Error(name)
		}
	})
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSite(t, kind, auth.Options{})
		ann, bob, boss, gone := s.user(t, "ann@example.com"), s.user(t, "bob@example.com"), s.user(t, "boss@example.com"), s.user(t, "gone@example.com")
		boss.Superuser, gone.Active = true, false
		var notes []*Note
		for _, n := range []struct {
			owner  *auth.User
			text   string
			shared bool
		}{{ann, "mine", false}, {ann, "ours", true}, {bob, "his", false}, {gone, "lost", false}} {
			row := &Note{Text: n.text, Shared: n.shared}
			row.Owner.Set(n.owner)
			notes = append(notes, row)
		}
		thing := &Thing{Name: "thing"}
		if err := errors.Join(Notes.Insert(s.ctx, notes...), Things.Insert(s.ctx, thing)); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			user         *auth.User
			view, change string
			thing        bool
		}{{nil, "", "", false}, {ann, "mine ours", "mine ours", false}, {bob, "ours his", "his", false}, {boss, "mine ours his lost", "mine ours his lost", true}, {gone, "", "", false}} {
			ctx := auth.As(s.ctx, c.user)
			for action, want := range map[auth.Action]string{auth.View: c.view, auth.Change: c.change, auth.Delete: c.change} {
				visible, err := auth.Visible(ctx, action, Notes)
				if err != nil {
					t.Fatal(err)
				}
				rows, err := visible.OrderBy(orm.Asc(&Notes.Fields().ID)).All(ctx)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, n := range rows {
					got = append(got, n.Text)
				}
				if strings.Join(got, " ") != want {
					t.Errorf("%v %s: %q, want %q", c.user, action, got, want)
				}
				for _, n := range notes {
					can, err := auth.Can(ctx, action, Notes, n)
					if err != nil || can != slices.Contains(got, n.Text) {
						t.Errorf("%v %s %s: %v, %v", c.user, action, n.Text, can, err)
					}
				}
			}
			if err := auth.Check(ctx, auth.Change, Things, thing); (err == nil) != c.thing {
				t.Errorf("%v thing: %v", c.user, err)
			}
		}
		if err := auth.Grant(s.ctx, bob, auth.On(Things, auth.Change), auth.On(Notes, auth.Add)); err != nil {
			t.Fatal(err)
		}
		ctx := auth.As(s.ctx, bob)
		if err := auth.Check(ctx, auth.Change, Things, thing); err != nil {
			t.Error(err)
		}
		if err := auth.Check(ctx, auth.Delete, Things, thing); !errors.Is(err, auth.ErrForbidden) {
			t.Error(err)
		}
		if err := auth.Check(ctx, auth.Add, Notes, new(Note)); err != nil {
			t.Error(err)
		}
		bob.Staff = true
		if err := auth.Check(ctx, auth.Delete, Notes, notes[2]); !errors.Is(err, auth.ErrForbidden) {
			t.Error(err)
		}
		if err := auth.Grant(s.ctx, bob, auth.On(Notes, auth.Delete)); err != nil {
			t.Fatal(err)
		}
		if err := auth.Check(ctx, auth.Delete, Notes, notes[0]); err != nil {
			t.Error(err)
		}
	})
	defer func() {
		if recover() == nil {
			t.Error("a second policy is accepted")
		}
	}()
	auth.SetPolicy(Notes, func(*auth.User, auth.Action, *Note) orm.Cond { return orm.And() })
}

func TestVisitorPermissions(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{VisitorPermissions: []auth.Permission{"things.read", auth.On(Things, auth.View)}})
	text := func(c *retort.Ctx) error { return c.Text("through") }
	s.app.Get("/read", text).Use(auth.RequirePermission("things.read"))
	s.app.Get("/write", text).Use(auth.RequirePermission("things.write"))
	s.app.Get("/either", text).Use(auth.RequireAnyPermission("things.write", "things.print"))
	if err := Things.Insert(s.ctx, &Thing{Name: "a"}); err != nil {
		t.Fatal(err)
	}
	ann := s.user(t, "ann@example.com")
	client := retorttest.New(t, s.app)
	client.Get("/read").Status(200)
	client.Get("/write").RedirectsTo("/login?next=%2Fwrite")
	client.Get("/either").RedirectsTo("/login?next=%2Feither")
	for action, want := range map[auth.Action]int64{auth.View: 1, auth.Change: 0} {
		rows, err := auth.Visible(s.ctx, action, Things)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := rows.Count(s.ctx); n != want || err != nil {
			t.Errorf("visitors may %s %d things, %v", action, n, err)
		}
	}
	login(client, ann.Email, secret).Status(200)
	client.Get("/read").Status(200)
	client.Get("/either").Status(403)
	if err := auth.Grant(s.ctx, ann, "things.print"); err != nil {
		t.Fatal(err)
	}
	client.Get("/either").Status(200)
	client.Get("/write").Status(403)
}
