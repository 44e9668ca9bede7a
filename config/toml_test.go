package config

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
)

// readTOML returns a whole file as one map.
func readTOML(text string) (map[string]any, *Problem) {
	if _, problem := parseTOML("x.toml", text, nil); problem != nil {
		return nil, problem
	}
	p := &tomlParser{text: strings.TrimPrefix(text, "\ufeff"), line: 1}
	root := &tomlTable{state: tableDefined}
	p.document(root)
	return plainTOML(root).(map[string]any), nil
}

// oracle reads with the library that everyone uses.
func oracle(text string) (map[string]any, error) {
	m := map[string]any{}
	_, err := toml.Decode(text, &m)
	return m, err
}

// lenient reports whether the library may have let something pass: it joins
// some tables that are written twice, nests without a limit, and skips the
// first bytes of UTF-16.
func lenient(problem *Problem) bool {
	return problem != nil && (strings.Contains(problem.Message, "not UTF-8") || strings.Contains(problem.Message, "already set") || strings.Contains(problem.Message, "too deeply"))
}

func TestTOMLTablesAreWrittenOnce(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"a = 1\na = 2", "a = 1\n\"a\" = 2", "a.b = 1\na = 2", "a = 1\na.b = 2", "a = {b = 1, b = 2}", "a = {b.c = 1, b = 2}", "a = {b = {c = 1}, b.d = 2}",
		"[a]\n[a]", "[a.b]\nc = 1\n[a]\nb = 2", "[a.b]\nc = 1\n[a]\nb.d = 2", "[a.b.c]\nz = 9\n[a]\nb.c.t = 1", "a.b = 1\n[a]", "[a]\nb.c = 1\n[a.b]",
		"[a]\n[[a]]", "[[a]]\n[a]", "[[a]]\n[a.b]\n[a.b]", "[a.b]\n[[a]]", "a = []\n[[a]]", "a = [{b = 1}]\n[a.c]", "[[a]]\nb.c = 1\n[a.b]", "a = 1\n[a]", "a = 1\n[a.b]",
		"a = {b = 1}\n[a]", "a = {b = 1}\n[a.c]", "a = {b = 1}\na.c = 2", "a = {b.c = 1}\n[a.b]", "a = {b = []}\n[[a.b]]", "a = {b = {}}\na.b.c = 1",
	} {
		if m, problem := readTOML(text); problem == nil || !strings.Contains(problem.Message, "already set on line 1") && !strings.Contains(problem.Message, "already set on line 2") {
			t.Errorf("%q: %v, %v", text, m, problem)
		}
	}
	for _, text := range []string{
		"[a.b]\n[a]\nc = 1", "[a]\n[a.b]", "a.b = 1\n[a.c]", "[a]\nb.c = 1\n[a.b.d]\ne = 1", "[[a]]\n[a.b]\n[[a]]\n[a.b]", "a.b.c = 1\na.b.d = 2", "[x.y.z]\n[x]\n[x.y]",
	} {
		if _, problem := readTOML(text); problem != nil {
			t.Errorf("%q: %v", text, problem)
		}
	}
}

// alike writes values of both readers in one way.
func alike(value any) any {
	switch value := value.(type) {
	case map[string]any:
		m := map[string]any{}
		for k, v := range value {
			m[k] = alike(v)
		}
		return m
	case []map[string]any:
		list := []any{}
		for _, v := range value {
			list = append(list, alike(v))
		}
		return list
	case []any:
		list := []any{}
		for _, v := range value {
			list = append(list, alike(v))
		}
		return list
	case float64:
		if math.IsNaN(value) {
			return "nan"
		}
	case time.Time:
		switch value.Location().String() {
		case "datetime-local":
			return value.Format("2006-01-02T15:04:05.999999999")
		case "date-local":
			return value.Format(time.DateOnly)
		case "time-local":
			return value.Format("15:04:05.999999999")
		}
		return value.Format(time.RFC3339Nano)
	case tomlTime:
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly, time.TimeOnly} {
			t, err := time.Parse(layout, string(value))
			if err != nil {
				continue
			}
			if layout == time.RFC3339 {
				return t.Format(time.RFC3339Nano)
			}
			if layout != time.DateOnly {
				layout += ".999999999"
			}
			return t.Format(layout)
		}
		return "no time: " + string(value)
	}
	return value
}

func TestTOMLIsReadAsByOthers(t *testing.T) {
	t.Parallel()
	for _, text := range tomlSamples {
		want, err := oracle(text)
		got, problem := readTOML(text)
		if lenient(problem) {
			continue
		}
		if (err == nil) != (problem == nil) {
			t.Errorf("%q: %v, but the library says %v", text, problem, err)
			continue
		}
		if err == nil && !cmp.Equal(alike(got), alike(want)) {
			t.Errorf("%q: %s", text, cmp.Diff(alike(want), alike(got)))
		}
	}
}

// tomlSamples are the rules of the specification, each kept and broken.
var tomlSamples = []string{
	"", "\ufeffa = 1", "# comment", "a = 1 # c\r\nb = 2", "a = 1\rb = 2", "a = 1 b = 2", "# \x00", "# \x7f", "a = 1\x00", "\xff", "a = '\xff'",
	// keys
	"bare-key_1 = 1", "\"q k\" = 1", "'l k' = 1", "\"\" = 1", "'' = 1", " = 1", "a.b.c = 1\na.b.d = 2", "a . b = 1", "a. = 1", ".a = 1", "a..b = 1",
	"a = 1\na = 2", "a = 1\n\"a\" = 2", "a.b = 1\na = 2", "a = 1\na.b = 2", "é = 1", "a b = 1", "a", "a =", "= 1", "\"\"\"a\"\"\" = 1", "3.14 = 1",
	"\"a\\nb\" = 1", "'a\nb' = 1", "true = 1", "1979-05-27 = 1", "a\n= 1", "a = \n1",
	// strings
	`a = "x\b\t\n\f\r\e\"\\\x41\u00e9\U0001F600"`, `a = "\q"`, `a = "\u12"`, `a = "\ud800"`, `a = "\U00110000"`, `a = "\U12345678"`, `a = "\xg0"`, `a = "\u+123"`,
	"a = \"x\ny\"", "a = \"\t\"", "a = \"\x01\"", `a = "x`, `a = 'C:\x'`, "a = '\t'", "a = '\x01'", "a = 'x", "a = ''", `a = ""`,
	"a = \"\"\"\nx\ny\"\"\"", "a = \"\"\"\r\nx\r\ny\"\"\"", "a = \"\"\"x \\\n  \n y\"\"\"", "a = \"\"\"x \\  \n  y\"\"\"", "a = \"\"\"x \\ y\"\"\"",
	`a = """x"y""z"""`, `a = """"x""""`, `a = """""x"""""`, `a = """x""""""`, `a = """x`, `a = """x"`, `a = """x\"""`, "a = \"\"\"\x01\"\"\"", "a = \"\"\"x\ry\"\"\"",
	"a = '''\nx\ny'''", "a = '''x'y''z'''", "a = ''''x''''", "a = '''''x'''''", "a = '''x''''''", "a = '''x", "a = '''\\'''", `a = "x" "y"`, `a = "x"y`, "a = \"\"\"\\\n\"\"\"", "a = \"\"\"\\\\\n\"\"\"",
	// numbers
	"a = 0", "a = +0", "a = -0", "a = 42", "a = -42", "a = +42", "a = 1_000", "a = 1__0", "a = _1", "a = 1_", "a = 01", "a = -01", "a = 00", "a = +", "a = -", "a = 1e", "a = 9223372036854775807",
	"a = -9223372036854775808", "a = 9223372036854775808", "a = 0xdead_BEEF", "a = 0x", "a = 0x_1", "a = 0x1_", "a = -0x1", "a = +0x1", "a = 0o755", "a = 0o8", "a = 0b1101", "a = 0b2", "a = 0X1", "a = 0x7fffffffffffffff", "a = 0x8000000000000000",
	"a = 1.5", "a = -1.5e10", "a = 1e5", "a = 1E+5", "a = 1e-5", "a = 1e05", "a = 1.e5", "a = .5", "a = 5.", "a = 1._5", "a = 1_.5", "a = 1e_5", "a = 1e1_0", "a = 01.5", "a = 0.5", "a = 1e400", "a = 1.2.3", "a = 1e1.5", "a = 0e0", "a = 1_000.5_0",
	"a = inf", "a = +inf", "a = -inf", "a = nan", "a = -nan", "a = +nan", "a = Inf", "a = infinity",
	"a = true", "a = false", "a = True", "a = yes", "a = 1,", "a = @",
	// times
	"a = 1979-05-27T07:32:00Z", "a = 1979-05-27t07:32:00z", "a = 1979-05-27 07:32:00-07:30", "a = 1979-05-27T07:32:00.123456789+00:00", "a = 1979-05-27T07:32Z", "a = 1979-05-27T07:32:00", "a = 1979-05-27 07:32", "a = 1979-05-27",
	"a = 07:32:00", "a = 07:32", "a = 07:32:00.5", "a = 07:32:00.", "a = 7:32:00", "a = 24:00:00", "a = 23:60:00", "a = 23:59:60", "a = 1979-13-01", "a = 1979-02-30", "a = 2000-02-29", "a = 1900-02-29", "a = 1979-5-27",
	"a = 1979-05-27T", "a = 1979-05-27  07:32:00", "a = 1979-05-27T07", "a = 1979-05-27T07:32:00+0700", "a = 1979-05-27T07:32:00+07", "a = 07:32:00Z", "a = 1979-05-27Z", "a = 1979-05-27 # day", "a = [1979-05-27, 1979-05-28]", "a = 1979-05-27_07:32:00", "a = 1979-05-27T07:32:00+25:00", "a = 0000-01-01",
	// lists
	"a = []", "a = [1, 2]", "a = [1, 2,]", "a = [,]", "a = [1,,2]", "a = [1 2]", "a = [\n1, # one\n2\n\n, 3\n]", "a = [1, 'x', [2.5], {b = 1}]", "a = [1", "a = [1,", "a = [1]]", "a = [[[]]]", "a = [#]\n]", "a = ['''\n[''']",
	// tables
	"[a]", "[a]\nb = 1\n[c]\nb = 2", "[a.b]\nc = 1", "[ a . \"b\" ]", "[a]\n[a]", "[a.b]\n[a]\nc = 1", "[a]\n[a.b]", "[a.b]\nc = 1\n[a]\nb = 2", "[a.b]\nc = 1\n[a]\nb.d = 2", "[a.b.c]\nz = 9\n[a]\nb.c.t = 1",
	"a.b = 1\n[a]", "a.b = 1\n[a.c]", "[a]\nb.c = 1\n[a.b]", "[a]\nb.c = 1\n[a.b.d]\ne = 1", "[]", "[a.]", "[a", "[a] b = 1", "[a]\n[[a]]", "[a]]", "[\na]", "a = 1\n[a]", "a = 1\n[a.b]", "[a] # c",
	"[[a]]\nb = 1\n[[a]]\nb = 2", "[[a]]\n[a]", "[[a]]\n[a.b]\nc = 1\n[[a]]\n[a.b]\nc = 2", "[[a]]\n[a.b]\n[a.b]", "[[a.b]]\n[[a.b]]", "[a.b]\n[[a]]", "[[a]]\n[[a.b]]\n[[a.b]]\n[[a]]\n[[a.b]]", "a = []\n[[a]]", "a = [{b = 1}]\n[a.c]", "[[a] ]", "[ [a]]", "[[a.b]]\n[a]\nc = 1", "[[a]]\nb.c = 1\n[a.b]",
	"[[a]]\na.b = 1\n[[a.a]]", "[x.y.z.w]\n[x]", "[a]\nx = 1\n[a.x]",
	// tables in braces
	"a = {}", "a = {b = 1, c.d = 2}", "a = {b = 1,}", "a = {,}", "a = {b = 1, b = 2}", "a = {b.c = 1, b.d = 2}", "a = {b = {c = 1}, b.d = 2}", "a = {b.c = 1, b = 2}", "a = {\nb = 1, # c\nc = 2\n}", "a = {b = 1 c = 2}", "a = {b}", "a = {b = }", "a = {b = 1",
	"a = {b = 1}\n[a]", "a = {b = 1}\n[a.c]", "a = {b = 1}\na.c = 2", "a = {b.c = 1}\n[a.b]", "a = {b = []}\n[[a.b]]", "a = {}}", "[a]\nb = {}\n[a.b]", "a = {b = {}}\na.b.c = 1",
}

func TestTOMLTellsTheLineAndWhatToDo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"a = 1\nb = yes", "x.toml:2: is not valid TOML: " + notAValue},
		{"a = '''\n\n'''\nb = [\n1,\n2\nc = 3", "x.toml:7: is not valid TOML: the values of a list stand in brackets, with commas between them"},
		{"a = 1\r\n\r\na = 2", "x.toml:3: is not valid TOML: the key or table was already set on line 1"},
		{"[a]\nb = 1\n[c]\n[a]", "x.toml:4: is not valid TOML: the key or table was already set on line 1"},
		{"a = 1\nb = 'x", "x.toml:2: is not valid TOML: the text in quotes has no end"},
		{"a = 1\n\nb = '\xff'", "x.toml:3: is not valid TOML: the text is not UTF-8"},
		{`a = "C:\users"`, "x.toml:1: is not valid TOML: a backslash in double quotes begins an escape such as \\n or \\u00e9; use single quotes for text as it is"},
		{"a = 1\nb: 2", "x.toml:2: is not valid TOML: a key is followed by = and a value"},
		{strings.Repeat("a = [\n", 1) + strings.Repeat("[", 1<<17), "x.toml:2: is not valid TOML: nested too deeply"},
		{"a" + strings.Repeat(".a", 1<<17) + " = 1", "x.toml:1: is not valid TOML: nested too deeply"},
	} {
		_, problem := parseTOML("x.toml", tt.text, nil)
		if problem == nil || problem.String() != tt.want {
			t.Errorf("%.40q: got %v, want %s", tt.text, problem, tt.want)
		}
	}
}

func TestTOMLValuesKnowTheirLine(t *testing.T) {
	t.Parallel()
	entries, problem := parseTOML("x.toml", "a = '''\n\n'''\nb = 1\n[c]\n# c\nd = [\n1,\n]\ne.f = {\ng = 1 }\n[[h]]\n", []*field{{key: "c.e.f"}})
	if problem != nil {
		t.Fatal(problem)
	}
	got := map[string]string{}
	for _, e := range entries {
		got[e.key] = e.source
	}
	want := map[string]string{"a": "x.toml:1", "b": "x.toml:4", "c.d": "x.toml:7", "c.e.f": "x.toml:10", "h": "x.toml:12"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzTOMLIsReadAsByOthers compares with the library.
func FuzzTOMLIsReadAsByOthers(f *testing.F) {
	for _, text := range tomlSamples {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, problem := readTOML(text)
		if lenient(problem) {
			return
		}
		want, err := oracle(text)
		if (err == nil) != (problem == nil) {
			t.Fatalf("%q: %v, but the library says %v", text, problem, err)
		}
		if err == nil && !cmp.Equal(alike(got), alike(want)) {
			t.Errorf("%q: %s", text, cmp.Diff(alike(want), alike(got)))
		}
	})
}

// Settings are read at every start, so no file may take long.
func TestTOMLOfAnySizeIsReadSoon(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"one list":        "a = [" + strings.Repeat("1,", maxFile/2) + "]",
		"lines of a list": "a = [" + strings.Repeat("\n#\n1,", maxFile/5) + "]",
		"nested lists":    strings.Repeat("a = "+strings.Repeat("[", 99)+strings.Repeat("]", 99)+"\n", 1),
		"tables":          strings.Repeat("[[a]]\n[[a.b]]\n[a.b.c]\n", maxFile/20),
		"deep headers":    strings.Repeat("[["+strings.Repeat("a.", 99)+"a]]\n", maxFile/210),
		"long text":       "a = '''" + strings.Repeat("\r\n''", maxFile/4) + "'''",
		"escapes": `a = """` + strings.Repeat(`\u00e9\
  `, maxFile/10) + `"""`,
		"quotes":  `a = "` + strings.Repeat(`\"`, maxFile/2) + `"`,
		"numbers": "a = " + strings.Repeat("1_1", maxFile/3),
		"key":     strings.Repeat("k", maxFile-4) + " = 1",
		"braces":  "a = {" + strings.Repeat("b.b.b.b.b = 1, b.b.b.b.b = 2,", maxFile/30),
		"comment": "#" + strings.Repeat("# ", maxFile/2),
	} {
		if _, problem := readTOML(text[:min(len(text), maxFile)]); problem != nil && strings.Contains(problem.Message, "too deeply") {
			t.Errorf("%s: %v", name, problem)
		}
	}
}

func BenchmarkTOML(b *testing.B) {
	text := strings.Repeat("[table]\n", 1)
	for i := range 50 {
		text += "key" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + " = 'a value of some length' # why\n"
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, problem := parseTOML("x.toml", text, nil); problem != nil {
			b.Fatal(problem)
		}
	}
}
