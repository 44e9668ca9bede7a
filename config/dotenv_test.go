package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestDotEnv(t *testing.T) {
	t.Parallel()
	known := func(name string) string { return map[string]string{"HOME": "/home/ada"}[name] }
	for _, tt := range []struct {
		name, text, want string
	}{
		{"plain", "A=1\nB=two words\n", "A=1@1 B=two words@2"},
		{"empty file", "", ""},
		{"empty value", "A=\nB=''\nC=\"\"", "A=@1 B=@2 C=@3"},
		{"comments", "# A=1\n  # x\nA=1 # note\nB=a#b\nC=#", "A=1@3 B=a#b@4 C=@5"},
		{"space around", "  A = 1  \n\tB=\t2", "A=1@1 B=2@2"},
		{"export", "export A=1\nexport\tB=2\nexported=3\nexport=4", "A=1@1 B=2@2 exported=3@3 export=4@4"},
		{"Windows line ends", "\ufeffA=1\r\nB='2'\r\nC=\"3\"\r\n", "A=1@1 B=2@2 C=3@3"},
		{"single quotes as they are", `A='a # b \n ${HOME}'`, `A=a # b \n ${HOME}@1`},
		{"double quotes", `A="a # b \"c\" \\ \$ \t|\d" # note`, "A=a # b \"c\" \\ $ \t|\\d@1"},
		{"several lines", "A=\"one\ntwo\"\nB='x\ny'\nC=3", "A=one\ntwo@1 B=x\ny@3 C=3@5"},
		{"quotes inside", `A=it's "fine"`, `A=it's "fine"@1`},
		{"other variables", "A=1\nB=${A}-${HOME}-${NO}\nC=\"${A}\\n\\${A}\"", "A=1@1 B=1-/home/ada-@2 C=1\n${A}@3"},
		{"dollars of passwords", "A=pa$$word$HOME\nB=${\nC=${a b}", "A=pa$$word$HOME@1 B=${@2 C=${a b}@3"},
		{"last one counts", "A=1\nA=2", "A=2@2"},
		{"equals sign in the value", "A=b=c==", "A=b=c==@1"},
		{"json", `A={"a": [1, 2]}`, `A={"a": [1, 2]}@1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			variables, err := parseDotEnv(tt.text, known)
			if err != nil {
				t.Fatalf("line %d %s", err.line, err.message)
			}
			var got []string
			for _, v := range variables {
				got = append(got, fmt.Sprintf("%s=%s@%d", v.name, v.value, v.line))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", strings.Join(got, " "), tt.want)
			}
		})
	}
}

func TestBrokenDotEnv(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"A=1\nhunter2":          "2 has no =",
		"\n\nA=\"hunter2\nB=1":  "3 opens a quote",
		"A='hunter2":            "1 opens a quote",
		"A='x' hunter2":         "1 has text after",
		"A=\"x\ny\"hunter2":     "1 has text after",
		"hunter 2=x":            "1 does not begin with a name",
		"=hunter2":              "1 does not begin with a name",
		"2A=hunter2":            "1 does not begin with a name",
		"A=\"hunter2\\":         "1 opens a quote",
		"export hunter2":        "1 has no =",
		"A=1\n# x\n- B=hunter2": "3 does not begin with a name",
	} {
		_, err := parseDotEnv(text, func(string) string { return "" })
		if err == nil || !strings.HasPrefix(fmt.Sprint(err.line, " ", err.message), want) || strings.Contains(err.message, "hunter2") {
			t.Errorf("%q: error is %+v, want %s", text, err, want)
		}
	}
}

// Variables that double each other must not fill the memory.
func TestDotEnvExpansionIsBounded(t *testing.T) {
	t.Parallel()
	text := "A0=xxxxxxxxxxxxxxxx\n"
	for i := range 60 {
		text += fmt.Sprintf("A%d=${A%d}${A%d}\n", i+1, i, i)
	}
	if _, err := parseDotEnv(text, func(string) string { return "" }); err == nil || !strings.Contains(err.message, "too long") {
		t.Errorf("error is %+v", err)
	}
}

func TestDotEnvTakesLinearTime(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"A=" + strings.Repeat("${", maxFile/2), "A=\"" + strings.Repeat("\\n${", maxFile/4) + "\"", strings.Repeat("A=\n", maxFile/3)} {
		if _, err := parseDotEnv(text, func(string) string { return "" }); err != nil {
			t.Errorf("%.10q…: %+v", text, err)
		}
	}
}

func FuzzDotEnv(f *testing.F) {
	for _, seed := range []string{"A=1\nB='x'\n", "export A=\"a\\n${B}\" # c", "A=${A}${A}", "A='", "\ufeff#x\r\n=", "A=\"\n\n\"\nB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		variables, err := parseDotEnv(text, func(name string) string { return name })
		lines := strings.Count(text, "\n") + 1
		if err != nil {
			if err.line < 1 || err.line > lines {
				t.Errorf("error in line %d of %d", err.line, lines)
			}
			return
		}
		for _, v := range variables {
			if v.line < 1 || v.line > lines || !isVariableName(v.name) {
				t.Errorf("%+v in %d lines", v, lines)
			}
		}
	})
}
