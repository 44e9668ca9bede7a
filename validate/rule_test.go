package validate_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/validate"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		tag  string
		want validate.Rules
	}{
		{"", nil},
		{"-", nil},
		{"required", validate.Rules{{Name: "required"}}},
		{"required, min=3 ,max=9", validate.Rules{{Name: "required"}, {Name: "min", Param: "3"}, {Name: "max", Param: "9"}}},
		{"one_of=a|b,url", validate.Rules{{Name: "one_of", Param: "a|b"}, {Name: "url"}}},
		{"url=ftp|sftp", validate.Rules{{Name: "url", Param: "ftp|sftp"}}},
		{"required,pattern=^[a-z]{1,3}(,x=y)?$", validate.Rules{{Name: "required"}, {Name: "pattern", Param: "^[a-z]{1,3}(,x=y)?$"}}},
		{"max=5,each,min=2", validate.Rules{{Name: "max", Param: "5"}, {Name: "each"}, {Name: "min", Param: "2"}}},
	}
	for _, test := range tests {
		got, err := validate.Parse(test.tag)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.tag, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("Parse(%q): %s", test.tag, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"requird":     `no rule "requird"`,
		"gte=3":       `say "min"`,
		"dive":        `say "each"`,
		"omitempty":   "leave it out",
		"min":         "needs a parameter",
		"min=":        "needs a parameter",
		"required=1":  "takes no parameter",
		"required,":   "ends with a comma",
		"required,,x": `no rule ""`,
	} {
		if _, err := validate.Parse(tag); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, want %q", tag, err, want)
		}
	}
}

func TestRulesAreReadable(t *testing.T) {
	t.Parallel()
	const tag = "required,max=5,each,min=2"
	rules, err := validate.Parse(tag)
	if err != nil {
		t.Fatal(err)
	}
	if got := rules.String(); got != tag {
		t.Errorf("String() = %q", got)
	}
	if param, ok := rules.Get("max"); !ok || param != "5" {
		t.Errorf(`Get("max") = %q, %v`, param, ok)
	}
	if _, ok := rules.Get("min"); ok {
		t.Error(`Get("min") finds a rule for items`)
	}
	if got := rules.Each().String(); got != "min=2" {
		t.Errorf("Each() = %q", got)
	}
}

type status string

func TestValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		tag   string
		value any
		want  string // codes
	}{
		{"required", "", "required"},
		{"required", " \t\n", "required"},
		{"required", "x", ""},
		{"required", 0, "required"},
		{"required", new(0), ""},
		{"required", (*int)(nil), "required"},
		{"required", new(""), "required"},
		{"required", false, "required"},
		{"required", []int{}, "required"},
		{"required", []int{0}, ""},
		{"required", map[string]int{}, "required"},
		{"required", time.Time{}, "required"},
		{"required", time.Unix(0, 0), ""},
		{"min=3", "", ""},
		{"min=3", "äö", "min_length"},
		{"min=3", "äöü", ""},
		{"max=3", "日本語", ""},
		{"max=3", "日本語x", "max_length"},
		{"len=2", "x", "length"},
		{"len=2", []int{1}, "items"},
		{"len=2", []int{1, 2}, ""},
		{"min=1", []int{}, "min_items"},
		{"max=1", []int{1, 2}, "max_items"},
		{"max=1", map[string]int{"a": 1, "b": 2}, "max_items"},
		{"min=1", 0, "min"},
		{"min=-5", int8(-6), "min"},
		{"max=9223372036854775807", int64(9223372036854775807), ""},
		{"max=18446744073709551614", uint64(18446744073709551615), "max"},
		{"min=0.5", 0.4, "min"},
		{"above=0", 0.0, "above"},
		{"above=0", 0.1, ""},
		{"below=10", 10, "below"},
		{"min=1m", time.Second, "min"},
		{"max=1h", time.Minute, ""},
		{"multiple_of=5", 12, "multiple_of"},
		{"multiple_of=5", uint8(15), ""},
		{"multiple_of=5", -10, ""},
		{"one_of=draft|live", status("live"), ""},
		{"one_of=draft|live", status("gone"), "one_of"},
		{"one_of=draft|live", "", ""},
		{"one_of=1|2", 3, "one_of"},
		{"one_of=1|2", uint16(2), ""},
		{"pattern=^[a-z]+$", "abc", ""},
		{"pattern=^[a-z]+$", "abc\n", "pattern"},
		{"email", "nobody", "email"},
		{"url", "javascript:alert(1)", "url"},
		{"url=ftp", "ftp://example.com/x", ""},
		{"hostname", "a b", "hostname"},
		{"int_list", "1,x", "int_list"},
		{"not_pattern=^a,b", "a,bc", "not_pattern"},
		{"ip", "1.2.3", "ip"},
		{"slug", "a b", "slug"},
		{"uuid", "x", "uuid"},
		{"single_line", "a\nb", "single_line"},
		{"unique", []string{"a", "b"}, ""},
		{"unique", []string{"a", "b", "a"}, "unique"},
		{"min=3,email", "a", "min_length email"},
		{"email", new("a"), "email"},
		{"email", (*string)(nil), ""},
		{"max=1,each,min=2", []string{"a", "bb", "c"}, "max_items min_length min_length"},
		{"each,each,max=1", [][]string{{"a"}, {"b", "cc"}}, "max_length"},
		{"each,email", map[string]string{"a": "x"}, "email"},
	}
	for _, test := range tests {
		rules, err := validate.Parse(test.tag)
		if err != nil {
			t.Fatal(err)
		}
		checker, err := rules.For(reflect.TypeOf(test.value))
		if err != nil {
			t.Fatal(err)
		}
		if got := codes(checker.Check(context.Background(), "f", test.value)); got != test.want {
			t.Errorf("%s of %#v = %q, want %q", test.tag, test.value, got, test.want)
		}
	}
}

func codes(err error) string {
	fields, _ := errors.AsType[validate.Errors](err)
	list := make([]string, len(fields))
	for i := range fields {
		list[i] = fields[i].Code
	}
	return strings.Join(list, " ")
}

func TestRulesOnWrongKinds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		tag   string
		value any
		want  string
	}{
		{"email", 1, "is for strings, not for int"},
		{"min=1", true, "not for bool"},
		{"min=x", 1, "needs a whole number"},
		{"min=1.5", 1, "needs a whole number"},
		{"max=300", int8(1), "fits int8"},
		{"min=-1", uint(1), "fits uint"},
		{"min=-1", "x", "from 0 up"},
		{"min=5", time.Second, "needs a duration"},
		{"above=1", "x", "is for numbers"},
		{"len=1", 1, "is for strings, lists and maps"},
		{"multiple_of=0", 1, "above 0"},
		{"multiple_of=2", 1.5, "whole numbers"},
		{"one_of=a|b", 1, `has the choice "a"`},
		{"one_of=1|2", 1.5, "strings and whole numbers"},
		{"pattern=(", "x", "missing closing"},
		{"unique", "x", "is for lists"},
		{"unique", []any{}, "is for lists"},
		{"unique", [][]int{}, "is for lists"},
		{"each,min=1", "x", "lists and maps"},
	}
	for _, test := range tests {
		rules, err := validate.Parse(test.tag)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rules.For(reflect.TypeOf(test.value)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s for %T = %v, want %q", test.tag, test.value, err, test.want)
		}
	}
}

func TestCheckerRefusesOtherTypes(t *testing.T) {
	t.Parallel()
	checker, err := validate.Rules{{Name: "required"}}.For(reflect.TypeFor[int]())
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []any{nil, "x", new(1)} {
		if err := checker.Check(context.Background(), "f", value); err == nil {
			t.Errorf("%T was checked as int", value)
		}
	}
}

func TestRegister(t *testing.T) {
	even := validate.CustomRule{
		Name: "even_test", Message: "must be even", New: func(string) (func(any) bool, error) {
			return func(v any) bool { return v.(int)%2 == 0 }, nil
		},
	}
	validate.Register(even)
	var in struct {
		N int `json:"n" validate:"even_test"`
	}
	in.N = 3
	if err := validate.Struct(in); err == nil || err.Error() != "n: must be even" {
		t.Errorf("Struct = %v", err)
	}
	in.N = 4
	if err := validate.Struct(in); err != nil {
		t.Errorf("Struct = %v", err)
	}
	for name, rule := range map[string]validate.CustomRule{
		"twice":       even,
		"built-in":    {Name: "email", Message: "x", New: even.New},
		"no message":  {Name: "even_test2", New: even.New},
		"no function": {Name: "even_test2", Message: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				text, _ := recover().(string)
				if !strings.Contains(text, "rule_test.go:") {
					t.Errorf("panic = %q, want the place", text)
				}
				if name == "twice" && strings.Count(text, "rule_test.go:") != 2 {
					t.Errorf("panic = %q, want both places", text)
				}
			}()
			validate.Register(rule)
		})
	}
}

// Whatever a tag holds, Parse answers, and what it accepts it can write again.
func FuzzParse(f *testing.F) {
	for _, tag := range []string{"required,min=3", "pattern=a,b", "each,each", "one_of=|", "-", ",", "="} {
		f.Add(tag)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		rules, err := validate.Parse(tag)
		if err != nil {
			return
		}
		again, err := validate.Parse(rules.String())
		if err != nil || !cmp.Equal(rules, again) {
			t.Errorf("%q gives %v, which gives %v, %v", tag, rules, again, err)
		}
		for _, value := range []any{"x", 1, []string{"a"}} {
			checker, err := rules.For(reflect.TypeOf(value))
			if err == nil {
				_ = checker.Check(context.Background(), "f", value)
			}
		}
	})
}

func TestMessages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code   string
		params map[string]any
		want   string
	}{
		{"min_length", map[string]any{"min": 1}, "must have at least 1 character"},
		{"min_length", map[string]any{"min": 3}, "must have at least 3 characters"},
		{"one_of", map[string]any{"choices": []string{"a", "b", "c"}}, "must be one of a, b or c"},
		{"one_of", map[string]any{"choices": []string{"a"}}, "must be one of a"},
		{"type", map[string]any{"type": "integer"}, "must be a whole number"},
		{"type", map[string]any{"type": "strange"}, "has the wrong type"},
		{"no such code", nil, "is not valid"},
		{"range", map[string]any{"min": int64(-128), "max": int64(127)}, "must be between -128 and 127"},
		{"min", nil, "must be at least {min}"},
	}
	for _, test := range tests {
		if got := validate.Message(test.code, test.params); got != test.want {
			t.Errorf("Message(%q, %v) = %q, want %q", test.code, test.params, got, test.want)
		}
	}
	if got := validate.Fill("a {b} {c", map[string]any{"b": "{c}"}); got != "a {c} {c" {
		t.Errorf("Fill = %q", got)
	}
}
