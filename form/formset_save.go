package form

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/validate"
)

// Forms are the forms of the set, in the order of the page.
func (s *Formset[T]) Forms() []*Form[T] {
	s.build()
	return s.forms
}

// Submitted reports whether the request sent the formset.
func (s *Formset[T]) Submitted() bool {
	s.build()
	return s.bound
}

// Err returns why the formset cannot be used, as [Form.Err] does.
func (s *Formset[T]) Err() error {
	s.build()
	if s.err != nil {
		return s.err
	}
	for _, f := range s.forms {
		if f.err != nil {
			return f.err
		}
	}
	return nil
}

// Valid reports whether the formset was submitted and nothing is wrong with it. An
// empty form that was left empty is right, and skipped, unless Min asks for it; a form
// marked for deletion is not looked at.
func (s *Formset[T]) Valid() bool {
	if s.build(); !s.bound || s.err != nil {
		return false
	}
	s.validate()
	return s.Err() == nil && s.isRight()
}

// Status is the status of the page that shows the formset, as [Form.Status].
func (s *Formset[T]) Status() int {
	if s.build(); s.bound && (s.Err() != nil || !s.isRight()) {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

func (s *setCore) isRight() bool {
	if len(s.others) > 0 {
		return false
	}
	for _, f := range s.parts {
		if !f.isRight() {
			return false
		}
	}
	return true
}

// Errors returns what is wrong with the input: of the forms in their order, by the names
// of the inputs ("lines-0-price", or "lines-0" for a form as a whole), and last what
// concerns all of them.
func (s *Formset[T]) Errors() validate.Errors {
	s.build()
	var all validate.Errors
	for _, f := range s.forms {
		for _, e := range f.Errors() {
			if e.Field == "" {
				e.Field = f.prefix
			}
			all = append(all, e)
		}
	}
	return append(all, s.others...)
}

// AddError adds an error above the forms; those of one form are added by its own
// method, see [Formset.Forms].
func (s *Formset[T]) AddError(code, message string) {
	s.build()
	if message == "" {
		message = validate.Message(code, nil)
	}
	s.others = append(s.others, validate.FieldError{Code: code, Message: message})
}

// Values are the rows as they are to be, in their order, without those to be deleted.
func (s *Formset[T]) Values() []*T {
	s.build()
	var rows []*T
	for _, f := range s.alive() {
		rows = append(rows, f.value)
	}
	return rows
}

// Saved are the rows that Save inserted or changed.
func (s *Formset[T]) Saved() []*T { return s.saved }

// Deleted are the rows that are to be deleted, and after Save have been.
func (s *Formset[T]) Deleted() []*T {
	s.build()
	var rows []*T
	for _, f := range s.forms {
		if f.member.deleted && (!f.isNew || s.plan.info == nil && f.instance != nil) {
			rows = append(rows, f.value)
		}
	}
	return rows
}

// alive are the forms whose rows are to be, in their order.
func (s *Formset[T]) alive() []*Form[T] {
	forms := make([]*Form[T], 0, len(s.forms))
	for _, f := range s.forms {
		if !f.member.deleted && !f.member.untouched {
			forms = append(forms, f)
		}
	}
	if s.canOrder && s.bound {
		slices.SortStableFunc(forms, func(a, b *Form[T]) int { return cmp.Compare(a.member.order, b.member.order) })
	}
	return forms
}

// validate does the checking, once.
func (s *Formset[T]) validate() {
	if s.checked {
		return
	}
	s.checked = true
	if len(s.others) > 0 {
		return // what was sent could not be split into forms
	}
	if s.err = s.pickRows(); s.err != nil {
		return
	}
	for i, f := range s.forms {
		m := f.member
		switch {
		case len(f.others) > 0: // of a row that is none of ours
			m.deleted = false
			continue
		case m.deleted:
			continue
		case f.isNew && f.instance == nil && i >= s.options.Min && !f.touched():
			m.untouched = true
			continue
		}
		f.core.validate(f.value)
		if s.canOrder {
			var fault *validate.FieldError
			if m.order, fault = m.place(); fault != nil {
				f.others = append(f.others, *fault)
			}
		}
	}
	alive := s.alive()
	if n := len(alive); n > s.options.Max {
		s.others = append(s.others, *validate.Fault("too_many", map[string]any{"max": s.options.Max}))
	} else if n < s.options.Min {
		s.others = append(s.others, *validate.Fault("too_few", map[string]any{"min": s.options.Min}))
	}
	if s.Err() != nil {
		return
	}
	s.setPlaces(alive)
	if s.err = s.checkUnique(alive); s.err != nil || !s.isRight() || s.options.Clean.run == nil {
		return
	}
	s.err = s.takeOver(s.options.Clean.run(s.c, s.Values()))
}

// pickRows finds the rows that the forms refer to, with one query for each field.
func (s *Formset[T]) pickRows() error {
	for i := range s.form(0).fields {
		var column []*Field
		for _, f := range s.forms {
			if !f.member.deleted {
				column = append(column, f.fields[i])
			}
		}
		if len(column) == 0 {
			continue
		}
		if err := pickTogether(s.c, column); err != nil {
			return err
		}
	}
	return nil
}

// takeOver shows the failures in an error above the forms.
func (s *Formset[T]) takeOver(err error) error {
	if one, ok := errors.AsType[*validate.FieldError](err); ok && one != nil {
		s.others = append(s.others, *one)
		return nil
	}
	if several, ok := errors.AsType[validate.Errors](err); ok {
		s.others = append(s.others, several...)
		return nil
	}
	return err
}

// setPlaces writes the places into the rows.
func (s *Formset[T]) setPlaces(alive []*Form[T]) {
	if s.options.OrderBy == nil {
		return
	}
	spec, err := s.plan.find(s.options.OrderBy)
	if err != nil {
		return // apply has found it
	}
	for i, f := range alive {
		v := f.core.value.FieldByIndex(spec.index)
		if place := i + 1 + s.options.Offset; v.CanInt() {
			v.SetInt(int64(place))
		} else {
			v.SetUint(uint64(place))
		}
	}
}

// checkUnique looks for rows of the set that are alike where they must not be.
func (s *Formset[T]) checkUnique(alive []*Form[T]) error {
	sets, err := s.uniqueSets()
	if err != nil {
		return err
	}
	for _, set := range sets {
		seen := map[string]bool{}
		for _, f := range alive {
			key, ok := f.core.valuesOf(set)
			if !ok {
				continue
			}
			if seen[key] {
				f.core.failRepeated(set)
			}
			seen[key] = true
		}
	}
	return nil
}

// uniqueSets are the fields that no two rows may have alike.
func (s *Formset[T]) uniqueSets() ([][]*spec, error) {
	var sets [][]*spec
	for _, ptrs := range s.options.Unique {
		var set []*spec
		for _, ptr := range ptrs {
			spec, err := s.plan.find(ptr)
			if err != nil {
				return nil, err
			}
			set = append(set, spec)
		}
		sets = append(sets, set)
	}
	if s.plan.info == nil {
		return sets, nil
	}
	tables, err := s.plan.info.Tables()
	if err != nil || len(tables) == 0 {
		return sets, err
	}
	for _, one := range s.plan.specs {
		if one.info.Unique && !one.info.PrimaryKey {
			sets = append(sets, []*spec{one})
		}
	}
	for i := range tables[0].Indexes {
		if set := s.plan.uniqueIndex(&tables[0].Indexes[i]); len(set) > 0 {
			sets = append(sets, set)
		}
	}
	return sets, nil
}

// uniqueIndex is the set of fields of a unique index; nil for one of expressions or with
// a condition, which the database looks after.
func (p *plan) uniqueIndex(index *schema.Index) []*spec {
	if !index.Unique || index.Where != "" {
		return nil
	}
	var set []*spec
	for _, column := range index.Columns {
		i := slices.IndexFunc(p.specs, func(s *spec) bool { return s.info.Column != "" && s.info.Column == column.Name })
		if i < 0 {
			return nil
		}
		set = append(set, p.specs[i])
	}
	return set
}

// valuesOf are the values of fields as one text; ok is false if one of them is NULL or
// wrong, or none of them is in the form.
func (f *core) valuesOf(set []*spec) (text string, ok bool) {
	var b strings.Builder
	for _, s := range set {
		for _, field := range f.fields {
			if field.spec == s {
				ok = true
				if len(field.faults) > 0 {
					return "", false
				}
			}
		}
		v := f.value.FieldByIndex(s.index)
		for v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return "", false
			}
			v = v.Elem()
		}
		if s.shape == toOne {
			v = v.Field(0)
		}
		fmt.Fprintf(&b, "%q\x00", fmt.Sprint(v.Interface()))
	}
	return b.String(), ok
}

func (f *core) failRepeated(set []*spec) {
	var labels []string
	for _, field := range f.fields {
		if !slices.Contains(set, field.spec) {
			continue
		}
		if len(set) == 1 {
			field.fail(validate.Fault("repeated", nil))
			return
		}
		labels = append(labels, strings.ToLower(field.Label()))
	}
	f.others = append(f.others, *validate.Fault("repeated", map[string]any{"fields": strings.Join(labels, " and ")}))
}

// Part is what [SaveAll] saves: a *Form or a *Formset.
type Part interface {
	check() (ready bool, err error)
	keep() (restore func(ctx context.Context) error)
	write(ctx context.Context) error
	refused(err error) error
	finish()
}

// SaveAll checks forms and formsets that came with one request, all of them so that
// every error shows, and writes them in one transaction in their order: a form before
// the formsets of its row. It reports whether that happened, as [Form.Save] does.
func SaveAll(ctx context.Context, parts ...Part) (saved bool, err error) {
	ready := true
	for _, p := range parts {
		ok, err := p.check()
		if err != nil {
			return false, err
		}
		ready = ready && ok
	}
	if !ready {
		return false, nil
	}
	restores := make([]func(ctx context.Context) error, len(parts))
	for i, p := range parts {
		restores[i] = p.keep()
	}
	var at Part
	err = orm.Atomic(ctx, func(ctx context.Context) error {
		for _, at = range parts {
			if err := at.write(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		if at != nil {
			err = at.refused(err)
		}
		for _, restore := range restores {
			err = errors.Join(err, restore(ctx))
		}
		return false, err
	}
	for _, p := range parts {
		p.finish()
	}
	return true, nil
}

// Save checks the formset if it was submitted, and writes its rows in one transaction:
// those marked are deleted, changed ones updated, new ones inserted. It reports whether
// that happened, as [Form.Save] does. Together with other forms use [SaveAll].
func (s *Formset[T]) Save(ctx context.Context) (saved bool, err error) { return SaveAll(ctx, s) }

func (s *Formset[T]) check() (bool, error) {
	s.build()
	switch {
	case s.err != nil:
		return false, s.err
	case s.plan.info == nil:
		return false, fmt.Errorf("form: %s is not a model; use Valid and Values in place of Save", s.plan.typ)
	case s.done:
		return false, fmt.Errorf("form: Save of the formset of %s is called twice", s.plan.typ)
	}
	return s.Valid(), s.Err()
}

func (s *Formset[T]) keep() (restore func(ctx context.Context) error) {
	before := make([]T, len(s.forms))
	for i, f := range s.forms {
		before[i] = *f.value
	}
	return func(ctx context.Context) error {
		s.saved = nil
		var err error
		for i, f := range s.forms {
			*f.value = before[i]
			err = errors.Join(err, f.dropFiles(ctx))
		}
		return err
	}
}

// rowError is an error of writing one row.
type rowError struct {
	form *core
	err  error
}

func (e *rowError) Error() string { return e.err.Error() }

func (e *rowError) Unwrap() error { return e.err }

func (s *Formset[T]) write(ctx context.Context) error {
	s.saved = nil
	query := s.plan.info.Query()
	for _, f := range s.forms {
		if f.member.deleted && !f.isNew {
			if err := query.DeleteRow(ctx, f.value); err != nil && !errors.Is(err, orm.ErrNotFound) {
				return &rowError{&f.core, err}
			}
		}
	}
	alive := s.alive()
	for _, isNew := range []bool{false, true} {
		for _, f := range alive {
			if f.isNew != isNew || !isNew && !f.differs() {
				continue
			}
			if err := f.core.write(ctx); err != nil {
				return &rowError{&f.core, err}
			}
			s.saved = append(s.saved, f.value)
		}
	}
	return nil
}

// differs reports whether there is something to update.
func (f *core) differs() bool {
	return len(f.changedNames()) > 0 || slices.ContainsFunc(f.plan.specs, func(s *spec) bool {
		return s.shape != toMany && s.shape != unknown && !reflect.DeepEqual(f.initial.FieldByIndex(s.index).Interface(), f.value.FieldByIndex(s.index).Interface())
	})
}

func (s *Formset[T]) refused(err error) error {
	row, ok := errors.AsType[*rowError](err)
	if !ok {
		return err
	}
	if _, protected := errors.AsType[*orm.ProtectedError](row.err); protected || row.form.member.deleted && orm.IsForeignKey(row.err) {
		row.form.others = append(row.form.others, *validate.Fault("protected", nil))
		return nil
	}
	if errors.Is(row.err, orm.ErrNotFound) {
		row.form.others = append(row.form.others, *validate.Fault("foreign", nil))
		return nil
	}
	return row.form.constraint(row.err)
}

func (s *Formset[T]) finish() {
	s.done = true
	for _, f := range s.forms {
		f.saved = true
		if f.instance != nil && !f.member.deleted {
			*f.instance = *f.value
		}
	}
}
