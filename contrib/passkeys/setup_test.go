package passkeys_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/passkeys"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/session/dbsession"
)

func TestDomains(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cfg  retort.Config
		o    passkeys.Options
		want string
	}{
		{retort.Config{}, passkeys.Options{}, "set base_url"},
		{retort.Config{BaseURL: "http://notes.example"}, passkeys.Options{}, "over https alone"},
		{retort.Config{BaseURL: "https://192.0.2.1"}, passkeys.Options{}, "names alone"},
		{retort.Config{BaseURL: "https://notes.example"}, passkeys.Options{Domain: "other.example"}, "is not on other.example"},
		{retort.Config{BaseURL: "https://evilnotes.example"}, passkeys.Options{Domain: "notes.example"}, "is not on notes.example"},
		{retort.Config{}, passkeys.Options{Domain: "notes.example", Origins: []string{"notes.example"}}, "is no origin"},
		{retort.Config{BaseURL: "https://www.notes.example"}, passkeys.Options{Domain: "notes.example"}, ""},
		{retort.Config{BaseURL: "http://localhost:8000"}, passkeys.Options{}, ""},
		{retort.Config{Debug: true}, passkeys.Options{}, ""},
	} {
		c.cfg.Logger, c.cfg.DatabaseURL, c.cfg.SecretKey = slog.New(slog.DiscardHandler), "sqlite::memory:", "a key for these tests only, nowhere else"
		app := retort.New(c.cfg)
		app.Install(db.Open(""), dbsession.New(), mail.New(), auth.New(), accounts.New(), passkeys.New(c.o))
		err := app.Prepare()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v, %s: %v", c.o, c.cfg.BaseURL, err)
		}
	}
	app := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Install(passkeys.New())
	if err := app.Prepare(); err == nil || !strings.Contains(err.Error(), "install accounts.New") {
		t.Error(err)
	}
}

func TestMigrationsAreWhole(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSiteOn(t, kind, passkeys.Options{})
		if out, err := s.App.Call(t.Context(), "makemigrations", "--check"); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
