package ldap_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/retort-web/retort/contrib/ldap"
)

// check runs the command that looks a login up.
func (s *site) check(input string, args ...string) (string, error) {
	s.T.Helper()
	var out bytes.Buffer
	err := s.App.Execute(s.Ctx, append([]string{"ldapcheck"}, args...), strings.NewReader(input), &out, &out)
	return out.String(), err
}

func TestCheckCommand(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	d.records[1].set("memberOf", editors)
	d.add("uid=cy,"+people, "uid", "cy", "userAccountControl", "514", "userPassword", "cy's own")
	o := d.options()
	o.StaffGroups, o.MirrorGroups, o.DenyGroups = ldap.DNs{editors}, true, ldap.DNs{chiefs}
	s := newSite(t, o)
	wants := func(out string, err error, texts ...string) {
		t.Helper()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("no %q in\n%s", text, out)
			}
		}
		if strings.Contains(out, readerPW) || strings.Contains(out, "ann's own") {
			t.Errorf("a password is printed:\n%s", out)
		}
	}
	out, err := s.check("", "ann")
	wants(out, err, "TLS", "uid=ann,"+people, "Ann@example.com", "Ann Archer", "cn=editors", "staff      true", "superuser  left alone", "in groups  editors", "a new one")
	out, err = s.check("ann's own\n", "--password", "ann")
	wants(out, err, "password   right")
	if s.users() != 0 {
		t.Error("the command made a user")
	}
	s.in("ann", "ann's own")
	out, err = s.check("", "ann")
	wants(out, err, "user       1")
	d.records[1].set("memberOf", chiefs)
	out, err = s.check("", "ann")
	wants(out, err, "refused    a member of one of deny_groups")
	out, err = s.check("", "cy")
	wants(out, err, "disabled", "set mail_domain")
	for input, args := range map[string][]string{"": {"nobody"}, "wrong\n": {"--password", "ann"}, "\n": {"--password", "ann"}, "x": {}} {
		if out, err := s.check(input, args...); err == nil {
			t.Errorf("%q: %s", args, out)
		}
	}
	d.stop()
	if out, err := s.check("", "ann"); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("%v\n%s", err, out)
	}
}
