package form

import (
	"strconv"

	"github.com/retort-web/retort/template"
)

// setView is a formset as templates see it: a list of its forms, which also answers for
// the formset's own attributes. The element past the end of the list leads to the set.
type setView []view

func (s *setCore) templateValue() (any, error) {
	if err := s.prepare(s.c); err != nil {
		return nil, err
	}
	all := make(setView, 0, len(s.parts)+1)
	for _, f := range s.parts {
		all = append(all, f.view)
	}
	return append(all, view{&Field{form: &core{member: &member{set: s}}}})[:len(all)], nil
}

func (s *setCore) render() (template.Safe, error) {
	v, err := s.templateValue()
	if err != nil {
		return "", err
	}
	return template.Safe(v.(setView).HTML()), nil
}

func (v setView) set() *setCore { return v[:len(v)+1][len(v)][0].form.member.set }

// HTML is the whole formset without <form> and buttons.
func (v setView) HTML() string { return string(v.AppendHTML(make([]byte, 0, 1024*(len(v)+1)))) }

// AppendHTML appends it.
func (v setView) AppendHTML(dst []byte) []byte {
	s := v.set()
	dst = append(dst, `<div class="formset" id="id_`...)
	dst = append(dst, s.prefix...)
	dst = append(dst, `" data-formset="`...)
	dst = append(dst, s.prefix...)
	dst = append(dst, "\">\n"...)
	dst = s.appendHidden(dst)
	dst = s.appendSummary(dst)
	for _, f := range s.parts {
		dst = f.appendForm(dst)
	}
	dst = s.appendEmpty(dst)
	return append(dst, "</div>\n"...)
}

// TemplateAttr gives the parts of the formset.
func (v setView) TemplateAttr(name string) (any, bool) {
	s := v.set()
	switch name {
	case "hidden":
		return template.Safe(s.appendHidden(nil)), true
	case "errors_tag":
		return template.Safe(s.appendSummary(nil)), true
	case "errors":
		texts := make([]string, len(s.others))
		for i := range s.others {
			texts[i] = s.sentence(i)
		}
		return texts, true
	case "empty_tag":
		return template.Safe(s.appendEmpty(nil)), true
	case "empty":
		if s.empty == nil {
			return nil, true
		}
		return s.empty.view, true
	case "media":
		return s.media().tags(s.c), true
	case "attrs":
		return s.attrs(), true
	case "prefix":
		return s.prefix, true
	case "multipart":
		return s.multipart(), true
	case "submitted":
		return s.bound, true
	case "valid":
		return s.bound && s.checked && s.isRight(), true
	}
	return nil, false
}

func (s *setCore) multipart() bool {
	return s.empty != nil && s.empty.multipart() || len(s.parts) > 0 && s.parts[0].multipart()
}

func (s *setCore) attrs() template.Safe {
	if s.multipart() {
		return `method="post" enctype="multipart/form-data"`
	}
	return `method="post"`
}

// appendHidden writes the token, if no other form has it, and how many forms there are.
func (s *setCore) appendHidden(dst []byte) []byte {
	if s.parent == nil {
		dst = appendToken(dst, s.c)
	}
	for _, count := range [...]struct {
		name string
		n    int
	}{{totalName, len(s.parts)}, {initialName, s.existing}} {
		dst = append(dst, `<input type="hidden" name="`...)
		dst = append(dst, s.prefix...)
		dst = append(dst, '-')
		dst = append(dst, count.name...)
		dst = append(dst, `" value="`...)
		dst = strconv.AppendInt(dst, int64(count.n), 10)
		dst = append(dst, "\">\n"...)
	}
	return dst
}

// appendSummary writes the list of all errors, each with a link to its input.
func (s *setCore) appendSummary(dst []byte) []byte {
	if s.isRight() {
		return dst
	}
	f := &core{c: s.c, plan: s.plan}
	f.common()
	dst = append(dst, "<div class=\"error-summary\" role=\"alert\">\n<p>"...)
	dst = appendText(dst, f.translate("Please correct what is marked."))
	dst = append(dst, "</p>\n<ul>\n"...)
	for i := range s.others {
		dst = append(dst, "<li>"...)
		dst = appendText(dst, s.sentence(i))
		dst = append(dst, "</li>\n"...)
	}
	for _, f := range s.parts {
		for i := range f.others {
			dst = append(dst, `<li><a href="#`...)
			dst = append(dst, f.idPrefix+f.prefix...)
			dst = append(dst, `">`...)
			dst = appendText(dst, f.legend()+": "+f.otherSentence(i))
			dst = append(dst, "</a></li>\n"...)
		}
		dst = f.appendLinks(dst)
	}
	return append(dst, "</ul>\n</div>\n"...)
}

// sentence is an error about the whole set.
func (s *setCore) sentence(i int) string {
	f := core{c: s.c, plan: s.plan, others: s.others}
	f.common()
	return f.otherSentence(i)
}

// appendEmpty writes the form that the script form/form.js copies, and its button, which
// is hidden without the script.
func (s *setCore) appendEmpty(dst []byte) []byte {
	if s.empty == nil {
		return dst
	}
	dst = append(dst, "<template>\n"...)
	dst = s.empty.appendForm(dst)
	dst = append(dst, "</template>\n<button type=\"button\" class=\"add\" hidden>"...)
	dst = appendText(dst, s.empty.translate("Add another"))
	return append(dst, "</button>\n"...)
}

// legend names a form of the set: "Comment 2".
func (f *core) legend() string {
	name := f.translate(f.member.set.one)
	if f.member.index < 0 {
		return name
	}
	return name + " " + strconv.Itoa(f.member.index+1)
}

// appendMember writes a form of a set.
func (f *core) appendMember(dst []byte) []byte {
	dst = append(dst, `<fieldset class="member`...)
	if f.isNew {
		dst = append(dst, " new"...)
	}
	if !f.isRight() {
		dst = append(dst, " invalid"...)
	}
	dst = append(dst, `" id="`...)
	dst = append(dst, f.idPrefix+f.prefix...)
	dst = append(dst, "\">\n<legend>"...)
	dst = appendText(dst, f.legend())
	dst = append(dst, "</legend>\n"...)
	dst = f.appendHidden(dst)
	dst = f.appendOthers(dst)
	dst = f.appendFields(dst)
	dst = f.appendOrder(dst)
	dst = f.appendDelete(dst)
	return append(dst, "</fieldset>\n"...)
}

// appendOthers writes the errors about the form as a whole.
func (f *core) appendOthers(dst []byte) []byte {
	if len(f.others) == 0 {
		return dst
	}
	dst = append(dst, `<ul class="errors">`...)
	for i := range f.others {
		dst = append(dst, "<li>"...)
		dst = appendText(dst, f.otherSentence(i))
		dst = append(dst, "</li>"...)
	}
	return append(dst, "</ul>\n"...)
}

// appendKey writes the hidden input that tells which row the form is about.
func (f *core) appendKey(dst []byte) []byte {
	key := f.shownKey()
	if key == "" {
		return dst
	}
	dst = append(dst, `<input type="hidden" name="`...)
	dst = append(dst, f.prefix...)
	dst = append(dst, `-`+keyName+`" value="`...)
	dst = appendText(dst, presentable([]string{key})[0])
	return append(dst, "\">\n"...)
}

func (f *core) appendDelete(dst []byte) []byte {
	if !f.member.set.canDelete {
		return dst
	}
	dst = append(dst, `<div class="field checkbox delete"><input type="checkbox" value="true" id="`...)
	dst = append(dst, f.idPrefix+f.prefix...)
	dst = append(dst, `-`+deleteName+`" name="`...)
	dst = append(dst, f.prefix...)
	dst = append(dst, `-`+deleteName+`"`...)
	if f.member.deleted {
		dst = append(dst, " checked"...)
	}
	dst = append(dst, `> <label for="`...)
	dst = append(dst, f.idPrefix+f.prefix...)
	dst = append(dst, `-`+deleteName+`">`...)
	dst = appendText(dst, f.translate("Delete"))
	return append(dst, "</label></div>\n"...)
}

func (f *core) appendOrder(dst []byte) []byte {
	if !f.member.set.canOrder {
		return dst
	}
	place := f.member.orderText
	if !f.bound && f.member.index >= 0 && (!f.isNew || f.member.index < f.member.set.existing) {
		place = strconv.Itoa(f.member.index + 1)
	}
	dst = append(dst, `<div class="field number order"><label for="`...)
	dst = append(dst, f.idPrefix+f.prefix...)
	dst = append(dst, `-`+orderName+`">`...)
	dst = appendText(dst, f.translate("Order"))
	dst = append(dst, `</label> <input type="number" id="`...)
	dst = append(dst, f.idPrefix+f.prefix...)
	dst = append(dst, `-`+orderName+`" name="`...)
	dst = append(dst, f.prefix...)
	dst = append(dst, `-`+orderName+`" value="`...)
	dst = appendText(dst, presentable([]string{place})[0])
	return append(dst, "\"></div>\n"...)
}

// memberAttr gives templates the parts of a form that only one in a formset has. They win
// over fields of the same name, which form["delete"] gives.
func (f *core) memberAttr(name string) (any, bool) {
	switch name {
	case "delete":
		return template.Safe(f.appendDelete(nil)), true
	case "order":
		return template.Safe(f.appendOrder(nil)), true
	case "legend":
		return f.legend(), true
	case "index":
		return f.member.index, true
	case "is_new":
		return f.isNew, true
	}
	return nil, false
}
