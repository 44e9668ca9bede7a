package auth_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

func TestProfilesOfUsers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSite(t, kind, auth.Options{})
		ann := s.user(t, "ann@example.com")
		row := &Profile{Phone: "123"}
		row.User.Set(ann)
		if err := Profiles.Insert(s.ctx, row); err != nil {
			t.Fatal(err)
		}
		p := Profiles.Fields()
		read, err := Profiles.Where(orm.Eq(&p.User.To().Login, "ann@example.com")).With(&p.User).Get(s.ctx)
		if err != nil || read.Phone != "123" || read.User.To().Email != ann.Email {
			t.Errorf("%+v, %v", read, err)
		}
		if err := auth.Users.DeleteRow(s.ctx, ann); err != nil {
			t.Fatal(err)
		}
		if n, err := Profiles.Count(s.ctx); n != 0 || err != nil {
			t.Error(n, err)
		}
	})
}

// CVE class "enumeration": unknown, inactive and password-less users look alike.
func TestSecurityEnumeration(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{})
	s.user(t, "ann@example.com")
	inactive := s.user(t, "gone@example.com")
	inactive.Active = false
	if err := auth.Users.UpdateRow(s.ctx, inactive, &auth.Users.Fields().Active); err != nil {
		t.Fatal(err)
	}
	bare := auth.Users.New()
	bare.Email = "bare@example.com"
	if err := s.auth.Create(s.ctx, bare, ""); err != nil {
		t.Fatal(err)
	}
	if bare.HasPassword() {
		t.Error("a user without password has one")
	}
	want := login(retorttest.New(t, s.app), "ann@example.com", "wrong").Status(401).Text()
	for _, email := range []string{"nobody@example.com", "gone@example.com", "bare@example.com", "", "x\x00y", "\xff", strings.Repeat("x", 100_000)} {
		for _, tried := range []string{secret, "", "!", "\x00", bare.PasswordHash} {
			if got := login(retorttest.New(t, s.app), email, tried).Status(401).Text(); got != want {
				t.Errorf("%.20q: %s", email, got)
			}
		}
	}
}

// CVE class "reset hijack": addresses that only look alike are not the same.
func TestSecurityLoginsThatLookAlike(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSite(t, kind, auth.Options{})
		s.user(t, "mike@example.org")
		for _, same := range []string{"Mike@example.org", "MIKE@EXAMPLE.ORG", " mike@example.org", "ｍike@example.org"} {
			if u, err := auth.Find(s.ctx, same); err != nil || u.Email != "mike@example.org" {
				t.Errorf("%q: %v", same, err)
			}
			u := auth.Users.New()
			u.Email = same
			if err := s.auth.Create(s.ctx, u, secret); !errors.Is(err, auth.ErrTaken) && err == nil {
				t.Errorf("%q is another user: %v", same, err)
			}
		}
		for _, other := range []string{"mıke@example.org", "mike@exаmple.org", "mike@example.org\x00", "míke@example.org", "mike@example.org."} {
			if u, err := auth.Find(s.ctx, other); !errors.Is(err, orm.ErrNotFound) {
				t.Errorf("%q is taken for %v, %v", other, u, err)
			}
		}
	})
}
