package vectors

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/retort-web/retort/template"
)

// The callables of the set. What they compute is computed by the language
// itself, so that numbers, texts and lists add up as in Python.

var language = sync.OnceValue(func() *template.Engine {
	e, err := template.New(template.Options{Autoescape: func(string) bool { return false }})
	if err != nil {
		panic(err)
	}
	return e
})

// compute evaluates an expression with some names.
func compute(source string, names map[string]any) (template.Value, error) {
	x, err := language().Expression(source)
	if err != nil {
		return template.Value{}, err
	}
	return x.Eval(template.Execution{Data: names})
}

// defaultTo gives an argument that was left out its value.
func defaultTo(v template.Value, fallback any) any {
	if v.Given() {
		return v
	}
	return fallback
}

func fixtureGlobals() map[string]any {
	count := 0
	return map[string]any{
		"fx_add":    template.Func(fixtureAdd),
		"fx_concat": template.Func(fixtureConcat),
		"fx_kwargs": template.Func(fixtureKwargs),
		"fx_ctx":    template.Func(fixtureContext),
		"fx_gen":    fixtureGenerator,
		"fx_fail":   func() error { return errors.New("this fails") },
		"fx_count":  func() int { count++; return count },
		"fx_obj":    fixtureObject{},
		"fx_both":   fixtureBoth{},
		"fx_html":   fixtureHTML{},
	}
}

func fixtureFilters() map[string]any {
	return map[string]any{
		"fx_shout": func(s string) string { return strings.ToUpper(s) + "!" },
		"fx_wrap":  template.Func(fixtureWrap),
	}
}

func fixtureTests() map[string]any {
	return map[string]any{"fx_short": template.Func(fixtureShort)}
}

func fixtureAdd(c *template.Call) (any, error) {
	a, err := c.Values("a", "b?")
	if err != nil {
		return nil, err
	}
	return compute("a + b", map[string]any{"a": a[0], "b": defaultTo(a[1], 10)})
}

func fixtureWrap(c *template.Call) (any, error) {
	a, err := c.Values("s", "left", "right?")
	if err != nil {
		return nil, err
	}
	return compute("left + s + right", map[string]any{"s": a[0], "left": a[1], "right": defaultTo(a[2], "")})
}

func fixtureShort(c *template.Call) (any, error) {
	a, err := c.Values("s", "n?")
	if err != nil {
		return nil, err
	}
	return compute("s|length < n", map[string]any{"s": a[0], "n": defaultTo(a[1], 3)})
}

func fixtureConcat(c *template.Call) (any, error) {
	sep := ""
	for _, k := range c.Keywords() {
		if k != "sep" {
			return nil, fmt.Errorf("fx_concat() got an unexpected keyword argument '%s'", k)
		}
		sep = keyword(c, k)
	}
	parts := make([]string, c.NumArgs())
	for i := range parts {
		parts[i] = c.ArgValue(i).Text()
	}
	return strings.Join(parts, sep), nil
}

func fixtureKwargs(c *template.Call) (any, error) {
	if c.NumArgs() > 0 {
		return nil, errors.New("fx_kwargs() takes no positional arguments")
	}
	var parts []string
	for _, k := range c.Keywords() {
		parts = append(parts, k+"="+keyword(c, k))
	}
	slices.Sort(parts)
	return strings.Join(parts, ","), nil
}

func keyword(c *template.Call, name string) string {
	v, _ := c.KeywordValue(name)
	return v.Text()
}

func fixtureContext(c *template.Call) (any, error) {
	a, err := c.Values("name")
	if err != nil {
		return nil, err
	}
	// A list cannot be a name, which the language says best.
	if _, err := compute("{name: 1}", map[string]any{"name": a[0]}); err != nil {
		return nil, err
	}
	if v, ok := c.LookupValue(a[0].Text()); ok {
		return v, nil
	}
	return "-", nil
}

// fixtureGenerator is an iterator that can be gone through once.
func fixtureGenerator(n int) iter.Seq[int] {
	i := 0
	return func(yield func(int) bool) {
		for i < n {
			i++
			if !yield(i - 1) {
				return
			}
		}
	}
}

type fixtureObject struct{}

// TemplateAttr answers for the object's attributes; it has no elements.
func (o fixtureObject) TemplateAttr(name string) (any, bool) {
	switch name {
	case "name":
		return "Ada", true
	case "age":
		return 36, true
	case "tags":
		tags, err := compute("('math', 'code')", nil)
		return tags, err == nil
	case "greet":
		return template.Func(func(c *template.Call) (any, error) {
			a, err := c.Values("who?", "punct?")
			if err != nil {
				return nil, err
			}
			return compute("'hi ' + who + punct", map[string]any{"who": defaultTo(a[0], "you"), "punct": defaultTo(a[1], "!")})
		}), true
	case "self_ref":
		return template.Func(func(c *template.Call) (any, error) {
			_, err := c.Bind()
			return o, err
		}), true
	}
	return nil, false
}

type fixtureBoth struct{}

// TemplateAttr answers for attributes.
func (fixtureBoth) TemplateAttr(name string) (any, bool) {
	v, ok := map[string]any{"x": "attr", "only_attr": "A"}[name]
	return v, ok
}

// TemplateItem answers for elements.
func (fixtureBoth) TemplateItem(key any) (any, bool) {
	s, _ := key.(string)
	v, ok := map[string]any{"x": "item", "only_item": "I"}[s]
	return v, ok
}

type fixtureHTML struct{}

// String is the plain form.
func (fixtureHTML) String() string { return "plain & simple" }

// HTML is the form used wherever a value is escaped.
func (fixtureHTML) HTML() string { return "<i>html</i>" }
