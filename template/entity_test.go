package template

import (
	"html"
	"strings"
	"testing"
)

func TestUnescape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "a & b": "a & b", "&": "&", "&&lt;": "&<", "&lt;b&gt;": "<b>", "&amp;lt;": "&lt;", "&ampx": "&x", "&notit;": "¬it;", "&notin;": "∉",
		"&nosuch;": "&nosuch;", "&Lt;": "≪", "&#60;": "<", "&#60": "<", "&#x3C;&#X3c;": "<<", "&#9": "\t", "&#": "&#", "&#x": "&#x", "&#x;": "&#x;", "&#;": "&#;", "&#xg": "&#xg",
		"&#0;": "\ufffd", "&#xd800;": "\ufffd", "&#99999999999999999999;": "\ufffd", "&#128;": "€", "&#159;": "Ÿ", "&fjlig;": "fj", "&semi;": ";", "&NotEqualTilde;": "≂̸", "&nGt;&nLt;": "≫⃒≪⃒", "&;": "&;",
	} {
		if got := unescape(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Everything that the table names stands for what package html says.
func TestUnescapeKnowsAllReferences(t *testing.T) {
	t.Parallel()
	count := 0
	for item := range strings.SplitSeq(entityTable, " ") {
		name, text, _ := strings.Cut(item, ";")
		count++
		if name == "nGt" || name == "nLt" {
			continue // the package lacks them
		}
		if got := html.UnescapeString("&" + name + ";"); got != text {
			t.Errorf("&%s; is %q, want %q", name, text, got)
		}
		for _, text := range []string{"&" + name, "&" + name + ";", "&" + name + "x"} {
			if got, want := unescape(text), html.UnescapeString(text); got != want {
				t.Errorf("%s is %q, want %q", text, got, want)
			}
		}
	}
	if count != 2125 {
		t.Errorf("%d references, want 2125", count)
	}
}

func FuzzUnescape(f *testing.F) {
	for _, text := range []string{"&lt;", "&amplt;", "&#x80;", "&#1234567890;", "&notin", "a&&b", "&#x10ffff;"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := unescape(text)
		if strings.Contains(text, "&#") || strings.Contains(text, "nGt;") || strings.Contains(text, "nLt;") {
			return // package html lets numbers overflow, and wants two digits
		}
		if want := html.UnescapeString(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	})
}

func BenchmarkUnescape(b *testing.B) {
	text := strings.Repeat("Fish &amp; chips, caf&eacute; &lt;b&gt; &#8364; 5. ", 20)
	b.ReportAllocs()
	for b.Loop() {
		unescape(text)
	}
}
