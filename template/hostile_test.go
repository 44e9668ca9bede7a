package template

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
)

// numbered joins n pieces, each with its number.
func numbered(n int, format string) string {
	var sb strings.Builder
	for i := range n {
		fmt.Fprintf(&sb, format, i)
	}
	return sb.String()
}

// hostileSources are templates made to cost more than their size: what opens
// and is never closed, what is nested, what is repeated.
var hostileSources = map[string]func(n int) string{
	"brackets":             func(n int) string { return "{{ " + strings.Repeat("(", n) + strings.Repeat(")", n) + " }}" },
	"lists":                func(n int) string { return "{{ " + strings.Repeat("[", n) + strings.Repeat("]", n) + " }}" },
	"open prints":          func(n int) string { return strings.Repeat("{{ a ", n) },
	"open tags":            func(n int) string { return strings.Repeat("{% if a %}", n) },
	"end tags":             func(n int) string { return strings.Repeat("{% endif %}", n) },
	"open comments":        func(n int) string { return strings.Repeat("{# ", n) },
	"open raws":            func(n int) string { return strings.Repeat("{% raw %}", n) },
	"ends of raw":          func(n int) string { return "{% raw %}" + strings.Repeat("{% endraw ", n) },
	"dashes":               func(n int) string { return strings.Repeat(" {%- ", n) },
	"spaces":               func(n int) string { return strings.Repeat("x"+strings.Repeat(" ", 50), n/50) + "{{- a }}" },
	"prints":               func(n int) string { return strings.Repeat("{{ a }}", n) },
	"names":                func(n int) string { return numbered(n, "{{ a%d }}") },
	"assignments":          func(n int) string { return numbered(n, "{%% set a%d = 1 %%}") },
	"assignments in ifs":   func(n int) string { return numbered(n, "{%% if x %%}{%% set a%d = 1 %%}{%% endif %%}") },
	"assignments in loops": func(n int) string { return numbered(n, "{%% for x in y %%}{%% set a%d = 1 %%}{%% endfor %%}") },
	"includes":             func(n int) string { return numbered(n, "{%% set a%d = 1 %%}{%% include 'x' %%}") },
	"blocks":               func(n int) string { return numbered(n, "{%% block a%d %%}{%% endblock %%}") },
	"scoped blocks": func(n int) string {
		return numbered(n, "{%% set z%[1]d = 1 %%}{%% block a%[1]d scoped %%}{%% endblock %%}")
	},
	"macros": func(n int) string { return numbered(n, "{%% macro a%d() %%}{%% endmacro %%}") },
	"elifs": func(n int) string {
		return "{% if a %}" + numbered(n, "{%% elif b %%}{%% set a%d = 1 %%}") + "{% endif %}"
	},
	"loops around much": func(n int) string {
		return strings.Repeat("{% for x in y %}", 190) + strings.Repeat("{{ a }}", n) + strings.Repeat("{% endfor %}", 190)
	},
	"ifs around much": func(n int) string {
		return strings.Repeat("{% if x %}", 190) + numbered(n/10, "{%% set a%d = 1 %%}") + strings.Repeat("{% endif %}", 190)
	},
	"macros around much": func(n int) string {
		return strings.Repeat("{% macro x() %}", 190) + strings.Repeat("{{ a }}", n) + strings.Repeat("{% endmacro %}", 190)
	},
	"sums":         func(n int) string { return "{{ " + strings.Repeat("a+", n) + "a }}" },
	"joins":        func(n int) string { return "{{ " + strings.Repeat("a~", n) + "a }}" },
	"negations":    func(n int) string { return "{{ " + strings.Repeat("not ", n) + "a }}" },
	"signs":        func(n int) string { return "{{ " + strings.Repeat("-", n) + "a }}" },
	"powers":       func(n int) string { return "{{ " + strings.Repeat("9**", n) + "9 }}" },
	"attributes":   func(n int) string { return "{{ a" + strings.Repeat(".b", n) + " }}" },
	"calls":        func(n int) string { return "{{ a" + strings.Repeat("()", n) + " }}" },
	"filters":      func(n int) string { return "{{ a" + strings.Repeat("|upper", n) + " }}" },
	"conditions":   func(n int) string { return "{{ a" + strings.Repeat(" if b", n) + " }}" },
	"short ifs":    func(n int) string { return strings.Repeat("\n{{ a if b }}", n) },
	"arguments":    func(n int) string { return "{{ f(" + numbered(n, "a%d=1,") + ") }}" },
	"parameters":   func(n int) string { return "{% macro f(" + numbered(n, "a%d,") + "z) %}{% endmacro %}" },
	"strings":      func(n int) string { return "{{ " + strings.Repeat("'a' ", n) + " }}" },
	"digits":       func(n int) string { return "{{ " + strings.Repeat("9", n) + " }}" },
	"quotes":       func(n int) string { return "{{ '" + strings.Repeat("\\'", n) },
	"NUL":          func(n int) string { return strings.Repeat("\x00{{ '\x00' }}", n) },
	"invalid text": func(n int) string { return strings.Repeat("\xff{{ '\xff' }}\xc3", n) },
	"carriages":    func(n int) string { return strings.Repeat("\r\n{{ a }}", n) },
	"mistakes":     func(n int) string { return strings.Repeat("{{ a b }}", n) },
	"characters":   func(n int) string { return strings.Repeat("{{ ? ", n) + "}}" },
	"translations": func(n int) string { return "{% trans %}" + strings.Repeat("{{ a }}x", n) + "{% endtrans %}" },
	"messages": func(n int) string {
		return "{% blocktranslate %}" + strings.Repeat("{{ a }}%x", n) + "{% endblocktranslate %}"
	},
	"message variables": func(n int) string {
		return "{% blocktranslate with " + numbered(n, "a%d=1 ") + "%}{% endblocktranslate %}"
	},
	"open messages": func(n int) string { return strings.Repeat("{% blocktranslate %}a", n) },
	"zones": func(n int) string {
		return strings.Repeat("{% timezone 'UTC' %}{% localize on %}{{ a }}{% endlocalize %}{% endtimezone %}", n)
	},
	"open HTML":   func(n int) string { return strings.Repeat("<a href=", n) + "{{ x }}" },
	"ifs in HTML": func(n int) string { return strings.Repeat("<p {% if a %}class=b{% endif %}>", n) },
}

// Compiling takes memory in proportion to the source, whatever is in it, and
// ends in a template or a syntax error with its place.
func TestCompilingIsLinear(t *testing.T) {
	engines := map[string]*Engine{
		"plain":      mustEngine(t, Options{Extensions: djangoExtensions()}),
		"contextual": mustEngine(t, Options{Extensions: djangoExtensions(), Contextual: true}),
		"lines":      mustEngine(t, Options{Extensions: djangoExtensions(), LineStatementPrefix: "%", LineCommentPrefix: "##", LstripBlocks: true, TrimBlocks: true}),
	}
	for name, source := range hostileSources {
		for kind, e := range engines {
			cost := func(n int) float64 {
				src := source(n)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, err := e.FromString(src)
				runtime.ReadMemStats(&after)
				var te *Error
				if err != nil && (!errors.As(err, &te) || te.Kind != Syntax || te.Line == 0) {
					t.Errorf("%s: %v is no syntax error with a place", name, err)
				}
				return float64(after.TotalAlloc-before.TotalAlloc) + 1<<20
			}
			// What the whole program allocates is counted, and a collection empties pools:
			// what is not linear is so each time.
			ratio := math.Inf(1)
			for range 3 {
				if ratio = min(ratio, cost(6000)/cost(1500)); ratio <= 8 {
					break
				}
			}
			if ratio > 8 {
				t.Errorf("%s, %s: four times the source take %.1f times the memory", name, kind, ratio)
			}
		}
	}
}

// Renders that would not end, or would take the whole machine, end in an error
// that says where.
func TestRendersAreBounded(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"include":   "{% include 'include' %}",
		"pair":      "{% include 'other' %}",
		"other":     "{% include 'pair' %}",
		"extends":   "{% extends 'extends' %}",
		"base":      "{% extends 'child' %}{% block a %}{% endblock %}",
		"child":     "{% extends 'base' %}{% block a %}{{ super() }}{% endblock %}",
		"import":    "{% import 'import' as x %}",
		"from":      "{% from 'from' import x %}",
		"macro":     "{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}",
		"tree":      "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
		"caller":    "{% macro m() %}{% call m() %}x{% endcall %}{% endmacro %}{{ m() }}",
		"self":      "{% block a %}{{ self.a() }}{% endblock %}",
		"loop":      "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
		"range":     "{% for i in range(10 ** 12) %}{% endfor %}",
		"loops":     "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
		"lists":     "{{ range(10 ** 12)|list }}",
		"string":    "{{ 'x' * 10 ** 10 }}",
		"joined":    "{% set ns = namespace(s='xxxxxxxxxx') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
		"appended":  "{% set l = [1] %}{% for i in range(60) %}{% set _ = l.extend(l) %}{% endfor %}",
		"power":     "{{ 9 ** (9 ** 9) }}",
		"output":    "{% for i in range(1000000) %}{{ 'x' * 1000 }}{% endfor %}",
		"centered":  "{{ 'x'|center(10 ** 10) }}",
		"indented":  "{{ ('x\n' * 1000)|indent(10 ** 8) }}",
		"formatted": "{{ '%1000000000d'|format(1) }}",
		"format":    "{{ '{:>1000000000}'.format(1) }}",
		"replaced":  "{{ ('x' * 10 ** 6)|replace('x', 'y' * 10 ** 6) }}",
		"batch":     "{% for r in range(3)|batch(10 ** 12, 'x') %}{% endfor %}",
		"sum":       "{{ range(10 ** 9)|sum }}",
		"groups":    "{{ range(10 ** 9)|groupby('x') }}",
		"lipsum":    "{{ lipsum(n=10 ** 9) }}",
		"nested":    "{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
		"digits":    "{{ 10 ** 30000 }}",
		"cycle":     "{% set l = [] %}{% set _ = l.append(l) %}{{ l == l and l|tojson }}",
	}
	e := mustEngine(t, Options{Loader: Map(files), Limits: Limits{Output: 8 << 20, Steps: 3_000_000, Items: 1_000_000}})
	for name := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tpl, err := e.Get(name)
			if err != nil {
				t.Fatal(err)
			}
			_, err = tpl.Append(nil, Execution{})
			var te *Error
			var p *Panic
			if !errors.As(err, &te) || te.Kind != Runtime || te.Line == 0 || errors.As(err, &p) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRenderEndsWithItsContext(t *testing.T) {
	t.Parallel()
	e := mustEngine(t, Options{Loader: Map(map[string]string{
		"page": "start\n{% for i in range(1000000) %}{% include 'row' %}{% endfor %}", "row": "{% for j in range(1000) %}{{ stop() }}{% endfor %}",
	})})
	tpl, err := e.Get("page")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	calls := 0
	_, err = tpl.Append(nil, Execution{Context: ctx, Data: map[string]any{"stop": func() string {
		if calls++; calls == 100 {
			cancel(errors.New("the client has gone"))
		}
		return ""
	}}})
	var te *Error
	if !errors.Is(err, context.Canceled) || !errors.As(err, &te) || te.Line == 0 {
		t.Errorf("got %v", err)
	}
	if calls > 5000 {
		t.Errorf("the render went on for %d calls", calls)
	}
}
