package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
)

// Link says which entry of a directory a user is.
type Link struct {
	orm.Model
	User orm.FK[auth.User] `orm:"on_delete=cascade"`
	// Directory is the [Options].Name of the directory.
	Directory string `orm:"size=40"`
	// Entry is the value of [Options].IDAttribute, in small letters or, where it is no
	// text, in hexadecimal digits.
	Entry string `orm:"size=128"`
	// DN is where the entry was at the last login.
	DN string `orm:"text"`
	// Groups are the auth groups that the directory put the user into at the last
	// login: those that it takes away again.
	Groups []string `orm:"json"`
	// Seen is the last login.
	Seen time.Time
}

func (l *Link) String() string { return l.DN }

// Meta names the table.
func (Link) Meta(l *Link) orm.Meta {
	return orm.Meta{Table: "ldap_links", Unique: orm.Uniques(orm.UniqueTogether(&l.Directory, &l.Entry), orm.UniqueTogether(&l.User, &l.Directory))}
}

// Links is the query of all links.
var Links = orm.Register[Link]()

// plan is what a login makes of an entry, or why nothing.
type plan struct {
	id, mail, name   string
	staff, superuser *bool // nil: left alone
	groups           []string
	link             *Link      // nil at the first login
	user             *auth.User // nil if one is to be made
	refused          string
}

// plan reads what is known of an entry, and changes nothing.
func (e *Extension) plan(ctx context.Context, entry *Entry, found groups, login string) (*plan, error) {
	o := &e.options
	p := &plan{id: o.id(entry), mail: o.mail(entry, login), name: o.name(entry), groups: o.wanted(found)}
	if len(o.StaffGroups) > 0 {
		p.staff = new(found.any(o.StaffGroups))
	}
	if len(o.SuperuserGroups) > 0 {
		p.superuser = new(found.any(o.SuperuserGroups))
	}
	if p.id == "" {
		p.refused = fmt.Sprintf("the entry has no %s; set id_attribute to one that all entries have and that never changes", o.IDAttribute)
		return p, nil
	}
	if known, err := p.known(ctx, o.Name); known || err != nil {
		return p, err
	}
	if p.mail == "" {
		p.refused = fmt.Sprintf("the entry has no address in %s; give it one, or set mail_domain", o.MailAttribute)
		return p, nil
	}
	user, err := auth.Find(ctx, p.mail)
	switch {
	case errors.Is(err, orm.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		// Another login may have made the user meanwhile, and the link with it.
		if known, err := p.known(ctx, o.Name); known || err != nil {
			return p, err
		}
		p.user = user
		l := Links.Fields()
		if other, err := Links.Where(orm.Eq(&l.Directory, o.Name), orm.Eq(&l.User.ID, user.ID)).Exists(ctx); err != nil {
			return nil, err
		} else if other {
			p.refused = "another entry of the directory is the user with this address"
		} else if !o.LinkByAddress {
			p.refused = "there is a user with this address already; set link_by_address if the addresses of the directory can be trusted, or give one of the two another"
		}
	}
	return p, nil
}

// known finds the user whom an entry was linked with by an earlier login.
func (p *plan) known(ctx context.Context, directory string) (bool, error) {
	l := Links.Fields()
	link, err := Links.Where(orm.Eq(&l.Directory, directory), orm.Eq(&l.Entry, p.id)).With(&l.User).Get(ctx)
	if errors.Is(err, orm.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p.link = link
	p.user, err = link.User.Get()
	return true, err
}

// user returns the user of an entry that has proved itself, as the directory has it.
func (e *Extension) user(ctx context.Context, entry *Entry, found groups, login string) (user *auth.User, err error) {
	// Of two first logins at once one makes the user, and the other finds it then.
	for range 3 {
		err = orm.Atomic(ctx, func(ctx context.Context) error {
			p, err := e.plan(ctx, entry, found, login)
			if err != nil {
				return err
			}
			if p.refused != "" {
				e.app.Logger().WarnContext(ctx, "a login with the password of the directory was refused", "directory", e.options.Name, "entry", entry.DN, "reason", p.refused)
				return auth.ErrDenied
			}
			user, err = e.carryOut(ctx, p, entry)
			return err
		})
		if !orm.IsUnique(err) && !errors.Is(err, auth.ErrTaken) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return user, nil
}

// carryOut saves what is planned.
func (e *Extension) carryOut(ctx context.Context, p *plan, entry *Entry) (*auth.User, error) {
	user := p.user
	if user == nil {
		user = auth.Users.New()
		user.Email, user.Name = p.mail, p.name
		user.Verified = new(time.Now().UTC().Truncate(time.Microsecond)) // the directory says so
		if err := e.auth.Create(ctx, user, ""); err != nil {
			return nil, err
		}
		e.app.Logger().InfoContext(ctx, "a user of the directory was made", "directory", e.options.Name, "user", user.ID)
	} else if p.link == nil && user.HasPassword() {
		if err := e.auth.SetPassword(ctx, user, ""); err != nil {
			return nil, err
		}
	}
	if err := e.update(ctx, p, user); err != nil {
		return nil, err
	}
	before := []string{}
	link := p.link
	if link == nil {
		link = Links.New()
		link.User.Set(user)
		link.Directory, link.Entry = e.options.Name, p.id
	} else {
		before = link.Groups
	}
	if err := mirror(ctx, user, before, p.groups); err != nil {
		return nil, err
	}
	link.DN, link.Groups, link.Seen = entry.DN, p.groups, time.Now().UTC().Truncate(time.Microsecond)
	if link.Groups == nil {
		link.Groups = []string{}
	}
	var err error
	if p.link == nil {
		err = Links.Insert(ctx, link)
	} else {
		l := Links.Fields()
		_, err = Links.Where(orm.Eq(&l.ID, link.ID)).Update(ctx, orm.Set(&l.DN, link.DN), orm.Set(&l.Groups, link.Groups), orm.Set(&l.Seen, link.Seen))
	}
	if err != nil {
		return nil, err
	}
	if e.options.OnLogin != nil {
		return user, e.options.OnLogin(ctx, user, entry)
	}
	return user, nil
}

// update gives a user the name, address and flags of the entry.
func (e *Extension) update(ctx context.Context, p *plan, user *auth.User) error {
	u := auth.Users.Fields()
	var changes []orm.Assignment
	if p.name != "" && p.name != user.Name {
		user.Name = p.name
		changes = append(changes, orm.Set(&u.Name, p.name))
	}
	if p.staff != nil && *p.staff != user.Staff {
		user.Staff = *p.staff
		changes = append(changes, orm.Set(&u.Staff, user.Staff))
	}
	if p.superuser != nil && *p.superuser != user.Superuser {
		user.Superuser = *p.superuser
		changes = append(changes, orm.Set(&u.Superuser, user.Superuser))
	}
	if len(changes) > 0 {
		if _, err := auth.Users.Where(orm.Eq(&u.ID, user.ID)).Update(ctx, changes...); err != nil {
			return err
		}
	}
	if p.mail == "" || p.mail == user.Email {
		return nil
	}
	other, err := auth.Find(ctx, p.mail)
	if err == nil && other.ID != user.ID {
		e.app.Logger().WarnContext(ctx, "a user keeps the address, as another has the one of the directory", "directory", e.options.Name, "user", user.ID)
		return nil
	}
	if err != nil && !errors.Is(err, orm.ErrNotFound) {
		return err
	}
	return e.auth.SetEmail(ctx, user, p.mail)
}

// mirror takes a user out of the groups that the directory put them into and does not
// name any more, and into those that it names. Groups that were given here stay.
func mirror(ctx context.Context, user *auth.User, before, wanted []string) error {
	var gone []string
	for _, name := range before {
		if !slices.Contains(wanted, name) {
			gone = append(gone, name)
		}
	}
	g := auth.Groups.Fields()
	if len(gone) > 0 {
		rows, err := auth.Groups.Where(orm.In(&g.Name, gone...)).All(ctx)
		if err != nil {
			return err
		}
		if err := user.Groups.Remove(ctx, rows...); err != nil {
			return err
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	rows, err := auth.Groups.Where(orm.In(&g.Name, wanted...)).All(ctx)
	if err != nil {
		return err
	}
	for _, name := range wanted {
		if !slices.ContainsFunc(rows, func(row *auth.Group) bool { return row.Name == name }) {
			row := auth.Groups.New()
			row.Name = name
			if err := auth.Groups.Insert(ctx, row); err != nil {
				return err
			}
			rows = append(rows, row)
		}
	}
	return user.Groups.Add(ctx, rows...)
}
