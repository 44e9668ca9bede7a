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
	"unsafe"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/validate"
)

// mistake is why the formset or one of its forms cannot be used.
func (s *setCore) mistake() error {
	if s.err != nil {
		return s.err
	}
	for _, f := range s.parts {
		if f.err != nil {
			return f.err
		}
	}
	return nil
}

func (s *setCore) valid() bool {
	if s.build(); !s.bound || s.err != nil {
		return false
	}
	s.validate()
	return s.mistake() == nil && s.isRight()
}

func (s *setCore) status() int {
	if s.build(); s.bound && (s.mistake() != nil || !s.isRight()) {
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

// faults are all failures, those of the forms first.
func (s *setCore) faults() validate.Errors {
	s.build()
	var all validate.Errors
	for _, f := range s.parts {
		for _, e := range f.faults() {
			if e.Field == "" {
				e.Field = f.prefix
			}
			all = append(all, e)
		}
	}
	f := core{c: s.c}
	f.common()
	return append(all, f.spoken(slices.Clone(s.others))...)
}

func (s *setCore) addError(code, message string) {
	s.build()
	if message == "" {
		message = validate.Message(code, nil)
	}
	s.others = append(s.others, validate.FieldError{Code: code, Message: message})
}

// values are the rows as they are to be.
func (s *setCore) values() []unsafe.Pointer {
	var rows []unsafe.Pointer
	for _, f := range s.alive() {
		rows = append(rows, f.row())
	}
	return rows
}

// deleted are the rows that are marked for deletion.
func (s *setCore) deleted() []unsafe.Pointer {
	var rows []unsafe.Pointer
	for _, f := range s.parts {
		if f.member.deleted && (!f.isNew || s.plan.info == nil && f.instance.IsValid()) {
			rows = append(rows, f.row())
		}
	}
	return rows
}

// alive are the forms whose rows are to be, in their order.
func (s *setCore) alive() []*core {
	forms := make([]*core, 0, len(s.parts))
	for _, f := range s.parts {
		if !f.member.deleted && !f.member.untouched {
			forms = append(forms, f)
		}
	}
	if s.canOrder && s.bound {
		slices.SortStableFunc(forms, func(a, b *core) int { return cmp.Compare(a.member.order, b.member.order) })
	}
	return forms
}

// validate does the checking, once.
func (s *setCore) validate() {
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
	for i, f := range s.parts {
		m := f.member
		switch {
		case len(f.others) > 0: // of a row that is none of ours
			m.deleted = false
			continue
		case m.deleted:
			continue
		case f.isNew && !f.instance.IsValid() && i >= s.options.Min && !f.touched():
			m.untouched = true
			continue
		}
		f.validate()
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
	if s.mistake() != nil {
		return
	}
	s.setPlaces(alive)
	if s.err = s.checkUnique(alive); s.err != nil || !s.isRight() || s.options.Clean.run == nil {
		return
	}
	s.err = s.takeOver(s.options.Clean.run(s.c, s.values()))
}

// pickRows finds the rows that the forms refer to, with one query for each field.
func (s *setCore) pickRows() error {
	for i := range s.form(0).fields {
		var column []*Field
		for _, f := range s.parts {
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
func (s *setCore) takeOver(err error) error {
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
func (s *setCore) setPlaces(alive []*core) {
	if s.options.OrderBy == nil {
		return
	}
	spec, err := s.plan.find(s.options.OrderBy)
	if err != nil {
		return // apply has found it
	}
	for i, f := range alive {
		v := f.value.FieldByIndex(spec.index)
		if place := i + 1 + s.options.Offset; v.CanInt() {
			v.SetInt(int64(place))
		} else {
			v.SetUint(uint64(place))
		}
	}
}

// checkUnique looks for rows of the set that are alike where they must not be.
func (s *setCore) checkUnique(alive []*core) error {
	sets, err := s.uniqueSets()
	if err != nil {
		return err
	}
	for _, set := range sets {
		seen := map[string]bool{}
		for _, f := range alive {
			key, ok := f.valuesOf(set)
			if !ok {
				continue
			}
			if seen[key] {
				f.failRepeated(set)
			}
			seen[key] = true
		}
	}
	return nil
}

// uniqueSets are the fields that no two rows may have alike.
func (s *setCore) uniqueSets() ([][]*spec, error) {
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
		labels = append(labels, f.lower(field.Label()))
	}
	f.others = append(f.others, *validate.Fault("repeated", map[string]any{"fields": f.joined(labels, "and")}))
}

// Part is what [SaveAll] saves: a *Form or a *Formset.
type Part interface{ writer() writer }

// writer is a Part without its type.
type writer interface {
	check() (ready bool, err error)
	keep() (restore func(ctx context.Context) error)
	write(ctx context.Context) error
	refused(err error) error
	finish()
}

// SaveAll checks forms and formsets that came with one request, all of them so that
// every error shows, and writes them in one transaction in their order: a form before
// the formsets of its row. It reports whether that happened, as [FormOf.Save] does.
func SaveAll(ctx context.Context, parts ...Part) (saved bool, err error) {
	all := make([]writer, len(parts))
	for i, p := range parts {
		all[i] = p.writer()
	}
	return saveAll(ctx, all)
}

func saveAll(ctx context.Context, parts []writer) (saved bool, err error) {
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
	var at writer
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

func (s *setCore) check() (bool, error) {
	s.build()
	switch {
	case s.err != nil:
		return false, s.err
	case s.plan.info == nil:
		return false, fmt.Errorf("form: %s is not a model; use Valid and Values in place of Save", s.plan.typ)
	case s.done:
		return false, fmt.Errorf("form: Save of the formset of %s is called twice", s.plan.typ)
	}
	return s.valid(), s.mistake()
}

func (s *setCore) keep() (restore func(ctx context.Context) error) {
	restores := make([]func(ctx context.Context) error, len(s.parts))
	for i, f := range s.parts {
		restores[i] = f.keep()
	}
	return func(ctx context.Context) error {
		s.written = nil
		var err error
		for _, restore := range restores {
			err = errors.Join(err, restore(ctx))
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

func (s *setCore) write(ctx context.Context) error {
	s.written = nil
	query := s.plan.info.Query()
	for _, f := range s.parts {
		if f.member.deleted && !f.isNew {
			if err := query.DeleteRow(ctx, f.value.Addr().Interface()); err != nil && !errors.Is(err, orm.ErrNotFound) {
				return &rowError{f, err}
			}
		}
	}
	alive := s.alive()
	for _, isNew := range []bool{false, true} {
		for _, f := range alive {
			if f.isNew != isNew || !isNew && !f.differs() {
				continue
			}
			if err := f.write(ctx); err != nil {
				return &rowError{f, err}
			}
			s.written = append(s.written, f.row())
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

func (s *setCore) refused(err error) error {
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

func (s *setCore) finish() {
	s.done = true
	for _, f := range s.parts {
		f.saved = true
		if f.instance.IsValid() && !f.member.deleted {
			f.instance.Set(f.value)
		}
	}
}
