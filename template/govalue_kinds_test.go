package template

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"iter"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// decimal is like the decimal types of the well-known modules: a struct with
// a String method.
type decimal struct {
	digits int64
	point  int
}

func (d decimal) String() string {
	s := fmt.Sprint(d.digits)
	return s[:len(s)-d.point] + "." + s[len(s)-d.point:]
}

// orderedMap is like the ordered maps of the well-known modules.
type orderedMap struct {
	keys   []string
	values map[string]int
}

func (m *orderedMap) Get(key string) (int, bool) {
	v, ok := m.values[key]
	return v, ok
}

func (m *orderedMap) Len() int { return len(m.keys) }

func (m *orderedMap) All() iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for _, k := range m.keys {
			if !yield(k, m.values[k]) {
				return
			}
		}
	}
}

type base struct {
	Shared string
	Deep   int `json:"deepest"`
}

func (base) Hello() string { return "hello from base" }

type counter struct{ n int }

func (c *counter) Next() int {
	c.n++
	return c.n
}

type kinds struct {
	base
	*hidden
	PublishedAt string
	HTMLBody    htmltemplate.HTML
	Renamed     string `json:"other_name,omitempty"`
	Secret      string `json:"-"`
	Title       string
	Type        string `json:"title"` // Title has the name already
	Counter     counter
	Decimal     decimal
	Number      json.Number
	Float       json.Number
	Big         big.Int
	BigPtr      *big.Int
	NilBig      *big.Int
	Null        sql.Null[string]
	NullTime    sql.NullTime
	NullInt     sql.NullInt64
	Pointer     *string
	Double      **int
	NilDouble   **int
	Any         any
	NilAny      any
	Stringer    fmt.Stringer
	Func        func(int) int
	NilFunc     func()
	Slice       []string
	NilSlice    []string
	Array       [3]int8
	Map         map[string]int
	NilMap      map[string]int
	ByTime      map[time.Month]string
	ByStruct    map[struct{ A int }]string
	ByBool      map[bool]string
	ByFloat     map[float64]string
	Seq         iter.Seq[string]
	Seq2        iter.Seq2[string, int]
	Chan        chan int
	Err         error
	Ordered     *orderedMap
	Complex     complex128
	Runes       []rune
	hiddenField string
}

func (k kinds) Value() string     { return "by value" }
func (k *kinds) Pointers() string { return "by pointer" }

func (k kinds) Sum(first int, more ...int) int {
	for _, n := range more {
		first += n
	}
	return first
}

func (k kinds) Two() (string, int, error) { return "a", 2, nil }

func (k kinds) Fails() error { return errors.New("no luck") }

func (k kinds) Panics(what string) string {
	switch what {
	case "index":
		return what[len(what):][:1]
	case "nil":
		var k *kinds
		return k.Title
	case "error":
		panic(errors.New("an error"))
	}
	panic("boom")
}

func (k kinds) Takes(s []int, m map[string]string, p *int, d time.Duration) string {
	n := "nil"
	if p != nil {
		n = fmt.Sprint(*p)
	}
	return strings.TrimSpace(fmt.Sprintln(s, m, n, d))
}

func exampleKinds() *kinds {
	text, n := "text", 7
	pn := &n
	return &kinds{
		base: base{"shared", 3}, PublishedAt: "today", HTMLBody: "<p>ok</p>", Renamed: "renamed", Secret: "s", Title: "A", Type: "T",
		Decimal: decimal{12345, 2}, Number: "12", Float: "1.5", Big: *big.NewInt(40), BigPtr: new(big.Int).Lsh(big.NewInt(1), 70),
		Null: sql.Null[string]{V: "there", Valid: true}, NullInt: sql.NullInt64{Int64: 5, Valid: true},
		Pointer: &text, Double: &pn, Any: []any{1, "a", nil, map[string]any{"k": 2.5}}, Stringer: decimal{500, 1},
		Func: func(n int) int { return n * n }, Slice: []string{"x", "y"}, Array: [3]int8{1, -2, 3},
		Map: map[string]int{"b": 2, "a": 1, "items": 9}, ByTime: map[time.Month]string{time.May: "May", time.January: "Jan"},
		ByStruct: map[struct{ A int }]string{{1}: "one"}, ByBool: map[bool]string{true: "yes", false: "no"}, ByFloat: map[float64]string{1.5: "x"},
		Seq: slices.Values([]string{"p", "q"}), Seq2: maps.All(map[string]int{"only": 1}), Err: errors.New("went wrong"),
		Ordered: &orderedMap{[]string{"z", "a"}, map[string]int{"a": 1, "z": 26}}, Complex: 1i, Runes: []rune("hi"), hiddenField: "h",
	}
}

func TestKindsOfGoValues(t *testing.T) {
	t.Parallel()
	var nothing *kinds
	for _, c := range []struct{ name, src, want string }{
		{"names", "{{ k.PublishedAt }} {{ k.published_at }} {{ k.publishedAt }}", "today today today"},
		{"initials", "{{ k.HTMLBody }} {{ k.html_body }} {{ k.htmlBody }}", "<p>ok</p> <p>ok</p> <p>ok</p>"},
		{"json tag", "{{ k.other_name }} {{ k.renamed }} {{ k.deepest }}", "renamed renamed 3"},
		{"json tag comes last", "{{ k.title }} {{ k.type }}", "A T"},
		{"a field left out of JSON is no secret", "{{ k.secret }}", "s"},
		{"embedded", "{{ k.shared }} {{ k.hello() }} {{ k.base is defined }}", "shared hello from base False"},
		{"embedded nil pointer", "{{ k.promoted is none }} {{ k.promoted }}", "True None"},
		{"unexported", "{{ k.hiddenField is defined }} {{ k.hidden_field is defined }} {{ k['hiddenField'] is defined }}", "False False False"},
		{"methods by value and by pointer", "{{ k.value() }} {{ k.pointers() }} {{ v.value() }} {{ v.pointers() }}", "by value by pointer by value by pointer"},
		{"method of a field by its pointer", "{{ k.counter.next() }} {{ k.counter.next() }}", "1 2"},
		{"a method of a value in an interface changes a copy", "{{ v.counter.next() }} {{ v.counter.next() }}", "1 2"},
		{"variadic", "{{ k.sum(1) }} {{ k.sum(1, 2, 3) }}", "1 6"},
		{"several results", "{{ k.two() }} {% set a, b = k.two() %}{{ a }}{{ b }}", "(&#39;a&#39;, 2) a2"},
		{"method as a value", "{% set f = k.sum %}{{ f(2, 3) }} {{ k.sum is callable }} {{ k.title is callable }}", "5 True False"},
		{"arguments are converted", "{{ k.takes([1, 2], {'a': 'b'}, 3, 5) }} {{ k.takes((), {}, none, 0) }}", "[1 2] map[a:b] 3 5ns [] map[] nil 0s"},
		{"decimal", "{{ k.decimal }} {{ k.stringer }} {{ k.decimal ~ '!' }}", "123.45 50.0 123.45!"},
		{"json numbers", "{{ k.number + 1 }} {{ k.float * 2 }} {{ k.number > 11 }}", "13 3.0 True"},
		{"big integers", "{{ k.big + 2 }} {{ k.big_ptr }} {{ k.nil_big is none }} {{ k.big_ptr > 5 }}", "42 1180591620717411303424 True True"},
		{"SQL null types", "{{ k.null }} {{ k.null_time is none }} {{ k.null_int + 1 }}", "there True 6"},
		{"pointers to basic types", "{{ k.pointer|upper }} {{ k.double + 1 }} {{ k.nil_double is none }}", "TEXT 8 True"},
		{"what an any holds", "{{ k.any[1] }} {{ k.any[3].k }} {{ k.any[2] is none }} {{ k.nil_any is none }} {{ k.any|length }}", "a 2.5 True True 4"},
		{"functions", "{{ k.func(5) }} {{ k.nil_func is none }}", "25 True"},
		{"nil slices and maps are empty", "{{ k.nil_slice|length }} {% for x in k.nil_slice %}x{% else %}none{% endfor %} {{ k.nil_map.x is defined }} {{ k.nil_map|length }} {{ 'x' in k.nil_map }} {{ k.nil_slice ~ '' }} {{ not k.nil_map }}", "0 none False 0 False [] True"},
		{"arrays", "{{ k.array[1] }} {{ k.array|sum }} {{ k.array|max }} {{ k.array[-1] }} {{ k.array[5] is defined }}", "-2 2 3 3 False"},
		{"maps of strings", "{{ k.map.a }} {{ k.map['b'] }} {{ k.map|list }} {{ 'a' in k.map }} {{ k.map|dictsort }}", "1 2 [&#39;a&#39;, &#39;b&#39;, &#39;items&#39;] True [(&#39;a&#39;, 1), (&#39;b&#39;, 2), (&#39;items&#39;, 9)]"},
		{"a key named like a method", "{{ k.map['items'] }} {{ k.map.items()|length }}", "9 3"},
		{"maps of named integers", "{{ k.by_time[5] }} {{ k.by_time|length }}", "May 2"},
		{"maps of structs", "{% for key, v in k.by_struct.items() %}{{ key.a }}{{ v }}{% endfor %}", "1one"},
		{"maps of bool and float", "{{ k.by_bool[true] }} {{ k.by_float[1.5] }} {{ k.by_float[1] is defined }} {{ k.map[1] is defined }}", "yes x False False"},
		{"sequences", "{{ k.seq|join }} {% for a, b in k.seq2 %}{{ a }}{{ b }}{% endfor %} {{ k.seq|list|length }}", "pq only1 2"},
		{"ordered map", "{% for key in k.ordered %}{{ key }}{% endfor %} {% for key, v in k.ordered.items() %}{{ key }}={{ v }} {% endfor %}{{ k.ordered.z }} {{ k.ordered['a'] }} {{ k.ordered|length }} {{ 'z' in k.ordered }} {{ k.ordered.get('q', 0) }} {{ k.ordered|list }}", "za z=26 a=1 26 1 2 True 0 [&#39;z&#39;, &#39;a&#39;]"},
		{"channels and complex numbers print", "{{ k.complex is defined }} {{ k.chan is none }}", "True True"},
		{"errors print", "{{ k.err }}", "went wrong"},
		{"runes are numbers", "{{ k.runes }}", "[104, 105]"},
		{"nil pointer to a struct", "{{ nothing }} {{ nothing is none }} {{ 'x' if nothing else 'y' }}", "None True y"},
		{"struct handed over by value", "{{ v.title }} {{ v.shared }} {{ v.slice|join }}", "A shared xy"},
		{"slice of structs by value and by pointer", "{% for x in values %}{{ x.title }}{{ x.pointers() }}{% endfor %}{% for x in pointers %}{{ x.title if x else '-' }}{% endfor %}", "Aby pointerA-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := exampleKinds()
			data := map[string]any{"k": k, "v": *exampleKinds(), "nothing": nothing, "values": []kinds{*exampleKinds()}, "pointers": []*kinds{exampleKinds(), nil}}
			wantRender(t, Options{}, c.src, data, c.want)
		})
	}
}

func TestMethodsThatFail(t *testing.T) {
	t.Parallel()
	data := map[string]any{"k": exampleKinds(), "nothing": (*kinds)(nil)}
	for _, c := range []struct {
		name, src string
		kind      Kind
		message   string
	}{
		{"error as the only result", "{{ k.fails() }}", Runtime, "no luck"},
		{"panic", "{{ k.panics('') }}", Runtime, "panic: boom"},
		{"panic with an error", "{{ k.panics('error') }}", Runtime, "an error"},
		{"panic of the runtime", "{{ k.panics('index') }}", Runtime, "out of range"},
		{"nil pointer", "{{ k.panics('nil') }}", Runtime, "nil pointer"},
		{"too few arguments", "{{ k.sum() }}", Runtime, "argument"},
		{"wrong type", "{{ k.sum('a') }}", Runtime, "argument 1: cannot use str as int"},
		{"wrong type of a variadic one", "{{ k.sum(1, 2.5) }}", Runtime, "argument 2: cannot use float as int"},
		{"wrong element", "{{ k.takes(['a'], {}, none, 0) }}", Runtime, "argument 1: cannot use str as int"},
		{"method of nothing", "{{ nothing.value() }}", Undefined, "'None' has no attribute 'value'"},
		{"attribute of a missing attribute", "{{ k.titel.x }}", Undefined, "did you mean 'title'?"},
		{"a struct is no sequence", "{% for x in k %}{% endfor %}", Runtime, "not iterable"},
		{"a struct has no length", "{{ k|length }}", Runtime, "no length"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wantError(t, Options{}, c.src, data, c.kind, "")
			_, err := renderInline(t, Options{}, c.src, data)
			if err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %v, want %q", err, c.message)
			}
		})
	}
}

// No statement, filter or method of the language changes what it was given.
func TestDataIsNotChanged(t *testing.T) {
	t.Parallel()
	type data struct {
		K    *kinds
		V    kinds
		List []any
		Map  map[string]any
		Rows []benchRow
	}
	fresh := func() *data {
		k := exampleKinds()
		k.Func, k.Seq, k.Seq2, k.Chan, k.Ordered = nil, nil, nil, nil, nil
		return &data{k, *k, []any{3, "b", []any{1}}, map[string]any{"z": 1, "a": []int{2, 1}}, benchRows(3)}
	}
	given := fresh()
	for _, src := range []string{
		"{{ k.slice|sort }}{{ k.slice|reverse|list }}{{ k.slice|unique|list }}{{ rows|sort(attribute='views', reverse=true)|list }}",
		"{% set l = list %}{% set l = l + [4] %}{{ l|length }}{{ (list|list).append(1) }}{{ (map|items|list).clear() }}",
		"{% set m = dict(map) %}{{ m.update(a=0) }}{{ m.pop('z') }}{{ m }}",
		"{% for x in rows %}{% set x = 1 %}{% endfor %}{% set k = none %}{{ k }}",
		"{% set a = map.a %}{{ a|batch(1)|list }}{{ a|map('string')|list }}{{ a|slice(2)|list }}{{ a[::-1] }}",
		"{{ map|dictsort }}{{ map|tojson }}{{ map|xmlattr }}{{ list|join }}{{ v.array|sort }}{{ v.map|list }}",
	} {
		if _, err := renderInline(t, Options{}, src, given); err != nil {
			t.Errorf("%s: %v", src, err)
		}
	}
	for _, src := range []string{
		"{{ list.append(1) }}", "{{ list.sort() }}", "{{ list.reverse() }}", "{{ list.clear() }}", "{{ list.pop() }}", "{{ list.extend([1]) }}",
		"{{ map.clear() }}", "{{ map.pop('z') }}", "{{ map.setdefault('q', 1) }}", "{{ map.update({'q': 1}) }}", "{% set map.z = 2 %}", "{% set k.title = 2 %}",
	} {
		if _, err := renderInline(t, Options{}, src, given); err == nil {
			t.Errorf("%s: no error", src)
		}
	}
	if want := fresh(); !reflect.DeepEqual(given, want) {
		t.Errorf("the data is %+v, was %+v", given, want)
	}
}
