package form

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// maxKeys bounds how many rows one field may name: a query with more parameters is
// refused by some databases.
const maxKeys = 10_000

// keyText is the text of the key of a row of the related model.
func (f *Field) keyText(row any) (string, error) { return keyText(f.targetKey(), f.spec.codec, row) }

func keyText(pk *orm.FieldInfo, codec *codec, row any) (string, error) {
	key, err := pk.Get(row)
	if err != nil {
		return "", err
	}
	if len(pk.Parts) > 0 {
		return pk.KeyText(key)
	}
	v := reflect.New(reflect.TypeOf(key)).Elem()
	v.Set(reflect.ValueOf(key))
	return codec.format(v, time.UTC, ""), nil
}

// key reads the text of a key; what is none is not among the choices.
func (f *Field) key(text string) (any, bool) { return keyOf(f.targetKey(), f.spec.codec, text) }

func keyOf(pk *orm.FieldInfo, codec *codec, text string) (any, bool) {
	if len(pk.Parts) > 0 {
		row := pk.Model().New()
		if pk.Set(row, text) != nil {
			return nil, false
		}
		key, err := pk.Get(row)
		return key, err == nil
	}
	v := reflect.New(pk.Type).Elem()
	if codec.parse(v, text, time.UTC) != nil || v.IsZero() {
		return nil, false
	}
	return v.Interface(), true
}

func (f *Field) target() *orm.ModelInfo { return f.spec.info.Relation.Target() }

// targetKey is the field of the related rows that tells them apart: their primary key, or
// what the foreign key leads to in its place.
func (f *Field) targetKey() *orm.FieldInfo { return f.spec.info.Relation.Key() }

// takeRow handles a foreign key: the row must be among those to choose from.
func (f *Field) takeRow(ctx context.Context) error {
	texts, fault := f.submittedList(false)
	if fault != nil {
		f.changed = true
		f.fail(fault)
		return nil
	}
	f.changed = !sameSet(texts, f.shown())
	switch {
	case len(texts) == 0 && f.required:
		f.fail(validate.Fault("required", nil))
		return nil
	case len(texts) > 1:
		f.fail(notAChoice())
		return nil
	case !f.changed:
		return nil
	}
	if len(texts) == 0 {
		return f.spec.info.Set(f.form.value.Addr().Interface(), nil)
	}
	found, err := f.pick(ctx, texts)
	if err != nil || len(f.faults) > 0 {
		return err
	}
	// Set of ForeignKey[T, K] takes a *T, which no interface can say.
	f.in(f.form.value).Addr().MethodByName("Set").Call([]reflect.Value{reflect.ValueOf(found[0])})
	return nil
}

// takeRows handles a many-to-many relation. The rows are written by Save.
func (f *Field) takeRows(ctx context.Context) error {
	if err := f.loadKeys(ctx); err != nil {
		return err
	}
	// Where there are too many rows to list, the keys come as one text.
	texts, fault := f.submittedList(true)
	if fault != nil {
		f.changed = true
		f.fail(fault)
		return nil
	}
	f.changed = !sameSet(texts, f.shown())
	switch {
	case len(texts) == 0 && f.required:
		f.fail(validate.Fault("required", nil))
		return nil
	case !f.changed:
		return nil
	}
	picked, err := f.pick(ctx, texts)
	if err != nil {
		return err
	}
	f.many.rows.SetZero()
	for _, row := range picked {
		f.many.rows.Set(reflect.Append(f.many.rows, reflect.ValueOf(row)))
	}
	return nil
}

// pick finds the rows whose keys were submitted, with one query.
func (f *Field) pick(ctx context.Context, texts []string) ([]any, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	if len(texts) > maxKeys {
		f.fail(validate.Fault("max_items", map[string]any{"max": maxKeys}))
		return nil, nil
	}
	keys := make([]any, len(texts))
	for i, text := range texts {
		key, ok := f.key(text)
		if !ok {
			f.fail(notAChoice())
			return nil, nil
		}
		keys[i] = key
	}
	picked := f.pooled(keys)
	if f.many.pool == nil {
		var err error
		if picked, err = f.source.pick(ctx, f.targetKey(), keys); err != nil {
			return nil, fmt.Errorf("form: %s: %w", f.spec.goName, err)
		}
	}
	return f.allThere(keys, picked)
}

// pooled are the rows of the keys that were found for all forms of a set together.
func (f *Field) pooled(keys []any) []any {
	var picked []any
	for _, key := range keys {
		if key, err := mapKey(f.targetKey(), key); err == nil && f.many.pool[key] != nil {
			picked = append(picked, f.many.pool[key])
		}
	}
	return picked
}

// pickTogether finds the rows that were newly chosen in the same field of several forms
// with one query.
func pickTogether(ctx context.Context, fields []*Field) error {
	var keys []any
	for _, f := range fields {
		if f.spec.shape != toOne && f.spec.shape != toMany || f.disabled || f.misfit != "" {
			return nil
		}
		if err := f.loadKeys(ctx); err != nil {
			return err
		}
		texts, fault := f.submittedList(true)
		if fault != nil || sameSet(texts, f.shown()) {
			continue
		}
		for _, text := range texts {
			if key, ok := f.key(text); ok {
				keys = append(keys, key)
			}
		}
	}
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil
	}
	picked, err := fields[0].source.pick(ctx, fields[0].targetKey(), keys)
	if err != nil {
		return fmt.Errorf("form: %s: %w", fields[0].spec.goName, err)
	}
	pk := fields[0].targetKey()
	pool := make(map[any]any, len(picked))
	for _, row := range picked {
		key, err := pk.Get(row)
		if err == nil {
			key, err = mapKey(pk, key)
		}
		if err != nil {
			return err
		}
		pool[key] = row
	}
	for _, f := range fields {
		f.many.pool = pool
	}
	return nil
}

// allThere checks that there is a row for each key.
func (f *Field) allThere(keys, picked []any) ([]any, error) {
	pk := f.targetKey()
	found := map[any]bool{}
	for _, row := range picked {
		key, err := pk.Get(row)
		if err == nil {
			key, err = mapKey(pk, key)
		}
		if err != nil {
			return nil, err
		}
		found[key] = true
	}
	for _, key := range keys {
		key, err := mapKey(pk, key)
		if err != nil {
			return nil, err
		}
		if !found[key] {
			f.fail(notAChoice())
			return nil, nil
		}
	}
	return picked, nil
}

// mapKey is a key as one of a map. A key of several columns may hold rows that are
// loaded, which do not count.
func mapKey(pk *orm.FieldInfo, key any) (any, error) {
	if len(pk.Parts) == 0 {
		return key, nil
	}
	return pk.KeyText(key)
}

// loadKeys finds out to which rows a saved row is related.
func (f *Field) loadKeys(ctx context.Context) error {
	if f.spec.shape != toMany || f.many.rows.IsValid() {
		return nil
	}
	f.many.rows = reflect.New(f.spec.rowsType()).Elem()
	if f.form.isNew {
		return nil
	}
	found, err := f.relatedRows(ctx)
	if err != nil {
		return fmt.Errorf("form: %s: %w", f.spec.goName, err)
	}
	f.many.rows.Set(found)
	f.many.keys = make([]string, f.many.rows.Len())
	for i := range f.many.keys {
		text, err := f.keyText(f.many.rows.Index(i).Interface())
		if err != nil {
			return err
		}
		f.many.keys[i] = text
	}
	return nil
}

// relatedRows are the rows of a relation to many.
func (f *Field) relatedRows(ctx context.Context) (reflect.Value, error) {
	// All and Get of ManyToMany[T] return a []*T, which no interface can say.
	relation := f.in(f.form.initial).Addr()
	var out []reflect.Value
	if f.form.member != nil && relation.Interface().(interface{ Loaded() bool }).Loaded() {
		out = relation.MethodByName("Get").Call(nil)
	} else {
		out = relation.MethodByName("All").Call([]reflect.Value{reflect.ValueOf(&ctx).Elem()})
	}
	err, _ := out[1].Interface().(error)
	return out[0], err
}

// rowsType is []*T for a relation to rows of T.
func (s *spec) rowsType() reflect.Type {
	return reflect.SliceOf(reflect.PointerTo(s.info.Relation.Target().Type))
}

// writeRows relates the row that holds v to the rows that were chosen.
func (f *Field) writeRows(ctx context.Context, v reflect.Value) error {
	// Set of ManyToMany[T] takes any number of *T, which no interface can say.
	out := f.in(v).Addr().MethodByName("Set").CallSlice([]reflect.Value{reflect.ValueOf(&ctx).Elem(), f.many.rows})
	err, _ := out[0].Interface().(error)
	return err
}

// prepare loads what is needed to render the form.
func (f *core) prepare(ctx context.Context) error {
	if f.err != nil || f.ready {
		return f.err
	}
	for _, field := range f.fields {
		if err := field.prepare(ctx); err != nil {
			return err
		}
	}
	f.ready = true
	if f.member == nil { // a formset does it for all its forms
		for _, field := range f.fields {
			if err := nameChosen(ctx, []*Field{field}); err != nil {
				return err
			}
		}
	}
	f.view = f.makeView()
	return nil
}

func (f *Field) prepare(ctx context.Context) error {
	if err := f.loadKeys(ctx); err != nil {
		return err
	}
	if _, ok := f.widget.(interface{ chooses() }); ok {
		f.unnamed = true
		return nil
	}
	if w, ok := f.widget.(interface{ UsesOptions() bool }); !ok || !w.UsesOptions() || f.source == nil {
		return nil
	}
	if err := f.loadOptions(ctx); err != nil {
		return fmt.Errorf("form: %s: %w", f.spec.goName, err)
	}
	values := f.Values()
	selected := make(map[string]bool, len(values))
	for _, value := range values {
		selected[value] = true
	}
	for i := range f.options {
		f.options[i].Selected = selected[f.options[i].Value]
	}
	f.unnamed = f.more
	return nil
}

// maxChosen is of how many rows of a field the names are shown beside their keys.
const maxChosen = 20

// nameChosen finds the names of the rows that are chosen in the same field of several
// forms, with one query. Keys that lead to no row have none.
func nameChosen(ctx context.Context, fields []*Field) error {
	var keys []any
	for _, f := range fields {
		if !f.unnamed || f.spec.shape != toOne && f.spec.shape != toMany || f.source == nil {
			continue
		}
		texts := f.keyTexts()
		for _, text := range texts[:min(len(texts), maxChosen)] {
			if key, ok := f.key(text); ok {
				keys = append(keys, key)
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	picked, err := fields[0].source.pick(ctx, fields[0].targetKey(), keys)
	if err != nil {
		return fmt.Errorf("form: %s: %w", fields[0].spec.goName, err)
	}
	names := make(map[string]string, len(picked))
	for _, row := range picked {
		text, err := fields[0].keyText(row)
		if err != nil {
			return err
		}
		names[text] = fields[0].target().RowString(row)
	}
	for _, f := range fields {
		for _, text := range f.keyTexts() {
			if name, ok := names[text]; ok && f.unnamed && len(f.many.chosen) < maxChosen {
				f.many.chosen = append(f.many.chosen, name)
			}
		}
	}
	return nil
}

// keyTexts are the keys that the field shows.
func (f *Field) keyTexts() []string {
	if f.form.bound && !f.disabled {
		texts, _ := f.submittedList(true)
		return texts
	}
	return f.shown()
}

// loadOptions lists the choices. Fields that refer to the same rows share the query.
func (f *Field) loadOptions(ctx context.Context) error {
	same, ofRows := f.source.(rows)
	if ofRows {
		if list, ok := f.form.lists[same]; ok {
			f.options, f.more = slices.Clone(list.options), list.more
			return nil
		}
		for _, other := range f.form.fields {
			if other == f {
				break
			}
			if s, ok := other.source.(rows); ok && s == same && other.options != nil {
				f.options, f.more = slices.Clone(other.options), other.more
				for i := range f.options {
					f.options[i].Selected = false
				}
				return nil
			}
		}
	}
	var err error
	f.options, f.more, err = f.source.list(ctx, f, f.form.maxOptions)
	if ofRows && err == nil && f.form.lists != nil {
		f.form.lists[same] = listing{slices.Clone(f.options), f.more}
	}
	return err
}

// listings are the options of relations, which the forms of a formset load once.
type listings map[rows]listing

type listing struct {
	options []Option
	more    bool
}
