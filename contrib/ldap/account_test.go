package ldap_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/ldap"
	"github.com/retort-web/retort/internal/testdb"
)

const editors, chiefs, writers = "cn=editors," + byUID, "cn=chiefs," + byUID, "cn=writers," + byUID

// The ways to know the groups of a user, for a user in writers, which is in editors.
func groupWays(d *directory) map[string]func(o *ldap.Options) {
	ann := d.records[1]
	ann.set("memberOf", writers)
	d.add(writers, "cn", "writers", "member", ann.dn, "memberOf", editors)
	d.add(editors, "cn", "editors", "member", writers)
	d.add("cn=posix,"+byUID, "cn", "posix", "memberUid", "ann")
	d.add("cn=unique,"+byUID, "cn", "unique", "uniqueMember", ann.dn)
	d.add(chiefs, "cn", "chiefs", "member", "uid=boss,"+people)
	return map[string]func(o *ldap.Options){
		"memberOf: writers":                    func(*ldap.Options) {},
		"memberOf: editors writers":            func(o *ldap.Options) { o.NestedGroups = true },
		"search: posix unique writers":         func(o *ldap.Options) { o.GroupBase = byUID },
		"search: editors posix unique writers": func(o *ldap.Options) { o.GroupBase, o.NestedGroups = byUID, true },
		"chain: editors writers": func(o *ldap.Options) {
			o.GroupBase, o.NestedGroups, o.GroupFilter = byUID, true, "(member:1.2.840.113556.1.4.1941:={dn})"
		},
	}
}

func TestGroupsAreMirrored(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	ways := groupWays(d)
	d.start()
	for name, change := range ways {
		o := d.options()
		o.MirrorGroups = true
		change(&o)
		s := newSite(t, o)
		_, want, _ := strings.Cut(name, ": ")
		if got := strings.Join(s.groups(s.in("ann", "ann's own")), " "); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestGroupsThatWereGivenHereStay(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		d := newDirectory(t).start()
		d.records[1].set("memberOf", writers, "memberOf", editors)
		o := d.options()
		o.Groups = map[string]string{strings.ToUpper(editors): "Editors of the site", chiefs: "Chiefs"}
		s := newSiteOn(t, kind, o)
		ann := s.in("ann", "ann's own")
		local := auth.Groups.New()
		local.Name = "Friends"
		if err := auth.Groups.Insert(s.Ctx, local); err != nil {
			t.Fatal(err)
		}
		if err := ann.Groups.Add(s.Ctx, local); err != nil {
			t.Fatal(err)
		}
		if got := s.groups(s.in("ann", "ann's own")); !slices.Equal(got, []string{"Editors of the site", "Friends"}) {
			t.Errorf("%q", got)
		}
		d.records[1].set("memberOf", chiefs)
		if got := s.groups(s.in("ann", "ann's own")); !slices.Equal(got, []string{"Chiefs", "Friends"}) {
			t.Errorf("%q", got)
		}
	})
}

func TestFlagsFollowGroups(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		d := newDirectory(t).start()
		o := d.options()
		o.StaffGroups, o.SuperuserGroups = ldap.DNs{editors, writers}, ldap.DNs{chiefs}
		s := newSiteOn(t, kind, o)
		for _, step := range []struct {
			group            string
			staff, superuser bool
		}{{writers, true, false}, {chiefs, false, true}, {"cn=other," + byUID, false, false}, {editors, true, false}} {
			d.records[1].set("memberOf", step.group)
			if ann := s.in("ann", "ann's own"); ann.Staff != step.staff || ann.Superuser != step.superuser {
				t.Errorf("in %s: staff %t, superuser %t", step.group, ann.Staff, ann.Superuser)
			}
		}
		// What no option speaks of is left alone.
		other := newSiteOn(t, kind, d.options())
		ann := other.in("ann", "ann's own")
		ann.Staff = true
		if err := auth.Users.UpdateRow(other.Ctx, ann, &auth.Users.Fields().Staff); err != nil {
			t.Fatal(err)
		}
		if !other.in("ann", "ann's own").Staff {
			t.Error("the flag was taken")
		}
	})
}

func TestGroupsThatKeepOut(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	o := d.options()
	o.RequireGroups, o.DenyGroups = ldap.DNs{editors}, ldap.DNs{chiefs}
	s := newSite(t, o)
	s.out("ann", "ann's own")
	d.records[1].set("memberOf", editors)
	s.in("ann", "ann's own")
	d.records[1].set("memberOf", editors, "memberOf", chiefs)
	s.out("ann", "ann's own")
}

func TestDisabledInActiveDirectory(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	r := d.add("cn=Bo,"+people, "objectCategory", "person", "objectClass", "user", "sAMAccountName", "bo", "userPrincipalName", "bo@corp.example.com", "displayName", "Bo Berg",
		"mail", "bo@example.com", "objectGUID", "\x01\xff\x00binary", "userAccountControl", "512", "userPassword", "bo's own words")
	o := d.options()
	o.Kind = ldap.ActiveDirectory
	s := newSite(t, o)
	bo := s.in("bo", "bo's own words")
	if again := s.in("bo@corp.example.com", "bo's own words"); again.ID != bo.ID || bo.Name != "Bo Berg" {
		t.Errorf("%+v", again)
	}
	r.set("userAccountControl", "514")
	// Not by a password of the site's own either: the directory has said no.
	if err := s.Auth.SetPassword(s.Ctx, bo, "bo's own words"); err != nil {
		t.Fatal(err)
	}
	s.out("bo", "bo's own words")
	r.set("userAccountControl", "512", "nsAccountLock", "TRUE")
	s.out("bo", "bo's own words")
}

func TestNotActiveHere(t *testing.T) {
	t.Parallel()
	s := newSite(t, newDirectory(t).start().options())
	ann := s.in("ann", "ann's own")
	ann.Active = false
	if err := auth.Users.UpdateRow(s.Ctx, ann, &auth.Users.Fields().Active); err != nil {
		t.Fatal(err)
	}
	s.out("ann", "ann's own")
}

func TestEntriesWithoutAnAddress(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	d.add("uid=bo,"+people, "uid", "bo", "cn", "Bo", "mail", "not an address", "userPassword", "bo's own")
	o := d.options()
	s := newSite(t, o)
	s.out("bo", "bo's own")
	if s.users() != 0 || s.logged("set mail_domain") != 1 {
		t.Error(s.Log)
	}
	o.MailDomain = "staff.example.com"
	s = newSite(t, o)
	if bo := s.in("BO", "bo's own"); bo.Email != "bo@staff.example.com" {
		t.Errorf("%+v", bo)
	}
}

func TestRenamedEntries(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		d := newDirectory(t).start()
		s := newSiteOn(t, kind, d.options())
		s.local("taken@example.com", "somebody else")
		ann := s.in("ann", "ann's own")
		r := d.records[1]
		r.dn = "uid=abaker," + people
		r.set("uid", "abaker", "cn", "Ann Baker", "mail", "ann.baker@example.com")
		after := s.in("abaker", "ann's own")
		if after.ID != ann.ID || after.Name != "Ann Baker" || after.Email != "ann.baker@example.com" || after.Login != "ann.baker@example.com" {
			t.Errorf("%+v", after)
		}
		// An address that is another's is not taken.
		r.set("mail", "Taken@example.com")
		if after = s.in("abaker", "ann's own"); after.Email != "ann.baker@example.com" || s.logged("keeps the address") != 1 {
			t.Errorf("%+v\n%s", after, s.Log)
		}
		// Another entry under the old name is another user.
		d.add("uid=ann,"+people, "uid", "ann", "cn", "Another Ann", "mail", "ann2@example.com", "userPassword", "another's").set("entryUUID", "another")
		if other := s.in("ann", "another's"); other.ID == ann.ID {
			t.Error("a new entry got the user of an old one")
		}
		// And one with an old address does not get the user either.
		d.add("uid=cy,"+people, "uid", "cy", "mail", "ann.baker@example.com", "userPassword", "cy's own")
		s.out("cy", "cy's own")
	})
}

func TestUsersThatAreHereAreNotTakenOver(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		d := newDirectory(t).start()
		s := newSiteOn(t, kind, d.options())
		s.local("ann@example.com", "words of the site")
		s.out("ann", "ann's own")
		if s.logged("set link_by_address") != 1 {
			t.Error(s.Log)
		}
		s.in("ann@example.com", "words of the site")

		o := d.options()
		o.LinkByAddress = true
		s = newSiteOn(t, kind, o)
		here := s.local("ann@example.com", "words of the site")
		if ann := s.in("ann", "ann's own"); ann.ID != here.ID || ann.HasPassword() {
			t.Errorf("%+v", ann)
		}
		s.out("ann@example.com", "words of the site")
		// One entry is one user.
		d.add("uid=cy,"+people, "uid", "cy", "mail", "ann@example.com", "userPassword", "cy's own")
		s.out("cy", "cy's own")
	})
}

func TestDeletedUsersComeAnew(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSiteOn(t, kind, newDirectory(t).start().options())
		ann := s.in("ann", "ann's own")
		if err := auth.Users.DeleteRow(s.Ctx, ann); err != nil {
			t.Fatal(err)
		}
		if n, err := ldap.Links.Count(s.Ctx); n != 0 || err != nil {
			t.Errorf("%d links, %v", n, err)
		}
		s.in("ann", "ann's own")
	})
}

func TestOnLogin(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	d.records[1].set("telephoneNumber", "+44 1", "telephoneNumber", "+44 2")
	o := d.options()
	o.Attributes = []string{"telephoneNumber"}
	var phones []string
	o.OnLogin = func(_ context.Context, user *auth.User, entry *ldap.Entry) error {
		if user.ID == 0 || entry.Get("CN") != "Ann Archer" || entry.Get("nothing") != "" {
			return errors.New("the user is not saved, or the entry is not whole")
		}
		phones = entry.All("telephonenumber")
		if len(phones) == 1 {
			return auth.ErrDenied
		}
		return nil
	}
	s := newSite(t, o)
	s.in("ann", "ann's own")
	if !slices.Equal(phones, []string{"+44 1", "+44 2"}) {
		t.Errorf("%q", phones)
	}
	d.records[1].set("telephoneNumber", "+44 1")
	s.out("ann", "ann's own")
}
