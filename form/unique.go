package form

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// checkConstraints asks the model whether the constraints hold that fields of the row are
// part of. The database has the last word when the row is written.
func (f *core) checkConstraints(ctx context.Context, fields []*orm.FieldInfo) error {
	if f.plan.info == nil || len(fields) == 0 {
		return nil
	}
	if m := f.member; m != nil && m.set.parent != nil && m.set.parent.isNew {
		// No row can clash in what the parent, which is not there yet, is part of.
		key := f.value.FieldByIndex(m.set.key.index)
		parent := reflect.New(key.Type()).Elem()
		parent.Set(key)
		key.SetZero()
		defer key.Set(parent)
	}
	err := f.plan.info.Query().ValidateConstraints(ctx, f.value.Addr().Interface(), f.wrong(), fields...)
	faults, ok := errors.AsType[validate.Errors](err)
	if err != nil && !ok {
		return fmt.Errorf("form: %s: %w", f.plan.info.Name, err)
	}
	for i := range faults {
		f.placeConstraint(&faults[i])
	}
	return nil
}

// wrong are the failures so far, by the names that the model has for the fields.
func (f *core) wrong() validate.Errors {
	var known validate.Errors
	for _, field := range f.fields {
		if info := field.spec.info; info != nil && len(field.faults) > 0 {
			known.Add(info.Snake, field.faults[0].Code, "")
		}
	}
	if m := f.member; m != nil && m.set.parent != nil && m.set.parent.isNew {
		// No row can belong to a parent that is not there yet.
		known.Add(m.set.key.info.Snake, "unsaved", "")
	}
	return known
}

// placeConstraint puts a failure beside its field. Another row with the same values in
// several fields is told of by the labels that they have here.
func (f *core) placeConstraint(fault *validate.FieldError) {
	if names, ok := fault.Params["fields"].([]string); ok && fault.Code == "taken" {
		set := make([]*orm.FieldInfo, len(names))
		for i, name := range names {
			set[i] = f.plan.info.FieldNamed(name)
		}
		f.setTaken(set)
		return
	}
	for _, field := range f.fields {
		if info := field.spec.info; info != nil && fault.Field == info.Snake {
			field.fail(fault)
			return
		}
	}
	f.others = append(f.others, *fault)
}

// changedFields are the fields of the form whose constraints are of interest: those that
// changed, and all of a new row.
func (f *core) changedFields() []*orm.FieldInfo {
	var fields []*orm.FieldInfo
	for _, field := range f.fields {
		info := field.spec.info
		if info != nil && info.Column != "" && !field.disabled && len(field.faults) == 0 && (field.changed || f.isNew) {
			fields = append(fields, info)
		}
	}
	return fields
}

// differing are the fields of the model that are not as they are in another value.
func (f *core) differing(before reflect.Value) []*orm.FieldInfo {
	var fields []*orm.FieldInfo
	for _, s := range f.plan.specs {
		if s.info == nil || s.info.Column == "" && len(s.info.Parts) == 0 {
			continue
		}
		if !reflect.DeepEqual(before.FieldByIndex(s.index).Interface(), f.value.FieldByIndex(s.index).Interface()) {
			fields = append(fields, s.info)
		}
	}
	return fields
}

func takenFault() *validate.FieldError { return validate.Fault("taken", nil) }

// setTaken says that another row has the combination: beside the field if it is
// only one, else at the top.
func (f *core) setTaken(set []*orm.FieldInfo) {
	if len(set) == 1 {
		for _, field := range f.fields {
			if field.spec.info == set[0] {
				field.fail(takenFault())
				return
			}
		}
	}
	labels := make([]string, len(set))
	for i, info := range set {
		labels[i] = f.labelOf(info)
	}
	f.others = append(f.others, *validate.Fault("taken", map[string]any{
		"model": f.translate(article(f.plan.info.VerboseName)), "fields": f.joined(labels, "and"),
	}))
}

func (f *core) labelOf(info *orm.FieldInfo) string {
	for _, field := range f.fields {
		if field.spec.info == info {
			return f.lower(field.Label())
		}
	}
	return f.lower(f.translate(info.Label))
}

func article(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiou") {
		return "An " + noun
	}
	return "A " + noun
}

// constraint turns what the database refused into errors of the form. It returns
// err if it is something else.
func (f *core) constraint(err error) error {
	if v, ok := errors.AsType[*orm.ValueError](err); ok && v.Field != nil {
		// A number with more digits than its column has, for instance.
		for _, field := range f.fields {
			if field.spec.info == v.Field {
				field.fail(v.Fault())
				return nil
			}
		}
	}
	e, ok := errors.AsType[*orm.ConstraintError](err)
	if !ok {
		return err
	}
	switch e.Kind {
	case orm.UniqueConstraint:
		set := e.FieldsOf(f.plan.info)
		if len(set) == 0 {
			return err
		}
		f.setTaken(set)
	case orm.ForeignKeyConstraint:
		f.others = append(f.others, *validate.Fault("gone", nil))
	case orm.CheckConstraint:
		f.others = append(f.others, *validate.Fault("check", map[string]any{"constraint": e.Constraint}))
	default:
		return err
	}
	return nil
}
