package accounts

import (
	"context"
	"errors"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// More are fields of a page beside those that it has: [MoreFields] makes them.
type More struct {
	form func(c *retort.Ctx, user *auth.User) (moreForm, error)
}

// moreForm is a form of the site's own struct, which stands on a page below another one
// and is sent with it.
type moreForm interface {
	Valid() bool
	Err() error
	Status() int
	Save(ctx context.Context) (saved bool, err error)
	TemplateValue() (any, error)
	// row is the value as the form changed it.
	row() auth.Account
	// refuse shows what is wrong with fields of the form, and reports whether all are.
	refuse(errs validate.Errors) bool
}

// MoreFields puts fields of the struct with which the site extends [auth.User] on a page
// of accounts:
//
//	accounts.Options{
//		SignUpFields: accounts.MoreFields(func(m *Member) form.Options {
//			return form.Options{Fields: form.Fields(&m.Username, &m.Phone)}
//		}),
//	}
//
// The function is that of [form.For].
func MoreFields[T any, P interface {
	*T
	auth.Account
}](options func(m *T) form.Options) *More {
	return &More{func(c *retort.Ctx, user *auth.User) (moreForm, error) {
		info, err := orm.InfoOf[T]()
		if err != nil {
			return nil, err
		}
		instance := P(info.New().(*T))
		if user != nil {
			if instance, err = auth.RowOf[T, P](c, user); err != nil {
				return nil, err
			}
		}
		return &siteForm[T, P]{form.For(c, options).Instance((*T)(instance)), info}, nil
	}}
}

type siteForm[T any, P interface {
	*T
	auth.Account
}] struct {
	*form.Form[T]
	info *orm.ModelInfo
}

func (f *siteForm[T, P]) row() auth.Account { return P(f.Value()) }

func (f *siteForm[T, P]) refuse(errs validate.Errors) bool {
	for _, e := range errs {
		field := f.info.FieldNamed(e.Field)
		if field == nil || f.Field(f.info.Pointer(field)) == nil {
			return false
		}
		f.AddError(f.info.Pointer(field), e.Code, e.Message)
	}
	return true
}

// of returns the form of further fields of a page, for a user or a new one; nil if the
// page has none.
func (m *More) of(c *retort.Ctx, user *auth.User) (moreForm, error) {
	if m == nil {
		return nil, nil
	}
	return m.form(c, user)
}

// allValid reports whether a form and the further fields below it are right, both of
// which look, so that all that is wrong is shown at once.
func allValid(f interface{ Valid() bool }, more moreForm) bool {
	valid := f.Valid()
	if more != nil {
		valid = more.Valid() && valid
	}
	return valid
}

// statusOf is the status of the page that shows the two.
func statusOf(f interface{ Status() int }, more moreForm) int {
	if more != nil {
		return max(f.Status(), more.Status())
	}
	return f.Status()
}

// showMore is what a template gets as more.
func showMore(data map[string]any, more moreForm) map[string]any {
	if more != nil {
		data["more"] = more
	}
	return data
}

// create makes an account of the further fields, or of a user without any. What the
// database refuses of these is shown, and created is false.
func (e *Extension) create(c *retort.Ctx, more moreForm, fill func(u *auth.User), secret string) (user *auth.User, created bool, err error) {
	var who auth.Account = auth.Users.New()
	if more != nil {
		who = more.row()
	}
	user = who.AuthUser()
	fill(user)
	err = e.auth.Create(c, who, secret)
	if errs, ok := errors.AsType[validate.Errors](err); ok && more != nil && more.refuse(errs) {
		return user, false, nil
	}
	return user, err == nil, err
}
