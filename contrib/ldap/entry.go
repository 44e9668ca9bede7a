package ldap

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/retort-web/retort/validate"
)

// Entry is an entry of the directory with the attributes that were read.
type Entry struct {
	DN     string
	values map[string][]string // by the name in small letters
}

// All returns the values of an attribute, as bytes where it has no text.
func (e *Entry) All(attribute string) []string { return e.values[strings.ToLower(attribute)] }

// Get returns the first value of an attribute, or "".
func (e *Entry) Get(attribute string) string {
	if all := e.All(attribute); len(all) > 0 {
		return all[0]
	}
	return ""
}

// anyEntry is a filter that every entry passes.
const anyEntry = "(objectClass=*)"

// search returns up to limit entries; more are errTooMany.
func (c *conversation) search(base string, scope int, filter string, limit int, attributes ...string) ([]*Entry, error) {
	result, err := c.Search(&ldap.SearchRequest{
		BaseDN: base, Scope: scope, DerefAliases: ldap.NeverDerefAliases,
		SizeLimit: limit + 1, TimeLimit: int(max(1, c.e.options.Timeout.Seconds())), Filter: filter, Attributes: attributes,
	})
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) || err == nil && len(result.Entries) > limit:
		return nil, errTooMany
	case ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
		return nil, nil
	case ldap.IsErrorWithCode(err, ldap.LDAPResultReferral):
		return nil, &awayError{fmt.Errorf("%s refers to another server for %s; referrals are not followed: put that server into Servers", c.server.url, base)}
	case err != nil:
		return nil, &awayError{fmt.Errorf("search below %q: %w", base, err)}
	}
	list := make([]*Entry, len(result.Entries))
	for i, found := range result.Entries {
		list[i] = &Entry{found.DN, map[string][]string{}}
		for _, a := range found.Attributes {
			name := strings.ToLower(a.Name)
			list[i].values[name] = append(list[i].values[name], a.Values...)
		}
	}
	return list, nil
}

var errTooMany = errors.New("ldap: more entries than there may be")

// The attributes that tell that an account is disabled: the bit of Active Directory,
// and what 389 Directory Server and FreeIPA set.
const (
	userAccountControl = "userAccountControl"
	accountDisable     = 0x2
	nsAccountLock      = "nsAccountLock"
)

// attributes returns what is read of a user's entry.
func (o *Options) attributes() []string {
	list := []string{o.MailAttribute, "displayName", "cn", "uid", memberOf, userAccountControl, nsAccountLock}
	for _, a := range []string{o.NameAttribute, o.IDAttribute} {
		if a != "" && a != "-" {
			list = append(list, a)
		}
	}
	return append(list, o.Attributes...)
}

// disabled reports whether the directory has switched an account off.
func (e *Entry) disabled() bool {
	if flags, err := strconv.ParseInt(e.Get(userAccountControl), 10, 64); err == nil && flags&accountDisable != 0 {
		return true
	}
	return strings.EqualFold(e.Get(nsAccountLock), "true")
}

// id is what the link of a user keeps of an entry: it stays when the entry is renamed.
func (o *Options) id(e *Entry) string {
	if o.IDAttribute != "-" {
		if value := e.Get(o.IDAttribute); value != "" {
			if !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' }) || strings.EqualFold(o.IDAttribute, "objectGUID") {
				value = hex.EncodeToString([]byte(value))
			}
			if id := strings.ToLower(value); len(id) <= maxID {
				return id
			}
		}
		return ""
	}
	sum := sha256.Sum256([]byte(normal(e.DN)))
	return "dn:" + hex.EncodeToString(sum[:])
}

// maxID is the longest ID of an entry, in bytes.
const maxID = 128

// mail returns the address of an entry, or of what was typed, or "".
func (o *Options) mail(e *Entry, login string) string {
	for _, address := range e.All(o.MailAttribute) {
		if address = strings.TrimSpace(address); validate.Email(address) {
			return address
		}
	}
	if o.MailDomain == "" {
		return ""
	}
	// The name of the entry, if it has one: two ways to type a login are one address.
	if uid := e.Get("uid"); uid != "" {
		login = uid
	}
	login, _, _ = strings.Cut(login, "@")
	if address := strings.ToLower(login) + "@" + o.MailDomain; validate.Email(address) {
		return address
	}
	return ""
}

// name returns the name of an entry for people.
func (o *Options) name(e *Entry) string {
	name := e.Get(o.NameAttribute)
	if o.NameAttribute == "" {
		if name = e.Get("displayName"); name == "" {
			name = e.Get("cn")
		}
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	for len(name) > maxName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

// maxName is the longest name, of the field Name of a user.
const maxName = 150

// normal returns a distinguished name in the form that is compared.
func normal(dn string) string {
	parsed, err := ldap.ParseDN(dn)
	if err != nil {
		return strings.ToLower(strings.TrimSpace(dn))
	}
	return strings.ToLower(parsed.String())
}
