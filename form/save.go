package form

import (
	"context"
	"fmt"
	"reflect"

	"github.com/retort-web/retort/orm"
)

func (f *core) check() (bool, error) {
	switch {
	case f.err != nil:
		return false, f.err
	case f.plan.info == nil:
		return false, fmt.Errorf("form: %s is not a model; use Valid and Value in place of Save", f.plan.typ)
	case f.saved:
		return false, fmt.Errorf("form: Save of the form of %s is called twice", f.plan.typ)
	}
	return f.valid(), f.err
}

func (f *core) keep() (restore func(ctx context.Context) error) {
	before := reflect.New(f.plan.typ).Elem()
	before.Set(f.value)
	return func(ctx context.Context) error {
		f.value.Set(before)
		return f.dropFiles(ctx)
	}
}

func (f *core) refused(err error) error { return f.constraint(err) }

func (f *core) finish() {
	f.saved = true
	if f.instance.IsValid() {
		f.instance.Set(f.value)
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
		if field.spec.shape == toMany && field.many.rows.IsValid() && (field.changed || field.check != nil) && !field.disabled {
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
