package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/retort-web/retort/auth"
)

// Kind is a family of directories; it sets what other options are by default.
type Kind string

// The kinds of directories.
const (
	// Standard is OpenLDAP, 389 Directory Server, FreeIPA and others of the usual
	// schemas. It is the default.
	Standard Kind = "standard"
	// ActiveDirectory is Microsoft's, or Samba's.
	ActiveDirectory Kind = "activedirectory"
)

// What becomes of logins while no server of the directory answers.
const (
	// Fail answers them with 503, whatever other backends would say.
	Fail = "fail"
	// Next asks the backends after this one; a login that none of them knows is
	// answered with 503.
	Next = "next"
)

// DNs is a list of distinguished names. In a variable of the environment or in
// retort.toml they are one text, with semicolons between them.
type DNs []string

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *DNs) UnmarshalText(text []byte) error {
	*d = nil
	for part := range strings.SplitSeq(string(text), ";") {
		if part = strings.TrimSpace(part); part != "" {
			*d = append(*d, part)
		}
	}
	return nil
}

// MarshalText implements [encoding.TextMarshaler].
func (d DNs) MarshalText() ([]byte, error) { return []byte(strings.Join(d, "; ")), nil }

// Options are the details of [New]. What the environment or retort.toml says in the
// section ldap (RETORT_LDAP_SERVERS) comes before what is given here.
type Options struct {
	// Name is the name of the directory where there are several: of its section of
	// the settings, of its command (NAMEcheck), and in the links of users to their
	// entries, so that it must stay. Default: "ldap".
	Name string `config:"-"`

	// Kind sets the defaults of Filter, GroupFilter, IDAttribute and NameAttribute.
	Kind Kind `config:"kind" default:"standard" oneof:"standard activedirectory" help:"family of the directory: standard or activedirectory"`

	// Servers are tried in order: "ldaps://ldap1.example.com", or with ldap:// by
	// StartTLS. Required.
	Servers []string `config:"servers" help:"ldaps:// or ldap:// (StartTLS) URLs, tried in order"`

	// AllowPlaintext sends passwords over ldap:// without StartTLS, for whoever can
	// listen. Default: false, and a server that has no TLS is an error.
	AllowPlaintext bool `config:"allow_plaintext" help:"send passwords in clear text"`

	// CAFile has the authority of the servers' certificates, PEM. Default: those of
	// the system.
	CAFile string `config:"ca_file" help:"PEM file of the authority of the servers' certificates"`

	// ServerName is what the certificates must be for. Default: the host of each URL.
	ServerName string `config:"server_name" help:"name in the servers' certificates"`

	// TLS has the rest, such as a certificate of this client. Default: TLS 1.2 and
	// later.
	TLS *tls.Config `config:"-"`

	// BindDN and BindPassword are of an account that may read the entries of users
	// and groups. Default: none, and they are read by the user who logs in, if there
	// is UserDN, or by nobody in particular.
	BindDN       string `config:"bind_dn" help:"account that reads users and groups"`
	BindPassword string `config:"bind_password" secret:"true" help:"its password"`

	// UserDN is where the entry of a user is, if that can be told from what the user
	// types: "uid={login},ou=people,dc=example,dc=com". The form of Active Directory,
	// "{login}@corp.example.com", finds the entry by Filter as the user.
	// Default: the entry is searched for below Base by Filter.
	UserDN string `config:"user_dn" help:"DN of users, with {login}; else they are searched for"`

	// Base is the entry below which users are: "ou=people,dc=example,dc=com".
	Base string `config:"base" help:"DN below which users are"`

	// Filter finds the entry of a user; {login} stands for what the user types.
	// Default: (uid={login}), of Active Directory users by sAMAccountName or
	// userPrincipalName. A filter that finds two entries lets neither in.
	Filter string `config:"filter" help:"filter that finds a user, with {login}"`

	// MailAttribute has the user's address. Default: "mail".
	MailAttribute string `config:"mail_attribute" default:"mail" help:"attribute with the address"`

	// MailDomain makes an address for those who have none, of what they log in with:
	// "example.com". Default: they cannot log in.
	MailDomain string `config:"mail_domain" help:"makes LOGIN@DOMAIN the address of those without one"`

	// NameAttribute has the user's name. Default: displayName, or else cn.
	NameAttribute string `config:"name_attribute" help:"attribute with the name; default displayName, or cn"`

	// IDAttribute stays the same when an entry is renamed. Default: entryUUID, or of
	// Active Directory objectGUID. "-" takes the DN.
	IDAttribute string `config:"id_attribute" help:"attribute that never changes; - takes the DN"`

	// LinkByAddress gives a user that is here already to the entry with the same
	// address, and takes the local password away. Who may write MailAttribute in the
	// directory, often everybody their own, can then log in as any user. Default:
	// false, and such logins are refused with a line in the log.
	LinkByAddress bool `config:"link_by_address" help:"give users that exist to entries with their address"`

	// GroupBase is the entry below which groups are. Default: the groups of a user
	// are those that the attribute memberOf names.
	GroupBase string `config:"group_base" help:"DN below which groups are; default: by memberOf"`

	// GroupFilter finds the groups of an entry: {dn} stands for the entry, {uid} for
	// its attribute uid. Default: by member, uniqueMember and memberUid; of Active
	// Directory by member.
	GroupFilter string `config:"group_filter" help:"filter that finds the groups of {dn} or {uid}"`

	// NestedGroups counts those who are in a group of a group, too. Active Directory
	// finds them itself; elsewhere it is a question for each level, up to 16.
	NestedGroups bool `config:"nested_groups" help:"groups of groups count, too"`

	// RequireGroups lets only the members of one of these groups log in, and
	// DenyGroups none of the members of these.
	RequireGroups DNs `config:"require_groups" help:"DNs of groups, with ; between: only their members log in"`
	DenyGroups    DNs `config:"deny_groups" help:"DNs of groups, with ; between: their members do not log in"`

	// StaffGroups and SuperuserGroups set Staff and Superuser at each login for the
	// members of these groups, and take them from others. Default: they are left
	// alone.
	StaffGroups     DNs `config:"staff_groups" help:"DNs of groups, with ; between, whose members are staff"`
	SuperuserGroups DNs `config:"superuser_groups" help:"DNs of groups, with ; between, whose members are superusers"`

	// Groups are auth groups that follow the directory, by the DN of a group there:
	// {"cn=editors,ou=groups,dc=example,dc=com": "Editors"}.
	Groups map[string]string `config:"groups" help:"auth groups by the DN of a group of the directory"`

	// MirrorGroups makes an auth group of each group of the directory that a user is
	// in, by its cn. Groups that a user was given here are left alone.
	MirrorGroups bool `config:"mirror_groups" help:"an auth group for each group of the directory"`

	// Attributes are further attributes that OnLogin gets.
	Attributes []string `config:"attributes" help:"further attributes to read"`

	// OnLogin is called at each login with the user, who is saved, and the entry, to
	// fill models of one's own. An error ends the login; [auth.ErrDenied] is no fault
	// of the site.
	OnLogin func(ctx context.Context, user *auth.User, entry *Entry) error `config:"-"`

	// WhenAway says what becomes of logins while no server answers: Fail or Next.
	// Default: Fail.
	WhenAway string `config:"when_away" default:"fail" oneof:"fail next" help:"logins while no server answers: fail, or the next backend"`

	// ConnectTimeout bounds reaching one server, TLS and the bind of BindDN
	// included, and Timeout a login with all servers. Default: 3s, 10s.
	ConnectTimeout time.Duration `config:"connect_timeout" default:"3s" min:"1ms" help:"to reach one server"`
	Timeout        time.Duration `config:"timeout" default:"10s" min:"1ms" help:"of a login"`

	// MaxConnections is how many connections to the directory there are at once; more
	// logins wait for one, up to Timeout. Default: 10.
	MaxConnections int `config:"max_connections" default:"10" min:"1" help:"connections at once"`
}

// loginMark stands for what the user typed.
const loginMark = "{login}"

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// complete fills the options that depend on Kind, and says what is wrong.
func (o *Options) complete() error {
	set := func(option *string, standard, active string) {
		if *option == "" {
			if *option = standard; o.Kind == ActiveDirectory {
				*option = active
			}
		}
	}
	set(&o.Filter, "(uid={login})", "(&(objectCategory=person)(objectClass=user)(|(sAMAccountName={login})(userPrincipalName={login})))")
	set(&o.IDAttribute, "entryUUID", "objectGUID")
	byMember, nested := "(member={dn})", "(member:"+inChain+":={dn})"
	if o.NestedGroups {
		byMember = nested
	}
	set(&o.GroupFilter, "(|(member={dn})(uniqueMember={dn})(memberUid={uid}))", byMember)
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(o.Name+": "+format, args...))
	}
	if len(o.Servers) == 0 {
		wrong("Options.Servers is empty; name a server, such as ldaps://ldap.example.com (RETORT_%s_SERVERS)", strings.ToUpper(o.Name))
	}
	if o.UserDN != "" && !strings.Contains(o.UserDN, loginMark) {
		wrong("Options.UserDN %q has no %s", o.UserDN, loginMark)
	}
	if !o.bindsByDN() {
		if o.Base == "" {
			wrong("Options.Base is empty; name the entry below which users are, or give UserDN")
		}
		if !strings.Contains(o.Filter, loginMark) {
			wrong("Options.Filter %q has no %s", o.Filter, loginMark)
		}
		if _, err := ldap.CompileFilter(strings.ReplaceAll(o.Filter, loginMark, "x")); err != nil {
			wrong("Options.Filter %q: %w", o.Filter, err)
		}
	}
	if _, err := ldap.CompileFilter(strings.NewReplacer("{dn}", "x", "{uid}", "x").Replace(o.GroupFilter)); err != nil {
		wrong("Options.GroupFilter %q: %w", o.GroupFilter, err)
	}
	if o.BindDN != "" && o.BindPassword == "" {
		wrong("Options.BindPassword is empty; many servers take a bind without a password for anybody's")
	}
	names := map[string]DNs{"BindDN": {o.BindDN}, "Base": {o.Base}, "GroupBase": {o.GroupBase}, "RequireGroups": o.RequireGroups, "DenyGroups": o.DenyGroups, "StaffGroups": o.StaffGroups, "SuperuserGroups": o.SuperuserGroups}
	for dn := range o.Groups {
		names["Groups"] = append(names["Groups"], dn)
	}
	if o.bindsByDN() {
		names["UserDN"] = DNs{strings.ReplaceAll(o.UserDN, loginMark, "x")}
	}
	if o.Kind == ActiveDirectory {
		delete(names, "BindDN") // it takes other names, too
	}
	for option, list := range names {
		for _, dn := range list {
			if _, err := ldap.ParseDN(dn); err != nil {
				wrong("Options.%s %q is no distinguished name: %w", option, dn, err)
			}
		}
	}
	return errors.Join(errs...)
}

// bindsByDN reports whether the entry of a user is known without a search.
func (o *Options) bindsByDN() bool { return strings.Contains(o.UserDN, "=") }

// server is one of the servers of the directory.
type server struct {
	url     string
	address string      // host:port
	tls     *tls.Config // nil: clear text, because AllowPlaintext says so
	ldaps   bool        // TLS from the first byte, not by StartTLS

	// Guarded by Extension.mu.
	down    time.Time // until then others are asked first
	away    bool      // it was logged that it does not answer
	faulted time.Time // when the last fault was logged
}

// servers reads the URLs.
func (o *Options) servers() (list []*server, err error) {
	var roots *x509.CertPool
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("%s: Options.CAFile: %w", o.Name, err)
		}
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s: Options.CAFile %s has no certificate", o.Name, o.CAFile)
		}
	}
	for _, text := range o.Servers {
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" || u.Scheme != "ldap" && u.Scheme != "ldaps" || u.User != nil {
			return nil, fmt.Errorf("%s: Options.Servers: %q is no server; write ldaps://host, or ldap://host for StartTLS", o.Name, text)
		}
		s := &server{url: u.Scheme + "://" + u.Host, ldaps: u.Scheme == "ldaps"}
		port := u.Port()
		if port == "" {
			if port = ldap.DefaultLdapPort; s.ldaps {
				port = ldap.DefaultLdapsPort
			}
		}
		s.address = net.JoinHostPort(u.Hostname(), port)
		if s.ldaps || !o.AllowPlaintext {
			s.tls = &tls.Config{MinVersion: tls.VersionTLS12}
			if o.TLS != nil {
				s.tls = o.TLS.Clone()
			}
			if roots != nil {
				s.tls.RootCAs = roots
			}
			if o.ServerName != "" {
				s.tls.ServerName = o.ServerName
			}
			if s.tls.ServerName == "" {
				s.tls.ServerName = u.Hostname()
			}
		}
		list = append(list, s)
	}
	return list, nil
}
