package auth_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
)

// directory is a backend that answers as it is told.
type directory struct {
	err  error
	kept string // the address of whose password it keeps
}

func (d *directory) Authenticate(context.Context, string, string) (*auth.User, error) {
	return nil, d.err
}

func (d *directory) KeepsPassword(_ context.Context, user *auth.User) (bool, error) {
	return user.Email == d.kept, nil
}

func TestBackendsThatCannotTell(t *testing.T) {
	t.Parallel()
	d := &directory{err: auth.ErrUnavailable, kept: "bob@example.com"}
	s := newSite(t, testdb.SQLite, auth.Options{
		Backends: []auth.Backend{d, auth.Passwords()},
		Throttle: auth.Throttle{PairFailures: 3, PairWait: time.Hour, PairWindow: time.Hour},
	})
	ann, bob := s.user(t, "ann@example.com"), s.user(t, "bob@example.com")
	if user, err := s.auth.Authenticate(s.ctx, "ann@example.com", secret); err != nil || user.ID != ann.ID {
		t.Errorf("the next backend was not asked: %v, %v", user, err)
	}
	// It is no wrong password, and yet a guess at those of the other backend.
	for range 3 {
		if _, err := s.auth.Authenticate(s.ctx, "ann@example.com", "wrong"); !errors.Is(err, auth.ErrUnavailable) {
			t.Error(err)
		}
	}
	if _, err := s.auth.Authenticate(s.ctx, "ann@example.com", "wrong"); !isThrottled(err) {
		t.Errorf("guesses are not counted while a backend is away: %v", err)
	}
	for user, want := range map[*auth.User]bool{ann: false, bob: true} {
		if kept, err := s.auth.PasswordElsewhere(s.ctx, user); err != nil || kept != want {
			t.Errorf("%s: %t, %v", user, kept, err)
		}
	}
	d.err = auth.ErrDenied
	if _, err := s.auth.Authenticate(s.ctx, "bob@example.com", secret); !errors.Is(err, auth.ErrWrong) {
		t.Errorf("after ErrDenied: %v", err)
	}
	d.err = auth.ErrUnavailable
	login(retorttest.New(t, s.app), "bob@example.com", "wrong").Status(503).HasHeader("Retry-After", "5")
}

func isThrottled(err error) bool {
	_, ok := errors.AsType[*auth.ThrottledError](err)
	return ok
}
