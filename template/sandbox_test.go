package template

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

type account struct {
	Name     string
	Password string
	Friend   *account
}

func (a *account) Delete() string { return "deleted" }

func (a *account) Greeting() string { return "hi " + a.Name }

func TestSandbox(t *testing.T) {
	t.Parallel()
	data := map[string]any{"a": &account{Name: "Ann", Password: "x", Friend: &account{Name: "Bob"}}, "f": func() string { return "f" }, "l": NewList(1)}
	fields := Options{Sandbox: &Sandbox{Immutable: true}}
	for src, want := range map[string]string{
		"{{ a.name }}{{ a.friend.name }}{{ a['Name'] }}{{ f() }}":                                                                        "AnnBobAnnf",
		"{{ [1]|map('string')|join }}{{ {'a': 1}.items()|list }}{{ 'x'.upper() }}{% set n = namespace(a=1) %}{% set n.a = 2 %}{{ n.a }}": "1[(&#39;a&#39;, 1)]X2",
	} {
		wantRender(t, fields, src, data, want)
	}
	for _, src := range []string{
		"{{ a.delete() }}", "{{ a.delete }}", "{{ a|attr('delete') }}", "{{ [a]|map(attribute='greeting')|list }}", "{{ '{0.delete}'.format(a) }}", "{{ a['delete']() }}",
		"{{ l.append(1) }}", "{% set x = {} %}{{ x.update(a=1) }}", "{{ [].pop() }}", "{{ {}.setdefault('a') }}",
	} {
		wantError(t, fields, src, data, Runtime, "not allowed in the sandbox")
	}
	wantError(t, fields, "{% for i in range(100001) %}{% endfor %}", data, Runtime, "limit 100000")
	chosen := Options{Sandbox: &Sandbox{Allow: func(owner any, name string, method bool) bool {
		_, ours := owner.(*account)
		return ours && name != "Password" && name != "Delete" && (!method || name == "Greeting")
	}}}
	wantRender(t, chosen, "{% for x in [a, a.friend] %}{{ x.name }}{{ x.greeting() }};{% endfor %}{{ l.append(2) }}{{ l }}", data, "Annhi Ann;Bobhi Bob;None[1, 2]")
	for _, src := range []string{"{{ a.password }}", "{% for x in [a, a.friend] %}{{ x.name }}{{ x.password }}{% endfor %}", "{{ a.friend.delete() }}"} {
		wantError(t, chosen, src, data, Runtime, "not allowed in the sandbox")
	}
	wantRender(t, Options{}, "{{ a.delete() }}", data, "deleted")
}

func TestSandboxAsksBeforeCalls(t *testing.T) {
	t.Parallel()
	var asked []string
	o := Options{
		Globals:    map[string]any{"shown": func() string { return "shown" }, "hidden": Func(func(*Call) (any, error) { return "hidden", nil })},
		Filters:    map[string]any{"loud": func(s string) string { return s + "!" }},
		Translator: echoTranslator{}, Extensions: Extensions{I18n: true},
		Sandbox: &Sandbox{
			Allow: func(any, string, bool) bool { return true },
			AllowCall: func(name string, function any) bool {
				asked = append(asked, name)
				_, plain := function.(func() string)
				return plain && name != "Delete"
			},
		},
	}
	data := map[string]any{
		"f": func() string { return "f" }, "g": func(n int) int { return n }, "m": map[string]any{"f": func() string { return "in a map" }},
		"a": &account{Name: "Ann"},
	}
	wantRender(t, o, "{% macro own() %}own{% endmacro %}{{ own() }} {{ shown() }} {{ f() }} {{ m.f() }} {{ 'x'|loud }} {{ 'x'.upper() }} {{ range(2)|list }} {{ a.greeting() }} {{ _('t') }}",
		data, "own shown f in a map x! X [0, 1] hi Ann t")
	if len(asked) != 3 || asked[0] != "shown" {
		t.Errorf("asked for %q", asked)
	}
	for _, src := range []string{"{{ hidden() }}", "{{ g(1) }}", "{% set h = hidden %}{{ h() }}", "{{ [hidden][0]() }}", "{% set d = a.delete %}{{ d() }}", "{% call g(1) %}{% endcall %}", "{% for x in [g(1)] %}{% endfor %}"} {
		wantError(t, o, src, data, Runtime, "not allowed in the sandbox")
	}
}

func TestSandboxAsksBeforeOperators(t *testing.T) {
	t.Parallel()
	var asked []string
	o := Options{Sandbox: &Sandbox{AllowOperator: func(operator string, left, right any) bool {
		asked = append(asked, fmt.Sprint(left, operator, right))
		return operator != "**" && (operator != "-" || left != nil)
	}}}
	wantRender(t, o, "{{ 1 + 2 * n }}{{ 'a' * 2 }}{{ '%s' % 1 }}{{ 7 // 2 - 1 }}{{ +n }}{{ 1 < 2 and not 3 in [4] }}{{ 'a' ~ 1 }}", map[string]any{"n": 3}, "7aa123Truea1")
	if got := strings.Join(asked, " "); got != "2*3 1+6 a*2 %s%1 7//2 3-1 <nil>+3" {
		t.Error(got)
	}
	for _, src := range []string{"{{ 2 ** 3 }}", "{{ -n }}", "{% set x = n ** n %}", "{{ [1]|map('string')|join ~ (2 ** 2) }}"} {
		wantError(t, o, src, map[string]any{"n": 3}, Runtime, "is not allowed in the sandbox")
	}
}

func TestSandboxReplacesOperators(t *testing.T) {
	t.Parallel()
	o := Options{Sandbox: &Sandbox{
		AllowOperator: func(operator string, _, _ any) bool { return operator != "%" },
		Operators: map[string]func(left, right any) (any, error){
			"/": func(left, right any) (any, error) {
				if right == int64(0) {
					return Safe("&infin;"), nil
				}
				return fmt.Sprint(left, " by ", right), nil
			},
			"**": func(_, _ any) (any, error) { return nil, errors.New("powers cost extra") },
			"-": func(left, right any) (any, error) {
				if left == nil {
					return "minus " + fmt.Sprint(right), nil
				}
				return left.(int64) - right.(int64), nil
			},
		},
	}}
	wantRender(t, o, "{{ 6 / 3 }} {{ 1 / 0 }} {{ -4 }} {{ 5 - 3 }} {{ (7 - 1) / 2 + '!' }} {{ 7 // 2 }}", nil, "6 by 3 &infin; minus 4 2 6 by 2! 3")
	wantError(t, o, "{{ 2 ** 3 }}", nil, Runtime, "the operator **: powers cost extra")
	wantError(t, o, "{{ 2 % 3 }}", nil, Runtime, "the operator % is not allowed")
	if _, err := New(Options{Sandbox: &Sandbox{Operators: map[string]func(left, right any) (any, error){"~": nil}}}); err == nil || !strings.Contains(err.Error(), `"~" is not one of + - *`) {
		t.Error(err)
	}
}

// TestSandboxBoundsMemory runs templates that make many things, each of which
// is small enough by itself.
func TestSandboxBoundsMemory(t *testing.T) {
	t.Parallel()
	o := Options{Sandbox: &Sandbox{}, Limits: Limits{Steps: 1_000_000, Output: 8 << 20}, Extensions: Extensions{Do: true}}
	for _, src := range []string{
		"{% set big = 'x' * 8000000 %}{% set l = [] %}{% for i in range(10000) %}{% do l.append(big ~ i) %}{% endfor %}",
		"{% set big = 'x' * 8000000 %}{% set l = [] %}{% for i in range(10000) %}{% do l.append(big + 'y') %}{% endfor %}",
		"{% set big = 'x' * 8000000 %}{% set l = [] %}{% for i in range(10000) %}{% do l.append(big|upper) %}{% endfor %}",
		"{% set big = 'x' * 8000000 %}{% set l = [] %}{% for i in range(10000) %}{% do l.append(big.upper()) %}{% endfor %}",
		"{% set big = 'x' * 8000000 %}{% set l = [] %}{% for i in range(10000) %}{% set c %}{{ big }}{% endset %}{% do l.append(c) %}{% endfor %}",
		"{% macro m() %}{{ 'x' * 8000000 }}{% endmacro %}{% set l = [] %}{% for i in range(10000) %}{% do l.append(m()) %}{% endfor %}",
		"{{ range(10000)|map('center', 8000000)|list|length }}",
		"{% set l = [] %}{% for i in range(10000) %}{% do l.append([1] * 1000000) %}{% endfor %}",
		"{% set ns = namespace(n=2 ** 130000, l=[]) %}{% for i in range(10000) %}{% do ns.l.append(ns.n + i) %}{% endfor %}",
	} {
		wantError(t, o, src, nil, Runtime, "too many steps")
	}
	for _, src := range []string{"{{ 'x' * 10 ** 9 }}", "{{ 10 ** (10 ** 10) }}", "{{ [1] * 10 ** 9 }}", "{{ 2.0 ** (10 ** 9) }}", "{{ 'x' * 10 ** 30 }}", "{{ '%999999999s' % 1 }}", "{{ 'x'.center(10 ** 9) }}"} {
		wantError(t, o, src, nil, Runtime, "")
	}
}
