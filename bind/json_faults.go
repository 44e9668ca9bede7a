package bind

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/retort-web/retort/validate"
)

// encoding/json reports one value of a wrong type and leaves the rest as it may
// be. What follows decodes once more, member by member, so that each fault has
// its own path and everything else its value. It runs for requests that are
// refused anyway, and only up to a size and depth.

const (
	maxFaultyBody  = 256 << 10
	maxFaultyDepth = 8
)

var (
	jsonUnmarshalerType = reflect.TypeFor[json.Unmarshaler]()
	errUnknownMember    = errors.New("bind: unknown member")
)

// decodesItself reports whether encoding/json leaves a type to its own methods.
func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(jsonUnmarshalerType) || p.Implements(textUnmarshalerType)
}

// jsonFaults notes what is wrong with the fields of dst, given the first error.
func (d *decoder) jsonFaults(dst any, p *plan, body []byte, first error) error {
	v := reflect.ValueOf(dst).Elem()
	if len(body) > maxFaultyBody {
		return d.firstFault(v.Type(), first)
	}
	s := salvage{decoder: d}
	if p != nil {
		for _, f := range p.hidden {
			s.hidden = append(s.hidden, f.index)
		}
	}
	s.value(v, body, nil, 0)
	if len(d.errors) == 1 && d.errors[0].Field == "" {
		fault := d.errors[0]
		d.errors = nil
		return badRequest("the JSON "+fault.Message, first)
	}
	return nil
}

// firstFault makes do with what encoding/json said.
func (d *decoder) firstFault(t reflect.Type, first error) error {
	if first == nil {
		return badRequest("the JSON holds the null character", nil)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](first); ok && wrong.Field != "" {
		d.fail(wrong.Field, typeFault(wrong.Type))
		return nil
	}
	if strings.Contains(first.Error(), "unknown field") {
		return badRequest("the JSON has a member that is not known", first)
	}
	return badRequest("the JSON "+typeFault(t).Message, first)
}

type salvage struct {
	*decoder
	hidden [][]int // of the outermost struct
}

func (s *salvage) fault(path []byte, fault *validate.FieldError) {
	s.fail(string(path), fault)
}

func (s *salvage) full() bool { return len(s.errors) >= maxErrors }

// value decodes raw, a valid JSON value, into v.
func (s *salvage) value(v reflect.Value, raw []byte, path []byte, depth int) {
	if s.full() {
		return
	}
	raw = bytes.TrimSpace(raw)
	t := v.Type()
	base := t
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	if bytes.Equal(raw, []byte("null")) || depth >= maxFaultyDepth || decodesItself(t) || decodesItself(base) {
		s.leaf(v, raw, path)
		return
	}
	switch {
	case base.Kind() == reflect.Struct && raw[0] == '{':
		s.object(indirect(v), raw, path, depth)
	case base.Kind() == reflect.Map && base.Key().Kind() == reflect.String && raw[0] == '{':
		s.dictionary(indirect(v), raw, path, depth)
	case base.Kind() == reflect.Slice && base.Elem().Kind() != reflect.Uint8 && raw[0] == '[':
		s.list(indirect(v), raw, path, depth)
	default:
		s.leaf(v, raw, path)
	}
}

// leaf decodes a value in one go.
func (s *salvage) leaf(v reflect.Value, raw []byte, path []byte) {
	if hasNullEscape(raw) {
		s.fault(path, validate.Fault("null_character", nil))
		return
	}
	err := s.unmarshal(raw, v.Addr().Interface())
	if err == nil {
		return
	}
	if errors.Is(err, errUnknownMember) {
		s.fault(path, validate.Fault("unknown", nil))
		return
	}
	t := v.Type()
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && strings.HasPrefix(wrong.Value, "number ") {
		// A number that the type cannot hold: too large, or a fraction.
		target := reflect.New(t).Elem()
		if c := converterFor(t); c != nil && !decodesItself(t) && t != durationType {
			if fault := c.set(target, string(raw), nil); fault != nil {
				s.fault(path, fault)
				return
			}
		}
	}
	s.fault(path, typeFault(t))
}

func (s *salvage) unmarshal(raw []byte, dst any) error {
	if !s.src.Limits.RefuseUnknown {
		return json.Unmarshal(raw, dst)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(dst)
	if err != nil && strings.HasPrefix(err.Error(), "json: unknown field ") {
		return errUnknownMember
	}
	return err
}

func (s *salvage) object(v reflect.Value, raw, path []byte, depth int) {
	members := membersOf(raw)
	fields := jsonFieldsOf(v.Type())
	for _, m := range members {
		f := fields.find(m.name)
		switch {
		case f == nil:
			if s.src.Limits.RefuseUnknown {
				s.fault(member(path, m.name), validate.Fault("unknown", nil))
			}
			continue
		case depth == 0 && slices.ContainsFunc(s.hidden, func(index []int) bool { return slices.Equal(index, f.index) }):
			continue
		}
		inner := member(path, f.label)
		target := reach(v, f.index)
		if !f.quoted {
			s.value(target, m.raw, inner, depth+1)
			continue
		}
		var text string
		if json.Unmarshal(m.raw, &text) != nil || !json.Valid([]byte(text)) {
			s.fault(inner, typeFault(target.Type()))
			continue
		}
		s.value(target, []byte(text), inner, depth+1)
	}
}

func (s *salvage) dictionary(v reflect.Value, raw, path []byte, depth int) {
	if decodesItself(v.Type().Key()) {
		s.leaf(v, raw, path)
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, m := range membersOf(raw) {
		if s.full() {
			return
		}
		if strings.IndexByte(m.name, 0) >= 0 {
			s.fault(path, validate.Fault("null_character", nil))
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		s.value(item, m.raw, member(path, m.name), depth+1)
		v.SetMapIndex(reflect.ValueOf(m.name).Convert(v.Type().Key()), item)
	}
}

func (s *salvage) list(v reflect.Value, raw, path []byte, depth int) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		s.fault(path, typeFault(v.Type()))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		if s.full() {
			break
		}
		inner := append(slices.Clone(path), '[')
		inner = strconv.AppendInt(inner, int64(i), 10)
		s.value(list.Index(i), item, append(inner, ']'), depth+1)
	}
	v.Set(list)
}

// maxNameInPath bounds names chosen by the client, which would otherwise be
// copied for each value below them.
const maxNameInPath = 64

func member(path []byte, name string) []byte {
	if len(name) > maxNameInPath {
		name = strings.ToValidUTF8(name[:maxNameInPath], "") + "…"
	}
	inner := slices.Clone(path)
	if len(inner) > 0 {
		inner = append(inner, '.')
	}
	return append(inner, name...)
}

type rawMember struct {
	name string
	raw  json.RawMessage
}

// membersOf splits a valid JSON object into its members, in their order.
func membersOf(raw []byte) []rawMember {
	var members []rawMember
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if _, err := decoder.Token(); err != nil {
		return nil
	}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		m := rawMember{name: token.(string)}
		if decoder.Decode(&m.raw) != nil {
			break
		}
		members = append(members, m)
	}
	return members
}

// hasNullEscape looks for \u0000 that is not itself escaped.
func hasNullEscape(raw []byte) bool {
	for {
		i := bytes.Index(raw, nullEscape)
		if i < 0 {
			return false
		}
		slashes := 0
		for slashes < i && raw[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return true
		}
		raw = raw[i+len(nullEscape):]
	}
}

// jsonFields are the fields of a struct by the names that encoding/json gives
// them.
type jsonFields []jsonField

type jsonField struct {
	name   string
	label  string // in errors
	index  []int
	quoted bool
}

var jsonFieldCache sync.Map // of reflect.Type to jsonFields

func jsonFieldsOf(t reflect.Type) jsonFields {
	if known, ok := jsonFieldCache.Load(t); ok {
		return known.(jsonFields)
	}
	var fields jsonFields
	for _, sf := range reflect.VisibleFields(t) {
		tag := sf.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if tag == "-" || !sf.IsExported() || sf.Anonymous && name == "" && isStruct(sf.Type) {
			continue
		}
		if name == "" {
			name = sf.Name
		}
		if sf.Index = usable(t, sf.Index); sf.Index == nil {
			continue
		}
		fields = append(fields, jsonField{name, validate.FieldName(sf, validate.NamingJSON), sf.Index, slices.Contains(strings.Split(options, ","), "string")})
	}
	slices.SortStableFunc(fields, func(a, b jsonField) int { return len(a.index) - len(b.index) })
	known, _ := jsonFieldCache.LoadOrStore(t, fields)
	return known.(jsonFields)
}

// usable returns index, or nil when it leads through a struct with a JSON name
// of its own, or through a pointer that cannot be set.
func usable(t reflect.Type, index []int) []int {
	for _, i := range index[:len(index)-1] {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		sf := t.Field(i)
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if name != "" || !sf.IsExported() && sf.Type.Kind() == reflect.Pointer {
			return nil
		}
		t = sf.Type
	}
	return index
}

func isStruct(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}

// find prefers the exact name, and takes one in other letter case.
func (f jsonFields) find(name string) *jsonField {
	for i := range f {
		if f[i].name == name {
			return &f[i]
		}
	}
	for i := range f {
		if strings.EqualFold(f[i].name, name) {
			return &f[i]
		}
	}
	return nil
}
