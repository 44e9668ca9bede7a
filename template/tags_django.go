package template

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net/url"
	"strings"
	"time"
)

// tagFunction is what a tag calls.
type tagFunction = func(x *exec, a *callArgs) value

// stateKey is one run of a template's tag that remembers something.
type stateKey struct {
	tag any
	in  *evalContext
}

// cycleTag gives one of its arguments after the other.
type cycleTag struct{ _ byte } // not empty, so that each has an address of its own

func (c *cycleTag) typeName() string { return "function" }

func (c *cycleTag) appendText(dst []byte) []byte { return append(dst, "<cycle>"...) }

// key keeps the context, so that no other run of a template has the same.
func (c *cycleTag) key(x *exec) stateKey {
	x.caller.ctx.keep()
	return stateKey{c, x.caller.ctx.eval}
}

func (c *cycleTag) call(x *exec, a *callArgs) value {
	key := c.key(x)
	if x.states == nil {
		x.states = map[stateKey]int{}
	}
	n := x.states[key]
	x.states[key] = n + 1
	return a.pos[n%len(a.pos)]
}

// tagFirstof gives the first argument that is true, or nothing.
func tagFirstof(_ *exec, a *callArgs) value {
	for _, v := range a.pos {
		if v.truth() {
			return v
		}
	}
	return empty
}

// tagNow is the current time by a format of Django's date filter.
func tagNow(x *exec, a *callArgs) value {
	format := bindTo("now", "format", 0, a)[0]
	layout := "N j, Y"
	if format.given() {
		layout = wantString("now", format)
	}
	return stringValue(formatTime(x, x.engine.now(), layout))
}

// tagWidthratio is value / most * width, rounded: the length of a bar.
func tagWidthratio(_ *exec, a *callArgs) value {
	args := bindTo("widthratio", "value,max,width", 3, a)
	var n [3]float64
	for i, v := range args {
		f, ok := v.plain().asFloat()
		if s := v.plain(); !ok && s.isString() {
			f, ok = parseFloat(s.str())
		}
		if !ok {
			return empty
		}
		n[i] = f
	}
	ratio := n[0] / n[1] * n[2]
	if n[1] == 0 || math.IsNaN(ratio) || math.IsInf(ratio, 0) {
		return stringValue("0")
	}
	return truncated(math.RoundToEven(ratio), none)
}

// tagLorem is the usual text without meaning: so many words, paragraphs as
// HTML, or plain paragraphs.
func tagLorem(x *exec, a *callArgs) value {
	count, method, random := max(wantInt("lorem", a.pos[0]), 0), a.pos[1].str(), a.pos[2].truth()
	if count == 0 {
		return empty
	}
	if method == "w" {
		x.allowProduct(16, count)
		return stringValue(loremWords(int(count), random))
	}
	x.allowProduct(500, count)
	var parts []string
	for i := range int(count) {
		text := loremStart
		if i > 0 || random {
			text = dummyText(40 + i%40)
		}
		if method == "p" {
			text = "<p>" + text + "</p>"
		}
		parts = append(parts, text)
	}
	s := strings.Join(parts, "\n\n")
	return textValue(s, method == "p")
}

const loremStart = "Lorem ipsum dolor sit amet, consectetur adipisicing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua. " +
	"Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat. " +
	"Duis aute irure dolor in reprehenderit in voluptate velit esse cillum dolore eu fugiat nulla pariatur. " +
	"Excepteur sint occaecat cupidatat non proident, sunt in culpa qui officia deserunt mollit anim id est laborum."

func loremWords(n int, random bool) string {
	words := strings.Fields(strings.ToLower(strings.NewReplacer(",", "", ".", "").Replace(loremStart)))[:19]
	if random {
		words = nil
	}
	for len(words) < n {
		words = append(words, strings.Fields(strings.ToLower(strings.NewReplacer(",", "", ".", "").Replace(dummyText(20))))...)
	}
	return strings.Join(words[:n], " ")
}

// tagRegroup puts neighbours with the same attribute together, as the filter
// groupby does without sorting first.
func tagRegroup(x *exec, a *callArgs) value {
	get := attributeGetter(x.caller, a.pos[1], value{}, false)
	var groups []value
	var members *List
	var last value
	for _, item := range collect(x, a.pos[0]) {
		key := get(item)
		if members == nil || !equal(last, key) {
			members = &List{}
			last = key
			group := tupleValue(key, fromAny(members))
			group.list().group = true
			groups = append(groups, group)
		}
		members.items = append(members.items, item)
	}
	return listValue(groups)
}

// tagQuerystring is the query of the request, or of the mappings given, with
// changes: a value of none takes a parameter out, a list or the keys of a mapping give it several
// times. It begins with a question mark always, so that a link that removes
// the last parameter does remove it.
func tagQuerystring(x *exec, a *callArgs) value {
	d := NewDict()
	for _, m := range queryBase(x, a) {
		if m.isZeroArgument() {
			continue
		}
		from, ok := asDict(m)
		if !ok {
			panic(runtimeError("querystring: expected a mapping, not '%s'", m.typeName()))
		}
		for i, k := range from.keys {
			setParameter(d, k, from.vals[i])
		}
	}
	for _, k := range a.kw {
		setParameter(d, stringValue(k.name), k.v)
	}
	var sb strings.Builder
	sb.WriteByte('?')
	for i, k := range d.keys {
		for _, v := range parameterValues(x, d.vals[i]) {
			if sb.Len() > 1 {
				sb.WriteByte('&')
			}
			sb.WriteString(url.QueryEscape(k.text()) + "=" + url.QueryEscape(v.text()))
		}
	}
	return stringValue(sb.String())
}

// queryBase gives the mappings a query begins with.
func queryBase(x *exec, a *callArgs) []value {
	if len(a.pos) > 0 {
		return a.pos
	}
	request, ok := x.caller.ctx.lookup("request")
	if !ok {
		return nil
	}
	for _, name := range [...]string{"query", "GET"} {
		if v := getAttr(x, request, name); !v.isUndefined() {
			return []value{v}
		}
	}
	return nil
}

func setParameter(d *Dict, key, v value) {
	if v.kind == kindNone {
		if i := d.find(key); i >= 0 {
			d.remove(i)
		}
		return
	}
	d.set(key, v)
}

func parameterValues(x *exec, v value) []value {
	if v.isSequence() || v.kind == kindRange || isGoSlice(v) || v.isMapping() {
		return collect(x, v)
	}
	return []value{v}
}

// tagSpaceless removes the whitespace between tags.
func tagSpaceless(x *exec, a *callArgs) value {
	caller, _ := takeCaller(a.kw)
	f := x.caller
	s := callValue(x, caller, &callArgs{}).text()
	x.caller = f
	return printed(f, safeValue(spaceless(strings.TrimSpace(s))))
}

func spaceless(s string) string {
	var sb strings.Builder
	for {
		i := strings.IndexByte(s, '>')
		if i < 0 {
			return sb.String() + s
		}
		sb.WriteString(s[:i+1])
		s = s[i+1:]
		if rest := strings.TrimLeftFunc(s, isSpace); strings.HasPrefix(rest, "<") {
			s = rest
		}
	}
}

// FragmentCache keeps what {% cache %} renders.
type FragmentCache interface {
	// Fragment gives the text kept under the key, or calls render and keeps
	// the result for that time; none means for ever. A failed render is not
	// kept.
	Fragment(ctx context.Context, key string, ttl time.Duration, render func() (string, error)) (string, error)
}

// tagCache renders its body unless the cache has it.
func tagCache(x *exec, a *callArgs) value {
	caller, kw := takeCaller(a.kw)
	if len(kw) > 0 {
		panic(runtimeError("cache takes no keyword argument '%s'", kw[0].name))
	}
	f := x.caller
	render := func() (out string, err error) {
		err = x.attempt(func() {
			x.caller = f
			out = strings.Clone(callValue(x, caller, &callArgs{}).text())
		})
		return out, err
	}
	cache := x.engine.options.FragmentCache
	ttl := time.Duration(0)
	if a.pos[0].kind != kindNone {
		ttl = time.Duration(min(max(wantInt("cache", a.pos[0]), 0), 1<<33)) * time.Second
	}
	var s string
	var err error
	if cache == nil {
		s, err = render()
	} else {
		s, err = cache.Fragment(x.ctx(), fragmentKey(a.pos[1:]), ttl, render)
	}
	x.caller = f
	if err != nil {
		panic(causeError("cache", err))
	}
	return printed(f, safeValue(s))
}

// fragmentKey is made of the fragment's name and a digest of what it varies by.
func fragmentKey(parts []value) string {
	h := sha256.New()
	for _, v := range parts[1:] {
		text := v.text()
		h.Write([]byte(intValue(int64(len(text))).text()))
		h.Write([]byte{':'})
		h.Write([]byte(text))
	}
	return "template.cache." + parts[0].text() + "." + hex.EncodeToString(h.Sum(nil)[:16])
}
