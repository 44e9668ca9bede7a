package site

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/ratelimit"
	"github.com/retort-web/retort/ratelimit/redislimit"
	"github.com/retort-web/retort/session/dbsession"
	"github.com/retort-web/retort/session/redissession"
)

// sessions returns where sessions are kept, and what counts failed logins: the database
// and this process, or the Redis server of the options.
func (s *Site) sessions(app *retort.App) (retort.Extension, ratelimit.Store, error) {
	if s.options.Redis == "" {
		return dbsession.New(), nil, nil
	}
	counts, err := redislimit.Open(s.options.Redis)
	if err != nil {
		return nil, nil, err
	}
	app.OnShutdown(func(context.Context) error { return counts.Close() })
	return redissession.New(s.options.Redis), counts, nil
}

// mailer is the URL of what sends the mail: a folder with one file each, or a server.
func (s *Site) mailer() string { return cmp.Or(s.options.Mail, "file:"+s.options.Mails) }

// prepare migrates and seeds the database. One that is away when the site starts is
// prepared as soon as it is there; until then its pages answer 503 and the others go on.
func (s *Site) prepare(ctx context.Context) error {
	err := s.migrateAndSeed(ctx)
	if !errors.Is(err, orm.ErrUnavailable) {
		return err
	}
	s.app.Go("preparing the database", func(ctx context.Context) {
		for errors.Is(err, orm.ErrUnavailable) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
			err = s.migrateAndSeed(ctx)
		}
		if err != nil {
			s.app.Logger().Error("the database could not be prepared", "error", err)
		}
	})
	return nil
}

func (s *Site) migrateAndSeed(ctx context.Context) error {
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	return s.seed(ctx)
}
