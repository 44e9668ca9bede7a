package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/validate"
)

// User is an account. What else a site keeps of its users are columns of the same table,
// which it adds by a struct of its own, at any time:
//
//	type Member struct {
//		auth.User
//		Phone string `orm:"size=40,blank,default="`
//	}
//
//	var Members = orm.Extend[Member](auth.Users)
//
// Whoever wants them asks for [CurrentAs][Member].
type User struct {
	orm.Model
	// Email is the address as the user wrote it, and where mail goes.
	Email string `orm:"size=254" validate:"required,email"`
	// Login is the address as it is looked up, see [LoginOf]; saving sets it.
	Login string `orm:"size=254,unique" json:"-" form:"-"`
	Name  string `orm:"size=150,blank"`
	// PasswordHash is empty or unusable for users who log in otherwise. It is set
	// by [Accounts.SetPassword].
	PasswordHash string `orm:"size=255,blank" json:"-" form:"-"`
	// Active users can log in. Who is not active has no permissions either.
	Active bool `orm:"default=true"`
	// Staff may enter the admin.
	Staff bool
	// Superuser has every permission.
	Superuser bool
	// SessionVersion is counted up to end all sessions: see [Extension.EndSessions].
	SessionVersion int64 `orm:"default=0" json:"-" form:"-"`
	// Verified is when the user proved that the address is theirs.
	Verified  *time.Time
	LastLogin *time.Time
	Joined    time.Time `orm:"auto_now_add"`
	Groups    orm.ManyToMany[Group]

	whole   Account  // the row of the site's own struct that this is a part of
	by      *User    // the superuser who acts as this one
	granted *granted // permissions that were read, once for a request
	scope   *scope   // what an API token leaves of them
}

func (u *User) String() string {
	if u.Name != "" {
		return u.Name
	}
	return u.Email
}

// Meta names the table.
func (User) Meta(u *User) orm.Meta {
	return orm.Meta{Table: "auth_users", OrderBy: orm.By(orm.Asc(&u.Login))}
}

// BeforeSave keeps Login in step with Email.
func (u *User) BeforeSave(context.Context, orm.Event) error {
	u.Email = strings.TrimSpace(u.Email)
	u.Login = LoginOf(u.Email)
	return nil
}

// HasPassword reports whether the user has a password to log in with.
func (u *User) HasPassword() bool { return password.IsUsable(u.PasswordHash) }

// Group is a set of users who may do the same.
type Group struct {
	orm.Model
	Name  string               `orm:"size=150,unique"`
	Users orm.ManyToMany[User] `orm:"reverse=Groups"`
}

func (g *Group) String() string { return g.Name }

// Meta names the table.
func (Group) Meta(g *Group) orm.Meta {
	return orm.Meta{Table: "auth_groups", OrderBy: orm.By(orm.Asc(&g.Name))}
}

// UserPermission grants a permission to a user.
type UserPermission struct {
	orm.Model
	User       orm.FK[User] `orm:"on_delete=cascade"`
	Permission Permission   `orm:"size=150"`
}

// Meta names the table.
func (UserPermission) Meta(p *UserPermission) orm.Meta {
	return orm.Meta{Table: "auth_user_permissions", Unique: orm.Uniques(orm.UniqueTogether(&p.User, &p.Permission))}
}

// GroupPermission grants a permission to the users of a group.
type GroupPermission struct {
	orm.Model
	Group      orm.FK[Group] `orm:"on_delete=cascade"`
	Permission Permission    `orm:"size=150"`
}

// Meta names the table.
func (GroupPermission) Meta(p *GroupPermission) orm.Meta {
	return orm.Meta{Table: "auth_group_permissions", Unique: orm.Uniques(orm.UniqueTogether(&p.Group, &p.Permission))}
}

// The queries from which all others start.
var (
	Users            = orm.Register[User]()
	Groups           = orm.Register[Group]()
	UserPermissions  = orm.Register[UserPermission]()
	GroupPermissions = orm.Register[GroupPermission]()
)

// LoginOf returns an address in the form in which addresses are compared: without
// spaces around it, in Unicode's form NFKC and with its letters folded. Two
// addresses that only look alike stay two: what is compared is never what mail is
// sent to.
func LoginOf(email string) string {
	return cases.Fold().String(norm.NFKC.String(strings.TrimSpace(email)))
}

// maxLogin is the longest address that is looked up, in bytes.
const maxLogin = 254

// Find returns the user who logs in with an address. The error is
// [orm.ErrNotFound] if there is none.
func Find(ctx context.Context, email string) (*User, error) {
	login := ""
	if len(email) <= 4*maxLogin && !strings.ContainsRune(email, 0) {
		login = LoginOf(strings.ToValidUTF8(email, "\ufffd"))
	}
	if login == "" || len(login) > maxLogin {
		return nil, fmt.Errorf("auth: no such user: %w", orm.ErrNotFound)
	}
	s := allUsers()
	return s.get(ctx, orm.Eq(&s.names.Login, login))
}

// ErrTaken says that there is a user with this address already.
var ErrTaken = errors.New("auth: there is a user with this address already")

// Create inserts a user, a *[User] or a pointer to the struct that extends it, with a
// password, which is not judged by the policy; an empty one makes an account that nobody
// can log in to with a password. The error is [ErrTaken], or [validate.Errors] for an
// address that is none, and for a value that is not usable or another user's. In the
// columns that a site adds, a *User gets their defaults.
func (e *Extension) Create(ctx context.Context, who Account, secret string) (err error) {
	user := who.AuthUser()
	user.PasswordHash = password.Unusable()
	if !validate.Email(user.Email) {
		var errs validate.Errors
		errs.Add("email", "email", "")
		return errs
	}
	if _, plain := who.(*User); !plain {
		if err := e.checkLogins(who); err != nil {
			return err
		}
	}
	if secret != "" {
		if user.PasswordHash, err = e.hasher.Hash(ctx, secret); err != nil {
			return err
		}
	}
	return taken(insertUser(ctx, who))
}

// taken says whose values a new user may not have: of the address [ErrTaken], of another
// field [validate.Errors].
func taken(err error) error {
	if !orm.IsUnique(err) {
		return err
	}
	refused, ok := errors.AsType[*orm.ConstraintError](err)
	if x := Users.Info().Extension(); ok && x != nil && len(refused.FieldsOf(Users.Info())) == 0 {
		var errs validate.Errors
		for _, f := range refused.FieldsOf(x) {
			errs.Add(f.Snake, "taken", "")
		}
		if len(errs) > 0 {
			return errs
		}
		// The database names an index over an expression, and no field.
		return err
	}
	return fmt.Errorf("%w: %w", ErrTaken, err)
}

// SetPassword gives a user a password, or with "" takes it away, and saves that. All
// sessions of the user end, but for one that is renewed by [Extension.Login]. The
// password is not judged by the policy, see [Extension.CheckPassword].
func (e *Extension) SetPassword(ctx context.Context, user *User, secret string) error {
	_, err := e.setPassword(ctx, user, secret)
	return err
}

// SetPasswordUnproven is [Extension.SetPassword] of an account that is as it was signed
// up for: nobody has proved that its address is theirs, or logged in. Otherwise, or if the
// password is another by now than user says, done is false and nothing happens.
func (e *Extension) SetPasswordUnproven(ctx context.Context, user *User, secret string) (done bool, err error) {
	p := Users.Fields()
	return e.setPassword(ctx, user, secret, orm.IsNull(&p.Verified), orm.IsNull(&p.LastLogin), orm.Eq(&p.PasswordHash, user.PasswordHash))
}

// setPassword sets it where the conditions hold.
func (e *Extension) setPassword(ctx context.Context, user *User, secret string, where ...orm.Cond) (done bool, err error) {
	hash := password.Unusable()
	if secret != "" {
		if hash, err = e.hasher.Hash(ctx, secret); err != nil {
			return false, err
		}
	}
	p := Users.Fields()
	n, err := Users.Where(append(where, orm.Eq(&p.ID, user.ID))...).Update(ctx, orm.Set(&p.PasswordHash, hash))
	if err != nil || n == 0 && len(where) > 0 {
		return false, err
	}
	user.PasswordHash = hash
	return true, nil
}

// CheckPassword judges a new password of a user by [Options].Policy; the errors have
// the name of the field that is given.
func (e *Extension) CheckPassword(user *User, field, secret string) error {
	about := []string{user.Email, user.Name}
	for _, l := range e.logins {
		if user.whole == nil {
			break
		}
		if value, err := l.info.Get(user.whole); err == nil {
			about = append(about, textOf(value))
		}
	}
	errs := e.options.Policy.Check(secret, about...)
	for i := range errs {
		errs[i].Field = field
	}
	return errs.Err()
}

// PasswordHelp says in sentences what a new password must be.
func (e *Extension) PasswordHelp() []string { return e.options.Policy.Help() }

// PasswordHelpIn is [Extension.PasswordHelp] in another language, see
// [password.Policy.HelpIn].
func (e *Extension) PasswordHelpIn(translate func(one, other string, n int) string) []string {
	return e.options.Policy.HelpIn(translate)
}
