package bind

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/retort-web/retort/validate"
)

const (
	// maxFormDepth bounds structs within structs in names like "a.b.c.d".
	maxFormDepth = 16

	// maxErrors bounds the faults listed, as validate does.
	maxErrors = 100
)

// values are the named texts and files of a form or query.
type values struct {
	texts url.Values
	files map[string][]*File
	keys  []string // all names in order, made when first needed
}

// get returns the texts under name and name[].
func (in *values) get(name string) []string {
	texts, more := in.texts[name], in.texts[name+"[]"]
	if len(more) == 0 {
		return texts
	}
	return slices.Concat(texts, more)
}

// below returns the names that begin with prefix, in order.
func (in *values) below(prefix string) []string {
	if in.keys == nil {
		in.keys = make([]string, 0, len(in.texts)+len(in.files))
		for key := range in.texts {
			in.keys = append(in.keys, key)
		}
		for key := range in.files {
			in.keys = append(in.keys, key)
		}
		slices.Sort(in.keys)
	}
	from, _ := slices.BinarySearch(in.keys, prefix)
	to := from
	for to < len(in.keys) && strings.HasPrefix(in.keys[to], prefix) {
		to++
	}
	return in.keys[from:to]
}

// indexes returns the numbers that follow prefix, in ascending order. There are
// at most as many as there are names; how large they are costs nothing.
func (in *values) indexes(prefix string) []int {
	var found []int
	for _, key := range in.below(prefix) {
		digits, _, _ := strings.Cut(key[len(prefix):], ".")
		n, err := strconv.Atoi(digits)
		if err != nil || n < 0 || len(digits) > 9 || strconv.Itoa(n) != digits {
			continue
		}
		found = append(found, n)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// A decoder fills one target from one request.
type decoder struct {
	src    Source
	naming validate.Naming
	errors validate.Errors

	path  []byte // of the struct at hand, in the names of errors
	given map[string]struct{}
	json  presence

	indexes map[string][]int // of lists with gaps, the indexes as sent

	buffer []byte                  // of the body
	ask    func(field string) bool // wasGiven of this decoder
}

// decoders are kept between requests for their buffers. Nothing decoded may
// point into one: encoding/json copies, and so must every json.Unmarshaler by
// contract.
var decoders = sync.Pool{New: func() any {
	d := new(decoder)
	d.ask = d.wasGiven
	return d
}}

// maxKeptBuffer keeps one large request from holding its memory for ever.
const maxKeptBuffer = 64 << 10

func newDecoder(src Source) *decoder {
	d := decoders.Get().(*decoder)
	d.src, d.naming = src, validate.NamingForm
	d.src.Limits = src.Limits.withDefaults()
	return d
}

// release must come last. It is not deferred: a decoder whose request panicked
// is left to the garbage collector.
func (d *decoder) release() {
	buffer := d.buffer
	if cap(buffer) > maxKeptBuffer {
		buffer = nil
	}
	*d = decoder{buffer: buffer, ask: d.ask}
	decoders.Put(d)
}

func (d *decoder) zone() *time.Location { return d.src.Location }

// qualify puts the path of the struct at hand before a name.
func (d *decoder) qualify(name string) string {
	if len(d.path) == 0 {
		return name
	}
	return string(d.path) + "." + name
}

func (d *decoder) fail(name string, fault *validate.FieldError) {
	if len(d.errors) < maxErrors {
		fault.Field = d.qualify(name)
		d.errors = append(d.errors, *fault)
	}
}

// note remembers that a field was sent, for those whose value does not tell.
func (d *decoder) note(f *field) {
	if !f.noted {
		return
	}
	if d.given == nil {
		d.given = map[string]struct{}{}
	}
	d.given[d.qualify(f.name(d.naming))] = struct{}{}
}

// wasGiven is [validate.Options.Given].
func (d *decoder) wasGiven(name string) bool {
	if _, ok := d.given[name]; ok {
		return true
	}
	return d.json.has(name)
}

// parameters fills the fields with sources other than the body, of which sources
// is a set of bits.
func (d *decoder) parameters(p *plan, v reflect.Value, sources int) error {
	var query *values
	for _, f := range p.parameters {
		for source, name := range f.sources {
			if name == "" || sources&(1<<source) == 0 {
				continue
			}
			if source == fromQuery && query == nil {
				var err error
				if query, err = d.query(); err != nil {
					return err
				}
			}
			filled, err := d.parameter(p, f, v, source, query)
			if err != nil {
				return err
			}
			if filled {
				break
			}
		}
	}
	return nil
}

// parameter fills a field from one source, and reports whether that had a value.
func (d *decoder) parameter(p *plan, f *field, v reflect.Value, source int, query *values) (bool, error) {
	r, name := d.src.Request, f.sources[source]
	switch source {
	case fromPath:
		if d.src.Path != nil {
			if text, ok := d.src.Path.Lookup(name); ok {
				return d.setOne(f, v, text), nil
			}
		}
		if f.needsPath {
			return false, fmt.Errorf("bind: %s.%s has the tag path:%q, but the route has no variable of this name", p.typ, f.goName, name)
		}
	case fromQuery:
		return d.fill(f, v, query, name, 0), nil
	case fromHeader:
		if name == "Host" {
			return d.setAll(f, v, []string{r.Host}), nil
		}
		return d.setAll(f, v, r.Header[name]), nil
	case fromCookie:
		if text, ok := Cookie(r, name); ok {
			return d.setOne(f, v, text), nil
		}
	}
	return false, nil
}

// applyDefaults sets the fields that are zero and have a default tag. It comes
// before all sources, so that what was sent wins, be it zero.
func (d *decoder) applyDefaults(p *plan, v reflect.Value) {
	for _, f := range p.defaults {
		if target := reach(v, f.index); target.IsZero() {
			_ = f.setTexts(target, f.defaults, d.zone()) // the plan has tried it
		}
	}
}

// fill sets one field from the names in a form or query, and reports whether
// there was something.
func (d *decoder) fill(f *field, v reflect.Value, in *values, name string, depth int) bool {
	switch f.shape {
	case shapeValue, shapeValues:
		return d.setAll(f, v, in.get(name))
	case shapeFile, shapeFiles:
		return d.setFiles(f, v, in, name)
	case shapeObject:
		if len(in.below(name+".")) == 0 {
			return false
		}
		d.object(f, v, in, name, depth)
		return true
	case shapeObjects:
		indexes := in.indexes(name + ".")
		if len(indexes) == 0 {
			return false
		}
		d.objects(f, v, in, name, indexes, depth)
		return true
	}
	return false
}

func (d *decoder) setFiles(f *field, v reflect.Value, in *values, name string) bool {
	files := in.files[name]
	if len(files) == 0 {
		files = in.files[name+"[]"]
	}
	if len(files) == 0 {
		// A form without enctype="multipart/form-data" sends the file's name.
		if texts := in.get(name); slices.ContainsFunc(texts, func(text string) bool { return text != "" }) {
			d.fail(f.name(d.naming), wrongType("file"))
			return true
		}
		return false
	}
	target := reach(v, f.index)
	if f.shape == shapeFile {
		target.Set(reflect.ValueOf(files[0]))
	} else {
		target.Set(reflect.ValueOf(files))
	}
	return true
}

// inner returns the plan for the structs in f, or nil if they are too deep.
func (d *decoder) inner(f *field, depth int) *plan {
	if depth >= maxFormDepth {
		d.fail(f.name(d.naming), validate.Fault("too_deep", nil))
		return nil
	}
	p, err := branchFor(f.inner)
	if err != nil {
		return nil // compile has met the same error, and refused the target for it
	}
	return p
}

func (d *decoder) object(f *field, v reflect.Value, in *values, name string, depth int) {
	p := d.inner(f, depth)
	if p == nil {
		return
	}
	size := d.enter(f.name(d.naming))
	d.branch(p, indirect(reach(v, f.index)), in, name+".", depth+1)
	d.path = d.path[:size]
}

// objects fills a list. Its items follow each other without the gaps that there
// may be between the indexes.
func (d *decoder) objects(f *field, v reflect.Value, in *values, name string, indexes []int, depth int) {
	p := d.inner(f, depth)
	if p == nil {
		return
	}
	size := d.enter(f.name(d.naming))
	if indexes[len(indexes)-1] >= len(indexes) {
		if d.indexes == nil {
			d.indexes = map[string][]int{}
		}
		d.indexes[string(d.path)] = indexes
	}
	target := indirect(reach(v, f.index))
	target.Set(reflect.MakeSlice(target.Type(), len(indexes), len(indexes)))
	for i, index := range indexes {
		inner := d.enter(strconv.Itoa(i))
		d.branch(p, indirect(target.Index(i)), in, name+"."+strconv.Itoa(index)+".", depth+1)
		d.path = d.path[:inner]
	}
	d.path = d.path[:size]
}

// branch fills a struct inside the target.
func (d *decoder) branch(p *plan, v reflect.Value, in *values, prefix string, depth int) {
	d.applyDefaults(p, v)
	for _, f := range p.forms {
		d.fill(f, v, in, prefix+f.form, depth)
	}
}

// enter adds a step to the path, and returns the size to cut it back to.
func (d *decoder) enter(name string) (size int) {
	size = len(d.path)
	if size > 0 {
		d.path = append(d.path, '.')
	}
	d.path = append(d.path, name...)
	return size
}

// setAll sets a field from all texts of its name: a value takes the first.
func (d *decoder) setAll(f *field, v reflect.Value, texts []string) bool {
	if len(texts) == 0 {
		return false
	}
	if f.shape == shapeValue {
		return d.setOne(f, v, texts[0])
	}
	if fault := f.setTexts(reach(v, f.index), texts, d.zone()); fault != nil {
		if d.naming == validate.NamingForm {
			d.fail(f.name(d.naming)+"."+fault.Field, fault)
		} else {
			d.fail(f.name(d.naming)+"["+fault.Field+"]", fault)
		}
	}
	return true
}

func (d *decoder) setOne(f *field, v reflect.Value, text string) bool {
	if text == "" && !f.convert.blank {
		return false
	}
	d.note(f)
	if fault := f.convert.set(indirect(reach(v, f.index)), text, d.zone()); fault != nil {
		d.fail(f.name(d.naming), fault)
	}
	return true
}

// setTexts sets v, a field of shapeValue or shapeValues. Blank texts are left
// out of lists of anything but text. The failure of an item has its index as
// field.
func (f *field) setTexts(v reflect.Value, texts []string, zone *time.Location) *validate.FieldError {
	if f.shape == shapeValue {
		return f.convert.set(indirect(v), texts[0], zone)
	}
	v = indirect(v)
	list := reflect.MakeSlice(v.Type(), len(texts), len(texts))
	n := 0
	for i, text := range texts {
		if text == "" && !f.convert.blank {
			continue
		}
		if fault := f.convert.set(indirect(list.Index(n)), text, zone); fault != nil {
			fault.Field = strconv.Itoa(i)
			return fault
		}
		n++
	}
	v.Set(list.Slice(0, n))
	return nil
}

// reach is FieldByIndex that makes the embedded pointers on its way.
func reach(v reflect.Value, index []int) reflect.Value {
	if len(index) == 1 {
		return v.Field(index[0])
	}
	for _, i := range index {
		v = indirect(v).Field(i)
	}
	return v
}

// indirect follows pointers, making what they should point to.
func indirect(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	return v
}

// query reads the URL's query. Text that is not encoded properly becomes text
// that is not UTF-8, so that it is a fault of the fields that use it and of no
// others.
func (d *decoder) query() (*values, error) {
	texts, err := parseQuery(d.src.Request.URL.RawQuery, d.src.Limits.QueryFields)
	return &values{texts: texts}, err
}

func parseQuery(query string, limit int) (url.Values, error) {
	texts := url.Values{}
	count := 0
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		if count++; count > limit {
			return nil, tooMany("values in its query", limit)
		}
		key, text, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(key)
		if err != nil {
			continue
		}
		if text, err = url.QueryUnescape(text); err != nil {
			text = "\xff"
		}
		texts[key] = append(texts[key], text)
	}
	return texts, nil
}

// queryAsForm fills the fields of the form from the URL's query.
func (d *decoder) queryAsForm(p *plan, v reflect.Value) error {
	if len(p.forms) == 0 {
		return nil
	}
	in, err := d.query()
	if err != nil {
		return err
	}
	d.form(p, v, in)
	return nil
}

func (d *decoder) form(p *plan, v reflect.Value, in *values) {
	for _, f := range p.forms {
		d.fill(f, v, in, f.form, 0)
	}
}

// restoreIndexes gives the items of lists with gaps the indexes that the client
// sent.
func (d *decoder) restoreIndexes(fields validate.Errors) {
	if len(d.indexes) == 0 {
		return
	}
	for i := range fields {
		segments := strings.Split(fields[i].Field, ".")
		dense := ""
		for s, segment := range segments {
			if sent, ok := d.indexes[dense]; ok && s > 0 {
				if n, err := strconv.Atoi(segment); err == nil && n < len(sent) {
					segments[s] = strconv.Itoa(sent[n])
				}
			}
			if dense != "" {
				dense += "."
			}
			dense += segment
		}
		fields[i].Field = strings.Join(segments, ".")
	}
}

// isSafe reports whether the method has no body and changes nothing.
func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead
}
