package form

import (
	"slices"

	"github.com/retort-web/retort/template"
)

// view is a form as templates see it: a list of its visible fields, which also
// answers for the form's own attributes. The element past the end of the list
// leads to the form, so that one without fields has it too.
type view []*Field

func (f *core) makeView() view {
	visible := view(f.fields)
	if slices.ContainsFunc(f.fields, (*Field).Hidden) {
		visible = make(view, 0, len(f.fields)+1)
		for _, field := range f.fields {
			if !field.hidden {
				visible = append(visible, field)
			}
		}
	}
	return append(visible, f.tail)[:len(visible)]
}

func (v view) form() *core { return v[:len(v)+1][len(v)].form }

// HTML is the whole form without <form> and buttons.
func (v view) HTML() string { return string(v.AppendHTML(make([]byte, 0, 512*(len(v)+1)))) }

// AppendHTML appends it.
func (v view) AppendHTML(dst []byte) []byte { return v.form().appendForm(dst) }

// TemplateAttr gives the parts of the form, and its fields by name.
func (v view) TemplateAttr(name string) (any, bool) {
	f := v.form()
	if f.member != nil {
		if part, ok := f.memberAttr(name); ok {
			return part, true
		}
	}
	switch name {
	case "attrs":
		return f.attrs(), true
	case "hidden":
		return template.Safe(f.appendHidden(nil)), true
	case "errors_tag":
		return template.Safe(f.appendSummary(nil)), true
	case "media":
		return f.media().tags(f.c), true
	case "sections":
		return f.sections, true
	case "as_div":
		return template.Safe(v.HTML()), true
	case "as_table", "as_list", "as_p":
		return template.Safe(f.appendAs(nil, name[3:])), true
	case "errors":
		return f.otherSentences(), true
	case "fields":
		return f.fields, true
	case "multipart":
		return f.multipart(), true
	case "submitted":
		return f.bound, true
	case "valid":
		return f.bound && f.cleaned && f.isRight(), true
	case "changed":
		return f.changedNames(), true
	}
	return v.TemplateItem(name)
}

// TemplateItem gives a field by name: form["errors"] is the field of that name.
func (v view) TemplateItem(key any) (any, bool) {
	for _, field := range v.form().fields {
		if field.spec.name == key {
			return field, true
		}
	}
	return nil, false
}

// plainAttrs are the attributes of most forms.
var plainAttrs any = template.Safe(`method="post"`)

// attrs are the attributes of <form>.
func (f *core) attrs() any {
	if !f.query && !f.lenient && !f.multipart() {
		return plainAttrs
	}
	attrs := template.Safe(`method="post"`)
	switch {
	case f.query:
		attrs = `method="get"`
	case f.multipart():
		attrs += ` enctype="multipart/form-data"`
	}
	if f.lenient {
		attrs += " novalidate"
	}
	return attrs
}

func (f *core) otherSentences() []string {
	texts := make([]string, len(f.others))
	for i := range f.others {
		texts[i] = f.otherSentence(i)
	}
	return texts
}

// HTML is the field with label, help and errors.
func (f *Field) HTML() string { return string(f.append(make([]byte, 0, 512))) }

// AppendHTML appends it.
func (f *Field) AppendHTML(dst []byte) []byte { return f.append(dst) }

// TemplateAttr gives the parts of the field.
func (f *Field) TemplateAttr(name string) (any, bool) {
	switch name {
	case "input":
		return template.Safe(f.appendInput(nil)), true
	case "attrs":
		return template.Func(f.with), true
	case "attributes":
		t := f.begin(nil)
		return template.Safe(f.end(&t)[1:]), true
	case "kind":
		return f.Kind(), true
	case "classes":
		return string(f.appendClasses(nil)), true
	case "chosen":
		if f.many == nil {
			return []string(nil), true
		}
		return f.many.chosen, true
	case "label_tag":
		return template.Safe(f.appendLabel(nil)), true
	case "help_tag":
		return template.Safe(f.appendHelp(nil)), true
	case "errors_tag":
		return template.Safe(f.appendErrors(nil)), true
	case "name":
		return f.name, true
	case "id":
		return f.ID(), true
	case "label":
		return f.Label(), true
	case "help":
		return f.Help(), true
	case "value":
		return f.Value(), true
	case "values":
		return f.Values(), true
	case "errors":
		return f.Errors(), true
	case "options":
		return f.options, true
	case "required":
		return f.required, true
	case "disabled":
		return f.disabled, true
	case "hidden":
		return f.hidden, true
	case "multiple":
		return f.Multiple(), true
	case "changed":
		return f.changed, true
	}
	return nil, false
}
