package blog

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPageNumbers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		current, last int
		want          []int
	}{
		{1, 1, []int{1}},
		{1, 3, []int{1, 2, 3}},
		{1, 30, []int{1, 2, 3, 0, 30}},
		{4, 30, []int{1, 2, 3, 4, 5, 6, 0, 30}},
		{15, 30, []int{1, 0, 13, 14, 15, 16, 17, 0, 30}},
		{30, 30, []int{1, 0, 28, 29, 30}},
	} {
		if got := pageNumbers(test.current, test.last); !slices.Equal(got, test.want) {
			t.Errorf("page %d of %d: %v, want %v", test.current, test.last, got, test.want)
		}
	}
}

func TestSlugify(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Soda bread, again":        "soda-bread-again",
		"  -- It's 5 o’clock! -- ": "its-5-oclock",
		"Crème Brûlée":             "creme-brulee",
		"Straße nach Łódź":         "strasse-nach-lod",
		"日本":                       "",
		"":                         "",
	} {
		if got := slugify(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestSearchWords(t *testing.T) {
	t.Parallel()
	for q, want := range map[string]string{
		"":                             "",
		" \t\x00\xff ":                 "",
		"salt  water":                  "salt|water",
		"a b c d e f g h":              "a|b|c|d|e|f",
		strings.Repeat("é", 70) + " x": strings.Repeat("é", 60) + "|x",
	} {
		if got := strings.Join(searchWords(q), "|"); got != want {
			t.Errorf("%q: %q, want %q", q, got, want)
		}
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("one two three ", 40)
	for _, test := range []struct{ name, body, want string }{
		{"short", "the salt is here", "the [salt] is here"},
		{"absent", "nothing", "a summary with [salt]"},
		{"other case", "SALT", "[SALT]"},
		{"no spaces", strings.Repeat("水", 300) + "salt" + strings.Repeat("水", 300), "… " + strings.Repeat("水", 30) + "[salt]" + strings.Repeat("水", 64) + " …"},
		{"letters that hold a byte like a space", strings.Repeat("à", 300) + "salt", "… " + strings.Repeat("à", 45) + "[salt]"},
	} {
		if got := marked(excerpt(&Post{Body: test.body, Summary: "a summary with salt"}, []string{"salt"})); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	got := marked(excerpt(&Post{Body: long + "salt " + long}, []string{"salt"}))
	if !strings.HasPrefix(got, "… ") || !strings.HasSuffix(got, " …") || !strings.Contains(got, "three [salt] one") || len(got) > 330 {
		t.Errorf("in a long text: %q", got)
	}
}

func marked(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Hit {
			b.WriteString("[" + p.Text + "]")
		} else {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

func FuzzHighlight(f *testing.F) {
	f.Add("Salt and water", "salt water")
	f.Add("ààà\xff", "à \xff")
	f.Add("ǅ ß İ", "ǆ SS i̇")
	f.Fuzz(func(t *testing.T, text, q string) {
		words := searchWords(q)
		var b strings.Builder
		for _, p := range highlight(text, words) {
			b.WriteString(p.Text)
			if utf8.ValidString(text) && !utf8.ValidString(p.Text) {
				t.Errorf("%q was cut inside a character", text)
			}
		}
		if b.String() != text {
			t.Errorf("%q became %q", text, b.String())
		}
		for _, p := range excerpt(&Post{Body: text, Summary: text}, words) {
			if utf8.ValidString(text) && !utf8.ValidString(p.Text) {
				t.Errorf("the excerpt of %q is cut inside a character", text)
			}
		}
	})
}

func FuzzSlugify(f *testing.F) {
	f.Add("Soda bread, again")
	f.Fuzz(func(t *testing.T, text string) {
		slug := slugify(text)
		if slug != slugify(slug) || strings.Trim(slug, "-") != slug || strings.Contains(slug, "--") {
			t.Errorf("%q became %q", text, slug)
		}
	})
}
