package oidc

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/migrate/migratetest"
	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/mysql"
	_ "github.com/retort-web/retort/orm/postgres"
)

func TestMigrationsMakeWhatTheModelSays(t *testing.T) {
	t.Parallel()
	s, _ := pair(t, options{})
	if out, err := s.App.Call(s.Ctx, "makemigrations", "--check"); err != nil {
		t.Error(err, out)
	}
}

// Subjects that differ in case alone are two users, whatever the database.
func TestIdentitiesOnAllDatabases(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		url := "" // a file
		if kind.Name != testdb.SQLite.Name {
			url = kind.URL(t)
		}
		ctx := migratetest.Context(t, migratetest.Options{URL: url, Migrated: true})
		ann := auth.Users.New()
		ann.Email = "ann@example.com"
		if err := auth.Users.Insert(ctx, ann); err != nil {
			t.Fatal(err)
		}
		insert := func(issuer, subject string) error {
			row := Identities.New()
			row.User.Set(ann)
			row.Provider, row.Issuer, row.Subject = "one", issuer, subject
			return orm.Atomic(ctx, func(ctx context.Context) error { return Identities.Insert(ctx, row) })
		}
		for _, who := range [][2]string{{"https://a", "abc"}, {"https://a", "ABC"}, {"https://a", "abc "}, {"https://b", "abc"}} {
			if err := insert(who[0], who[1]); err != nil {
				t.Error(who, err)
			}
		}
		if err := insert("https://a", "abc"); !orm.IsUnique(err) {
			t.Error(err)
		}
		if user, err := UserOf(ctx, "https://a", "ABC"); err != nil || user.ID != ann.ID {
			t.Error(user, err)
		}
		if _, err := UserOf(ctx, "https://c", "abc"); !errors.Is(err, orm.ErrNotFound) {
			t.Error(err)
		}
		s := &source{Provider: Provider{Issuer: "https://a"}}
		for subject, there := range map[string]bool{"abc": true, "ABC": true, "Abc": false, "abc ": true, "abc  ": false} {
			if found, err := s.find(ctx, &Profile{Subject: subject}); err != nil || (found != nil) != there {
				t.Errorf("%q: %v, %v", subject, found, err)
			}
		}
	})
}

// Of many first logins at once one makes the user, and all are that user's.
func TestFirstLoginsAtOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		database := "" // a file
		if kind.Name != testdb.SQLite.Name {
			database = kind.URL(t)
		}
		s, f := pair(t, options{database: database})
		var wait sync.WaitGroup
		for range 8 {
			one := s.fresh()
			to := callback + f.visit(one.leave(begin)).Encode()
			wait.Go(func() {
				if res := one.Get(to); res.Header().Get("Location") != "/" {
					t.Errorf("%d\n%s", res.Code, res.Text())
				}
			})
		}
		wait.Wait()
		if n := len(s.identities()); n != 1 {
			t.Errorf("%d identities", n)
		}
	})
}
