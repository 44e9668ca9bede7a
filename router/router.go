package router

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Options are the settings of a router. The zero value is good.
type Options struct {
	// Converters are user-made converters by the name that patterns use. They
	// cannot take the name of a built-in one. Default: none.
	Converters map[string]Converter

	// KeepSlashes turns off the redirect of paths with doubled slashes or dot
	// segments to their clean form; they match nothing then (but for doubled
	// slashes inside a path variable, which are always kept). Default: false,
	// redirect.
	KeepSlashes bool

	// LooseSlash is [Route.LooseSlash] for every route. Default: false.
	LooseSlash bool
}

// Router is a table of routes. Add all routes first; after that any number of
// goroutines may use it at the same time.
type Router struct {
	options    Options
	converters map[string]Converter
	routes     []*Route
	names      map[string][]*Route
	exactHosts map[string]*hostTree
	hosts      []*hostTree // with variables, most specific first
	root       node        // routes for any host
}

// New makes an empty router. It panics when a converter's name is taken or
// cannot be written in a pattern.
func New(o Options) *Router {
	r := &Router{
		options:    o,
		converters: map[string]Converter{},
		names:      map[string][]*Route{},
		exactHosts: map[string]*hostTree{},
	}
	for name, converter := range o.Converters {
		if err := r.addConverter(name, converter); err != nil {
			panic(err)
		}
	}
	return r
}

// addConverter makes a converter known to patterns.
func (r *Router) addConverter(name string, converter Converter) error {
	parser := patternParser{text: name}
	switch {
	case name == "" || parser.identifier() != name:
		return fmt.Errorf("router: converter name %q: use letters, digits and underscores", name)
	case slices.Contains(builtinNames, name):
		return fmt.Errorf("router: converter %q is built in; choose another name", name)
	case converter == nil:
		return fmt.Errorf("router: converter %q is nil", name)
	}
	r.converters[name] = converter
	return nil
}

// Add registers a route and returns the router's copy of it, which is the one
// lookups return. The order of registration does not matter to lookups.
//
// The error is a [PatternError], or a [ConflictError] when a route of the same
// shape (variables' names do not count) answers one of the methods. Nothing is
// registered then.
func (r *Router) Add(rt Route) (*Route, error) {
	added := &rt
	var err error
	if rt.Methods, err = canonicalMethods(rt.Methods); err != nil {
		return nil, fmt.Errorf("router: %s at %s: %w", added, place(rt.Where), err)
	}
	if err := r.parse(added); err != nil {
		if fault, ok := errors.AsType[*PatternError](err); ok {
			fault.Where = rt.Where
		}
		return nil, err
	}
	root := r.hostFor(rt.host)
	leaves := []*leaf{root.leafFor(steps(rt.elements))}
	if rt.LooseSlash || r.options.LooseSlash {
		if other := toggleSlash(rt.elements); other != nil {
			leaves = append(leaves, root.leafFor(steps(other)))
		}
	}
	for _, l := range leaves {
		if conflict := l.conflict(added); conflict != nil {
			return nil, conflict
		}
	}
	for _, l := range leaves {
		l.add(added)
	}
	r.routes = append(r.routes, added)
	if rt.Name != "" {
		r.names[rt.Name] = append(r.names[rt.Name], added)
	}
	return added, nil
}

// parse fills the route's elements from its host and pattern.
func (r *Router) parse(rt *Route) error {
	names := map[string]bool{}
	if rt.Host != "" {
		parser := patternParser{text: rt.Host, host: true, converters: r.converters, names: names}
		var err error
		if rt.host, err = parser.parse(); err != nil {
			return err
		}
	}
	parser := patternParser{text: rt.Pattern, converters: r.converters, names: names}
	var err error
	if rt.elements, err = parser.parse(); err != nil {
		return err
	}
	rt.variables = nil
	for _, e := range slices.Concat(rt.host, rt.elements) {
		if e.rule != nil {
			rt.variables = append(rt.variables, e)
		}
	}
	return nil
}

// canonicalMethods returns a copy in upper case without repetitions.
func canonicalMethods(methods []string) ([]string, error) {
	var list []string
	for _, method := range methods {
		if method == "" || strings.ContainsFunc(method, func(c rune) bool {
			return c <= ' ' || c >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c)
		}) {
			return nil, fmt.Errorf("%q is not a method", method)
		}
		if method = strings.ToUpper(method); !slices.Contains(list, method) {
			list = append(list, method)
		}
	}
	return list, nil
}

// toggleSlash returns the elements with the final slash added or taken away;
// nil for "/", which has no other form.
func toggleSlash(elements []element) []element {
	list := slices.Clone(elements)
	last := &list[len(list)-1]
	switch {
	case last.rule != nil:
		return append(list, element{literal: "/"})
	case !strings.HasSuffix(last.literal, "/"):
		last.literal += "/"
	case last.literal != "/":
		last.literal = strings.TrimSuffix(last.literal, "/")
	case len(list) == 1:
		return nil
	default:
		list = list[:len(list)-1]
	}
	return list
}

// Routes lists the routes in the order of registration. The list is the
// caller's.
func (r *Router) Routes() []*Route { return slices.Clone(r.routes) }
