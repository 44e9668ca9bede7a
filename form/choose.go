package form

import (
	"strconv"
	"strings"
)

// Select is a list that opens; for a field of several values one in which several
// can be marked.
type Select struct {
	// Empty is the text of the choice of nothing. Default: "---------".
	Empty string
}

// Radio is a list of radio buttons.
type Radio struct{}

// CheckboxList is a list of checkboxes, for a field of several values.
type CheckboxList struct{}

// UsesOptions makes the form load the options.
func (Select) UsesOptions() bool { return true }

// UsesOptions makes the form load the options.
func (Radio) UsesOptions() bool { return true }

// UsesOptions makes the form load the options.
func (CheckboxList) UsesOptions() bool { return true }

// Group makes the list one group.
func (Radio) Group() bool { return true }

// Group makes the list one group.
func (CheckboxList) Group() bool { return true }

// Key is an input for the key of a row, or for several keys with commas between, with
// the names of the rows that are chosen below it: for tables of any size.
type Key struct{}

// Suggest is a [Key] that looks for rows while one types: its list of suggestions comes
// from URL, a route made with [Suggestions]. Without a script it is a Key.
type Suggest struct{ URL string }

// chooses marks the widgets that tell what is chosen without listing all options.
func (Key) chooses() {}

func (Suggest) chooses() {}

// Media names the script.
func (Suggest) Media() Media { return Media{Scripts: []string{"form/form.js"}} }

// Render appends the input.
func (Key) Render(dst []byte, f *Field) []byte { return f.keyInput(dst, "") }

// Render appends the input.
func (w Suggest) Render(dst []byte, f *Field) []byte {
	return f.keyInput(dst, w.URL)
}

// Render appends the list, or an input for the key if there are too many rows.
func (w Select) Render(dst []byte, f *Field) []byte {
	if f.more {
		return f.keyInput(dst, "")
	}
	t := f.begin(append(dst, "<select"...))
	t.flag("multiple", f.Multiple())
	dst = append(f.end(&t), '>')
	if !f.Multiple() && f.offersNothing() {
		empty := w.Empty
		if empty == "" {
			empty = "---------"
		}
		empty = f.form.translate(empty)
		dst = append(dst, `<option value="">`...)
		dst = appendText(dst, empty)
		dst = append(dst, "</option>"...)
	}
	group := ""
	for i := range f.options {
		o := &f.options[i]
		if o.Group != group {
			if group != "" {
				dst = append(dst, "</optgroup>"...)
			}
			if group = o.Group; group != "" {
				dst = append(dst, `<optgroup label="`...)
				dst = appendText(dst, group)
				dst = append(dst, `">`...)
			}
		}
		dst = o.append(dst)
	}
	if group != "" {
		dst = append(dst, "</optgroup>"...)
	}
	return append(dst, "</select>"...)
}

// offersNothing reports that the empty choice is shown: where it is allowed, and
// where nothing is chosen yet.
func (f *Field) offersNothing() bool {
	if !f.required {
		return true
	}
	for i := range f.options {
		if f.options[i].Selected {
			return false
		}
	}
	return true
}

func (o *Option) append(dst []byte) []byte {
	dst = append(dst, `<option value="`...)
	dst = appendText(dst, o.Value)
	dst = append(dst, '"')
	if o.Selected {
		dst = append(dst, " selected"...)
	}
	dst = append(dst, '>')
	dst = appendText(dst, o.Label)
	return append(dst, "</option>"...)
}

// Render appends the list.
func (Radio) Render(dst []byte, f *Field) []byte {
	if f.more {
		return f.keyInput(dst, "")
	}
	return f.boxes(dst, "radio", f.required)
}

// Render appends the list.
func (CheckboxList) Render(dst []byte, f *Field) []byte {
	if f.more {
		return f.keyInput(dst, "")
	}
	return f.boxes(dst, "checkbox", false)
}

// boxes writes an input in a label for each option. The field's id is that of the
// list around them; see [Field.group].
func (f *Field) boxes(dst []byte, kind string, required bool) []byte {
	dst = append(dst, `<div class="options">`...)
	focus := f.form.firstInvalid() == f.spec
	group := ""
	for i := range f.options {
		o := &f.options[i]
		if o.Group != group {
			if group != "" {
				dst = append(dst, "</div>"...)
			}
			if group = o.Group; group != "" {
				dst = append(dst, `<div role="group" aria-label="`...)
				dst = appendText(dst, group)
				dst = append(dst, `"><span class="group">`...)
				dst = appendText(dst, group)
				dst = append(dst, "</span>"...)
			}
		}
		dst = append(dst, `<label><input type="`...)
		dst = append(dst, kind...)
		t := f.begin(append(dst, '"'))
		t.set("id", f.ID()+"_"+strconv.Itoa(i))
		t.set("name", f.name)
		t.set("value", o.Value)
		t.flag("checked", o.Selected)
		t.flag("required", required && !f.form.unforced)
		t.flag("disabled", f.disabled)
		t.flag("autofocus", focus && i == 0)
		dst = append(t.end(f.extra), "> "...)
		dst = appendText(dst, o.Label)
		dst = append(dst, "</label>"...)
	}
	if group != "" {
		dst = append(dst, "</div>"...)
	}
	return append(dst, "</div>"...)
}

// group reports that the field is a list of inputs, which a fieldset holds
// together.
func (f *Field) group() bool {
	g, ok := f.widget.(interface{ Group() bool })
	return ok && g.Group() && !f.more
}

// keyInput takes the keys of rows that are too many to list. The first ones are
// offered as suggestions; more come from an address, if there is one.
func (f *Field) keyInput(dst []byte, suggest string) []byte {
	kind, placeholder := "text", "Key"
	if f.Multiple() {
		placeholder = "Keys, with commas between"
	} else if f.spec.codec != nil && f.spec.codec.kind == intKind && suggest == "" {
		kind = "number"
	}
	t := f.beginInput(dst, kind)
	if suggest != "" {
		t.set("data-suggest", suggest)
	}
	t.set("list", f.ID()+"_list")
	if f.spec.autocomplete == "" {
		t.set("autocomplete", "off")
	}
	t.set("placeholder", f.form.translate(placeholder))
	if kind == "number" {
		t.set("min", "1")
	}
	dst = f.endInput(&t)
	dst = append(dst, `<datalist id="`...)
	dst = append(dst, f.ID()...)
	dst = append(dst, `_list">`...)
	for i := range f.options {
		o := f.options[i]
		o.Selected = false
		dst = o.append(dst)
	}
	dst = append(dst, "</datalist>"...)
	if f.many != nil && len(f.many.chosen) > 0 {
		dst = append(dst, `<p class="chosen" id="`...)
		dst = append(dst, f.ID()...)
		dst = append(dst, `_chosen">`...)
		dst = appendText(dst, strings.Join(f.many.chosen, ", "))
		dst = append(dst, "</p>"...)
	}
	return dst
}
