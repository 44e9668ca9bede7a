package form

import "strconv"

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

// Render appends the list, or an input for the key if there are too many rows.
func (w Select) Render(dst []byte, f *Field) []byte {
	if f.more {
		return f.keyInput(dst)
	}
	var a attributes
	a.flag("multiple", f.Multiple())
	dst = append(dst, "<select"...)
	dst = f.appendAttributes(dst, a...)
	dst = append(dst, '>')
	if !f.Multiple() && f.offersNothing() {
		empty := w.Empty
		if empty == "" {
			empty = "---------"
		}
		dst = append(dst, `<option value="">`...)
		dst = appendText(dst, empty)
		dst = append(dst, "</option>"...)
	}
	for i := range f.options {
		dst = f.options[i].append(dst)
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
		return f.keyInput(dst)
	}
	return f.boxes(dst, "radio", f.required)
}

// Render appends the list.
func (CheckboxList) Render(dst []byte, f *Field) []byte {
	if f.more {
		return f.keyInput(dst)
	}
	return f.boxes(dst, "checkbox", false)
}

// boxes writes an input in a label for each option. The field's id is that of the
// list around them; see [Field.group].
func (f *Field) boxes(dst []byte, kind string, required bool) []byte {
	dst = append(dst, `<div class="options">`...)
	focus := f.form.firstInvalid() == f.spec
	for i := range f.options {
		o := &f.options[i]
		dst = append(dst, `<label><input type="`...)
		dst = append(dst, kind...)
		dst = append(dst, '"')
		a := make(attributes, 0, 8)
		a.set("id", f.ID()+"_"+strconv.Itoa(i))
		a.set("name", f.name)
		a.set("value", o.Value)
		a.flag("checked", o.Selected)
		a.flag("required", required)
		a.flag("disabled", f.disabled)
		a.flag("autofocus", focus && i == 0)
		for _, n := range f.extra {
			a.put(n)
		}
		dst = a.append(dst)
		dst = append(dst, "> "...)
		dst = appendText(dst, o.Label)
		dst = append(dst, "</label>"...)
	}
	return append(dst, "</div>"...)
}

// group reports that the field is a list of inputs, which a fieldset holds
// together.
func (f *Field) group() bool {
	switch f.widget.(type) {
	case Radio, CheckboxList:
		return !f.more
	}
	return false
}

// keyInput takes the keys of rows that are too many to list. The first ones are
// offered as suggestions.
func (f *Field) keyInput(dst []byte) []byte {
	var a attributes
	a.set("list", f.ID()+"_list")
	a.set("autocomplete", "off")
	placeholder := "Key"
	if f.Multiple() {
		placeholder = "Keys, with commas between"
	}
	a.set("placeholder", placeholder)
	kind := "text"
	if f.spec.codec.kind == intKind && !f.Multiple() {
		kind = "number"
		a.set("min", "1")
	}
	dst = f.input(dst, kind, a...)
	dst = append(dst, `<datalist id="`...)
	dst = append(dst, f.ID()...)
	dst = append(dst, `_list">`...)
	for i := range f.options {
		o := f.options[i]
		o.Selected = false
		dst = o.append(dst)
	}
	return append(dst, "</datalist>"...)
}
