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

// checkUnique looks for other rows with the values of fields that are unique by
// themselves. The database has the last word when the row is written.
func (f *core) checkUnique(ctx context.Context) error {
	if f.plan.info == nil {
		return nil
	}
	for _, field := range f.fields {
		info := field.spec.info
		if !info.Unique || len(field.faults) > 0 || !field.changed && !f.isNew {
			continue
		}
		taken, err := f.taken(ctx, []*orm.FieldInfo{info})
		if err != nil {
			return err
		}
		if taken {
			field.fail(takenFault())
		}
	}
	return nil
}

func takenFault() *validate.FieldError {
	return &validate.FieldError{Code: "taken", Message: "is taken already"}
}

// checkSets does the same for the combinations that must be unique, if the form
// has one of their fields.
func (f *core) checkSets(ctx context.Context) error {
	for _, set := range f.plan.sets {
		if !f.hasOneOf(set) {
			continue
		}
		taken, err := f.taken(ctx, set)
		if err != nil {
			return err
		}
		if taken {
			f.setTaken(set)
		}
	}
	return nil
}

func (f *core) hasOneOf(set []*orm.FieldInfo) bool {
	for _, field := range f.fields {
		for _, info := range set {
			if field.spec.info == info {
				return true
			}
		}
	}
	return false
}

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
	f.others = append(f.others, validate.FieldError{
		Code:    "taken",
		Message: fmt.Sprintf("%s with this %s exists already", article(f.plan.info.VerboseName), strings.Join(labels, " and ")),
	})
}

func (f *core) labelOf(info *orm.FieldInfo) string {
	for _, field := range f.fields {
		if field.spec.info == info {
			return strings.ToLower(field.label)
		}
	}
	return strings.ToLower(info.Label)
}

func article(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiou") {
		return "An " + noun
	}
	return "A " + noun
}

// taken reports whether another row has the value's values in the fields. NULL is
// never the same.
func (f *core) taken(ctx context.Context, set []*orm.FieldInfo) (bool, error) {
	info := f.plan.info
	row := f.value.Addr().Interface()
	var conds []orm.Cond
	for _, field := range set {
		value, err := field.Get(row)
		if err != nil {
			return false, err
		}
		if isNull(field, value) {
			return false, nil
		}
		conds = append(conds, orm.Lookup(field.Snake, value))
	}
	if !f.isNew {
		key, err := info.PrimaryKey.Get(row)
		if err != nil {
			return false, err
		}
		conds = append(conds, orm.Lookup(info.PrimaryKey.Snake+"__ne", key))
	}
	found, err := info.Query().Where(conds...).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("form: %s: %w", info.Name, err)
	}
	return found, nil
}

func isNull(field *orm.FieldInfo, value any) bool {
	if field.Relation != nil {
		return reflect.ValueOf(value).Field(0).IsZero()
	}
	v := reflect.ValueOf(value)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// constraint turns what the database refused into errors of the form. It returns
// err if it is something else.
func (f *core) constraint(err error) error {
	e, ok := errors.AsType[*orm.ConstraintError](err)
	if !ok {
		return err
	}
	switch e.Kind {
	case orm.UniqueConstraint:
		set := e.Fields()
		if len(set) == 0 || set[0].Model() != f.plan.info {
			return err
		}
		f.setTaken(set)
	case orm.ForeignKeyConstraint:
		f.others = append(f.others, validate.FieldError{Code: "gone", Message: "Something chosen here has been deleted meanwhile"})
	case orm.CheckConstraint:
		f.others = append(f.others, validate.FieldError{
			Code: "check", Message: "The values do not fit together", Params: map[string]any{"constraint": e.Constraint},
		})
	default:
		return err
	}
	return nil
}
