package auth

import (
	"context"
	"errors"
	"slices"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/internal/naming"
	"github.com/retort-web/retort/orm"
)

// Permission is the name of something one may do: "blog.change_post". [On] names
// those of a model; others are constants of the program.
type Permission string

// Action is what is done with a row.
type Action string

// The actions on rows.
const (
	View   Action = "view"
	Add    Action = "add"
	Change Action = "change"
	Delete Action = "delete"
)

// Actions are all actions on rows.
var Actions = []Action{View, Add, Change, Delete}

// Described is a model: orm.QuerySet is one.
type Described interface{ Info() *orm.ModelInfo }

// On returns the permission to do something with all rows of a model:
//
//	auth.On(Posts, auth.Change)   // "blog.change_post"
func On(model Described, action Action) Permission {
	info := model.Info()
	return Permission(info.App + "." + string(action) + "_" + naming.Snake(info.Name))
}

// The errors of who may not.
var (
	ErrForbidden     = errors.New("auth: not allowed")
	ErrLoginRequired = errors.New("auth: nobody has logged in")
)

// granted are the permissions of a user.
type granted struct{ set map[Permission]struct{} }

// Has reports whether the user has a permission: their own or that of a group. The
// answer is read once for each User value. A nil user has those of
// [Options].VisitorPermissions, and the user of an API
// token those that are in its scopes.
func (u *User) Has(ctx context.Context, p Permission) (bool, error) {
	if u != nil && (!u.Active || !u.scope.allows(p)) {
		return false, nil
	}
	if e, err := Of(ctx); err == nil && slices.Contains(e.options.VisitorPermissions, p) {
		return true, nil
	}
	switch {
	case u == nil:
		return false, nil
	case u.Superuser:
		return true, nil
	}
	if u.granted == nil {
		all, err := u.Permissions(ctx)
		if err != nil {
			return false, err
		}
		g := &granted{make(map[Permission]struct{}, len(all))}
		for _, p := range all {
			g.set[p] = struct{}{}
		}
		u.granted = g
	}
	_, ok := u.granted.set[p]
	return ok, nil
}

// Permissions returns what was granted to the user and to their groups, sorted. That
// a superuser has all does not show.
func (u *User) Permissions(ctx context.Context) ([]Permission, error) {
	own := UserPermissions.Fields()
	mine, err := UserPermissions.Where(orm.Eq(&own.User.ID, u.ID)).All(ctx)
	if err != nil {
		return nil, err
	}
	shared := GroupPermissions.Fields()
	theirs, err := GroupPermissions.Where(orm.Eq(&shared.Group.To().Users.To().ID, u.ID)).All(ctx)
	if err != nil {
		return nil, err
	}
	var all []Permission
	for _, p := range mine {
		all = append(all, p.Permission)
	}
	for _, p := range theirs {
		all = append(all, p.Permission)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(p Permission) bool { return !u.scope.allows(p) }), nil
}

// Grant gives permissions to a user; what they have already is no error.
func Grant(ctx context.Context, user *User, permissions ...Permission) error {
	for _, p := range permissions {
		row := UserPermissions.New()
		row.User.Set(user)
		row.Permission = p
		if err := ignoreTaken(UserPermissions.Insert(ctx, row)); err != nil {
			return err
		}
	}
	user.granted = nil
	return nil
}

// Revoke takes permissions from a user. Those of their groups stay.
func Revoke(ctx context.Context, user *User, permissions ...Permission) error {
	f := UserPermissions.Fields()
	_, err := UserPermissions.Where(orm.Eq(&f.User.ID, user.ID), orm.In(&f.Permission, permissions...)).Delete(ctx)
	user.granted = nil
	return err
}

// GrantGroup gives permissions to a group.
func GrantGroup(ctx context.Context, group *Group, permissions ...Permission) error {
	for _, p := range permissions {
		row := GroupPermissions.New()
		row.Group.Set(group)
		row.Permission = p
		if err := ignoreTaken(GroupPermissions.Insert(ctx, row)); err != nil {
			return err
		}
	}
	return nil
}

// RevokeGroup takes permissions from a group.
func RevokeGroup(ctx context.Context, group *Group, permissions ...Permission) error {
	f := GroupPermissions.Fields()
	_, err := GroupPermissions.Where(orm.Eq(&f.Group.ID, group.ID), orm.In(&f.Permission, permissions...)).Delete(ctx)
	return err
}

func ignoreTaken(err error) error {
	if orm.IsUnique(err) {
		return nil
	}
	return err
}

// WithPermission returns the active users who have a permission, superusers among
// them.
func WithPermission(p Permission) orm.QuerySet[User] {
	u := Users.Fields()
	own, shared := UserPermissions.Fields(), GroupPermissions.Fields()
	return Users.Where(orm.Eq(&u.Active, true), orm.Or(
		orm.Eq(&u.Superuser, true),
		orm.InQuery(&u.ID, UserPermissions.Where(orm.Eq(&own.Permission, p)), &own.User.ID),
		orm.InQuery(&u.Groups.To().ID, GroupPermissions.Where(orm.Eq(&shared.Permission, p)), &shared.Group.ID),
	))
}

// Require returns nil if the user of a context has a permission, or visitors have it;
// [ErrLoginRequired] if nobody has logged in, and [ErrForbidden] otherwise.
func Require(ctx context.Context, p Permission) error { return RequireAny(ctx, p) }

// RequireAny is [Require] of one of several permissions, whichever it is.
func RequireAny(ctx context.Context, permissions ...Permission) error {
	user, err := Current(ctx)
	if err != nil {
		return err
	}
	for _, p := range permissions {
		if ok, err := user.Has(ctx, p); ok || err != nil {
			return err
		}
	}
	switch {
	case user == nil:
		return ErrLoginRequired
	case len(permissions) == 0:
		return ErrForbidden
	}
	return user.refusal(permissions[0])
}

// refusal is the error for a user who has not a permission.
func (u *User) refusal(p Permission) error {
	if u != nil && !u.scope.allows(p) {
		return &ScopeError{p}
	}
	return ErrForbidden
}

// RequirePermission lets only users with a permission through. Who has not logged in
// is sent to do so, and others get 403.
func RequirePermission(p Permission) retort.Middleware { return RequireAnyPermission(p) }

// RequireAnyPermission is [RequirePermission] of one of several, whichever it is. For all
// of several put one RequirePermission after the other.
func RequireAnyPermission(permissions ...Permission) retort.Middleware {
	return func(next retort.Handler) retort.Handler {
		return func(c *retort.Ctx) error {
			err := RequireAny(c, permissions...)
			if errors.Is(err, ErrLoginRequired) {
				return askForLogin(c)
			}
			if err != nil {
				return err
			}
			return next(c)
		}
	}
}
