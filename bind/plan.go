package bind

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/retort-web/retort/validate"
)

// The sources of single values, in the order in which they are tried.
const (
	fromPath = iota
	fromQuery
	fromHeader
	fromCookie
	sourceCount

	allSources = 1<<sourceCount - 1
)

var sourceTags = [sourceCount]string{"path", "query", "header", "cookie"}

// shape is how a field is filled from text.
type shape int

const (
	shapeNone    shape = iota // only JSON can set it
	shapeValue                // one text
	shapeValues               // a slice of these
	shapeFile                 // *File
	shapeFiles                // []*File
	shapeObject               // a struct
	shapeObjects              // a slice of structs
)

// A field is one struct field, or one of an embedded struct.
type field struct {
	index   []int
	goName  string
	sources [sourceCount]string // names, empty where the source is closed
	form    string              // name in a form, or empty
	json    bool
	names   [2]string // names in errors, for JSON and for forms

	shape    shape
	convert  *converter   // of shapeValue and shapeValues
	inner    reflect.Type // of shapeObject and shapeObjects
	defaults []string     // nil without a default tag

	noted     bool // required, and zero may be what was sent
	needsPath bool // there is no other way to get a value
}

func (f *field) name(n validate.Naming) string {
	if n == validate.NamingForm {
		return f.names[1]
	}
	return f.names[0]
}

func (f *field) parameter() bool { return f.sources != [sourceCount]string{} }

// A plan is how the fields of a struct type are filled.
type plan struct {
	typ        reflect.Type
	parameters []*field // with path, query, header or cookie
	forms      []*field // which forms set
	hidden     []*field // which JSON must not set
	defaults   []*field
	body       *field // the one with the tag body
	takesJSON  bool
	takesForm  bool
}

type compiled struct {
	plan *plan
	err  error
}

// plans keeps the plans of targets, branches those of structs within them,
// whose fields all belong to the form. Both are of reflect.Type to *compiled.
var plans, branches sync.Map

func planFor(t reflect.Type) (*plan, error) {
	if known, ok := plans.Load(t); ok {
		c := known.(*compiled)
		return c.plan, c.err
	}
	return compile(t, &plans, false)
}

func branchFor(t reflect.Type) (*plan, error) {
	if known, ok := branches.Load(t); ok {
		c := known.(*compiled)
		return c.plan, c.err
	}
	return compile(t, &branches, true)
}

func compile(t reflect.Type, cache *sync.Map, branch bool) (*plan, error) {
	p := &plan{typ: t}
	err := p.add(t, nil, branch)
	if err == nil {
		err = p.finish()
	}
	if err != nil {
		p = nil
	}
	known, loaded := cache.LoadOrStore(t, &compiled{p, err})
	c := known.(*compiled)
	if !loaded && c.err == nil {
		// The structs inside are compiled only now that this one is known, since
		// a type may contain itself.
		for _, f := range slices.Concat(p.forms, p.parameters) {
			if f.inner == nil {
				continue
			}
			if _, err := branchFor(f.inner); err != nil {
				c = &compiled{err: err}
				cache.Store(t, c)
				break
			}
		}
	}
	return c.plan, c.err
}

func (p *plan) add(t reflect.Type, index []int, branch bool) error {
	if len(index) > 16 {
		return fmt.Errorf("bind: %s embeds itself", p.typ)
	}
	for sf := range t.Fields() {
		at := append(slices.Clone(index), sf.Index...)
		if flattened(sf) {
			inner := sf.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if !sf.IsExported() && sf.Type.Kind() == reflect.Pointer {
				continue
			}
			if err := p.add(inner, at, branch); err != nil {
				return err
			}
			continue
		}
		if !sf.IsExported() {
			continue
		}
		f, err := newField(sf, at, branch)
		if err != nil {
			return fmt.Errorf("bind: %s.%s %w", t, sf.Name, err)
		}
		if _, body := sf.Tag.Lookup("body"); body && !branch {
			if p.body != nil {
				return fmt.Errorf("bind: %s has two fields with the tag body, %s and %s", t, p.body.goName, sf.Name)
			}
			p.body = f
		}
		p.sort(f)
	}
	return nil
}

// sort puts a field into the lists that it belongs to.
func (p *plan) sort(f *field) {
	if f.parameter() {
		p.parameters = append(p.parameters, f)
	}
	if f.form != "" {
		p.forms = append(p.forms, f)
		p.takesForm = true
	}
	if f.json {
		p.takesJSON = true
	} else {
		p.hidden = append(p.hidden, f)
	}
	if f.defaults != nil {
		p.defaults = append(p.defaults, f)
	}
}

func (p *plan) finish() error {
	if p.body != nil && (p.takesJSON || p.takesForm) {
		return fmt.Errorf("bind: %s has a field with the tag body, %s, and other fields that want to be in the body; give those a source or the tag json:\"-\"", p.typ, p.body.goName)
	}
	return nil
}

// flattened says that the fields of sf count as fields of the outer struct.
func flattened(sf reflect.StructField) bool {
	if !sf.Anonymous {
		return false
	}
	for _, key := range []string{"path", "query", "header", "cookie", "form", "json", "body"} {
		name, _, _ := strings.Cut(sf.Tag.Get(key), ",")
		if name != "" {
			return false
		}
	}
	t := sf.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && converterFor(t) == nil
}

func newField(sf reflect.StructField, index []int, branch bool) (*field, error) {
	f := &field{index: index, goName: sf.Name}
	f.names[0] = validate.FieldName(sf, validate.NamingJSON)
	f.names[1] = validate.FieldName(sf, validate.NamingForm)
	tagged := f.readSources(sf, branch)
	rules, err := validate.Parse(sf.Tag.Get("validate"))
	if err != nil {
		return nil, fmt.Errorf("has the tag validate:%q: %w", sf.Tag.Get("validate"), err)
	}
	_, f.noted = rules.Get("required")
	f.setShape(sf.Type)
	if f.shape == shapeNone && tagged != "" {
		return nil, fmt.Errorf("has the tag %s, but a %s cannot be made from text", tagged, sf.Type)
	}
	if f.shape == shapeNone {
		f.form = ""
	}
	if (f.shape == shapeFile || f.shape == shapeFiles) && f.parameter() {
		return nil, errors.New("is a file, which only a form can send")
	}
	for source, name := range f.sources {
		if name == "" {
			continue
		}
		if source != fromQuery && (f.shape == shapeObject || f.shape == shapeObjects) {
			return nil, fmt.Errorf("has the tag %s, but a %s cannot be made from one text", sourceTags[source], sf.Type)
		}
		if f.shape == shapeValues && (source == fromPath || source == fromCookie) {
			return nil, fmt.Errorf("has the tag %s, but a %s cannot be made from one text", sourceTags[source], sf.Type)
		}
	}
	if err := f.readDefault(sf); err != nil {
		return nil, err
	}
	only := [sourceCount]string{fromPath: f.sources[fromPath]}
	f.needsPath = f.sources == only && f.defaults == nil && !f.json && f.form == "" && sf.Type.Kind() != reflect.Pointer
	return f, nil
}

// readSources reads the tags that name sources, and returns one whose values are
// text, if there is one. In a branch all fields belong to the form.
func (f *field) readSources(sf reflect.StructField, branch bool) (tagged string) {
	name := func(key string) (string, bool) {
		value, ok := sf.Tag.Lookup(key)
		value, _, _ = strings.Cut(value, ",")
		if ok && value == "" {
			value = f.names[1]
		}
		if value == "-" {
			return "", true
		}
		return value, ok
	}
	_, f.json = sf.Tag.Lookup("json")
	if sf.Tag.Get("json") == "-" {
		f.json = false
	}
	form, hasForm := name("form")
	if branch {
		if hasForm && form == "" || sf.Tag.Get("json") == "-" && !hasForm {
			return ""
		}
		f.form = f.names[1]
		return ""
	}
	_, placed := sf.Tag.Lookup("json")
	if _, body := sf.Tag.Lookup("body"); body {
		placed = true
	}
	for source, key := range sourceTags {
		value, ok := name(key)
		if placed = placed || ok; value != "" {
			f.sources[source], tagged = value, key
		}
	}
	if f.sources[fromHeader] != "" {
		f.sources[fromHeader] = http.CanonicalHeaderKey(f.sources[fromHeader])
	}
	if hasForm {
		if f.form = form; form != "" {
			tagged = "form"
		}
	}
	if !placed && !hasForm {
		f.json, f.form = true, f.names[1]
	}
	return tagged
}

func (f *field) setShape(t reflect.Type) {
	switch t {
	case fileType:
		f.shape = shapeFile
		return
	case filesType:
		f.shape = shapeFiles
		return
	}
	base := t
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	if f.convert = converterFor(base); f.convert != nil {
		f.shape = shapeValue
		f.noted = f.noted && t == base && base.Kind() >= reflect.Bool && base.Kind() <= reflect.Float64
		return
	}
	if base.Kind() == reflect.Struct {
		f.shape, f.inner = shapeObject, base
		return
	}
	if base.Kind() != reflect.Slice {
		return
	}
	base = base.Elem()
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	if f.convert = converterFor(base); f.convert != nil {
		f.shape = shapeValues
	} else if base.Kind() == reflect.Struct {
		f.shape, f.inner = shapeObjects, base
	}
}

// readDefault tries the default tag, so that its mistakes show at once.
func (f *field) readDefault(sf reflect.StructField) error {
	text, ok := sf.Tag.Lookup("default")
	if !ok {
		return nil
	}
	switch f.shape {
	case shapeValue:
		f.defaults = []string{text}
	case shapeValues:
		f.defaults = strings.Split(text, ",")
	default:
		return fmt.Errorf("has a default tag, but a %s cannot be made from text", sf.Type)
	}
	if fault := f.setTexts(reflect.New(sf.Type).Elem(), f.defaults, nil); fault != nil {
		return fmt.Errorf("has the tag default:%q, which %s", text, fault.Message)
	}
	return nil
}
