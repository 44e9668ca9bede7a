package form

import "strings"

// prepared is the HTML of a field of which neither the options nor the request say
// anything but its value: what comes before the value, and what after it. Most fields of
// most pages are such, and their HTML is made once for the struct.
type prepared struct {
	head, tail string
	area       bool // the value is the content of an element, not an attribute
}

// prepare makes the HTML of a field whose widget is one input with the value in it.
func (s *spec) prepare() *prepared {
	p := &prepared{tail: ">\n"}
	switch s.widget.(type) {
	case Text, Email, URL, Search, Tel, Number, Date, Month, Week, Password:
	case Textarea:
		p.tail, p.area = "</textarea>\n", true
	default:
		return nil
	}
	f := &Field{form: &core{idPrefix: idPrefix}, spec: s, traits: &s.traits, name: s.name, blank: true}
	html, ok := strings.CutSuffix(string(f.append(nil)), p.tail+string(f.appendHelp(nil))+"</div>\n")
	if !ok {
		return nil
	}
	p.head, p.tail = html, p.tail+string(f.appendHelp(nil))+"</div>\n"
	return p
}

// isPlain reports that forms look and speak as this package has it.
func (f *core) isPlain() bool {
	return f.locale == nil && !f.unforced && f.idPrefix == idPrefix && (f.theme == nil || f.theme.plain)
}

// appendPrepared writes the field if all but its value is known.
func (f *Field) appendPrepared(dst []byte) ([]byte, bool) {
	p := f.spec.prepared
	if p == nil || f.owned || len(f.faults) > 0 || !f.form.isPlain() || f.name != f.spec.name {
		return dst, false
	}
	dst = append(dst, p.head...)
	if p.area {
		dst = appendText(dst, f.Value())
	} else {
		dst = f.appendValue(dst)
	}
	return append(dst, p.tail...), true
}
