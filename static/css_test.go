package static

import (
	"regexp"
	"strings"
	"testing"
)

var hashes = regexp.MustCompile(`\.[0-9a-f]{12}\b`)

// TestStyleSheetReferences: H stands for a hash.
func TestStyleSheetReferences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, css, want string }{
		{"relative", `url(b.png)`, `url(b.H.png)`},
		{"quoted", `url("b.png") url('b.png')`, `url("b.H.png") url('b.H.png')`},
		{"spaces", "URL( b.png )  url(\n'b.png'\t)", "URL( b.H.png )  url(\n'b.H.png'\t)"},
		{"folders", `url(../img/c.png) url(./b.png) url(../css/b.png)`, `url(../img/c.H.png) url(./b.H.png) url(../css/b.H.png)`},
		{"below the prefix", `url(/static/img/c.png)`, `url(/static/img/c.H.png)`},
		{"query and fragment", `url(f.eot?#iefix) url(d.svg#icon) url("b.png?v=1")`, `url(f.H.eot?#iefix) url(d.H.svg#icon) url("b.H.png?v=1")`},
		{"import", `@import "other.css"; @import 'other.css' screen; @import url(other.css); @IMPORT url("other.css");`, `@import "other.H.css"; @import 'other.H.css' screen; @import url(other.H.css); @IMPORT url("other.H.css");`},
		{"import with layer", `@import "other.css" layer(x) supports(display: grid);`, `@import "other.H.css" layer(x) supports(display: grid);`},
		{"escaped name", `url(sp%20ace.png)`, `url(sp%20ace.H.png)`},
		{"left alone: schemes", `url(data:image/png;base64,AA==) url(https://x.example/b.png) url(//x.example/b.png) url(about:blank)`, ""},
		{"left alone: fragments", `url(#clip) url("#clip") url()`, ""},
		{"left alone: outside the prefix", `url(/b.png) url(/other/b.png)`, ""},
		{"left alone: strings", `content: "url(b.png)"; content: 'b.png'; x: "other.css"`, ""},
		{"left alone: comments", `/* url(b.png) @import "other.css"; */ /*# sourceMappingURL=site.css.map */`, ""},
		{"left alone: other functions", `myurl(b.png) image-url(b.png) url-prefix(b.png)`, ""},
		{"left alone: itself", `@import "site.css"; url(site.css)`, ""},
		{"left alone: import circle", `@import "circle.css";`, ""},
		{"left alone: escapes", `url(b\.png) url("b\.png")`, ""},
		{"left alone: unfinished", `url(b.png`, ""},
		{"left alone: unfinished string", "url('b.png\n)", ""},
		{"left alone: unfinished comment", `/* url(b.png)`, ""},
		{"comment in front", `/*x*/url(b.png)/**/`, `/*x*/url(b.H.png)/**/`},
		{"string in front", `content: "\"'/*"; x: url(b.png)`, `content: "\"'/*"; x: url(b.H.png)`},
		{"import ends at the semicolon", `@import; x: "other.css"`, ""},
	} {
		f := newFiles("css/site.css", c.css, "css/b.png", "b", "css/sp ace.png", "s", "css/f.eot", "f", "css/d.svg", "<svg/>", "img/c.png", "c", "css/other.css", "o{}",
			"css/circle.css", `@import "circle2.css"`, "css/circle2.css", `@import "site.css"`)
		want := c.want
		if want == "" {
			want = c.css
		}
		if got := hashes.ReplaceAllString(text(t, get(f, mustURL(t, f, "css/site.css"))), ".H"); got != want {
			t.Errorf("%s: got\n%s, want\n%s", c.name, got, want)
		}
		if errs := f.Check(); len(errs) != 0 {
			t.Errorf("%s: Check: %v", c.name, errs)
		}
	}
}

func TestRewrittenReferencesCanBeFetched(t *testing.T) {
	t.Parallel()
	f := newFiles("site.css", `a { background: url("img/a b.png") }`, "img/a b.png", "PNG")
	css := text(t, get(f, mustURL(t, f, "site.css")))
	target := "/static/" + strings.Split(css, `"`)[1]
	if r := get(f, target); text(t, r) != "PNG" || r.Header.Get("Cache-Control") != immutable {
		t.Errorf("%s: %d", target, r.StatusCode)
	}
}

func TestHashOfASheetFollowsItsFiles(t *testing.T) {
	t.Parallel()
	one := mustURL(t, newFiles("a.css", "url(b.css)", "b.css", "url(c.png)", "c.png", "1"), "a.css")
	two := mustURL(t, newFiles("a.css", "url(b.css)", "b.css", "url(c.png)", "c.png", "2"), "a.css")
	if one == two {
		t.Error("a new image left the URL of the sheet as it was")
	}
}

// TestCircleIsDeterministic: names do not depend on which sheet is asked for first.
func TestCircleIsDeterministic(t *testing.T) {
	t.Parallel()
	files := []string{"a.css", `@import "b.css"; x{background:url(i.png)}`, "b.css", `@import "a.css";`, "i.png", "1"}
	one, two := newFiles(files...), newFiles(files...)
	a1, b1 := mustURL(t, one, "a.css"), mustURL(t, one, "b.css")
	b2, a2 := mustURL(t, two, "b.css"), mustURL(t, two, "a.css")
	if a1 != a2 || b1 != b2 {
		t.Errorf("%s and %s, then %s and %s", a1, b1, a2, b2)
	}
}

func TestCheckReportsMissingReferences(t *testing.T) {
	t.Parallel()
	f := newFiles("a.css", `url(gone.png) url(../../outside.png) url(b.png)`, "b.png", "1")
	errs := f.Check()
	if len(errs) != 2 || errs[0].Error() != `static: a.css refers to "gone.png", which is not in any source` {
		t.Errorf("got %v", errs)
	}
}

func FuzzStyleSheet(f *testing.F) {
	f.Add(`@import "b.css"; a { background: url(b.png) url( "b.png" ) /* url( */ }`)
	f.Add(`url(b\) url('`)
	f.Fuzz(func(t *testing.T, css string) {
		last := 0
		for _, r := range references(css) {
			if r.start < last || r.end <= r.start || r.end > len(css) {
				t.Fatalf("%q: reference %v after %d", css, r, last)
			}
			last = r.end
			if name, length, ok := localName("css/a.css", css[r.start:r.end], "/static/"); ok && (length > r.end-r.start || name == "") {
				t.Fatalf("%q: name %q, length %d", css, name, length)
			}
		}
		files := newFiles("a.css", css, "b.png", "1", "b.css", "b")
		if got := text(t, get(files, "/static/a.css")); hashes.ReplaceAllString(got, "") != hashes.ReplaceAllString(css, "") {
			t.Fatalf("%q became %q", css, got)
		}
	})
}
