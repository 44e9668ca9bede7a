package auth

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/validate"
)

// loginField is a field by which users log in beside, or in place of, the e-mail address.
type loginField struct {
	pointer any // its name
	info    *orm.FieldInfo
}

// prepareLogins reads Options.LoginFields.
func (e *Extension) prepareLogins() error {
	info := allUsers().rows.Info()
	e.byEmail = len(e.options.LoginFields) == 0
	for _, pointer := range e.options.LoginFields {
		f, err := info.Field(pointer)
		if err != nil {
			return fmt.Errorf("auth: Options.LoginFields: %w", err)
		}
		if f.Name == "Email" {
			e.byEmail = true
			continue
		}
		if f.Kind != schema.String && f.Kind != schema.Text {
			return fmt.Errorf("auth: Options.LoginFields: %s.%s is no text", info.Name, f.Name)
		}
		unique, err := uniqueInAnyCase(info, f)
		if err != nil {
			return err
		}
		if !unique {
			return fmt.Errorf("auth: Options.LoginFields: two users may have the same %s.%s; add to its Meta: Unique: orm.Uniques(orm.UniqueTogether(orm.Lower(&p.%[2]s)))", info.Name, f.Name)
		}
		e.logins = append(e.logins, loginField{pointer, f})
	}
	return nil
}

// uniqueInAnyCase reports whether the database holds a column to be unique when letters
// are compared without their case.
func uniqueInAnyCase(info *orm.ModelInfo, f *orm.FieldInfo) (bool, error) {
	tables, err := info.Tables()
	if err != nil {
		return false, err
	}
	if len(tables) == 0 {
		return true, nil // not managed: its owner knows
	}
	want := strings.ToLower(`lower("` + f.Column + `")`)
	for i := range tables[0].Indexes {
		index := &tables[0].Indexes[i]
		if index.Unique && index.Where == "" && len(index.Columns) == 1 && strings.ToLower(index.Columns[0].Expr) == want {
			return true, nil
		}
	}
	return false, nil
}

// LoginFields are the fields by which users log in, by [Options].LoginFields.
func (e *Extension) LoginFields() []*orm.FieldInfo {
	var fields []*orm.FieldInfo
	for _, l := range e.logins {
		fields = append(fields, l.info)
	}
	if e.byEmail {
		fields = append(fields, allUsers().rows.Info().FieldNamed("Email"))
	}
	return fields
}

// FindLogin returns the user who logs in with a text, by [Options].LoginFields. One with
// an @ is an e-mail address, if these are among the fields: nobody takes another's
// address for a name. The error is [orm.ErrNotFound] if there is none.
func (e *Extension) FindLogin(ctx context.Context, login string) (*User, error) {
	if e.byEmail && (len(e.logins) == 0 || strings.Contains(login, "@")) {
		return Find(ctx, login)
	}
	text := nameOf(login)
	if text == "" {
		return nil, errNoUser
	}
	set := allUsers()
	for _, l := range e.logins {
		user, err := set.get(ctx, orm.Lower(l.pointer).Eq(orm.Lower(orm.V(text))))
		if !errors.Is(err, orm.ErrNotFound) {
			return user, err
		}
	}
	return nil, errNoUser
}

// nameOf is a name for a login as it is kept and compared, but for the case; "" if it can
// be none.
func nameOf(login string) string {
	if len(login) > 4*maxLogin || strings.ContainsRune(login, 0) {
		return ""
	}
	if login = norm.NFKC.String(strings.TrimSpace(strings.ToValidUTF8(login, "\ufffd"))); len(login) > maxLogin {
		return ""
	}
	return login
}

// checkLogins brings the names for logins of a new user into the form in which they are
// compared, and refuses those that nobody could log in with.
func (e *Extension) checkLogins(row Account) error {
	if len(e.logins) == 0 {
		return nil
	}
	var errs validate.Errors
	for _, l := range e.logins {
		value, err := l.info.Get(row)
		if err != nil {
			return err // a row of another model
		}
		if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer && v.IsNil() {
			continue // without a name
		}
		text := textOf(value)
		name := nameOf(text)
		switch {
		case name == "":
			errs.Add(l.info.Snake, "required", "")
		case e.byEmail && strings.Contains(name, "@"):
			errs.Add(l.info.Snake, "no_address", "must not have an @, as e-mail addresses have")
		case name != text:
			if err := l.info.Set(row, name); err != nil {
				return err
			}
		}
	}
	return errs.Err()
}

// Confirm asks whether a password is that of a user, in the way in which they log in: the
// backends are asked, and failures bounded, as by [Extension.Authenticate]. The error is
// [ErrWrong] if it is not.
func (e *Extension) Confirm(ctx context.Context, user *User, secret string) error {
	login := user.Email
	if !e.byEmail {
		row, err := wholeOf(ctx, user)
		if err != nil {
			return err
		}
		value, err := e.logins[0].info.Get(row)
		if err != nil {
			return err
		}
		login = textOf(value)
	}
	found, err := e.Authenticate(ctx, login, secret)
	if err == nil && found.ID != user.ID {
		err = ErrWrong
	}
	if err == nil {
		user.PasswordHash = found.PasswordHash // which may have been made anew
	}
	return err
}

// textOf is the text of a field: a text, a pointer to one, or of a type of its own.
func textOf(value any) string {
	v := reflect.ValueOf(value)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	return v.String()
}
