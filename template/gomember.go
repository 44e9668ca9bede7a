package template

import (
	"reflect"
	"strings"
	"unsafe"
)

const (
	isField = -1
	isKey   = -2 // any key of a map
)

// member is a field or a method.
type member struct {
	owner  *goType
	typ    *goType
	steps  []uintptr // embedded pointers on the way
	offset uintptr
	method int // index into the method set of the pointer type, isField or isKey
	name   string
}

// member finds a field or method by its Go name, in snake case, in lower camel
// case, or by the name that the field has in JSON.
func (t *goType) member(name string) *member {
	t.once.Do(t.findMembers)
	return t.members[name]
}

func (t *goType) findMembers() {
	t.members = map[string]*member{}
	var fields, methods, keys []*member
	tags := map[*member]string{}
	if t.class == classStruct {
		for _, f := range reflect.VisibleFields(t.rt) {
			if !f.IsExported() {
				continue
			}
			m := t.fieldMember(f)
			fields = append(fields, m)
			if key := m.key(); key != nil {
				keys = append(keys, key)
			}
			if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag != "-" {
				tags[m] = tag
			}
		}
	}
	if t.rk != reflect.Interface && t.rk != reflect.Pointer {
		pt := reflect.PointerTo(t.rt)
		for i := range pt.NumMethod() {
			methods = append(methods, &member{owner: t, method: i, name: pt.Method(i).Name})
		}
	}
	add := func(name string, m *member) {
		if name != "" && t.members[name] == nil {
			t.members[name] = m
		}
	}
	for _, spell := range []func(string) string{func(s string) string { return s }, snakeCase, lowerCamel} {
		for _, set := range [][]*member{fields, methods, keys} {
			for _, m := range set {
				add(spell(m.name), m)
			}
		}
	}
	for _, m := range fields {
		add(tags[m], m)
	}
}

func (t *goType) fieldMember(f reflect.StructField) *member {
	m := &member{owner: t, typ: typeFor(f.Type), method: isField, name: f.Name}
	at := t.rt
	for i, index := range f.Index {
		if i > 0 && at.Kind() == reflect.Pointer {
			m.steps = append(m.steps, m.offset)
			m.offset = 0
			at = at.Elem()
		}
		field := at.Field(index)
		m.offset += field.Offset
		at = field.Type
	}
	return m
}

// hasFields reports whether a struct has a field that others may see.
func (t *goType) hasFields() bool {
	t.once.Do(t.findMembers)
	for _, m := range t.members {
		if m.method == isField {
			return true
		}
	}
	return false
}

// key gives the key of a relation as a member beside it: where Author stands
// for the object that it relates to, author_id is its field ID, which is there
// even if the object was not loaded.
func (m *member) key() *member {
	if m.typ.caps&capValue == 0 || m.typ.class != classStruct {
		return nil
	}
	id, ok := m.typ.rt.FieldByName("ID")
	if !ok || len(id.Index) != 1 {
		return nil
	}
	return &member{owner: m.owner, typ: typeFor(id.Type), steps: m.steps, offset: m.offset + id.Offset, method: isField, name: m.name + "ID"}
}

// load reads the field of the struct at p.
func (m *member) load(p unsafe.Pointer) value {
	if len(m.steps) == 0 {
		return m.typ.read(unsafe.Add(p, m.offset))
	}
	for _, s := range m.steps {
		p = *(*unsafe.Pointer)(unsafe.Add(p, s))
		if p == nil {
			return none
		}
	}
	return m.typ.read(unsafe.Add(p, m.offset))
}

// snakeCase spells a Go name as templates do: PublishedAt is published_at,
// AuthorID is author_id, HTMLBody is html_body.
func snakeCase(name string) string {
	upper := func(i int) bool { return i < len(name) && name[i] >= 'A' && name[i] <= 'Z' }
	lower := func(i int) bool {
		return i < len(name) && (name[i] >= 'a' && name[i] <= 'z' || name[i] >= '0' && name[i] <= '9')
	}
	out := make([]byte, 0, len(name)+4)
	for i := range len(name) {
		c := name[i]
		if upper(i) {
			if i > 0 && name[i-1] != '_' && (lower(i-1) || lower(i+1) && upper(i-1)) {
				out = append(out, '_')
			}
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return string(out)
}

// lowerCamel spells a Go name as JavaScript does: publishedAt, authorId,
// htmlBody.
func lowerCamel(name string) string {
	words := strings.Split(snakeCase(name), "_")
	for i, w := range words[1:] {
		if w != "" {
			words[i+1] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}
