package template

import (
	"encoding"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// filterTojson writes JSON that is safe inside a script element and in a
// single-quoted attribute: <, >, & and ' are escaped.
func filterTojson(f *frame, in value, a []value) value {
	w := jsonWriter{x: f.x, policies: &f.x.engine.options.Policies}
	w.indent = w.policies.JSONIndent
	w.pretty = w.indent != ""
	if !a[0].isZeroArgument() {
		if v := a[0].plain(); v.isString() {
			w.indent = v.str()
		} else {
			n := max(wantSize("tojson", v), 0)
			f.x.allowProduct(1, n)
			w.indent = strings.Repeat(" ", int(n))
		}
		w.pretty = true
	}
	w.value(in, 0)
	v := marked(htmlSafeJSON(w.out), markJS)
	v.kind = kindSafe
	return v
}

func htmlSafeJSON(b []byte) string {
	out := make([]byte, 0, len(b)+len(b)/8)
	for _, c := range b {
		switch c {
		case '<', '>', '&', '\'':
			out = appendHex(append(out, '\\', 'u'), uint32(c), 4)
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

type jsonWriter struct {
	x        *exec
	out      []byte
	pretty   bool
	indent   string
	policies *Policies
}

func (w *jsonWriter) newline(depth int) {
	if w.pretty {
		w.out = append(w.out, '\n')
		for range depth {
			w.out = append(w.out, w.indent...)
		}
	}
	w.x.allowBytes(len(w.out))
}

func (w *jsonWriter) comma() {
	w.out = append(w.out, ',')
	if !w.pretty && !w.policies.JSONCompact {
		w.out = append(w.out, ' ')
	}
}

func (w *jsonWriter) value(v value, depth int) {
	if depth > maxDataDepth {
		panic(recursionError())
	}
	switch v.kind {
	case kindNone:
		w.out = append(w.out, "null"...)
	case kindBool, kindInt, kindFloat:
		w.out = appendJSONNumber(w.out, v)
	case kindBig:
		w.out = appendText(w.out, v)
	case kindString, kindSafe:
		w.string(v.str())
	case kindList, kindTuple:
		w.array(v.list().items, depth)
	case kindDict:
		w.object(v.dict(), depth)
	case kindUndefined:
		panic(runtimeError("Object of type Undefined is not JSON serializable: %s", v.undefined().message()))
	case kindGo:
		w.goValue(v, depth)
	default:
		panic(runtimeError("Object of type %s is not JSON serializable", v.typeName()))
	}
	w.x.allowBytes(len(w.out))
}

// appendJSONNumber appends a boolean or number.
func appendJSONNumber(dst []byte, v value) []byte {
	switch v.kind {
	case kindBool:
		return strconv.AppendBool(dst, v.bool())
	case kindInt:
		return strconv.AppendInt(dst, v.int(), 10)
	}
	switch f := v.float(); {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	default:
		return appendFloat(dst, f)
	}
}

func (w *jsonWriter) array(items []value, depth int) {
	if len(items) == 0 {
		w.out = append(w.out, "[]"...)
		return
	}
	w.out = append(w.out, '[')
	for i, it := range items {
		if i > 0 {
			w.comma()
		}
		w.newline(depth + 1)
		w.value(it, depth+1)
	}
	w.newline(depth)
	w.out = append(w.out, ']')
}

func (w *jsonWriter) object(d *Dict, depth int) {
	if d.Len() == 0 {
		w.out = append(w.out, "{}"...)
		return
	}
	order := make([]int, d.Len())
	for i := range order {
		order[i] = i
	}
	if !w.policies.JSONKeepOrder {
		slices.SortStableFunc(order, func(i, j int) int { return compareValues("<", d.keys[i], d.keys[j]) })
	}
	w.out = append(w.out, '{')
	for n, i := range order {
		if n > 0 {
			w.comma()
		}
		w.newline(depth + 1)
		w.key(d.keys[i])
		w.out = append(w.out, ':')
		if !w.policies.JSONCompact {
			w.out = append(w.out, ' ')
		}
		w.value(d.vals[i], depth+1)
	}
	w.newline(depth)
	w.out = append(w.out, '}')
}

func (w *jsonWriter) key(k value) {
	switch k = k.plain(); k.kind {
	case kindString, kindSafe:
		w.string(k.str())
	case kindNone:
		w.out = append(w.out, `"null"`...)
	case kindBool:
		w.out = append(w.out, '"')
		w.out = strconv.AppendBool(w.out, k.bool())
		w.out = append(w.out, '"')
	case kindInt, kindBig:
		w.out = append(w.out, '"')
		w.out = appendText(w.out, k)
		w.out = append(w.out, '"')
	case kindFloat:
		w.out = append(appendJSONNumber(append(w.out, '"'), k), '"')
	case kindGo:
		if s, ok := k.typ.text(k); ok {
			w.string(s)
			return
		}
		fallthrough
	default:
		panic(runtimeError("keys must be str, int, float, bool or None, not %s", k.typeName()))
	}
}

// goValue writes slices and maps of the program like lists and mappings, and
// all else as package encoding/json does.
func (w *jsonWriter) goValue(v value, depth int) {
	held := v.addressed().Interface()
	_, own := held.(json.Marshaler)
	if _, ok := held.(encoding.TextMarshaler); ok {
		own = true
	}
	switch {
	case !own && (v.typ.caps&capAttr != 0 || v.typ.class == classStruct && !v.typ.hasFields()):
		panic(runtimeError("Object of type %s is not JSON serializable", v.typeName()))
	case own, v.typ.caps&capText != 0, v.typ.class == classStruct:
		b, err := json.Marshal(held)
		if err != nil {
			panic(causeError("tojson", err))
		}
		w.out = append(w.out, b...)
	case v.typ.class == classSlice:
		w.array(sequenceItems(v), depth)
	case v.typ.class == classMap:
		w.object(mapDict(v), depth)
	case v.typ.scalar != nil:
		w.value(v.plain(), depth)
	default:
		panic(runtimeError("Object of type %s is not JSON serializable", v.typeName()))
	}
}

func (w *jsonWriter) string(s string) { w.out = appendJSONString(w.out, s, !w.policies.JSONUnicode) }

func appendJSONString(dst []byte, s string, asciiOnly bool) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == '"' || c == '\\':
				dst = append(dst, '\\', c)
			case c == '\n':
				dst = append(dst, '\\', 'n')
			case c == '\r':
				dst = append(dst, '\\', 'r')
			case c == '\t':
				dst = append(dst, '\\', 't')
			case c == '\b':
				dst = append(dst, '\\', 'b')
			case c == '\f':
				dst = append(dst, '\\', 'f')
			case c < ' ' || c == 0x7f && asciiOnly:
				dst = appendHex(append(dst, '\\', 'u'), uint32(c), 4)
			default:
				dst = append(dst, c)
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		if !asciiOnly && r != 0x2028 && r != 0x2029 {
			dst = utf8.AppendRune(dst, r)
			continue
		}
		if r > 0xffff {
			r -= 0x10000
			dst = appendHex(append(dst, '\\', 'u'), uint32(0xd800+r>>10), 4)
			dst = appendHex(append(dst, '\\', 'u'), uint32(0xdc00+r&0x3ff), 4)
			continue
		}
		dst = appendHex(append(dst, '\\', 'u'), uint32(r), 4)
	}
	return append(dst, '"')
}

// filterXmlattr writes a mapping as attributes. A key with a character that
// would end the attribute's name is refused, since escaping cannot help there.
func filterXmlattr(f *frame, in value, a []value) value {
	d, ok := asDict(in)
	if !ok {
		panic(methodMissing(in, "items"))
	}
	var out []byte
	for i, k := range d.keys {
		v := d.vals[i]
		if v.kind == kindNone || v.isUndefined() {
			continue
		}
		name := wantString("xmlattr", k)
		if strings.ContainsAny(name, " \t\n\r\f\v/>=\x00") || name == "" {
			panic(runtimeError("xmlattr: invalid character in attribute name: %s", string(appendQuoted(nil, name))))
		}
		if len(out) > 0 {
			out = append(out, ' ')
		}
		out = appendHTML(out, k)
		out = append(out, '=', '"')
		out = appendHTML(out, v)
		out = append(out, '"')
		f.x.allowBytes(len(out))
	}
	s := string(out)
	if s != "" && (!a[0].given() || a[0].truth()) {
		s = " " + s
	}
	return textValue(s, f.autoescapeOn())
}

func filterUrlencode(f *frame, in value, _ []value) value {
	plain := in.plain()
	if plain.isString() {
		return stringValue(percentEncode(plain.str(), "/"))
	}
	if d, ok := asDict(in); ok {
		var parts []string
		for i := range d.keys {
			parts = append(parts, queryEncode(d.keys[i])+"="+queryEncode(d.vals[i]))
		}
		return stringValue(strings.Join(parts, "&"))
	}
	var c cursor
	if !c.tryStart(f.x, in) {
		return stringValue(percentEncode(in.text(), "/"))
	}
	var parts []string
	for {
		e, ok := c.next()
		if !ok {
			return stringValue(strings.Join(parts, "&"))
		}
		pair := collect(f.x, e)
		if len(pair) != 2 {
			panic(runtimeError("urlencode: expected pairs of key and value"))
		}
		parts = append(parts, queryEncode(pair[0])+"="+queryEncode(pair[1]))
	}
}

func queryEncode(v value) string {
	return strings.ReplaceAll(percentEncode(v.text(), ""), "%20", "+")
}

func percentEncode(s, safe string) string {
	const hex = "0123456789ABCDEF"
	var out []byte
	for i := range len(s) {
		c := s[i]
		if digitValue(c) < 36 || strings.IndexByte("_.-~", c) >= 0 || strings.IndexByte(safe, c) >= 0 {
			out = append(out, c)
			continue
		}
		out = append(out, '%', hex[c>>4], hex[c&15])
	}
	return string(out)
}

func filterUrlize(f *frame, in value, a []value) value {
	u := urlizer{limit: -1, target: f.x.engine.options.Policies.UrlizeTarget, schemes: f.x.engine.options.Policies.UrlizeExtraSchemes}
	if !a[0].isZeroArgument() {
		u.limitBy(a[0])
	}
	if !a[2].isZeroArgument() {
		u.target = a[2].text()
	}
	rel := map[string]bool{}
	if !a[3].isZeroArgument() {
		for _, r := range strings.Fields(a[3].text()) {
			rel[r] = true
		}
	}
	if a[1].truth() {
		rel["nofollow"] = true
	}
	switch policy := f.x.engine.options.Policies.UrlizeRel; policy {
	case "":
		rel["noopener"] = true
	case "-":
	default:
		for _, r := range strings.Fields(policy) {
			rel[r] = true
		}
	}
	u.rel = strings.Join(sortedKeys(rel), " ")
	if !a[4].isZeroArgument() {
		u.schemes = nil
		for _, s := range collect(f.x, a[4]) {
			u.schemes = append(u.schemes, wantString("urlize", s))
		}
	}
	for _, s := range u.schemes {
		if !validScheme(s) {
			panic(runtimeError("urlize: %s is not a valid URI scheme prefix", string(appendQuoted(nil, s))))
		}
	}
	s := string(appendHTML(nil, in))
	f.x.allowBytes(3 * len(s))
	return textValue(u.text(s), f.autoescapeOn())
}

// validScheme accepts "name:", "name:/" and "name://" with a name of two or more.
func validScheme(s string) bool {
	name, rest, ok := strings.Cut(s, ":")
	if !ok || len(name) < 2 || rest != "" && rest != "/" && rest != "//" {
		return false
	}
	for _, r := range name {
		if !isWord(r) && !strings.ContainsRune(".+-", r) {
			return false
		}
	}
	return true
}
