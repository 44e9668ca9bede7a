package ldap_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/ldap"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/internal/testsite"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/mail/mailtest"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/session/dbsession"
)

// site is an app with accounts that asks a directory, and its own passwords then.
type site struct {
	*testsite.Site
	box *mailtest.Outbox
}

// options are those of most tests: a search as the reader.
func (d *directory) options() ldap.Options {
	return ldap.Options{
		Servers: []string{d.url()}, CAFile: d.authority.file, BindDN: reader, BindPassword: readerPW, Base: people,
		ConnectTimeout: patience, Timeout: patience,
	}
}

func newSite(t *testing.T, o ldap.Options) *site {
	t.Helper()
	return newSiteOn(t, testdb.SQLite, o)
}

// newSiteOn is newSite with a database of that kind.
func newSiteOn(t *testing.T, kind testdb.Kind, o ldap.Options) *site {
	t.Helper()
	directory := ldap.New(o)
	accountsOptions := auth.Options{LoginURL: "accounts.login", Backends: []auth.Backend{directory, auth.Passwords()}, Throttle: auth.Throttle{Disabled: true}}
	onKind := func(cfg *retort.Config) {
		if kind.Name != testdb.SQLite.Name { // that of testsite is a file
			cfg.DatabaseURL = kind.URL(t)
		}
	}
	s := testsite.New(t, testsite.Options{Change: onKind, Auth: accountsOptions}, func(s *testsite.Site) {
		s.App.Install(db.Open(""), dbsession.New(), mail.New(mail.Options{From: "site@example.com"}), s.Auth, accounts.New(), directory)
		s.App.Get("/", testsite.Home)
	})
	return &site{s, mailtest.New(t, s.App)}
}

// in logs in and returns the user.
func (s *site) in(login, secret string) *auth.User {
	s.T.Helper()
	user, err := s.Auth.Authenticate(s.Ctx, login, secret)
	if err != nil {
		s.T.Fatalf("login of %s: %v\n%s", login, err, s.Log)
	}
	return s.read(user)
}

// read reads a user anew, with the groups.
func (s *site) read(user *auth.User) *auth.User {
	s.T.Helper()
	u := auth.Users.Fields()
	row, err := auth.Users.Where(orm.Eq(&u.ID, user.ID)).With(&u.Groups).Get(s.Ctx)
	if err != nil {
		s.T.Fatal(err)
	}
	return row
}

func (s *site) groups(user *auth.User) (names []string) {
	s.T.Helper()
	list, err := user.Groups.Get()
	if err != nil {
		s.T.Fatal(err)
	}
	for _, g := range list {
		names = append(names, g.Name)
	}
	slices.Sort(names)
	return names
}

// out wants a login to be refused.
func (s *site) out(login, secret string) {
	s.T.Helper()
	if user, err := s.Auth.Authenticate(s.Ctx, login, secret); !errors.Is(err, auth.ErrWrong) {
		s.T.Errorf("login of %q: %v, %v", login, user, err)
	}
}

// local makes a user with a password of the site's own.
func (s *site) local(email, secret string) *auth.User {
	s.T.Helper()
	u := auth.Users.New()
	u.Email = email
	if err := s.Auth.Create(s.Ctx, u, secret); err != nil {
		s.T.Fatal(err)
	}
	return u
}

func (s *site) users() int64 {
	s.T.Helper()
	n, err := auth.Users.Count(s.Ctx)
	if err != nil {
		s.T.Fatal(err)
	}
	return n
}

func (s *site) logged(text string) int { return strings.Count(s.Log.String(), text) }

func TestFirstLoginMakesAUser(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		d := newDirectory(t).start()
		s := newSiteOn(t, kind, d.options())
		s.Get("/login").Status(200)
		s.out("ann", "wrong")
		s.out("nobody", "ann's own")
		if s.users() != 0 {
			t.Error("a failed login made a user")
		}
		ann := s.in("ann", "ann's own")
		if ann.Email != "Ann@example.com" || ann.Name != "Ann Archer" || ann.HasPassword() || ann.Verified == nil || ann.Staff || ann.Superuser {
			t.Errorf("%+v", ann)
		}
		if again := s.in(" ANN ", "ann's own"); again.ID != ann.ID || s.users() != 1 {
			t.Errorf("user %d after %d", again.ID, ann.ID)
		}
		if d.clear > 0 {
			t.Errorf("%d binds in clear text", d.clear)
		}
		if text := s.Log.String(); strings.Contains(text, "ann's own") || strings.Contains(text, readerPW) {
			t.Errorf("a password was logged:\n%s", text)
		}
	})
}

// The pages of package accounts need nothing to know of it.
func TestThePageOfLogins(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	o := d.options()
	o.Filter = "(mail={login})"
	s := newSite(t, o)
	s.PostForm("/login", map[string][]string{"email": {"ann@example.com"}, "password": {"wrong"}}).Status(422).Contains("is not right")
	s.PostForm("/login", map[string][]string{"email": {"ann@example.com"}, "password": {"ann's own"}}).RedirectsTo("/")
	s.Get("/").Contains("home of Ann@example.com")
	// The password is the directory's: neither changed nor reset here.
	s.Get("/password/change").Status(403).Contains("Your password is kept elsewhere")
	s.PostForm("/password/reset", map[string][]string{"email": {"ann@example.com"}}).Status(200).Contains("Look into your mail")
	if sent := s.box.Messages(); len(sent) > 0 {
		t.Errorf("a link for a new password was mailed: %q", sent[0].Subject)
	}
}

func TestEmptyPasswordsAreNoBind(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	for _, o := range []ldap.Options{d.options(), {Servers: []string{d.url()}, CAFile: d.authority.file, UserDN: "uid={login}," + people}} {
		s := newSite(t, o)
		for _, secret := range []string{"", "\x00", "ann's own\x00", strings.Repeat("x", 5000)} {
			s.out("ann", secret)
		}
	}
	if names := d.tried(); len(names) > 0 {
		t.Errorf("the directory was asked: %q", names)
	}
}

func TestDirectBind(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	d.add("uid=eve,ou=admins,dc=example,dc=com", "uid", "eve", "mail", "eve@example.com", "userPassword", "eve's own")
	s := newSite(t, ldap.Options{Servers: []string{d.url()}, CAFile: d.authority.file, UserDN: "uid={login}," + people})
	ann := s.in("ann", "ann's own")
	if ann.Email != "Ann@example.com" {
		t.Errorf("%+v", ann)
	}
	s.out("ann", "wrong")
	// Whatever is typed stays one value of uid.
	for _, login := range []string{"eve,ou=admins,dc=example,dc=com", "ann+cn=x", "eve", "*", "#616e6e", "ann\\", " ", "ann,", `"ann"`, "ann;", "ann\x00", "an\nn", "\xff"} {
		s.out(login, "ann's own")
		s.out(login, "eve's own")
	}
	for _, name := range d.tried() {
		if !strings.HasPrefix(name, "uid=") || !strings.HasSuffix(name, ","+people) {
			t.Errorf("bind as %q", name)
		}
	}
}

func TestFiltersAreEscaped(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	s := newSite(t, d.options())
	for _, login := range []string{
		"*", "a*", "ann)(uid=*", "*)(|(uid=*", "ann)(|(objectClass=*)", `ann\2a`, `\61nn`, "(ann)", "ann\x00", "ann\x00)(uid=*", "\xff\xfe", strings.Repeat("a", 300), "", " ",
	} {
		s.out(login, "ann's own")
	}
	s.in("ann", "ann's own")
}

func TestTwoEntriesForOneLogin(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	d.add("uid=ann,ou=guests,"+people, "uid", "ann", "mail", "other@example.com", "userPassword", "another's")
	s := newSite(t, d.options())
	s.out("ann", "ann's own")
	s.out("ann", "another's")
	if s.logged("several entries") != 2 {
		t.Error(s.Log)
	}
}

// A directory may take one name for two entries: what is proved is the password of the
// entry that the filter finds.
func TestPasswordIsThatOfTheEntryFound(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	d.add("cn=bob,"+people, "sAMAccountName", "bob", "mail", "bob@example.com", "objectGUID", "bob", "userPassword", "bob's own")
	d.add("cn=mallory,"+people, "sAMAccountName", "mallory", "userPrincipalName", "bob@corp.example.com", "mail", "m@example.com", "objectGUID", "mallory", "userPassword", "mallory's own")
	d.names["bob@corp.example.com"] = "cn=mallory," + people
	s := newSite(t, ldap.Options{
		Kind: ldap.ActiveDirectory, Servers: []string{d.url()}, CAFile: d.authority.file, UserDN: "{login}@corp.example.com", Base: people,
		Filter: "(sAMAccountName={login})",
	})
	s.out("bob", "mallory's own")
	for _, login := range []string{"bob@corp.example.com", `CORP\bob`, "bob*"} {
		s.out(login, "mallory's own")
	}
	d.names["bob@corp.example.com"] = "cn=bob," + people
	if bob := s.in("bob", "bob's own"); bob.Email != "bob@example.com" {
		t.Errorf("%+v", bob)
	}
}

func TestTLSIsNeverLeftOut(t *testing.T) {
	t.Parallel()
	refused := func(t *testing.T, d *directory, change func(o *ldap.Options)) *site {
		t.Helper()
		o := d.options()
		change(&o)
		s := newSite(t, o)
		user, err := s.Auth.Authenticate(s.Ctx, "ann", "ann's own")
		if err == nil || errors.Is(err, auth.ErrWrong) {
			t.Errorf("%v, %v", user, err)
		}
		if names := d.tried(); len(names) > 0 || d.clear > 0 {
			t.Errorf("passwords were sent: %q, %d in clear text", names, d.clear)
		}
		return s
	}
	t.Run("no StartTLS", func(t *testing.T) {
		t.Parallel()
		d := newDirectory(t)
		d.noStartTLS = true
		s := refused(t, d.start(), func(*ldap.Options) {})
		if s.logged("allow_plaintext") != 1 {
			t.Error(s.Log)
		}
	})
	t.Run("unknown authority", func(t *testing.T) {
		t.Parallel()
		refused(t, newDirectory(t).start(), func(o *ldap.Options) { o.CAFile = "" })
	})
	t.Run("certificate for another", func(t *testing.T) {
		t.Parallel()
		d := newDirectory(t)
		d.mistaken = true
		refused(t, d.start(), func(*ldap.Options) {})
	})
	t.Run("ldaps certificate for another", func(t *testing.T) {
		t.Parallel()
		d := newDirectory(t)
		d.mistaken, d.ldaps = true, true
		refused(t, d.start(), func(*ldap.Options) {})
	})
	t.Run("ldaps", func(t *testing.T) {
		t.Parallel()
		d := newDirectory(t)
		d.ldaps = true
		o := d.start().options()
		o.ServerName = "directory.example.com"
		newSite(t, o).in("ann", "ann's own")
	})
	t.Run("clear text by name", func(t *testing.T) {
		t.Parallel()
		d := newDirectory(t)
		d.noStartTLS = true
		o := d.start().options()
		o.AllowPlaintext = true
		s := newSite(t, o)
		s.in("ann", "ann's own")
		found := s.App.RunChecks(s.Ctx, true)
		if !slices.ContainsFunc(found, func(f retort.Finding) bool { return f.ID == "ldap.plaintext" && f.Level == retort.LevelError }) {
			t.Errorf("check --deploy: %v", found)
		}
	})
}

func TestSettings(t *testing.T) {
	d := newDirectory(t).start()
	t.Setenv("RETORT_LDAP_SERVERS", "ldap://127.0.0.1:1,"+d.url())
	t.Setenv("RETORT_LDAP_CA_FILE", d.authority.file)
	t.Setenv("RETORT_LDAP_BIND_DN", reader)
	t.Setenv("RETORT_LDAP_BIND_PASSWORD", readerPW)
	t.Setenv("RETORT_LDAP_BASE", people)
	t.Setenv("RETORT_LDAP_STAFF_GROUPS", "cn=nobody,"+byUID+"; cn=staff,"+byUID)
	t.Setenv("RETORT_LDAP_TIMEOUT", "1m")
	t.Setenv("RETORT_LDAP_CONNECT_TIMEOUT", "1m")
	d.records[1].set("memberOf", "CN=Staff, "+byUID)
	if ann := newSite(t, ldap.Options{}).in("ann", "ann's own"); !ann.Staff {
		t.Errorf("%+v", ann)
	}
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	right := ldap.Options{Servers: []string{"ldaps://ldap.example.com"}, Base: people}
	for want, change := range map[string]func(o *ldap.Options){
		"Options.Servers is empty":                 func(o *ldap.Options) { o.Servers = nil },
		"is no server":                             func(o *ldap.Options) { o.Servers = []string{"http://ldap.example.com"} },
		"Options.Base is empty":                    func(o *ldap.Options) { o.Base = "" },
		"Options.Filter":                           func(o *ldap.Options) { o.Filter = "(uid=x)" },
		"Options.GroupFilter":                      func(o *ldap.Options) { o.GroupFilter = "(member={dn}" },
		"has no {login}":                           func(o *ldap.Options) { o.UserDN = "uid=ann," + people },
		"Options.BindPassword is empty":            func(o *ldap.Options) { o.BindDN = reader },
		"is no distinguished name":                 func(o *ldap.Options) { o.DenyGroups = ldap.DNs{"staff"} },
		"Options.CAFile":                           func(o *ldap.Options) { o.CAFile = "no such file.pem" },
		"is no name; small letters, digits":        func(o *ldap.Options) { o.Name = "Our directory" },
		"must be one of standard, activedirectory": func(o *ldap.Options) { o.Kind = "novell" },
	} {
		o := right
		change(&o)
		app := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler), DatabaseURL: "sqlite::memory:"})
		app.Install(db.Open(""), auth.New(), ldap.New(o))
		if err := app.Prepare(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %q", err, want)
		}
	}
	app := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Install(ldap.New(right))
	if err := app.Prepare(); err == nil || !strings.Contains(err.Error(), "install auth.New") {
		t.Error(err)
	}
	if _, err := ldap.New(right).Authenticate(t.Context(), "ann", "x"); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Error(err)
	}
}

func TestMigrationsAreWhole(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		s := newSiteOn(t, kind, newDirectory(t).start().options())
		if out, err := s.App.Call(t.Context(), "makemigrations", "--check"); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
