package form

import (
	"fmt"
	"slices"
)

// Section is a part of a form: a fieldset with a legend, or without one a row of fields
// beside each other.
//
//	Sections: []form.Section{
//		{Legend: "Who", Fields: form.Fields(&p.Name, &p.Email)},
//		{Fields: form.Fields(&p.Zip, &p.City)},
//	}
//
// Fields that no section has come last.
type Section struct {
	Legend string
	Help   string
	Class  string
	Fields []any
}

// section is a Section with the fields themselves, as templates see it.
type section struct {
	Legend, Help, Class string
	Fields              []*Field
}

// applySections finds the fields of the sections, each in one at most.
func (f *core) applySections(sections []Section) error {
	var placed []*Field
	for _, s := range sections {
		own := section{Legend: s.Legend, Help: s.Help, Class: s.Class}
		for _, ptr := range s.Fields {
			field, err := f.named(ptr)
			if err != nil {
				return err
			}
			if slices.Contains(placed, field) {
				return fmt.Errorf("Sections lists %s twice", field.spec.goName)
			}
			placed = append(placed, field)
			own.Fields = append(own.Fields, field)
		}
		f.sections = append(f.sections, own)
	}
	if len(sections) == 0 {
		return nil
	}
	rest := section{}
	for _, field := range f.fields {
		if !slices.Contains(placed, field) {
			rest.Fields = append(rest.Fields, field)
		}
	}
	f.fields = append(placed, rest.Fields...)
	f.rest = rest.Fields
	return nil
}

// appendFields writes the visible fields, in their sections if there are any.
func (f *core) appendFields(dst []byte) []byte {
	if len(f.sections) == 0 {
		return appendVisible(dst, f.fields)
	}
	for i := range f.sections {
		dst = f.appendSection(dst, &f.sections[i])
	}
	return appendVisible(dst, f.rest)
}

func appendVisible(dst []byte, fields []*Field) []byte {
	for _, field := range fields {
		if !field.hidden {
			dst = field.append(dst)
		}
	}
	return dst
}

func (f *core) appendSection(dst []byte, s *section) []byte {
	tag, class := "div", "row"
	if s.Legend != "" {
		tag, class = "fieldset", "section"
	}
	if s.Class != "" {
		class += " " + s.Class
	}
	dst = append(dst, '<')
	dst = append(dst, tag...)
	dst = append(dst, ` class="`...)
	dst = appendText(dst, class)
	dst = append(dst, "\">\n"...)
	if s.Legend != "" {
		dst = append(dst, "<legend>"...)
		dst = appendText(dst, f.translate(s.Legend))
		dst = append(dst, "</legend>\n"...)
	}
	if s.Help != "" {
		dst = append(dst, `<p class="help">`...)
		dst = appendText(dst, f.translate(s.Help))
		dst = append(dst, "</p>\n"...)
	}
	dst = appendVisible(dst, s.Fields)
	dst = append(dst, "</"...)
	dst = append(dst, tag...)
	return append(dst, ">\n"...)
}

// appendAs writes the form with its fields as rows of a table, items of a list, or
// paragraphs, for the element that the page writes around them.
func (f *core) appendAs(dst []byte, shape string) []byte {
	dst = f.appendHidden(dst)
	dst = f.appendSummary(dst)
	switch shape {
	case "table":
		dst = append(dst, "<table>\n"...)
	case "list":
		dst = append(dst, "<ul>\n"...)
	}
	for _, field := range f.fields {
		if field.hidden {
			continue
		}
		switch shape {
		case "table":
			dst = field.appendRow(dst)
		case "list":
			dst = append(dst, "<li>"...)
			dst = field.append(dst)
			dst = append(dst, "</li>\n"...)
		default:
			dst = field.appendParagraph(dst)
		}
	}
	switch shape {
	case "table":
		dst = append(dst, "</table>\n"...)
	case "list":
		dst = append(dst, "</ul>\n"...)
	}
	return dst
}

// appendRow writes a field as a row of a table. The label of a group is its legend, which
// must be in the fieldset.
func (f *Field) appendRow(dst []byte) []byte {
	dst = append(dst, `<tr class="`...)
	dst = f.appendClasses(dst)
	dst = append(dst, `"><th scope="row">`...)
	if f.group() {
		dst = append(dst, `</th><td>`...)
		inner := *f
		inner.inField = true
		dst = inner.append(dst)
		return append(dst, "</td></tr>\n"...)
	}
	dst = f.appendLabel(dst)
	dst = append(dst, "</th><td>"...)
	dst = f.appendInput(dst)
	dst = append(dst, '\n')
	dst = f.appendHelp(dst)
	dst = f.appendErrors(dst)
	return append(dst, "</td></tr>\n"...)
}

// appendParagraph writes a field as a paragraph, which can hold no list: the errors come
// before it.
func (f *Field) appendParagraph(dst []byte) []byte {
	if f.group() {
		return f.append(dst)
	}
	dst = f.appendErrors(dst)
	dst = append(dst, `<p class="`...)
	dst = f.appendClasses(dst)
	dst = append(dst, `">`...)
	dst = f.appendLabel(dst)
	dst = append(dst, ' ')
	dst = f.appendInput(dst)
	if f.help != "" {
		dst = append(dst, ` <span class="help" id="`...)
		dst = append(dst, f.ID()...)
		dst = append(dst, `_help">`...)
		dst = appendText(dst, f.Help())
		dst = append(dst, "</span>"...)
	}
	return append(dst, "</p>\n"...)
}

// appendClasses writes the field's classes: "field", its kind, and what state it is in.
func (f *Field) appendClasses(dst []byte) []byte {
	theme := f.form.look()
	dst = append(dst, "field "...)
	dst = append(dst, f.Kind()...)
	if f.required {
		dst = append(dst, " required"...)
		dst = appendClass(dst, theme.RequiredClass)
	}
	if len(f.faults) > 0 {
		dst = append(dst, " invalid"...)
		dst = appendClass(dst, theme.InvalidClass)
	}
	return dst
}

func appendClass(dst []byte, class string) []byte {
	if class == "" {
		return dst
	}
	return appendText(append(dst, ' '), class)
}
