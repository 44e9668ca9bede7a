package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// field is a setting: a leaf of the struct with what its tags say.
type field struct {
	key  string   // "session.lifetime"
	env  []string // variables that set it, the first one first
	help string

	value      reflect.Value // the field in dst
	fallback   reflect.Value
	hasDefault bool
	required   bool
	secret     bool
	oneOf      []string
	min, max   *bound
}

var (
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	validator       = reflect.TypeFor[Validator]()
)

// plan lists the settings of a struct.
func plan(dst any, o Options) ([]*field, error) {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("config: Load fills a struct, so it needs a pointer to one, not %T", dst)
	}
	p := &planner{prefix: o.Prefix, keys: map[string]string{}, variables: map[string]string{}}
	if err := p.section(v.Elem(), o.Section, v.Elem().Type().Name()); err != nil {
		return nil, err
	}
	return p.fields, nil
}

type planner struct {
	prefix    string
	fields    []*field
	keys      map[string]string // key → field that has it
	variables map[string]string // variable → field that reads it
}

func (p *planner) section(v reflect.Value, key, path string) error {
	t := v.Type()
	for i := range t.NumField() {
		sf := t.Field(i)
		name, ok := keyOf(sf)
		if !ok {
			continue
		}
		at := path + "." + sf.Name
		if strings.ToLower(name) != name || strings.ContainsAny(name, ". -=\"") {
			return fmt.Errorf("config: field %s: key %q must be of small letters, digits and underscores", at, name)
		}
		if isSection(sf.Type) {
			sub := key
			if !sf.Anonymous {
				sub = join(key, name)
			}
			if err := p.section(v.Field(i), sub, at); err != nil {
				return err
			}
			continue
		}
		f, err := p.leaf(v.Field(i), sf, join(key, name))
		if err == nil {
			err = p.claim(f, at)
		}
		if err != nil {
			return fmt.Errorf("config: field %s: %w", at, err)
		}
		p.fields = append(p.fields, f)
	}
	return nil
}

// leaf reads the tags of one field.
func (p *planner) leaf(v reflect.Value, sf reflect.StructField, key string) (*field, error) {
	if !supported(sf.Type) {
		return nil, fmt.Errorf("type %s cannot be a setting; give it UnmarshalText or the tag config:\"-\"", sf.Type)
	}
	f := &field{key: key, value: v, help: sf.Tag.Get("help")}
	f.env = []string{p.prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))}
	for name := range strings.SplitSeq(sf.Tag.Get("env"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			f.env = append(f.env, name)
		}
	}
	f.secret = sensitive(key) && !isNumber(sf.Type) && sf.Type.Kind() != reflect.Bool
	for _, tag := range []struct {
		name string
		flag *bool
	}{{"secret", &f.secret}, {"required", &f.required}} {
		switch text, ok := sf.Tag.Lookup(tag.name); {
		case !ok:
		case text == "true" || text == "false":
			*tag.flag = text == "true"
		default:
			return nil, fmt.Errorf("tag %s is %q, must be true or false", tag.name, text)
		}
	}
	f.oneOf = strings.Fields(sf.Tag.Get("oneof"))
	var err error
	if f.min, err = parseBound(sf.Type, sf.Tag.Get("min")); err != nil {
		return nil, fmt.Errorf("tag min: %w", err)
	}
	if f.max, err = parseBound(sf.Type, sf.Tag.Get("max")); err != nil {
		return nil, fmt.Errorf("tag max: %w", err)
	}
	if text, ok := sf.Tag.Lookup("default"); ok {
		f.hasDefault = true
		f.fallback = reflect.New(sf.Type).Elem()
		if wrong := f.parse(f.fallback, text); wrong != nil {
			return nil, fmt.Errorf("tag default is %q, must be %s", text, wrong.want)
		}
	}
	return f, nil
}

// claim makes sure that no two fields answer to one name.
func (p *planner) claim(f *field, at string) error {
	if other, ok := p.keys[f.key]; ok {
		return fmt.Errorf("key %q is also that of field %s", f.key, other)
	}
	p.keys[f.key] = at
	for _, name := range f.env {
		if other, ok := p.variables[name]; ok {
			return fmt.Errorf("variable %s also sets field %s", name, other)
		}
		p.variables[name] = at
	}
	return nil
}

// keyOf returns the last part of a field's key, and whether it is a setting.
func keyOf(sf reflect.StructField) (string, bool) {
	tag := sf.Tag.Get("config")
	if tag == "-" || !sf.IsExported() && !sf.Anonymous {
		return "", false
	}
	if sf.Anonymous && !sf.IsExported() && !isSection(sf.Type) {
		return "", false
	}
	if tag != "" {
		return tag, true
	}
	return snake(sf.Name), true
}

// isSection reports whether a field's own fields are the settings.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(textUnmarshaler)
}

// walkSections calls fn for a struct and the sections in it, inner ones first.
func walkSections(v reflect.Value, key string, fn func(v reflect.Value, key string)) {
	t := v.Type()
	for i := range t.NumField() {
		sf := t.Field(i)
		name, ok := keyOf(sf)
		if !ok || !isSection(sf.Type) {
			continue
		}
		switch {
		case !sf.Anonymous:
			walkSections(v.Field(i), join(key, name), fn)
		case sf.IsExported() && !t.Implements(validator) && !reflect.PointerTo(t).Implements(validator):
			// Otherwise the method is promoted, or the outer one decides.
			walkSections(v.Field(i), key, fn)
		}
	}
	if v.CanInterface() {
		fn(v, key)
	}
}

func join(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

// snake writes a Go name in snake case: AllowedHosts as allowed_hosts, HTTPAddr
// as http_addr.
func snake(name string) string {
	runes := []rune(name)
	var b strings.Builder
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) && runes[i-1] != '_' {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// setText and setTOML parse into a copy first: a wrong value changes nothing.

func (f *field) setText(text string) *mistake {
	v := reflect.New(f.value.Type()).Elem()
	if wrong := f.parse(v, text); wrong != nil {
		return wrong
	}
	f.value.Set(v)
	return nil
}

func (f *field) setTOML(value any) *mistake {
	v := reflect.New(f.value.Type()).Elem()
	wrong := parseTOMLValue(v, value)
	if wrong == nil {
		wrong = f.check(v)
	}
	if wrong != nil {
		return f.complete(wrong, tomlText(value))
	}
	f.value.Set(v)
	return nil
}

// parse reads text into v and checks it against the tags.
func (f *field) parse(v reflect.Value, text string) *mistake {
	wrong := parseText(v, text)
	if wrong == nil {
		wrong = f.check(v)
	}
	if wrong != nil {
		return f.complete(wrong, text)
	}
	return nil
}

// complete adds to a mistake what the tags allow and the text it is about.
func (f *field) complete(wrong *mistake, text string) *mistake {
	if len(f.oneOf) > 0 {
		wrong.want = "one of " + strings.Join(f.oneOf, ", ")
	}
	wrong.text = text
	return wrong
}

// check compares a value with the tags oneof, min and max.
func (f *field) check(v reflect.Value) *mistake {
	if len(f.oneOf) > 0 {
		for _, item := range items(v) {
			if !slices.Contains(f.oneOf, format(item)) {
				return &mistake{want: "one of " + strings.Join(f.oneOf, ", ")}
			}
		}
	}
	if f.min != nil && f.min.compare(v) < 0 || f.max != nil && f.max.compare(v) > 0 {
		return &mistake{want: f.rangeText()}
	}
	return nil
}

func (f *field) rangeText() string {
	unit := ""
	if f.min != nil {
		unit = f.min.unit
	} else {
		unit = f.max.unit
	}
	switch {
	case f.max == nil:
		return "at least " + f.min.text + unit
	case f.min == nil:
		return "at most " + f.max.text + unit
	}
	return "from " + f.min.text + " to " + f.max.text + unit
}

// text is the field's value as an operator would write it.
func (f *field) text() string { return format(f.value) }

// problem describes a wrong value without showing what is secret.
func (f *field) problem(source string, wrong *mistake) Problem {
	return Problem{Key: f.key, Source: source, Text: f.masked(wrong.text), Message: "must be " + wrong.want}
}

func (f *field) masked(text string) string {
	if f.secret && text != "" {
		return hidden
	}
	return maskText(text)
}

func (f *field) missing(o Options) Problem {
	msg := "is not set; set " + strings.Join(f.env, " or ")
	if o.Files == nil || len(o.Files) > 0 {
		msg += ", or " + f.key + " in the TOML file"
	}
	if f.help != "" {
		msg += " (" + f.help + ")"
	}
	return Problem{Key: f.key, Message: msg}
}

// bound is the value of a tag min or max.
type bound struct {
	value reflect.Value // a number of the field's type, or a length as int
	text  string
	unit  string
}

func parseBound(t reflect.Type, text string) (*bound, error) {
	if text == "" {
		return nil, nil
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	b := &bound{text: text}
	switch {
	case isNumber(t):
		b.value = reflect.New(t).Elem()
	case t.Kind() == reflect.String:
		b.value, b.unit = reflect.New(reflect.TypeFor[int]()).Elem(), " bytes"
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Map:
		b.value, b.unit = reflect.New(reflect.TypeFor[int]()).Elem(), " entries"
	default:
		return nil, errors.New("only numbers, durations, sizes, strings, lists and maps have bounds")
	}
	if wrong := parseText(b.value, text); wrong != nil {
		return nil, fmt.Errorf("%q must be %s", text, wrong.want)
	}
	return b, nil
}

// compare says on which side of the bound a value is. A nil pointer is on it.
func (b *bound) compare(v reflect.Value) int {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return 0
		}
		v = v.Elem()
	}
	if b.unit != "" {
		return v.Len() - int(b.value.Int())
	}
	return compareNumbers(v, b.value)
}
