package template

import "context"

// Translator gives the translations of messages. The context is the render's,
// so that one translator can serve each request in its own language.
type Translator interface {
	Gettext(ctx context.Context, message string) string
	NGettext(ctx context.Context, singular, plural string, n int) string
	PGettext(ctx context.Context, msgctxt, message string) string
	NPGettext(ctx context.Context, msgctxt, singular, plural string, n int) string
}

// installTranslations adds the gettext functions. Without a translator only
// the alias _ exists, which then fails like the trans tag does.
func (e *Engine) installTranslations() {
	e.globals["_"] = objectValue(&builtinFunction{"_", func(x *exec, a *callArgs) value {
		fn, ok := value{}, false
		if x.caller != nil {
			fn, ok = x.caller.ctx.lookup("gettext")
		}
		if !ok {
			missingName(x.engine.options.Undefined, "gettext").fail()
		}
		return callValue(x, fn, a)
	}})
	t := e.options.Translator
	if t == nil {
		return
	}
	add := func(name string, params string, call func(x *exec, a []value) (text string, extra []keyword)) {
		names := splitParams(params)
		e.globals[name] = objectValue(&builtinFunction{name, func(x *exec, a *callArgs) value {
			bound := make([]value, len(names))
			var vars []keyword
			own := &callArgs{pos: a.pos}
			for _, k := range a.kw {
				if e.options.NewStyle {
					vars = append(vars, k)
				} else {
					own.kw = append(own.kw, k)
				}
			}
			if err := bindArguments(name, names, len(names), own.pos, own.kw, bound); err != nil {
				panic(err)
			}
			text, extra := call(x, bound)
			if !e.options.NewStyle {
				return stringValue(text)
			}
			d := NewDict()
			for _, k := range append(extra, vars...) {
				d.set(stringValue(k.name), k.v)
			}
			safe := x.caller != nil && x.caller.ctx.eval.autoescape
			return formatPercent(x, textValue(text, safe), dictValue(d))
		}})
	}
	add("gettext", "message", func(x *exec, a []value) (string, []keyword) {
		return t.Gettext(x.ctx(), a[0].text()), nil
	})
	add("ngettext", "singular,plural,n", func(x *exec, a []value) (string, []keyword) {
		return t.NGettext(x.ctx(), a[0].text(), a[1].text(), count(a[2])), []keyword{{"num", a[2]}}
	})
	add("pgettext", "context,message", func(x *exec, a []value) (string, []keyword) {
		return t.PGettext(x.ctx(), a[0].text(), a[1].text()), []keyword{{"context", a[0]}}
	})
	add("npgettext", "context,singular,plural,n", func(x *exec, a []value) (string, []keyword) {
		return t.NPGettext(x.ctx(), a[0].text(), a[1].text(), a[2].text(), count(a[3])), []keyword{{"context", a[0]}, {"num", a[3]}}
	})
}

// count reads the number of a plural form; anything but the integer 1 is none.
func count(v value) int {
	p := v.plain()
	if p.isUndefined() {
		p.undefined().iterable() // fails where it must not even be compared
		return 2
	}
	if n, ok := p.asFloat(); ok {
		if n == float64(int(n)) {
			return int(n)
		}
		return 2
	}
	return 2
}
