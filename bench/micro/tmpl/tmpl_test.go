// Package tmpl times rendering the pages, with their data at hand.
package tmpl

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/retort-web/retort/bench/internal/htmlcmp"
)

// has reports whether an engine can render a page.
func (e *engine) has(page string) bool {
	return (e.only == nil || slices.Contains(e.only, page)) && !(e.typed && page == stockMaps)
}

func TestSame(t *testing.T) {
	list := engines()
	for _, p := range pages {
		want := ""
		for _, e := range list {
			if !e.has(p) {
				continue
			}
			var b bytes.Buffer
			if err := e.run(p, &b); err != nil {
				t.Fatal(p, e.name, err)
			}
			got := htmlcmp.Tokens(b.String())
			if want == "" {
				want = got
				t.Log(p, b.Len(), "bytes")
			} else if got != want && !e.plain {
				x, y := strings.Split(want, "\n"), strings.Split(got, "\n")
				for k := range x {
					if k >= len(y) || x[k] != y[k] {
						t.Errorf("%s: %s: differs at %d: want %q got %q", p, e.name, k, x[k], y[min(k, len(y)-1)])
						break
					}
				}
			}
		}
	}
}

func BenchmarkTemplate(b *testing.B) {
	list := engines()
	for _, p := range pages {
		for _, e := range list {
			if !e.has(p) {
				continue
			}
			b.Run(p+"/"+e.name, func(b *testing.B) {
				var w bytes.Buffer
				w.Grow(64 << 10)
				b.ReportAllocs()
				for b.Loop() {
					w.Reset()
					if err := e.run(p, &w); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
