package form

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
	"github.com/retort-web/retort/validate"
)

// plan is what is known of a struct, once for all its forms.
type plan struct {
	typ   reflect.Type
	info  *orm.ModelInfo // nil for a struct that is no model
	names unsafe.Pointer // the struct whose fields' addresses are names
	zero  reflect.Value  // an empty struct, not to be written to
	specs []*spec
	inner []part // structs in the struct
	err   error
}

// part is a struct within the form's struct.
type part struct {
	index []int
	name  string
}

// spec is what is known of one field.
type spec struct {
	traits
	goName   string
	name     string // of the input
	typ      reflect.Type
	index    []int
	offset   uintptr
	info     *orm.FieldInfo // nil for a struct that is no model
	shape    shape
	elem     reflect.Type // of one value: without pointer or slice
	codec    *codec       // text to elem and back
	rules    validate.Rules
	checker  *validate.Checker
	size     int  // most characters
	long     bool // text of several lines
	least    int  // lengths of a text, 0 for none
	most     int
	patterns []pattern // that a browser can check
	id       string    // of the input, unless the options say otherwise
	prepared *prepared // its HTML, of a simple input

	autocomplete string // what a browser may fill in, from the tag
	err          error  // why the field cannot be in a form
}

// shape is how many values of what a field holds.
type shape int

const (
	single  shape = iota
	list          // a slice of texts or numbers
	file          // *bind.File
	files         // []*bind.File
	toOne         // orm.ForeignKey
	toMany        // orm.ManyToMany
	unknown       // not for forms
)

var plans sync.Map // of reflect.Type to *plan

// planOf is the plan of a struct, made when it is first asked for.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	var info *orm.ModelInfo
	for _, m := range orm.Models() {
		if m.Type == t {
			info = m
		}
	}
	p, _ := plans.LoadOrStore(t, newPlan(t, info))
	return p.(*plan)
}

func newPlan(t reflect.Type, info *orm.ModelInfo) *plan {
	p := &plan{typ: t, info: info, zero: reflect.New(t).Elem()}
	if t.Kind() != reflect.Struct {
		p.err = fmt.Errorf("%s is not a struct", t)
		return p
	}
	if info != nil {
		p.addModel()
	} else {
		p.addStruct()
	}
	for _, s := range p.specs {
		s.settle()
	}
	return p
}

// settle works out what rendering needs, when all else is known.
func (s *spec) settle() {
	s.id = idPrefix + s.name
	s.least, s.most = s.lengths()
	s.patterns = s.browserPatterns()
	if s.chosen = s.widget != nil; s.err == nil && s.shape != unknown {
		s.traits.settle(&Field{spec: s, traits: &s.traits})
		s.prepared = s.prepare()
	}
}

func (p *plan) addModel() {
	// It also finds out whether the relations lead somewhere.
	// The model's relations must be known, and its Meta without mistakes.
	if _, err := p.info.Tables(); err != nil {
		p.err = err
		return
	}
	p.names = namesOf(p.info)
	related := map[*orm.ModelInfo]Source{}
	for _, f := range p.info.Fields {
		sf, ok := p.typ.FieldByName(f.Name)
		if !ok {
			continue
		}
		s := p.newSpec(sf, f)
		s.describe(sf.Tag.Get("orm"))
		switch {
		case !f.Editable:
			s.err = fmt.Errorf("%s is set by the program or the database and cannot be in a form", f.Name)
		case f.Relation != nil:
			s.relate(related)
		}
		p.specs = append(p.specs, s)
	}
}

// describe adds what the model knows of the field. The tags of the form win.
func (s *spec) describe(tag string) {
	f := s.info
	s.name = f.Snake
	if s.label == "" {
		s.label = f.Label
	}
	if s.help == "" {
		s.help = f.Help
	}
	if len(f.Choices) > 0 {
		s.source = Choices(f.Choices)
	} else if c := choicesOf(s.elem); c != nil {
		s.source = c
	}
	if f.Kind != schema.Decimal {
		s.size = f.Size
	}
	s.long = slices.Contains(strings.Split(tag, ","), "text")
	s.required = s.required || !f.Blank && !f.Null
}

// relate makes the related model's rows the choices, and their keys the texts. Fields
// that refer to the same model share the source, so that forms ask it once.
func (s *spec) relate(sources map[*orm.ModelInfo]Source) {
	target := s.info.Relation.Target()
	if sources[target] == nil {
		sources[target] = allRows(target)
	}
	s.source, s.codec = sources[target], codecOf(s.info.Relation.Key().Type)
}

// namesOf is the struct that Fields of the model returns.
func namesOf(info *orm.ModelInfo) unsafe.Pointer {
	pk, _ := info.Type.FieldByName(info.PrimaryKey.Name)
	key := reflect.ValueOf(info.Pointer(info.PrimaryKey)).UnsafePointer()
	return unsafe.Add(key, -int(offsetOf(info.Type, pk.Index)))
}

func (p *plan) addStruct() {
	p.names = reflect.New(p.typ).UnsafePointer()
	p.addFields(p.typ, nil, "")
}

// addFields adds the fields of the struct, or of one inside it whose fields are named
// "outer.inner".
func (p *plan) addFields(t reflect.Type, outer []int, prefix string) {
	for _, sf := range reflect.VisibleFields(t) {
		if sf.Anonymous && sf.Type == reflect.TypeFor[orm.Model]() {
			p.err = fmt.Errorf("%s embeds orm.Model and is not registered; add var … = orm.Register[%s]()", p.typ, p.typ.Name())
			return
		}
		if !sf.IsExported() || sf.Anonymous && sf.Type.Kind() == reflect.Struct || throughPointer(t, sf.Index) {
			continue
		}
		tag, tagged := sf.Tag.Lookup("form")
		if tag == "-" || !tagged && fromElsewhere(sf.Tag) {
			continue
		}
		sf.Index = append(slices.Clone(outer), sf.Index...)
		name := prefix + validate.FieldName(sf, validate.NamingForm)
		s := p.newSpec(sf, nil)
		if s.shape == unknown && sf.Type.Kind() == reflect.Struct {
			p.inner = append(p.inner, part{index: sf.Index, name: name})
			p.addFields(sf.Type, sf.Index, name+".")
			continue
		}
		s.name = name
		if !validName(strings.ReplaceAll(s.name, ".", "_")) {
			s.err = fmt.Errorf("%s is called %q in the form; use letters, digits, _ and -", sf.Name, s.name)
		}
		for _, other := range p.specs {
			if other.name == s.name && p.err == nil {
				p.err = fmt.Errorf("%s and %s are both called %q in the form", other.goName, s.goName, s.name)
			}
		}
		if s.label == "" {
			s.label = words(s.name)
		}
		if c := choicesOf(s.elem); c != nil {
			s.source = c
		} else if texts, ok := s.rules.Get("one_of"); ok && s.shape == single {
			s.source = choicesOfRule(texts)
		} else if texts, ok := s.rules.Each().Get("one_of"); ok && s.shape == list {
			s.source = choicesOfRule(texts)
		}
		p.specs = append(p.specs, s)
	}
}

// fromElsewhere reports that a field of a struct shared with Ctx.Bind comes from
// another part of the request.
func fromElsewhere(tag reflect.StructTag) bool {
	for _, key := range []string{"path", "query", "header", "cookie", "body"} {
		if _, ok := tag.Lookup(key); ok {
			return true
		}
	}
	return false
}

func throughPointer(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		f := t.Field(i)
		if f.Type.Kind() == reflect.Pointer || !f.IsExported() && f.Type.Kind() != reflect.Struct {
			return true
		}
		t = f.Type
	}
	return false
}

// newSpec reads a field's type and tags; info is nil for a struct that is no model.
func (p *plan) newSpec(sf reflect.StructField, info *orm.FieldInfo) *spec {
	s := &spec{
		info: info, goName: p.typ.Name() + "." + sf.Name, typ: sf.Type, index: sf.Index, offset: offsetOf(p.typ, sf.Index),
		elem: sf.Type,
	}
	s.label, s.help = sf.Tag.Get("label"), sf.Tag.Get("help")
	s.autocomplete = sf.Tag.Get("autocomplete")
	s.setShape()
	if name := sf.Tag.Get("widget"); name != "" {
		if s.widget = widgetNamed(name); s.widget == nil {
			s.err = fmt.Errorf("%s has the tag widget:%q; known: %s", s.goName, name, widgetNames())
		}
		if _, asJSON := s.widget.(JSON); asJSON && (s.shape == single || s.shape == unknown || s.shape == list) {
			s.shape, s.elem, s.codec, s.err = single, sf.Type, jsonCodec(), nil
		}
	}
	s.setRules(sf)
	return s
}

// setRules reads the validate tag. Of a relation to many rows the rules are about
// how many they are.
func (s *spec) setRules(sf reflect.StructField) {
	tag := sf.Tag.Get("validate")
	rules, err := validate.Parse(tag)
	if err == nil {
		_, s.required = rules.Get("required")
		s.rules = rules
		own := slices.DeleteFunc(slices.Clone(rules), func(r validate.Rule) bool { return r.Name == "required" })
		if len(own) > 0 {
			t := sf.Type
			if s.shape == toMany {
				t = reflect.TypeFor[[]struct{}]()
			}
			s.checker, err = own.For(t)
		}
	}
	if err != nil {
		name, _, _ := strings.Cut(s.goName, ".")
		s.err = &validate.TagError{Struct: name, Field: sf.Name, Tag: tag, Reason: err}
	}
}

// setShape finds out how a field of the type is read.
func (s *spec) setShape() {
	switch t := s.typ; {
	case s.info != nil && s.info.Relation != nil:
		switch s.info.Relation.Kind {
		case orm.ToOne:
			s.shape = toOne
		case orm.ManyMany:
			s.shape = toMany
		default:
			s.shape = unknown
		}
	case s.info != nil && s.info.Kind == schema.JSON, t == reflect.TypeFor[json.RawMessage]():
		s.codec = jsonCodec()
	case t == reflect.TypeFor[*bind.File]():
		s.shape = file
	case t == reflect.TypeFor[[]*bind.File]():
		s.shape = files
	default:
		if t.Kind() == reflect.Pointer {
			s.elem = t.Elem()
		}
		if s.codec = codecOf(s.elem); s.codec != nil {
			if s.codec.kind == boolKind && t.Kind() == reflect.Pointer {
				s.source = Choices{{Value: true, Label: "Yes"}, {Value: false, Label: "No"}}
			}
			return
		}
		if t.Kind() == reflect.Slice {
			s.elem = t.Elem()
			if s.codec = codecOf(s.elem); s.codec != nil {
				s.shape = list
				return
			}
		}
		s.shape = unknown
		s.err = fmt.Errorf("%s is a %s, for which there is no input; leave it out with form:\"-\" or Options.Fields, or give the type UnmarshalText and MarshalText methods", s.goName, s.typ)
	}
}

// decimal reports whether the field holds a number that its type reads from text.
func (s *spec) decimal() bool {
	if s.info != nil && s.info.Kind == schema.Decimal {
		return true
	}
	return s.codec != nil && s.codec.kind == otherKind && s.elem.Name() == "Decimal"
}

func offsetOf(t reflect.Type, index []int) uintptr {
	var offset uintptr
	for _, i := range index {
		f := t.Field(i)
		offset += f.Offset
		t = f.Type
	}
	return offset
}

// find finds the field that a pointer names.
func (p *plan) find(ptr any) (*spec, error) {
	v := reflect.ValueOf(ptr)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return nil, fmt.Errorf("a field is named by its address, such as &p.Title, not by a %T", ptr)
	}
	offset := v.Pointer() - uintptr(p.names)
	for _, s := range p.specs {
		if s.offset == offset && s.typ == v.Type().Elem() {
			return s, nil
		}
	}
	if p.info != nil {
		// It knows more names, and what is wrong with the others.
		f, err := p.info.Field(ptr)
		if err != nil {
			return nil, err
		}
		for _, s := range p.specs {
			if s.info == f {
				return s, nil
			}
		}
	}
	return nil, fmt.Errorf("a pointer to a %s names no field of %s; use the addresses of the fields of the struct that the options function gets", v.Type().Elem(), p.typ)
}

// snake is the name of a type in snake_case.
func snake(name string) string {
	return validate.FieldName(reflect.StructField{Name: name}, validate.NamingForm)
}

// words turns the name of an input into a label.
func words(name string) string {
	text := strings.NewReplacer("_", " ", "-", " ", ".", " ").Replace(name)
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

var (
	timeType            = reflect.TypeFor[time.Time]()
	durationType        = reflect.TypeFor[time.Duration]()
	textMarshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)
