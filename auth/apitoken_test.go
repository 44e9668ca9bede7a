package auth_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

// tokenSite is a site with routes for programs.
func tokenSite(t *testing.T, kind testdb.Kind, o auth.Options) *site {
	t.Helper()
	s := newSite(t, kind, o)
	api := func(r *retort.Route) *retort.Route { return auth.Public(r).DisableCSRF() }
	who := func(c *retort.Ctx) error {
		return c.Text(auth.Must(c).Email + " " + auth.CurrentAPIToken(c).Name)
	}
	ok := func(c *retort.Ctx) error { return c.Text("ok") }
	api(s.app.Get("/api/who", who)).Use(auth.Bearer)
	api(s.app.Post("/api/who", who)).Use(auth.Bearer)
	api(s.app.Get("/api/change", ok)).Use(auth.Bearer, auth.RequirePermission(auth.On(Things, auth.Change)))
	api(s.app.Get("/api/fresh", ok)).Use(auth.Bearer, auth.RequireFresh)
	api(s.app.Get("/api/staff", ok)).Use(auth.Bearer, auth.RequireStaff)
	api(s.app.Get("/api/notes", func(c *retort.Ctx) error {
		rows, err := auth.Visible(c, auth.View, Notes)
		if err != nil {
			return err
		}
		n, err := rows.Count(c)
		if err != nil {
			return err
		}
		return c.JSON(n)
	})).Use(auth.Bearer)
	return s
}

func (s *site) token(t *testing.T, user *auth.User, scopes ...auth.Permission) (string, *auth.APIToken) {
	t.Helper()
	text, row, err := s.auth.CreateAPIToken(s.ctx, user, auth.APITokenOptions{Name: "deploy", Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return text, row
}

// bearer sends a token.
func bearer(client *retorttest.Client, method, path, token string) *retorttest.Response {
	r := client.NewRequest(method, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return client.Do(r)
}

func TestAPITokens(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := tokenSite(t, kind, auth.Options{SiteWide: true})
		ann := s.user(t, "ann@example.com")
		text, row := s.token(t, ann)
		if !strings.HasPrefix(text, row.Prefix) || len(text) < 46 || len(row.Prefix) > 10 {
			t.Errorf("%d characters, prefix %q", len(text), row.Prefix)
		}
		client := retorttest.New(t, s.app)
		bearer(client, "GET", "/api/who", text).Status(200).Contains("ann@example.com deploy")
		bearer(client, "POST", "/api/who", text).Status(200).Contains("ann@example.com")
		if _, has := client.Cookie("session"); has {
			t.Error("a token makes a session")
		}
		read, err := auth.APITokens.Where(orm.Lookup("pk", row.ID)).Get(s.ctx)
		if err != nil || read.LastUsed == nil || time.Since(*read.LastUsed) > time.Hour {
			t.Fatal(read, err)
		}
		// The next uses within a minute are not written.
		bearer(client, "GET", "/api/who", text).Status(200)
		again, err := auth.APITokens.Where(orm.Lookup("pk", row.ID)).Get(s.ctx)
		if err != nil || time.Since(*read.LastUsed) < time.Minute && !again.LastUsed.Equal(*read.LastUsed) {
			t.Error(again.LastUsed, read.LastUsed, err)
		}
		// Those after that are.
		p := auth.APITokens.Fields()
		before := time.Now().UTC().Add(-time.Hour).Truncate(time.Microsecond)
		if _, err := auth.APITokens.Where(orm.Eq(&p.ID, row.ID)).Update(s.ctx, orm.Set(&p.LastUsed, &before)); err != nil {
			t.Fatal(err)
		}
		bearer(client, "GET", "/api/who", text).Status(200)
		if again, err = auth.APITokens.Where(orm.Lookup("pk", row.ID)).Get(s.ctx); err != nil || !again.LastUsed.After(before) {
			t.Error(again.LastUsed, err)
		}
		if err := s.auth.RevokeAPIToken(s.ctx, s.user(t, "eve@example.com"), row.ID); !errors.Is(err, orm.ErrNotFound) {
			t.Error("another user's token:", err)
		}
		if err := s.auth.RevokeAPIToken(s.ctx, ann, row.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.auth.RevokeAPIToken(s.ctx, ann, row.ID); !errors.Is(err, orm.ErrNotFound) {
			t.Error("revoked twice:", err)
		}
		bearer(client, "GET", "/api/who", text).Status(401)
		if got := s.kinds(); !slices.Equal(got, []auth.EventKind{auth.TokenCreated, auth.TokenRevoked}) {
			t.Error(got)
		}
	})
}

func TestAPITokensThatCannotBe(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{})
	ann := s.user(t, "ann@example.com")
	for _, o := range []auth.APITokenOptions{
		{},
		{Name: "  "},
		{Name: strings.Repeat("é", 101)},
		{Name: "old", Expires: time.Now().Add(-time.Second)},
	} {
		if _, _, err := s.auth.CreateAPIToken(s.ctx, ann, o); err == nil {
			t.Errorf("%+v makes a token", o)
		}
	}
}

// What ends a token ends it with the next request; all of it looks alike.
func TestSecurityAPITokensEnd(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := tokenSite(t, kind, auth.Options{})
		client := retorttest.New(t, s.app)
		p, u := auth.APITokens.Fields(), auth.Users.Fields()
		past := time.Now().UTC().Add(-time.Minute).Truncate(time.Microsecond)
		texts := map[string]string{}
		for name, end := range map[string]func(user *auth.User, row *auth.APIToken) error{
			"revoked": func(user *auth.User, _ *auth.APIToken) error { return s.auth.RevokeAPITokens(s.ctx, user) },
			"expired": func(_ *auth.User, row *auth.APIToken) error {
				_, err := auth.APITokens.Where(orm.Eq(&p.ID, row.ID)).Update(s.ctx, orm.Set(&p.Expires, &past))
				return err
			},
			"inactive": func(user *auth.User, _ *auth.APIToken) error {
				_, err := auth.Users.Where(orm.Eq(&u.ID, user.ID)).Update(s.ctx, orm.Set(&u.Active, false))
				return err
			},
			"deleted": func(user *auth.User, _ *auth.APIToken) error { return auth.Users.DeleteRow(s.ctx, user) },
		} {
			user := s.user(t, name+"@example.com")
			text, row := s.token(t, user, auth.AllScopes)
			bearer(client, "GET", "/api/who", text).Status(200)
			if err := end(user, row); err != nil {
				t.Fatal(name, err)
			}
			texts[name] = text
		}
		live, _ := s.token(t, s.user(t, "ann@example.com"))
		texts["other last character"] = live[:len(live)-1] + map[bool]string{true: "q", false: "a"}[live[len(live)-1] == 'a']
		texts["in capitals"] = strings.ToUpper(live)
		texts["without its mark"] = live[3:]
		texts["a text"] = "x"
		texts["long"] = strings.Repeat("x", 100_000)
		texts["a hash"] = strings.Repeat("0", 64)
		for name, text := range texts {
			got := bearer(client, "GET", "/api/who", text).Status(401)
			if h := got.Header().Get("WWW-Authenticate"); h != `Bearer error="invalid_token"` {
				t.Errorf("%s: WWW-Authenticate %q", name, h)
			}
		}
		bearer(client, "GET", "/api/who", "").Status(401).HasHeader("WWW-Authenticate", "Bearer")
		bearer(client, "GET", "/api/who", live).Status(200)
	})
}

// A token does what its scopes and its user's permissions both allow.
func TestSecurityAPITokenScopes(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := tokenSite(t, kind, auth.Options{})
		client := retorttest.New(t, s.app)
		change := auth.On(Things, auth.Change)
		may, root, none := s.user(t, "may@example.com"), s.user(t, "root@example.com"), s.user(t, "none@example.com")
		if err := auth.Grant(s.ctx, may, change, "notes.print"); err != nil {
			t.Fatal(err)
		}
		root.Superuser, root.Staff = true, true
		if err := auth.Users.UpdateRow(s.ctx, root, &auth.Users.Fields().Superuser, &auth.Users.Fields().Staff); err != nil {
			t.Fatal(err)
		}
		for _, user := range []*auth.User{may, root, none} {
			note := &Note{Text: "x"}
			note.Owner.Set(user)
			if err := Notes.Insert(s.ctx, note); err != nil {
				t.Fatal(err)
			}
		}
		for _, test := range []struct {
			name                 string
			user                 *auth.User
			scopes               []auth.Permission
			change, staff, notes string
		}{
			{"in its scopes", may, []auth.Permission{change}, "200", "403", "0"},
			{"all scopes", may, []auth.Permission{auth.AllScopes}, "200", "403", "1"},
			{"another scope", may, []auth.Permission{"notes.print"}, "403", "403", "0"},
			{"no scope", may, nil, "403", "403", "0"},
			{"no permission", none, []auth.Permission{change}, "403", "403", "0"},
			{"no permission, all scopes", none, []auth.Permission{auth.AllScopes}, "403", "403", "1"},
			{"superuser without scope", root, nil, "403", "403", "0"},
			{"superuser with a scope", root, []auth.Permission{auth.On(Notes, auth.View)}, "403", "403", "3"},
			{"superuser with all", root, []auth.Permission{auth.AllScopes}, "200", "200", "3"},
		} {
			text, _ := s.token(t, test.user, test.scopes...)
			for path, want := range map[string]string{"/api/change": test.change, "/api/staff": test.staff} {
				if got := bearer(client, "GET", path, text); http.StatusText(got.Code) != map[string]string{"200": "OK", "403": "Forbidden"}[want] {
					t.Errorf("%s: %s is answered with %d, not %s", test.name, path, got.Code, want)
				}
			}
			if got := strings.TrimSpace(bearer(client, "GET", "/api/notes", text).Status(200).Text()); got != test.notes {
				t.Errorf("%s: sees %s notes, not %s", test.name, got, test.notes)
			}
			// Nobody has just proved who they are.
			bearer(client, "GET", "/api/fresh", text).Status(403)
		}
	})
}

// A program learns which scope its token lacks, and not that its user may not either.
func TestAPITokensLackScope(t *testing.T) {
	t.Parallel()
	s := tokenSite(t, testdb.SQLite, auth.Options{})
	s.app.Get("/api/odd", func(c *retort.Ctx) error { return c.Text("odd") }).Use(auth.Bearer, auth.RequirePermission(`say "yes"`))
	client := retorttest.New(t, s.app)
	ann, root := s.user(t, "ann@example.com"), s.user(t, "root@example.com")
	root.Superuser = true
	if err := auth.Users.UpdateRow(s.ctx, root, &auth.Users.Fields().Superuser); err != nil {
		t.Fatal(err)
	}
	change := auth.On(Things, auth.Change)
	small, _ := s.token(t, root, "notes.print")
	bearer(client, "GET", "/api/change", small).Status(403).HasHeader("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+string(change)+`"`)
	bearer(client, "GET", "/api/staff", small).Status(403).HasHeader("WWW-Authenticate", `Bearer error="insufficient_scope", scope="*"`)
	bearer(client, "GET", "/api/odd", small).Status(403).HasHeader("WWW-Authenticate", `Bearer error="insufficient_scope"`)
	wide, _ := s.token(t, ann, auth.AllScopes)
	if got := bearer(client, "GET", "/api/change", wide).Status(403).Header().Get("WWW-Authenticate"); got != "" {
		t.Errorf("a token that has the scope is told %q", got)
	}
}

// The session that a request brings along lends a token nothing, and gets nothing.
func TestSecurityAPITokenAndSession(t *testing.T) {
	t.Parallel()
	s := tokenSite(t, testdb.SQLite, auth.Options{})
	ann, eve := s.user(t, "ann@example.com"), s.user(t, "eve@example.com")
	text, _ := s.token(t, ann)
	client := retorttest.New(t, s.app)
	login(client, eve.Email, secret).Status(200)
	bearer(client, "GET", "/api/who", text).Contains("ann@example.com")
	// Eve's fresh login does not make Ann's token fresh.
	bearer(client, "GET", "/api/fresh", text).Status(403)
	client.Get("/whoami").Contains("eve@example.com")
	// A session alone is no token, and a token no session.
	client.Get("/api/who").Status(401)
	bearer(retorttest.New(t, s.app), "GET", "/private", text).RedirectsTo("/login?next=%2Fprivate")
}

// What the table has lets nobody in.
func TestSecurityAPITokensAreKeptAsHashes(t *testing.T) {
	t.Parallel()
	s := tokenSite(t, testdb.SQLite, auth.Options{})
	text, row := s.token(t, s.user(t, "ann@example.com"), auth.AllScopes)
	client := retorttest.New(t, s.app)
	for _, kept := range []string{row.Hash, row.Prefix, "rt_" + row.Hash} {
		if strings.Contains(kept, text) {
			t.Error("the table has the token")
		}
		bearer(client, "GET", "/api/who", kept).Status(401)
	}
	bearer(client, "GET", "/api/who", text).Status(200)
	bearer(client, "GET", "/api/who", text+"x").Status(401)
	if log := s.log.String(); !strings.Contains(log, "token_created") || strings.Contains(log, text) {
		t.Error("the log does not have the event, or has the token")
	}
	if other, _ := s.token(t, s.user(t, "bob@example.com")); other == text || other[:9] == text[:9] {
		t.Error("two tokens are alike")
	}
}

// Tokens of another package are bounded as these are, whatever session comes along.
func TestSecurityActByToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{})
	ann, gone := s.user(t, "ann@example.com"), s.user(t, "gone@example.com")
	ann.Staff, ann.Superuser, gone.Active = true, true, false
	f := auth.Users.Fields()
	if err := errors.Join(auth.Users.UpdateRow(s.ctx, ann, &f.Staff, &f.Superuser), auth.Users.UpdateRow(s.ctx, gone, &f.Active)); err != nil {
		t.Fatal(err)
	}
	scopes := []auth.Permission{"notes.print"}
	badge := func(next retort.Handler) retort.Handler {
		return func(c *retort.Ctx) error {
			user, err := auth.Find(c, c.Query("who"))
			if err != nil {
				return err
			}
			if err := auth.ActByToken(c, user, scopes); err != nil {
				return err
			}
			return next(c)
		}
	}
	ok := func(c *retort.Ctx) error { return c.Text("ok " + auth.Must(c).Email) }
	s.app.Get("/badge/who", ok).Use(badge)
	s.app.Get("/badge/print", ok).Use(badge, auth.RequirePermission("notes.print"))
	s.app.Get("/badge/burn", ok).Use(badge, auth.RequirePermission("notes.burn"))
	s.app.Get("/badge/staff", ok).Use(badge, auth.RequireStaff)
	s.app.Get("/badge/fresh", ok).Use(badge, auth.RequireFresh)
	s.app.Get("/badge/factor", ok).Use(badge, auth.RequireSecondFactor)
	client := retorttest.New(t, s.app)
	login(client, "ann@example.com", secret).Status(200)
	for path, want := range map[string]int{"who": 200, "print": 200, "burn": 403, "staff": 403, "fresh": 403, "factor": 403} {
		client.Get("/badge/" + path + "?who=ann@example.com").Status(want)
	}
	client.Get("/badge/who?who=gone@example.com").Status(403)
}
