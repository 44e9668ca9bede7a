package ldap

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/term"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
)

// checkCommand tells what would come of a login.
func (e *Extension) checkCommand() retort.Command {
	var withPassword bool
	return retort.Command{
		Name: e.options.Name + "check", Args: "LOGIN", Short: "ask the directory about a login, and change nothing",
		Long: "Reaches the directory, finds the entry of a login, and prints which user, flags and groups\n" +
			"it would get. With --password it asks for the password, or reads it from the standard\n" +
			"input, and tries it. Nothing is saved, and no password is printed.",
		Examples: "app " + e.options.Name + "check ann\napp " + e.options.Name + "check --password ann",
		Flags: func(fs *flag.FlagSet) {
			fs.BoolVar(&withPassword, "password", false, "ask for the password and try it")
		},
		Run: func(ctx context.Context, in *retort.Invocation) error {
			if len(in.Args) != 1 {
				return fmt.Errorf("%s: whose? %scheck ann", e.options.Name, e.options.Name)
			}
			secret := ""
			if withPassword {
				var err error
				if secret, err = readSecret(in); err != nil {
					return err
				}
			}
			return e.inspect(ctx, in.Out, strings.TrimSpace(in.Args[0]), secret, withPassword)
		},
	}
}

// readSecret reads a password, without showing it at a terminal.
func readSecret(in *retort.Invocation) (string, error) {
	if f, ok := in.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) { //nolint:gosec // a descriptor is small
		_, _ = fmt.Fprint(in.Err, "Password: ")
		text, err := term.ReadPassword(int(f.Fd())) //nolint:gosec // as above
		_, _ = fmt.Fprintln(in.Err)
		return string(text), err
	}
	text, err := bufio.NewReader(io.LimitReader(in.In, maxSecret+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(text, "\r\n"), nil
}

// inspect prints what would come of a login.
func (e *Extension) inspect(ctx context.Context, out io.Writer, login, secret string, try bool) error {
	o := &e.options
	if !plausible(login) {
		return fmt.Errorf("%s: %q is refused before the directory is asked", o.Name, login)
	}
	if try && (secret == "" || len(secret) > maxSecret || strings.ContainsRune(secret, 0)) {
		return fmt.Errorf("%s: an empty password, or one longer than %d bytes, is refused before the directory is asked", o.Name, maxSecret)
	}
	asking, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	c, err := e.connect(asking)
	if err != nil {
		return err
	}
	defer c.Close()
	say := func(what, format string, args ...any) {
		_, _ = fmt.Fprintf(out, "%-10s "+format+"\n", append([]any{what}, args...)...)
	}
	secured := "in clear text"
	if state, ok := c.TLSConnectionState(); ok {
		secured = "TLS, certificate of " + state.PeerCertificates[0].Subject.String()
	}
	say("server", "%s (%s)", c.server.url, secured)
	say("read as", "%s", cmp.Or(o.BindDN, "nobody"))
	entry, err := c.inspected(login, secret, try)
	switch {
	case errors.Is(err, auth.ErrWrong) && try:
		return fmt.Errorf("%s: no entry, or not its password", o.Name)
	case errors.Is(err, auth.ErrWrong):
		return fmt.Errorf("%s: no entry is found for %q", o.Name, login)
	case err != nil:
		return err
	}
	say("entry", "%s", entry.DN)
	if try {
		say("password", "right")
	}
	if entry.disabled() {
		say("disabled", "yes, and refused")
	}
	if err := c.readAgain(); err != nil {
		return err
	}
	found, err := c.groupsOf(entry)
	if err != nil {
		return err
	}
	var names []string
	for _, g := range found {
		names = append(names, g.dn)
	}
	slices.Sort(names)
	for _, dn := range names {
		say("group", "%s", dn)
	}
	if found.any(o.DenyGroups) {
		say("refused", "a member of one of deny_groups")
	}
	if len(o.RequireGroups) > 0 && !found.any(o.RequireGroups) {
		say("refused", "in none of require_groups")
	}
	p, err := e.plan(ctx, entry, found, login)
	if err != nil {
		return err
	}
	p.print(say)
	return nil
}

// inspected finds the entry of a login, with or without the password.
func (c *conversation) inspected(login, secret string, try bool) (*Entry, error) {
	if try {
		return c.prove(login, secret)
	}
	o := &c.e.options
	var list []*Entry
	var err error
	switch {
	case o.bindsByDN():
		list, err = c.search(strings.ReplaceAll(o.UserDN, loginMark, ldap.EscapeDN(login)), ldap.ScopeBaseObject, anyEntry, 1, o.attributes()...)
	case o.UserDN != "" && o.BindDN == "":
		return nil, errors.New("ldap: users are read by themselves here; give --password")
	default:
		list, err = c.search(o.Base, ldap.ScopeWholeSubtree, strings.ReplaceAll(o.Filter, loginMark, ldap.EscapeFilter(login)), 1, o.attributes()...)
	}
	if errors.Is(err, errTooMany) {
		return nil, errors.New("ldap: the filter finds several entries, so none is let in; make it narrower")
	}
	if err == nil && len(list) == 0 {
		err = auth.ErrWrong
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// print tells what is planned.
func (p *plan) print(say func(what, format string, args ...any)) {
	say("id", "%s", cmp.Or(p.id, "none"))
	say("address", "%s", cmp.Or(p.mail, "none"))
	say("name", "%s", cmp.Or(p.name, "none"))
	flag := func(name string, set *bool) {
		switch {
		case set == nil:
			say(name, "left alone")
		default:
			say(name, "%t", *set)
		}
	}
	flag("staff", p.staff)
	flag("superuser", p.superuser)
	say("in groups", "%s", cmp.Or(strings.Join(p.groups, ", "), "none"))
	switch {
	case p.refused != "":
		say("refused", "%s", p.refused)
	case p.user == nil:
		say("user", "a new one")
	case !p.user.Active:
		say("refused", "user %d is not active here", p.user.ID)
	case p.link == nil:
		say("user", "%d, who is here already and whose local password goes", p.user.ID)
	default:
		say("user", "%d", p.user.ID)
	}
}
