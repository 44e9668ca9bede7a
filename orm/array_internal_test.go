package orm

import (
	"slices"
	"testing"
)

func FuzzParseArray(f *testing.F) {
	for _, text := range []string{`{}`, `{1,2}`, `{"a","b \"c\"\\"}`, `[1,"x",true]`, `{NULL}`, `{{1}}`, `{"`, `{a,}`, `{t,f}`, "[", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := parseArray(text)
		if err != nil {
			return
		}
		texts := slices.ContainsFunc(values, func(v any) bool { _, ok := v.(string); return !ok })
		if texts {
			return // bools are read back as such, which the other notation spells otherwise
		}
		again, err := parseArray(ArrayValue{Values: values}.Braces())
		if err != nil || !slices.Equal(again, values) {
			t.Errorf("%q is %q, and back %q, %v", text, values, again, err)
		}
	})
}
