package form

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/retort-web/retort/validate"
)

// validate does the checking, once. What keeps it from deciding is kept in err.
func (f *core) validate() {
	if f.cleaned || f.err != nil {
		return
	}
	f.cleaned = true
	ctx := context.Context(f.c)
	for _, field := range f.fields {
		if f.err = field.validate(ctx); f.err != nil {
			return
		}
	}
	if f.err = f.checkConstraints(ctx, f.changedFields()); f.err != nil || !f.isRight() {
		return
	}
	for _, inner := range f.plan.inner {
		err := ask(ctx, f.value.FieldByIndex(inner.index).Addr().Interface())
		if f.err = f.adopt(below(inner.name, err)); f.err != nil {
			return
		}
	}
	if !f.isRight() {
		return
	}
	value := f.value.Addr().Interface()
	if f.err = f.adopt(ask(ctx, value)); f.err != nil || !f.isRight() {
		return
	}
	if f.clean == nil {
		return
	}
	before := reflect.New(f.value.Type()).Elem()
	before.Set(f.value)
	if f.err = f.adopt(f.clean(ctx, value)); f.err != nil || !f.isRight() {
		return
	}
	f.err = f.checkConstraints(ctx, f.differing(before))
}

// ask calls the Validate method of a struct that has one.
func ask(ctx context.Context, v any) error {
	switch v := v.(type) {
	case validate.Validator:
		return v.Validate()
	case validate.ContextValidator:
		return v.Validate(ctx)
	}
	return nil
}

// below puts the name of a struct within the form's before the names in its failures.
func below(name string, err error) error {
	all, several := errors.AsType[validate.Errors](err)
	if one, ok := errors.AsType[*validate.FieldError](err); ok && one != nil {
		all, several = validate.Errors{*one}, true
	}
	if !several {
		return err
	}
	all = slices.Clone(all)
	for i := range all {
		if all[i].Field == "" {
			all[i].Field = name
		} else {
			all[i].Field = name + "." + all[i].Field
		}
	}
	return all
}

// adopt puts the failures in err beside their fields. It returns err if it is no
// failure of the input.
func (f *core) adopt(err error) error {
	if err == nil {
		return nil
	}
	if one, ok := errors.AsType[*validate.FieldError](err); ok && one != nil {
		f.place(one)
		return nil
	}
	if several, ok := errors.AsType[validate.Errors](err); ok {
		for i := range several {
			f.place(&several[i])
		}
		return nil
	}
	return err
}

// place puts a failure beside the field it names, by the name of the input with
// or without prefix or by the name in JSON; else at the top.
func (f *core) place(fault *validate.FieldError) {
	for _, field := range f.fields {
		if fault.Field == field.spec.name || fault.Field == field.name ||
			fault.Field != "" && strings.EqualFold(fault.Field, field.spec.typeName()) {
			field.fail(fault)
			return
		}
	}
	f.others = append(f.others, *fault)
}

// typeName is the name of the Go field.
func (s *spec) typeName() string { return s.goName[strings.LastIndexByte(s.goName, '.')+1:] }

// validate turns what was submitted for the field into its value and checks it.
func (f *Field) validate(ctx context.Context) error {
	if f.disabled || !f.present && f.keepsAbsent() {
		return nil
	}
	if f.misfit != "" {
		f.changed = true
		f.fail(wrongType(f.misfit))
		return nil
	}
	alone, err := f.leftAlone(ctx)
	if err != nil {
		return err
	}
	switch f.spec.shape {
	case file, files:
		err = f.takeFiles()
	case toOne:
		err = f.takeRow(ctx)
	case toMany:
		err = f.takeRows(ctx)
	case list:
		f.takeList()
	default:
		if f.stores() {
			return f.takeStored()
		}
		f.takeText()
	}
	if f.was != nil && !alone {
		f.changed = true
	}
	if err != nil || len(f.faults) > 0 {
		return err
	}
	v := f.in(f.form.value)
	if f.spec.shape == toMany {
		v = f.many.rows
	}
	if f.spec.checker != nil {
		value := v.Interface()
		if f.spec.shape == toMany {
			// The rules are about how many they are.
			value = make([]struct{}, v.Len())
		}
		if err := f.adopt(f.spec.checker.Check(ctx, f.name, value)); err != nil {
			return err
		}
	}
	if f.check != nil && len(f.faults) == 0 {
		return f.adopt(f.check(ctx, v))
	}
	return nil
}

// adopt takes over the failures in an error about this field.
func (f *Field) adopt(err error) error {
	if one, ok := errors.AsType[*validate.FieldError](err); ok && one != nil {
		f.fail(one)
		return nil
	}
	if several, ok := errors.AsType[validate.Errors](err); ok {
		for i := range several {
			f.fail(&several[i])
		}
		return nil
	}
	return err
}

// keepsAbsent reports whether a field that the request does not mention stays as
// it is: in a PATCH, and in a new row where it has a default. Checkboxes and lists
// are not mentioned when nothing is chosen.
func (f *Field) keepsAbsent() bool {
	if f.form.c.Method() == http.MethodPatch {
		return true
	}
	if f.Multiple() || f.spec.shape == single && f.spec.codec.kind == boolKind {
		return false
	}
	return f.form.isNew && f.spec.info != nil && f.spec.info.HasDefault
}

// takeText handles a field of one value.
func (f *Field) takeText() {
	v := f.in(f.form.value)
	text := ""
	if len(f.raw) > 0 {
		text = f.raw[0]
	}
	if fault := validate.TextFault(text); fault != nil {
		f.changed = true
		f.fail(fault)
		return
	}
	text = f.withScheme(f.plainForm(f.normal(text)))
	if f.spec.codec.kind == boolKind && f.spec.typ.Kind() != reflect.Pointer && text == "" {
		text = "false"
	}
	before := ""
	if shown := f.shown(); len(shown) > 0 {
		before = f.normal(shown[0])
	}
	f.changed = text != before
	isFalse := f.spec.codec.kind == boolKind && text == "false" && f.spec.typ.Kind() != reflect.Pointer
	if f.required && (strings.TrimSpace(text) == "" || isFalse) {
		v.SetZero()
		f.fail(validate.Fault("required", nil))
		return
	}
	if f.checkText(text); len(f.faults) > 0 || !f.changed {
		return
	}
	if strings.TrimSpace(text) == "" {
		v.SetZero()
		// An empty number is the 0 that it was.
		f.changed = !f.in(f.form.initial).IsZero()
		return
	}
	made := reflect.New(f.spec.elem).Elem()
	if fault := f.parse(made, text); fault != nil {
		f.fail(fault)
		return
	}
	if f.source != nil && !f.source.has(f.spec.codec.format(made, f.form.location, f.layout())) {
		f.fail(notAChoice())
		return
	}
	if v.Type() != f.spec.elem {
		p := reflect.New(f.spec.elem)
		p.Elem().Set(made)
		made = p
	}
	v.Set(made)
	// What reads the same as before is the same: 7 and 007.
	if slices.Equal(f.shown(), f.shownIn(f.form.value)) {
		f.changed = false
		v.Set(f.in(f.form.initial))
	}
}

// withScheme completes a web address that was typed as people say it, "example.com/a".
func (f *Field) withScheme(text string) string {
	schemes, isURL := f.spec.rules.Get("url")
	if !isURL || !strings.Contains(text, ".") || strings.ContainsAny(text, ":\\") || strings.HasPrefix(text, "/") {
		return text
	}
	if schemes != "" && !slices.Contains(strings.Split(schemes, "|"), "https") {
		return text
	}
	return "https://" + text
}

// shownIn are the texts of the field in another value of the form's struct.
func (f *Field) shownIn(v reflect.Value) []string {
	c := *f
	c.form = &core{initial: v, location: f.form.location}
	return c.shown()
}

// checkText checks what is known of a text before it is a value.
func (f *Field) checkText(text string) {
	if text == "" {
		return
	}
	f.checkPicked(text)
	if f.spec.codec.kind != textKind {
		return
	}
	if f.spec.decimal() {
		f.checkDigits(text)
		return
	}
	if f.oneLine() && !validate.SingleLine(text) {
		f.fail(validate.Fault("single_line", nil))
	}
	if n := f.spec.size; n > 0 && utf8.RuneCountInString(text) > n {
		f.fail(validate.Fault("max_length", map[string]any{"max": n}))
	}
}

// checkDigits checks the text of a decimal number as its column takes it.
func (f *Field) checkDigits(text string) {
	number := strings.TrimLeft(text, "+-")
	whole, places, point := strings.Cut(number, ".")
	if len(text)-len(number) > 1 || whole+places == "" || point && places == "" || strings.Trim(whole+places, "0123456789") != "" {
		f.fail(wrongType("number"))
		return
	}
	most, scale := f.spec.info.Size, f.spec.info.Scale
	whole = strings.TrimLeft(whole, "0")
	if most > 0 && (len(whole) > most-scale || len(places) > scale) {
		f.fail(validate.Fault("digits", map[string]any{"digits": most - scale, "places": scale}))
	}
}

// parse says "date" and "time" where the widget asks for no more.
func (f *Field) parse(v reflect.Value, text string) *validate.FieldError {
	fault := f.spec.codec.parse(v, f.expand(text), f.form.location)
	if fault == nil && f.spec.codec.kind == timeKind && f.skipped(v, text) {
		return validate.Fault("skipped_time", nil)
	}
	if fault != nil && (f.spec.codec.kind == timeKind || f.spec.momentWidget() != nil) {
		if kind := f.momentKind(); kind != "" {
			return wrongType(kind)
		}
	}
	return fault
}

// skipped reports that a text is a time which the clocks of the form's zone leave out when
// they are put forward. It has been read as another one.
func (f *Field) skipped(v reflect.Value, text string) bool {
	wall, err := time.Parse(dateTimeLayout, text[:min(len(text), len(dateTimeLayout))])
	if err != nil || len(text) > len(dateTimeLayout+":05") {
		return false
	}
	moment, ok := v.Interface().(time.Time)
	return ok && moment.In(f.form.location).Format(dateTimeLayout) != wall.Format(dateTimeLayout)
}

func notAChoice() *validate.FieldError { return validate.Fault("choice", nil) }

// takeList handles a field of several texts or numbers. Without choices they are
// one text with commas.
func (f *Field) takeList() {
	v := f.in(f.form.value)
	texts, fault := f.submittedList(f.source == nil)
	if fault != nil {
		f.changed = true
		f.fail(fault)
		return
	}
	f.changed = !sameSet(texts, f.shown())
	made := reflect.MakeSlice(f.spec.typ, 0, len(texts))
	for _, text := range texts {
		item := reflect.New(f.spec.elem).Elem()
		if fault := f.parse(item, text); fault != nil {
			f.fail(fault)
			return
		}
		if f.source != nil && !f.source.has(f.spec.codec.format(item, f.form.location, f.layout())) {
			f.fail(notAChoice())
			return
		}
		made = reflect.Append(made, item)
	}
	v.Set(made)
	if f.required && len(texts) == 0 {
		f.fail(validate.Fault("required", nil))
	}
}

// submittedList returns the texts that are not blank, each once.
func (f *Field) submittedList(commas bool) ([]string, *validate.FieldError) {
	var texts []string
	seen := map[string]bool{}
	for _, raw := range f.raw {
		if fault := validate.TextFault(raw); fault != nil {
			return nil, fault
		}
		parts := []string{raw}
		if commas && !f.exact {
			parts = f.split(raw)
		}
		for _, part := range parts {
			if part = strings.TrimSpace(part); part != "" && !seen[part] {
				seen[part] = true
				texts = append(texts, part)
			}
		}
	}
	return texts, nil
}

// split parts a list of texts with commas between. A key of several columns has commas in it,
// one fewer than columns.
func (f *Field) split(raw string) []string {
	parts, columns := strings.Split(raw, ","), 0
	if f.spec.info != nil && f.spec.info.Relation != nil {
		columns = len(f.targetKey().Parts)
	}
	if columns == 0 || len(parts)%columns != 0 {
		return parts
	}
	var keys []string
	for key := range slices.Chunk(parts, columns) {
		keys = append(keys, strings.Join(key, ","))
	}
	return keys
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// takeFiles handles uploads. An input without a file leaves the field as it was.
func (f *Field) takeFiles() error {
	v := f.in(f.form.value)
	f.changed = len(f.files.sent) > 0
	switch {
	case len(f.files.sent) == 0:
		if f.required && v.IsZero() {
			f.fail(validate.Fault("required", nil))
		}
	case f.spec.shape == file:
		v.Set(reflect.ValueOf(f.files.sent[0]))
	default:
		v.Set(reflect.ValueOf(f.files.sent))
	}
	return f.checkUploads()
}

// presentable makes texts fit for a page: what is not UTF-8 is marked, and NUL,
// which no page may hold, is left out.
func presentable(texts []string) []string {
	if !slices.ContainsFunc(texts, func(text string) bool { return validate.TextFault(text) != nil }) {
		return texts
	}
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
	}
	return out
}
