package auth

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/retort-web/retort/orm"
)

// Account is a user: a *[User], or a pointer to the struct with which the site extends it.
type Account interface {
	// AuthUser returns the part that this package knows.
	AuthUser() *User
}

// AuthUser returns the user itself. By it a struct that embeds User is an [Account].
func (u *User) AuthUser() *User { return u }

// userSet is the users with all that the site keeps of them: the query of the model that
// extends [User], or [Users] itself.
type userSet struct {
	rows  orm.AnySet
	names *User // the fields of User by their names in that model
}

func allUsers() userSet {
	x := Users.Info().Extension()
	if x == nil {
		return userSet{Users.Any(), Users.Fields()}
	}
	part, err := x.Part(x.Prototype())
	if err != nil {
		panic(err) // it is a row of the model
	}
	return userSet{x.Query(), part.(*User)}
}

// get returns the only user who meets the conditions, with the whole row in their back.
func (s userSet) get(ctx context.Context, conds ...orm.Cond) (*User, error) {
	row, err := s.rows.Where(conds...).Get(ctx)
	if err != nil {
		return nil, err
	}
	return userOf(row), nil
}

func userOf(row any) *User {
	account := row.(Account) // prepareModel has seen to it
	user := account.AuthUser()
	if account != Account(user) {
		user.whole = account
	}
	return user
}

// prepareModel looks at the model that extends User when the app starts.
func prepareModel() error {
	x := Users.Info().Extension()
	if x == nil {
		return nil
	}
	account, ok := x.New().(Account)
	if ok {
		part, err := x.Part(account)
		ok = err == nil && part == any(account.AuthUser())
	}
	if !ok {
		return fmt.Errorf("auth: %s extends auth.User and has a method AuthUser of its own; the one that it has from User must be reached", x.Label())
	}
	return nil
}

// wholeOf returns the row of a user with all that the site keeps of them. It is read from
// the database if the user was not read with it.
func wholeOf(ctx context.Context, user *User) (Account, error) {
	if Users.Info().Extension() == nil {
		return user, nil
	}
	if user.whole != nil && user.whole.AuthUser().ID == user.ID {
		return user.whole, nil
	}
	s := allUsers()
	read, err := s.get(ctx, orm.Eq(&s.names.ID, user.ID))
	if err != nil {
		return nil, err
	}
	read.scope, read.granted = user.scope, user.granted
	user.whole = read.whole
	return user.whole, nil
}

// RowOf returns the row of a user as the struct with which the site extends [User]:
//
//	member, err := auth.RowOf[Member](ctx, user)
//
// The database is asked only if the user comes from a query of [Users].
func RowOf[T any, P interface {
	*T
	Account
}](ctx context.Context, user *User) (P, error) {
	if user == nil {
		return nil, errors.New("auth: RowOf of no user")
	}
	account, err := wholeOf(ctx, user)
	if err != nil {
		return nil, err
	}
	row, ok := account.(P)
	if !ok {
		return nil, fmt.Errorf("auth: the users of this program are rows of %T, not of %s; the model of orm.Extend[%[2]s](auth.Users) is missing", account, reflect.TypeFor[T]())
	}
	return row, nil
}

// CurrentAs is [Current] with the whole row, as the struct with which the site extends
// [User], or nil. It asks the database no more than Current does.
func CurrentAs[T any, P interface {
	*T
	Account
}](ctx context.Context) (P, error) {
	user, err := Current(ctx)
	if err != nil || user == nil {
		return nil, err
	}
	return RowOf[T, P](ctx, user)
}

// MustAs is [Must] with the whole row, as in [CurrentAs].
func MustAs[T any, P interface {
	*T
	Account
}](ctx context.Context) P {
	row, err := RowOf[T, P](ctx, Must(ctx))
	if err != nil {
		panic(err)
	}
	return row
}

// insertUser inserts the row of a user with all that the site keeps: that of a plain User
// gets the defaults of the rest.
func insertUser(ctx context.Context, who Account) error {
	set, x := allUsers(), Users.Info().Extension()
	plain, isPlain := who.(*User)
	if x == nil || !isPlain {
		if err := set.rows.Insert(ctx, who); err != nil {
			return err
		}
		userOf(who)
		return nil
	}
	row := x.New().(Account)
	*row.AuthUser() = *plain
	if err := set.rows.Insert(ctx, row); err != nil {
		return err
	}
	*plain = *row.AuthUser()
	plain.whole = row
	return nil
}
