package auth_test

import (
	"strings"
	"testing"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	s := newSite(t, testdb.SQLite, auth.Options{})
	run := func(in string, args ...string) (string, error) {
		var out strings.Builder
		err := s.app.Execute(t.Context(), args, strings.NewReader(in), &out, &out)
		return out.String(), err
	}
	if out, err := run("ann@example.com\npassword\n", "createsuperuser"); err == nil || !strings.Contains(err.Error()+out, "tried first") {
		t.Error(out, err)
	}
	if out, err := run("ann@example.com\n"+secret+"\n", "createsuperuser"); err != nil {
		t.Error(out, err)
	}
	if out, err := run(secret+"\n", "createsuperuser", "--email", "Ann@example.com"); err == nil {
		t.Error(out, err)
	}
	if out, err := run("", "createsuperuser", "--no-input", "--email", "robot@example.com"); err != nil {
		t.Error(out, err)
	}
	ann, err := auth.Find(s.ctx, "ann@example.com")
	if err != nil || !ann.Superuser || !ann.Staff || !ann.Active || !ann.HasPassword() {
		t.Errorf("%+v, %v", ann, err)
	}
	robot, err := auth.Find(s.ctx, "robot@example.com")
	if err != nil || robot.HasPassword() {
		t.Errorf("%+v, %v", robot, err)
	}
	if out, err := run("another password\n", "changepassword", "ann@example.com"); err != nil {
		t.Error(out, err)
	}
	if _, err := s.auth.Authenticate(s.ctx, "ann@example.com", "another password"); err != nil {
		t.Error(err)
	}
	if out, err := run("", "changepassword", "--none", "ann@example.com"); err != nil {
		t.Error(out, err)
	}
	if ann, err := auth.Find(s.ctx, "ann@example.com"); err != nil || ann.HasPassword() {
		t.Errorf("she has a password yet: %v", err)
	}
	if out, err := run("x\n", "changepassword", "none@example.com"); err == nil || !strings.Contains(err.Error(), "no user none@example.com") {
		t.Error(out, err)
	}
}
