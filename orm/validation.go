package orm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/validate"
)

// Validate checks a row as its model says, without writing it, and returns
// [validate.Errors] with all that is wrong, by the names of the fields in snake case. In
// this order:
//
//   - each field: not empty unless it may be, its size, choices and range, the rules of its
//     tags, and the Validate method of its type;
//   - the model's own method Validate(ctx context.Context) error or Validate() error, if the
//     fields are right;
//   - foreign keys lead to rows that exist, and unique fields, unique sets and checks of Meta
//     hold, as far as that can be told before the write; the database has the last word.
//
// With fields, named as in UpdateRow, only these are checked, and the constraints that one
// of them is part of. Any other error means that the check could not be made.
//
// Forms and APIs call it. Writes do not, unless the model's Meta says ValidateOnSave.
func (s *Query[P]) Validate(ctx context.Context, row P, fields ...any) error {
	return s.use().validate(ctx, base(row), fields)
}

func (q *query) validate(ctx context.Context, row unsafe.Pointer, fields []any) error {
	if err := q.ready(); err != nil {
		return err
	}
	if row == nil {
		return fmt.Errorf("orm: Validate of %s: the row is nil", q.model.Name)
	}
	list, err := q.model.own(fields)
	if err != nil {
		return err
	}
	return q.model.validate(ctx, row, list)
}

// Validate is [Query.Validate] of a pointer to the model's struct.
func (s AnySet) Validate(ctx context.Context, row any, fields ...*FieldInfo) error {
	list, err := s.bases([]any{row})
	if err != nil {
		return err
	}
	return s.q.model.validate(ctx, list[0], fields)
}

// ValidateConstraints is the last part of Validate alone: foreign keys, unique fields and
// sets, and checks, for code that has checked the fields in its own way. Fields that it
// found wrong, which known has under their names in snake case, are not looked at again,
// nor constraints that they are part of; known is no part of the result.
func (s AnySet) ValidateConstraints(ctx context.Context, row any, known validate.Errors, fields ...*FieldInfo) error {
	list, err := s.bases([]any{row})
	if err != nil {
		return err
	}
	v := &validation{ctx: ctx, m: s.q.model, row: list[0], fields: fields, errors: slices.Clip(known)}
	if err := v.constraints(); err != nil {
		return err
	}
	return v.errors[len(known):].Err()
}

func (m *ModelInfo) validate(ctx context.Context, row unsafe.Pointer, fields []*FieldInfo) error {
	if len(fields) == 0 {
		fields = readOf(row) // what was not read cannot be right or wrong
	}
	v := &validation{ctx: ctx, m: m, row: row, fields: fields}
	for _, f := range m.columns {
		if !v.concerns(f) {
			continue
		}
		if err := v.field(f); err != nil {
			return err
		}
	}
	if len(v.errors) == 0 {
		if err := v.ownMethod(); err != nil {
			return err
		}
	}
	if err := v.constraints(); err != nil {
		return err
	}
	return v.errors.Err()
}

// validation is one check of one row.
type validation struct {
	ctx    context.Context
	m      *ModelInfo
	row    unsafe.Pointer
	fields []*FieldInfo // to be checked; none for all
	errors validate.Errors
}

func (v *validation) concerns(fields ...*FieldInfo) bool {
	return len(v.fields) == 0 || slices.ContainsFunc(fields, func(f *FieldInfo) bool { return slices.Contains(v.fields, f) })
}

func (v *validation) fail(f *FieldInfo, fault *validate.FieldError) {
	fault.Field = f.Snake
	v.errors = append(v.errors, *fault)
}

// adopt takes over the failures in an error; any other error is returned.
func (v *validation) adopt(f *FieldInfo, err error) error {
	if one, ok := errors.AsType[*validate.FieldError](err); ok {
		err = validate.Errors{*one}
	}
	several, ok := errors.AsType[validate.Errors](err)
	if !ok {
		return err
	}
	for _, fault := range several {
		if f != nil && fault.Field == "" {
			fault.Field = f.Snake
		}
		if named := v.m.FieldNamed(fault.Field); named != nil {
			fault.Field = named.Snake
		}
		v.errors = append(v.errors, fault)
	}
	return nil
}

// field checks one field by itself.
func (v *validation) field(f *FieldInfo) error {
	p := unsafe.Add(v.row, f.offset)
	zero := f.isZero(p)
	switch {
	case f.Computed, f.AutoNow, f.AutoAdd, f.Version, f.SoftDelete:
		return nil
	case zero && (f.DBDefault || f.defaultGo != nil && !f.defaultNew || f.PrimaryKey):
		return nil // filled in when the row is written
	case f.Relation != nil && f.Relation.Kind == ToOne && *(*unsafe.Pointer)(unsafe.Add(p, f.Relation.spec.rowOffset)) != nil:
		return nil // refers to a row in memory; its key is taken when this one is written
	}
	value, err := f.codec.load(p)
	if err != nil {
		v.fail(f, (&ValueError{f, err}).Fault())
		return nil
	}
	if f.isBlank(value, zero) {
		if !f.Blank {
			v.fail(f, validate.Fault("required", nil))
		}
		return nil
	}
	if fault := f.valueFault(value); fault != nil {
		v.fail(f, fault)
		return nil
	}
	if f.rules == nil {
		return v.ownType(f, p)
	}
	return v.adopt(f, f.rules.Check(v.ctx, f.Snake, reflect.NewAt(f.Type, p).Elem().Interface()))
}

// ownType asks the Validate method of a field's type.
func (v *validation) ownType(f *FieldInfo, p unsafe.Pointer) error {
	if f.own == nil {
		return nil
	}
	err := f.own(reflect.NewAt(f.Type, p).Elem().Interface())
	if err != nil && v.adopt(f, err) != nil {
		v.fail(f, &validate.FieldError{Code: "invalid", Message: err.Error()})
	}
	return nil
}

// isBlank reports whether a field holds nothing that a person could have meant.
func (f *FieldInfo) isBlank(value any, zero bool) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == "" || zero && (f.Kind == schema.Date || f.Kind == schema.UUID)
	}
	return zero && (f.Kind == schema.DateTime || f.Kind == schema.Bytes)
}

// valueFault says why a value is none of the field's.
func (f *FieldInfo) valueFault(value any) *validate.FieldError {
	if text, ok := value.(string); ok {
		if fault := validate.TextFault(text); fault != nil {
			return fault
		}
		if f.Kind == schema.String && f.Size > 0 && utf8.RuneCountInString(text) > f.Size {
			return validate.Fault("max_length", map[string]any{"max": f.Size})
		}
	}
	if err := f.check(value); err != nil {
		return (&ValueError{f, err}).Fault()
	}
	if len(f.Choices) == 0 {
		return nil
	}
	var labels []string
	for _, choice := range f.Choices {
		own, err := f.convert(choice.Value, true)
		if err == nil && sameValue(own, value) {
			return nil
		}
		labels = append(labels, fmt.Sprint(own))
	}
	return validate.Fault("one_of", map[string]any{"choices": labels})
}

// ownMethod asks the model itself.
func (v *validation) ownMethod() error {
	var err error
	switch row := v.m.rowOf(v.row).(type) {
	case validate.ContextValidator:
		err = row.Validate(v.ctx)
	case validate.Validator:
		err = row.Validate()
	}
	if err == nil {
		return nil
	}
	return v.adopt(nil, err)
}

// constraints checks what concerns other rows or several fields.
func (v *validation) constraints() error {
	if err := v.m.resolve(); err != nil {
		return err
	}
	for _, f := range v.m.withColumns() {
		if !v.concerns(f) || v.errors.Has(f.Snake, "") {
			continue
		}
		if f.Relation != nil {
			if err := v.reference(f); err != nil {
				return err
			}
		}
		if f.Unique && !f.PrimaryKey {
			if err := v.unique(UniqueDef{fields: []any{v.m.ref(f)}}); err != nil {
				return err
			}
		}
	}
	for _, f := range v.m.columns {
		if len(f.uniqueFor) == 0 || !v.concerns(f.uniqueForFields()...) || v.errors.Has(f.Snake, "") {
			continue
		}
		if err := v.uniqueFor(f); err != nil {
			return err
		}
	}
	for _, def := range v.m.meta.Unique {
		if err := v.unique(def); err != nil {
			return err
		}
	}
	for _, def := range v.m.meta.Checks {
		if err := v.checkConstraint(def); err != nil {
			return err
		}
	}
	return nil
}

// reference checks that a foreign key leads to a row.
func (v *validation) reference(f *FieldInfo) error {
	p := unsafe.Add(v.row, f.offset)
	if *(*unsafe.Pointer)(unsafe.Add(p, f.Relation.spec.rowOffset)) != nil {
		return nil
	}
	key, err := f.codec.load(p)
	if err != nil || key == nil {
		return err
	}
	to := f.Relation.Target()
	there, err := (&query{model: to, withDeleted: true, where: []expr{&inList{of: to.ref(f.Relation.Key()), values: variables([]any{key})}}}).exists(v.ctx)
	if err == nil && !there {
		v.fail(f, &validate.FieldError{Code: "not_found", Message: "refers to something that does not exist"})
	}
	return err
}

// unique looks for another row with the same values.
func (v *validation) unique(def UniqueDef) error {
	eval := newEvaluator(v.m, v.row)
	if def.where != nil {
		if applies, err := eval.cond(def.where.orInvalid()); err != nil || applies != isTrue {
			return ignoreCannotTell(err)
		}
	}
	all := &logic{}
	var fields []*FieldInfo
	for _, member := range v.m.eachColumn(def.fields) {
		of := operandOf(member)
		if r, ok := asRef(member); ok {
			of = r
		}
		fields = append(fields, v.m.fieldsIn(of)...)
		value, _, err := eval.value(of, target{})
		if err != nil {
			return ignoreCannotTell(err)
		}
		if value == nil && !def.nullsNotDistinct {
			return nil
		}
		all.kids = append(all.kids, &compare{"=", of, &variable{value}})
	}
	if !v.concerns(fields...) || slices.ContainsFunc(fields, func(f *FieldInfo) bool { return v.errors.Has(f.Snake, "") }) {
		return nil
	}
	q := &query{model: v.m, withDeleted: true, where: []expr{all}}
	if def.where != nil {
		q.where = append(q.where, def.where.orInvalid())
	}
	if key := v.m.keyOf(v.row).value(); key != nil {
		q.where = append(q.where, &compare{"<>", v.m.keyRef(), &variable{key}})
	}
	taken, err := q.exists(v.ctx)
	if err == nil && taken {
		v.taken(def, fields)
	}
	return err
}

func ignoreCannotTell(err error) error {
	if errors.Is(err, errCannotTell) {
		return nil
	}
	return err
}

// taken says that another row has the values: beside the field if it is only one.
func (v *validation) taken(def UniqueDef, fields []*FieldInfo) {
	fault := validate.FieldError{Code: "taken", Message: def.message}
	if len(fields) == 1 {
		fault.Field = fields[0].Snake
		if fault.Message == "" {
			fault.Message = "is taken already"
		}
	}
	if fault.Message == "" {
		fault.Params = map[string]any{"fields": snakes(fields)}
		labels := make([]string, len(fields))
		for i, f := range fields {
			labels[i] = strings.ToLower(f.Label)
		}
		article := "A "
		if strings.ContainsAny(v.m.VerboseName[:1], "aeiou") {
			article = "An "
		}
		fault.Message = fmt.Sprintf("%s%s with this %s exists already", article, v.m.VerboseName, strings.Join(labels, " and "))
	}
	v.errors = append(v.errors, fault)
}

func snakes(fields []*FieldInfo) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Snake
	}
	return names
}

// checkConstraint checks a condition of Meta.
func (v *validation) checkConstraint(def CheckDef) error {
	fields := v.m.fieldsIn(def.cond.orInvalid())
	if !v.concerns(fields...) || slices.ContainsFunc(fields, func(f *FieldInfo) bool { return v.errors.Has(f.Snake, "") }) {
		return nil
	}
	holds, err := newEvaluator(v.m, v.row).cond(def.cond.orInvalid())
	if err != nil || holds != isFalse {
		return ignoreCannotTell(err)
	}
	fault := validate.FieldError{Code: "check", Message: def.message, Params: map[string]any{"constraint": def.name}}
	message := "The values do not fit together"
	if len(fields) == 1 {
		fault.Field, message = fields[0].Snake, "is not allowed"
	}
	fault.Message = cmp.Or(fault.Message, message)
	v.errors = append(v.errors, fault)
	return nil
}

// fieldsIn are the model's fields that an expression is about, each once.
func (m *ModelInfo) fieldsIn(e expr) []*FieldInfo {
	var fields []*FieldInfo
	c := newCompiler(portable{}, m)
	var walk func(e expr)
	walk = func(e expr) {
		if r, ok := asRef(e); ok {
			if _, t := c.resolve(r); t.field != nil && !slices.Contains(fields, t.field) {
				fields = append(fields, t.field)
			}
			return
		}
		switch e := e.(type) {
		case place:
			if !slices.Contains(fields, e.t.field) {
				fields = append(fields, e.t.field)
			}
		default:
			for _, part := range partsOf(e) {
				walk(part)
			}
		}
	}
	walk(e)
	return fields
}
