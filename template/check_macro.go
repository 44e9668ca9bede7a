package template

import "fmt"

// macroOf is a macro that a template exports.
func macroOf(s *checked, name string) known {
	if s != nil {
		for _, st := range s.body {
			if m, ok := st.(*macroNode); ok && m.name == name {
				return known{module: s, macro: m}
			}
		}
	}
	return known{}
}

// callMacro looks at the body of a macro with the types of a call's arguments,
// once for the same types. It sees the globals and what its own template has.
func (w *typer) callMacro(fn known, a *arguments) {
	params := map[string]known{}
	for i, e := range a.pos {
		k := w.eval(e)
		if i < len(fn.macro.params) {
			params[fn.macro.params[i].name] = k
		}
	}
	for _, kw := range a.kw {
		params[kw.name] = w.eval(kw.e)
	}
	w.eval(a.dynPos)
	w.eval(a.dyn)
	key := fmt.Sprintf("%p", fn.macro)
	for _, p := range fn.macro.params {
		k := params[p.name]
		key += fmt.Sprintf(" %v %v %p", k.rt, k.out, k.macro)
	}
	if w.called[key] || len(w.called) > 1000 {
		return
	}
	w.called[key] = true
	s, names, quiet := w.s, w.names, w.quiet
	w.s, w.quiet = fn.module, 0
	w.names = w.globalTypes()
	for _, st := range fn.module.body {
		switch n := st.(type) {
		case *macroNode:
			w.names[n.name] = known{module: fn.module, macro: n}
		case *importNode, *fromImportNode:
			w.statement(st, nil)
		}
	}
	for _, p := range fn.macro.params {
		w.names[p.name] = params[p.name]
	}
	w.list(fn.macro.body, nil)
	w.s, w.names, w.quiet = s, names, quiet
}
