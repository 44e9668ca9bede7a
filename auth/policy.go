package auth

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"github.com/retort-web/retort/orm"
)

// Policy says which rows of a model a user may do something with, as a condition of
// a query. The user is nil for visitors. The condition may follow relations.
type Policy[T any] func(user *User, action Action, p *T) orm.Cond

// policies are those of all models, filled when the program starts.
var policies sync.Map // reflect.Type → any Policy[T]

// SetPolicy sets the policy of a model, in an init function or before the app runs:
//
//	auth.SetPolicy(Posts, func(user *auth.User, action auth.Action, p *Post) orm.Cond {
//		switch {
//		case action == auth.View:
//			return orm.Eq(&p.Status, Live)
//		case user != nil:
//			return orm.Eq(&p.Author.ID, user.ID)
//		}
//		return orm.Or() // no row; orm.And() is every row
//	})
//
// An empty orm.Cond{} leaves the answer to the model's permission, see [On].
//
// It is asked by [Visible] for lists and by [Can] for one row, so that the two cannot
// differ; the admin, APIs and templates ask them. A superuser passes without it, and an
// API token must have the model's permission in its scopes beside it. What no case
// allows is denied. A model has one policy; a second one panics.
func SetPolicy[T any](model orm.QuerySet[T], policy Policy[T]) {
	if _, second := policies.LoadOrStore(reflect.TypeFor[T](), policy); second {
		panic(fmt.Sprintf("auth: model %s has a policy already", model.Info().Name))
	}
}

// Visible returns the rows of a query that the user of the context may do something
// with. Without a policy these are all rows for those who have the model's
// permission, see [On], and none for the others.
func Visible[T any](ctx context.Context, action Action, rows orm.QuerySet[T]) (orm.QuerySet[T], error) {
	user, err := Current(ctx)
	if err != nil {
		return rows, err
	}
	cond, err := condition(ctx, user, action, rows)
	if err != nil {
		return rows, err
	}
	if cond == nil {
		return rows, nil
	}
	return rows.Where(*cond), nil
}

// Can reports whether the user of the context may do something with a row of the
// database. A row that the database does not have, such as one that is to be added,
// is judged by the model's permission alone.
func Can[T any](ctx context.Context, action Action, model orm.QuerySet[T], row *T) (bool, error) {
	user, err := Current(ctx)
	if err != nil {
		return false, err
	}
	if action == Add {
		return user.Has(ctx, On(model, Add))
	}
	cond, err := condition(ctx, user, action, model)
	if err != nil || cond == nil {
		return err == nil, err
	}
	key, err := model.Info().PrimaryKey.Get(row)
	if err != nil {
		return false, err
	}
	return model.Where(*cond, orm.Lookup("pk", key)).Exists(ctx)
}

// Check is [Can] as an error: nil, [ErrForbidden], of which [ScopeError] is one, or what
// failed.
func Check[T any](ctx context.Context, action Action, model orm.QuerySet[T], row *T) error {
	ok, err := Can(ctx, action, model, row)
	if err != nil || ok {
		return err
	}
	user, err := Current(ctx)
	if err != nil {
		return err
	}
	return user.refusal(On(model, action))
}

// condition returns what limits a user's rows, or nil for all of them.
func condition[T any](ctx context.Context, user *User, action Action, model orm.QuerySet[T]) (*orm.Cond, error) {
	none := orm.Or()
	if user != nil && (!user.Active || !user.scope.allows(On(model, action))) {
		return &none, nil
	}
	if user != nil && user.Superuser {
		return nil, nil
	}
	if policy, ok := policies.Load(reflect.TypeFor[T]()); ok {
		if cond := policy.(Policy[T])(user, action, model.Fields()); cond != (orm.Cond{}) {
			return &cond, nil
		}
	}
	ok, err := user.Has(ctx, On(model, action))
	if err != nil || ok {
		return nil, err
	}
	return &none, nil
}
