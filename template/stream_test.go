package template_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"strings"
	"testing"

	"github.com/retort-web/retort/template"
)

// pieces remembers what was written, and does something before each piece.
type pieces struct {
	all    [][]byte
	before func(n int) error
}

func (p *pieces) Write(b []byte) (int, error) {
	if p.before != nil {
		if err := p.before(len(p.all)); err != nil {
			return 0, err
		}
	}
	p.all = append(p.all, bytes.Clone(b))
	return len(b), nil
}

func (p *pieces) text() string { return string(bytes.Join(p.all, nil)) }

func counting(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func streamed(t *testing.T, o template.Options) *template.Template {
	t.Helper()
	e, err := template.New(o)
	if err != nil {
		t.Fatal(err)
	}
	page, err := e.Get("page.html")
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// longPage keeps, prints and collects pieces in every way there is.
var longPage = map[string]string{
	"base.html": `<body>{% block main %}{% endblock %}</body>`,
	"row.html":  `<i>{{ n }}{% if n is divisibleby 100 %}{{ "<long>" * 300 }}{% endif %}</i>`,
	"part.html": `{% for n in range(3000) %}part {% endfor %}`,
	"page.html": `{% extends "base.html" %}
{% macro cell(n) %}<td>{{ n }}{{ caller() if caller }}</td>{% endmacro %}
{% block main %}
{% set kept %}{% for n in range(3000) %}kept {{ n }} {% endfor %}{% endset %}
{% for n in numbers %}{% include "row.html" %}{{ cell(n) }}{% set one = cell(n) %}{{ one|length }}{% endfor %}
{{ kept|length }}{% filter upper %}{% for n in range(3000) %}shout {% endfor %}{% endfilter %}
{% call cell(1) %}{% for n in range(3000) %}called {% endfor %}{% endcall %}
{% include "part.html" without context %}
{% for n in [[1, 2], [3]] recursive %}{{ loop(n) if n is iterable else "leaf " * 3000 }}{% endfor %}
{{ kept }}
{% endblock %}`,
}

func TestStreamWritesWhatAppendGives(t *testing.T) {
	t.Parallel()
	for _, contextual := range []bool{false, true} {
		page := streamed(t, template.Options{Loader: template.Map(longPage), Contextual: contextual})
		data := map[string]any{"numbers": counting(5000)}
		whole, err := page.Append(nil, template.Execution{Data: data})
		if err != nil {
			t.Fatal(err)
		}
		var out pieces
		n, err := page.Stream(&out, template.Execution{Data: data})
		if err != nil || out.text() != string(whole) || n != int64(len(whole)) {
			t.Fatalf("contextual %v: %d bytes instead of %d, written %d, error %v", contextual, len(out.text()), len(whole), n, err)
		}
		if len(out.all) < 20 {
			t.Errorf("only %d pieces", len(out.all))
		}
	}
}

func TestStreamWritesWhileItRenders(t *testing.T) {
	t.Parallel()
	page := streamed(t, template.Options{Loader: template.Map(map[string]string{"page.html": `{% for n in numbers %}{{ n }} and some more text{% endfor %}`})})
	var at int
	var seen []int
	numbers := iter.Seq[int](func(yield func(int) bool) {
		for at = range 5000 {
			if !yield(at) {
				return
			}
		}
	})
	out := pieces{before: func(int) error { seen = append(seen, at); return nil }}
	if _, err := page.Stream(&out, template.Execution{Data: map[string]any{"numbers": numbers}}); err != nil {
		t.Fatal(err)
	}
	if len(seen) < 5 || seen[0] > 1000 || seen[1] <= seen[0] {
		t.Errorf("pieces were written at rows %v", seen)
	}
}

func TestStreamTakesLittleMemory(t *testing.T) {
	page := streamed(t, template.Options{
		Loader: template.Map(map[string]string{"page.html": `{% for n in numbers %}<tr><td>{{ n }}</td>{% for m in inner %}<td>{{ m }}</td>{% endfor %}</tr>
{% endfor %}`}),
		Limits: template.Limits{Output: 1 << 30},
	})
	var most, pieces uint64
	w := writerFunc(func(b []byte) (int, error) {
		if pieces++; pieces%500 == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
		return len(b), nil
	})
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := page.Stream(w, template.Execution{Data: map[string]any{"numbers": counting(300_000), "inner": counting(2)}})
	if err != nil || n < 10_000_000 {
		t.Fatal(n, err)
	}
	if grown := int64(most) - int64(before.HeapAlloc); grown > 2<<20 {
		t.Errorf("a page of %d bytes held %d bytes of memory", n, grown)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestStreamEnds(t *testing.T) {
	t.Parallel()
	const endless = `{% for n in numbers %}some text and {{ n }}{% endfor %}`
	broken := errors.New("the line is cut")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, c := range map[string]struct {
		source  string
		out     pieces
		in      template.Execution
		limit   int
		cause   error
		message string
		written int64
	}{
		"write error": {
			source: endless, cause: broken, message: "page.html:1:40: the page could not be written: the line is cut", written: 2 * 8 << 10,
			out: pieces{before: func(n int) error {
				if n == 2 {
					return broken
				}
				return nil
			}},
		},
		"short write": {source: endless, cause: io.ErrShortWrite, message: "could not be written"},
		"context": {
			source: endless, in: template.Execution{Context: ctx}, cause: context.Canceled, message: "the render was stopped", written: 2 * 8 << 10,
			out: pieces{before: func(n int) error {
				if n == 2 {
					cancel()
				}
				return nil
			}},
		},
		"error before the first piece": {source: `some text {{ nobody.name }}`, message: "'nobody' is undefined", written: 0},
		"error in the middle": {
			source: `{% for n in numbers %}some text and {{ n }}{{ 1 // (5000 - n) }}{% endfor %}`, message: "page.html:1:47: division", written: 8 << 10,
		},
		"limit of all output":        {source: endless, limit: 100_000, message: "the output is too large (limit 100000 bytes)", written: 90_000},
		"limit below a piece":        {source: endless, limit: 1_000, message: "the output is too large (limit 1000 bytes)", written: 0},
		"limit of a piece collected": {source: `{% set a %}` + endless + `{% endset %}`, limit: 100_000, message: "the output is too large", written: 0},
	} {
		t.Run(name, func(t *testing.T) {
			page := streamed(t, template.Options{
				Loader: template.Map(map[string]string{"page.html": c.source}), Limits: template.Limits{Output: c.limit},
			})
			w := io.Writer(&c.out)
			if name == "short write" {
				w = writerFunc(func(b []byte) (int, error) { return len(b) - 1, nil })
			}
			c.in.Data = map[string]any{"numbers": counting(1 << 30)}
			n, err := page.Stream(w, c.in)
			var e *template.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.message) || c.cause != nil && !errors.Is(err, c.cause) {
				t.Fatalf("error %v", err)
			}
			if n < c.written || c.written == 0 && n != 0 && name != "short write" {
				t.Errorf("%d bytes were written", n)
			}
			if w == io.Writer(&c.out) && n != int64(len(c.out.text())) {
				t.Errorf("written is %d, but %d bytes came", n, len(c.out.text()))
			}
		})
	}
}

func TestBodyOfATagMayFail(t *testing.T) {
	t.Parallel()
	swallow := template.BlockTag(func(body func() (template.Safe, error)) string {
		if _, err := body(); err != nil {
			return "failed"
		}
		return "went well"
	})
	pass := template.BlockTag(func(body func() (template.Safe, error)) (template.Safe, error) { return body() })
	page := streamed(t, template.Options{
		Tags: map[string]template.Tag{"swallow": swallow, "pass": pass},
		Loader: template.Map(map[string]string{
			"page.html": `a {% swallow %}lost {% include "bad.html" %}{% endswallow %} b {{ "<" }} {% if again %}{% pass %}
{% include "bad.html" %}{% endpass %}{% endif %}`,
			"bad.html": "also lost\n{{ nobody.name }}",
		}),
	})
	out, err := page.Append(nil, template.Execution{})
	if err != nil || string(out) != "a failed b &lt; " {
		t.Fatalf("%q %v", out, err)
	}
	var b bytes.Buffer
	if _, err := page.Stream(&b, template.Execution{}); err != nil || b.String() != string(out) {
		t.Fatalf("%q %v", b.String(), err)
	}
	_, err = page.Append(nil, template.Execution{Data: map[string]any{"again": true}})
	var e *template.Error
	if !errors.As(err, &e) || e.Name != "bad.html" || e.Line != 2 {
		t.Fatal(err)
	}
	if trail := e.Explain(); strings.Count(trail, "reached from page.html") != 2 || strings.Count(trail, "page.html:2:") != 1 {
		t.Error(trail)
	}
}
