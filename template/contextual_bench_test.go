package template

import "testing"

// BenchmarkContextual renders 200 rows with values in different places, with
// Jinja's escaping and with that by context.
func BenchmarkContextual(b *testing.B) {
	for _, page := range [...]struct{ name, row string }{
		{"text", `<tr><td>{{ row.id }}</td><td>{{ row.title }}</td><td>{{ row.views }}</td></tr>`},
		{"attributes", `<tr id="r{{ row.id }}" title="{{ row.title }}"><td data-views='{{ row.views }}'></td></tr>`},
		{"addresses", `<a href="{{ url }}">x</a><a href="/rows/{{ row.id }}?t={{ row.title }}">y</a>`},
		{"scripts", `<script>rows.push({id: {{ row.id }}, title: {{ row.title }}, views: "{{ row.views }}"})</script>`},
	} {
		for _, mode := range [...]string{"jinja", "contextual"} {
			b.Run(page.name+"/"+mode, func(b *testing.B) {
				e, err := New(Options{Contextual: mode == "contextual"})
				if err != nil {
					b.Fatal(err)
				}
				t, err := e.FromString(`<table>{% for row in rows %}` + page.row + `{% endfor %}</table>`)
				if err != nil {
					b.Fatal(err)
				}
				data := map[string]any{"rows": benchRows(200), "url": "/rows/12/edit"}
				var buf []byte
				b.ReportAllocs()
				for b.Loop() {
					if buf, err = t.Append(buf[:0], Execution{Data: data}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkContextualCompile compiles a page of 200 kB with a thousand values.
func BenchmarkContextualCompile(b *testing.B) {
	source := ""
	for len(source) < 200_000 {
		source += `<section class="{{ c }}"><h2>{{ title }}</h2><a href="/p/{{ id }}">{{ text }}</a>
<p>Some text of a paragraph that goes on for a while, as they do.</p>{% if x %}<script>go({{ id }}, "{{ text }}")</script>{% endif %}</section>
`
	}
	for _, mode := range [...]string{"jinja", "contextual"} {
		b.Run(mode, func(b *testing.B) {
			e, err := New(Options{Contextual: mode == "contextual"})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(source)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.FromString(source); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
