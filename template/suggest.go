package template

import (
	"maps"
	"slices"
	"strings"

	"github.com/retort-web/retort/internal/closest"
)

const (
	// maxSuggestions bounds the names that are compared with a misspelt one.
	maxSuggestions = 2000
	// maxListed is how many attributes a message lists when none is near.
	maxListed = 12
)

// djangoVariables are names that Django's templates know, and what to write
// instead of them.
var djangoVariables = map[string]string{
	"forloop": "the variable of a loop is 'loop' here: loop.index, loop.first",
	"block":   "what the parent has in a block is super() here",
}

// suggestion is what was probably meant by a name or attribute that does not
// exist, as the end of a message; empty if that is anybody's guess.
func (x *exec) suggestion(m *missing) string {
	switch {
	case m.hint != "" || m.element != "":
		return ""
	case m.owner == "":
		if hint := djangoVariables[m.name]; hint != "" && x.engine.options.Extensions.Django {
			return "; " + hint
		}
		if near := closest.Name(m.name, slices.Values(x.namesInReach())); near != "" {
			return "; did you mean '" + near + "'?"
		}
		return ""
	}
	names := attributeNames(m.of)
	if near := closest.Name(m.name, slices.Values(names)); near != "" {
		return "; did you mean '" + near + "'?"
	}
	if len(names) > 0 && len(names) <= maxListed {
		return "; it has " + strings.Join(names, ", ")
	}
	return ""
}

// namesInReach lists the variables and globals, and what the template itself
// assigns anywhere, sorted.
func (x *exec) namesInReach() []string {
	names := append(attributeNames(x.data), sortedKeys(x.engine.globals)...)
	body, _ := parse(x.engine, x.tpl.source)
	for _, s := range body {
		walk(s, func(n any) bool {
			switch n := n.(type) {
			case *nameExpr:
				if n.store {
					names = append(names, n.name)
				}
			case *macroNode:
				names = append(names, n.name)
			case *importNode:
				names = append(names, n.target)
			case *fromImportNode:
				for _, pair := range n.names {
					names = append(names, pair[1])
				}
			}
			return len(names) < maxSuggestions
		})
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// attributeNames lists, as templates spell them, the fields and methods of a
// Go value, or the keys of a mapping.
func attributeNames(v value) []string {
	switch {
	case v.kind == kindGo && v.typ.class != classMap:
		v.typ.member("")
		names := map[string]bool{}
		for _, m := range v.typ.members {
			names[snakeCase(m.name)] = true
		}
		return slices.Sorted(maps.Keys(names))
	case v.isMapping():
		if n, _ := lengthOf(v); n > maxSuggestions {
			return nil
		}
		d, _ := asDict(v)
		var names []string
		for _, k := range d.keys {
			if k.isString() {
				names = append(names, k.str())
			}
		}
		slices.Sort(names)
		return names
	}
	return nil
}
