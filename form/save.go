package form

import (
	"context"
	"fmt"
	"reflect"

	"github.com/retort-web/retort/orm"
)

// Save checks the form if it was submitted, and writes its value: a new row is
// inserted, the row given to [Form.Instance] updated. It reports whether that
// happened; if not, and without an error, the form is to be shown, for the first
// time or again with what is wrong.
//
//	if saved, err := f.Save(c); err != nil {
//		return err
//	} else if saved {
//		return c.Redirect("/posts")
//	}
//
// An update writes the form's fields and those that [Options.Clean] changed, and
// no others. The row and its relations to many are written in one transaction.
// What the database refuses because a value must be unique, a row referred to is
// gone, or a check fails becomes an error of the form. A row that is gone itself
// is orm.ErrNotFound.
func (f *Form[T]) Save(ctx context.Context) (saved bool, err error) { return SaveAll(ctx, f) }

func (f *Form[T]) check() (bool, error) {
	switch {
	case f.err != nil:
		return false, f.err
	case f.plan.info == nil:
		return false, fmt.Errorf("form: %s is not a model; use Valid and Value in place of Save", f.plan.typ)
	case f.saved:
		return false, fmt.Errorf("form: Save of the form of %s is called twice", f.plan.typ)
	}
	return f.Valid(), f.err
}

func (f *Form[T]) keep() (restore func(ctx context.Context) error) {
	before := *f.value
	return func(ctx context.Context) error {
		*f.value = before
		return f.dropFiles(ctx)
	}
}

func (f *Form[T]) refused(err error) error { return f.constraint(err) }

func (f *Form[T]) finish() {
	f.saved = true
	if f.instance != nil {
		*f.instance = *f.value
	}
}

// write writes the row and its relations to many.
func (f *core) write(ctx context.Context) error {
	if err := f.keepFiles(ctx); err != nil {
		return err
	}
	set, row := f.plan.info.Query(), f.value.Addr().Interface()
	if f.isNew {
		if err := set.Insert(ctx, row); err != nil {
			return err
		}
	} else if fields := f.columns(); len(fields) > 0 {
		if err := set.UpdateRow(ctx, row, fields...); err != nil {
			return err
		}
	}
	for _, field := range f.fields {
		if field.spec.shape == toMany && field.rows.IsValid() && (field.changed || field.check != nil) && !field.disabled {
			if err := field.writeRows(ctx, f.value); err != nil {
				return fmt.Errorf("form: %s: %w", field.spec.goName, err)
			}
		}
	}
	return nil
}

// columns are the fields that an update writes.
func (f *core) columns() []*orm.FieldInfo {
	var fields []*orm.FieldInfo
	for _, s := range f.plan.specs {
		if s.info.Column == "" && len(s.info.Parts) == 0 || s.info.PrimaryKey {
			continue
		}
		before, after := f.initial.FieldByIndex(s.index), f.value.FieldByIndex(s.index)
		if f.has(s) || !reflect.DeepEqual(before.Interface(), after.Interface()) {
			fields = append(fields, s.info)
		}
	}
	return fields
}

func (f *core) has(s *spec) bool {
	for _, field := range f.fields {
		if field.spec == s {
			return !field.disabled
		}
	}
	return false
}
