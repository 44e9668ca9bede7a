package form

import (
	"reflect"
	"strings"
	"sync"

	"github.com/retort-web/retort"
)

// appendForm writes the whole form.
func (f *core) appendForm(dst []byte) []byte {
	if f.member != nil {
		return f.appendMember(dst)
	}
	if byTemplate, ok := f.byTemplate(dst); ok {
		return byTemplate
	}
	dst = f.appendHidden(dst)
	dst = f.appendSummary(dst)
	return f.appendFields(dst)
}

// appendHidden writes the token and the hidden fields.
func (f *core) appendHidden(dst []byte) []byte {
	if f.member != nil {
		dst = f.appendKey(dst)
	} else if !f.query {
		dst = appendToken(dst, f.c)
	}
	if f.member == nil && f.prefix != "" && !f.query {
		// Tells that this form was sent, even if nothing in it is ticked.
		dst = append(dst, `<input type="hidden" name="`...)
		dst = append(dst, f.prefix...)
		dst = append(dst, "-submitted\" value=\"1\">\n"...)
	}
	for _, field := range f.fields {
		if field.hidden {
			dst = field.appendInput(dst)
			dst = append(dst, '\n')
		}
	}
	return dst
}

func appendToken(dst []byte, c *retort.Ctx) []byte {
	dst = append(dst, `<input type="hidden" name="`+retort.CSRFField+`" value="`...)
	dst = c.Session().AppendCSRFToken(dst) // of characters that need no escaping
	return append(dst, "\">\n"...)
}

// appendSummary writes the list of all errors, each with a link to its input.
func (f *core) appendSummary(dst []byte) []byte {
	if f.isRight() {
		return dst
	}
	if f.member != nil {
		return f.appendOthers(dst)
	}
	dst = append(dst, "<div class=\"error-summary\" role=\"alert\">\n<p>"...)
	dst = appendText(dst, f.translate("Please correct what is marked."))
	dst = append(dst, "</p>\n<ul>\n"...)
	for i := range f.others {
		dst = append(dst, "<li>"...)
		dst = appendText(dst, f.otherSentence(i))
		dst = append(dst, "</li>\n"...)
	}
	dst = f.appendLinks(dst)
	return append(dst, "</ul>\n</div>\n"...)
}

// appendLinks writes the errors of the fields as items of a list.
func (f *core) appendLinks(dst []byte) []byte {
	for _, field := range f.fields {
		for _, text := range field.Errors() {
			dst = append(dst, "<li>"...)
			if field.hidden {
				dst = appendText(dst, text)
			} else {
				dst = append(dst, `<a href="#`...)
				dst = append(dst, field.anchor()...)
				dst = append(dst, `">`...)
				dst = appendText(dst, text)
				dst = append(dst, "</a>"...)
			}
			dst = append(dst, "</li>\n"...)
		}
	}
	return dst
}

// anchor is the id of the input that takes the focus: of several, the first.
func (f *Field) anchor() string {
	switch f.widget.(type) {
	case Radio, CheckboxList:
		if len(f.options) > 0 && !f.more {
			return f.ID() + "_0"
		}
	case SplitDateTime:
		return f.ID() + "_date"
	case SelectDate:
		return f.ID() + "_year"
	}
	return f.ID()
}

// otherSentence is an error about the whole form. One that names a field which
// the form does not have says which.
func (f *core) otherSentence(i int) string {
	e := &f.others[i]
	if e.Field != "" && !strings.HasPrefix(e.Message, words(e.Field)) {
		return f.speech().stop(f.speech().subject(f.translate(words(e.Field)), f.message(e)))
	}
	return f.speech().stop(f.message(e))
}

// append writes the field with all that belongs to it.
func (f *Field) append(dst []byte) []byte {
	if f.hidden {
		return append(f.appendInput(dst), '\n')
	}
	if made, ok := f.appendPrepared(dst); ok {
		return made
	}
	if made, ok := f.byTemplate(dst); ok {
		return made
	}
	group := f.group()
	if group {
		dst = append(dst, "<fieldset class=\""...)
	} else {
		dst = append(dst, "<div class=\""...)
	}
	t := tag{dst: append(f.appendClasses(dst), '"')}
	if group {
		t.set("id", f.ID())
		if f.spec.autocomplete != "" {
			t.set("autocomplete", f.spec.autocomplete)
		}
		f.addDescription(&t)
	}
	dst = append(t.dst, ">\n"...)
	if _, box := f.widget.(Checkbox); box {
		dst = append(f.appendInput(dst), '\n')
		dst = append(f.appendLabel(dst), '\n')
	} else {
		dst = append(f.appendLabel(dst), '\n')
		dst = append(f.appendInput(dst), '\n')
	}
	dst = f.appendHelp(dst)
	dst = f.appendErrors(dst)
	if group {
		return append(dst, "</fieldset>\n"...)
	}
	return append(dst, "</div>\n"...)
}

// Kind is the kind of the field's widget: its type in lower case, "text" or
// "checkboxlist". It is a class of the field.
func (f *Field) Kind() string {
	t := reflect.TypeOf(f.widget)
	if kind, ok := kinds.Load(t); ok {
		return kind.(string)
	}
	name := t
	if t.Kind() == reflect.Pointer {
		name = t.Elem()
	}
	kind := strings.ToLower(name.Name())
	kinds.Store(t, kind)
	return kind
}

// kinds are the kinds of widgets by their reflect.Type.
var kinds sync.Map

func (f *Field) appendLabel(dst []byte) []byte {
	if f.group() {
		dst = append(dst, "<legend>"...)
		dst = appendText(dst, f.Label()+f.form.look().LabelSuffix)
		return append(dst, "</legend>"...)
	}
	dst = append(dst, `<label for="`...)
	dst = append(dst, f.ID()...)
	dst = append(dst, `">`...)
	dst = appendText(dst, f.Label()+f.form.look().LabelSuffix)
	return append(dst, "</label>"...)
}

func (f *Field) appendHelp(dst []byte) []byte {
	if f.help == "" {
		return dst
	}
	dst = append(dst, `<p class="help" id="`...)
	dst = append(dst, f.ID()...)
	dst = append(dst, `_help">`...)
	dst = appendText(dst, f.Help())
	return append(dst, "</p>\n"...)
}

func (f *Field) appendErrors(dst []byte) []byte {
	if len(f.faults) == 0 {
		return dst
	}
	dst = append(dst, `<ul class="errors" id="`...)
	dst = append(dst, f.ID()...)
	dst = append(dst, `_errors">`...)
	for _, text := range f.Errors() {
		dst = append(dst, "<li>"...)
		dst = appendText(dst, text)
		dst = append(dst, "</li>"...)
	}
	return append(dst, "</ul>\n"...)
}
