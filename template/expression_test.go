package template_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/retort-web/retort/template"
)

func ExampleEngine_Expression() {
	engine, err := template.New(template.Options{})
	if err != nil {
		panic(err)
	}
	rule, err := engine.Expression("user.age >= 18 and 'shop' in user.roles")
	if err != nil {
		panic(err)
	}
	for _, age := range []int{17, 40} {
		v, err := rule.Eval(template.Execution{Data: map[string]any{"user": map[string]any{"age": age, "roles": []string{"shop"}}}})
		fmt.Println(v.Any(), err)
	}
	// Output:
	// false <nil>
	// true <nil>
}

func TestExpressionIsOneExpressionOnly(t *testing.T) {
	t.Parallel()
	engine, err := template.New(template.Options{BlockStart: "<%", VariableStart: "${", VariableEnd: "}"})
	if err != nil {
		t.Fatal(err)
	}
	for _, src := range []string{"", "1 2", "a }} b", "{% if x %}", "(1", "1\x00", "x = 1", "1 ", "a.b }"} {
		_, err := engine.Expression(src)
		e, ok := errors.AsType[*template.Error](err)
		if (src == "1 ") != (err == nil) || err != nil && (!ok || e.Kind != template.Syntax) {
			t.Errorf("%q: %v", src, err)
		}
	}
	x, err := engine.Expression("{'a': {'b': (1, 2)}}['a']\n['b'], missing")
	if err != nil {
		t.Fatal(err)
	}
	v, err := x.Eval(template.Execution{})
	if err != nil || v.Text() != "((1, 2), Undefined)" {
		t.Errorf("got %s, %v", v.Text(), err)
	}
	missing, err := engine.Expression("missing")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := missing.Eval(template.Execution{}); err != nil || v.Defined() || v.Any() != nil || !v.Given() {
		t.Errorf("got %v, %v", v, err)
	}
	if (template.Value{}).Text() != "" || (template.Value{}).Defined() {
		t.Error("the zero Value is something")
	}
}
