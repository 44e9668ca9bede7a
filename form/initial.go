package form

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/validate"
)

// initialSuffix is what the hidden inputs with a field's initial value are called beside
// the field.
const initialSuffix = "_initial"

// initialSent are the texts that the input had when the page was made, as the request
// tells.
type initialSent struct{ texts []string }

// applyInitial applies Options.HiddenInitial.
func (f *core) applyInitial(pointers []any) error {
	for _, ptr := range pointers {
		field, err := f.named(ptr)
		if err != nil {
			return err
		}
		if _, secret := field.widget.(Password); secret || field.isFile() {
			return fmt.Errorf("HiddenInitial lists %s: passwords and files do not go into a page; take it out", field.spec.goName)
		}
		field.change().hiddenInitial = true
	}
	return nil
}

// readInitial takes the initial value that the request has.
func (f *Field) readInitial(data *bind.FormData) {
	if !f.hiddenInitial {
		return
	}
	texts, ok := data.Values[f.name+initialSuffix]
	if !ok {
		return
	}
	f.was = &initialSent{}
	for _, text := range texts {
		if text = f.normal(text); text != "" && validate.TextFault(text) == nil {
			f.was.texts = append(f.was.texts, text)
		}
	}
}

// leftAlone reports that the visitor has submitted the initial value that came with the
// page. The field is then taken for submitted with what it has by now.
func (f *Field) leftAlone(ctx context.Context) (bool, error) {
	if f.was == nil || f.misfit != "" {
		return false, nil
	}
	texts, fault := f.plainTexts()
	if fault != nil || !sameSet(texts, f.was.texts) {
		return false, nil
	}
	if f.spec.shape == toMany {
		if err := f.loadKeys(ctx); err != nil {
			return false, err
		}
	}
	f.was.texts = f.shown()
	f.raw = f.localForm(f.was.texts)
	return true, nil
}

// plainTexts are the submitted texts as the field would show them, if they are values of it.
func (f *Field) plainTexts() ([]string, *validate.FieldError) {
	if f.spec.shape != single {
		return f.submittedList(f.spec.shape == toMany || f.spec.shape == list && f.source == nil)
	}
	text := first(f.raw)
	if fault := validate.TextFault(text); fault != nil {
		return nil, fault
	}
	text = f.withScheme(f.plainForm(f.normal(text)))
	if text == "" {
		if f.spec.codec.kind == boolKind && f.spec.typ.Kind() != reflect.Pointer {
			return []string{"false"}, nil
		}
		return nil, nil
	}
	if made := reflect.New(f.spec.elem).Elem(); !slices.Equal([]string{text}, f.was.texts) && f.parse(made, text) == nil {
		text = f.normal(f.text(made))
	}
	return []string{text}, nil
}

// appendInitial writes the hidden inputs with the initial value. One of several values has
// an empty one first, which tells that it is there if it has none.
func (f *Field) appendInitial(dst []byte) []byte {
	if !f.hiddenInitial || f.disabled {
		return dst
	}
	var texts []string
	switch {
	case f.was != nil:
		texts = f.was.texts
	case !f.blank:
		texts = f.shown()
	}
	if f.Multiple() || len(texts) == 0 {
		texts = append([]string{""}, texts...)
	}
	for _, text := range texts {
		dst = append(append(append(dst, `<input type="hidden" name="`...), f.name...), initialSuffix+`" value="`...)
		dst = append(appendText(dst, text), `">`...)
	}
	return dst
}
