package template

import (
	"maps"
	"slices"
)

// Variables lists the names that the template looks up in the data and globals
// of a render, apart from the engine's own globals, sorted: what has to be
// handed over to it. What included templates need is not among them.
func (t *Template) Variables() []string {
	body, _ := parse(t.engine, t.source)
	plain := &Template{engine: t.engine, name: t.name, path: t.path, source: t.source}
	plain.lookups = map[string]bool{}
	plain.compile(body, t.autoescape)
	maps.DeleteFunc(plain.lookups, func(name string, _ bool) bool {
		_, global := t.engine.globals[name]
		return global
	})
	return slices.Sorted(maps.Keys(plain.lookups))
}

// References lists the templates that this one extends, includes or imports, in
// order and without repetition. Dynamic says that some of them are named by
// the data of a render.
func (t *Template) References() (names []string, dynamic bool) {
	body, _ := parse(t.engine, t.source)
	add := func(e expression) {
		found, ok := templateNames(e)
		dynamic = dynamic || !ok
		for _, name := range found {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	walkAll(body, func(n any) {
		switch n := n.(type) {
		case *extendsNode:
			add(n.template)
		case *includeNode:
			add(n.template)
		case *importNode:
			add(n.template)
		case *fromImportNode:
			add(n.template)
		}
	})
	return names, dynamic
}
