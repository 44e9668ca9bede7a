package template

import (
	"cmp"
	"errors"
	"slices"

	"github.com/retort-web/retort/internal/closest"
)

// CheckOptions tell [Engine.Check] what the templates will be given.
type CheckOptions struct {
	// Data are examples of [Execution.Data], by the template's name. Only their
	// types count: nil pointers and empty slices will do. In a map they are the
	// types of its values. Templates without an example, and names that have no
	// type, are not checked for attributes.
	Data map[string]any
	// Globals are examples of what [Execution.Globals] answers for, in all
	// templates; a nil one is a name of which nothing is known.
	Globals map[string]any
}

// Problem is what a check found.
type Problem struct {
	Place
	// Warning says that the template works, but probably not as meant.
	Warning bool
	Message string
	// Excerpt is the line of the source with a caret below the column.
	Excerpt string
}

// String is one line: where, and what.
func (p Problem) String() string { return p.Place.String() + ": " + p.Message }

// Check reads all templates of the loader and reports everything that can be
// known to be wrong without rendering: all syntax errors, templates that do not
// exist, filters and tests that do not exist, names that an imported template
// does not export, blocks that no parent has, values and blocks that do not fit
// the place they stand in, and attributes that the types of the data do not
// have. What is only known when a template runs is left alone. It fails if the
// loader cannot list its templates.
func (e *Engine) Check(o CheckOptions) ([]Problem, error) {
	names, err := e.Names()
	if err != nil {
		return nil, err
	}
	c := &checker{engine: e, options: o, names: names, sources: map[string]*checked{}, seen: map[Problem]bool{}}
	for _, name := range names {
		c.source(name)
	}
	for _, name := range names {
		if s := c.source(name); s != nil {
			c.references(s)
			c.inheritance(s)
		}
	}
	c.placements()
	c.attributes()
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return c.problems, nil
}

type checker struct {
	engine   *Engine
	options  CheckOptions
	names    []string
	sources  map[string]*checked
	problems []Problem
	seen     map[Problem]bool
	// included are the templates that others include by their name.
	included map[string]bool
}

// checked is a template with its tree.
type checked struct {
	*Template
	body   []statement
	blocks map[string]*blockNode
	// parent is the template it extends in any case, if that is known and exists.
	parent *checked
}

// source reads a template once; nil if it does not exist or is wrong.
func (c *checker) source(name string) *checked {
	if s, ok := c.sources[name]; ok {
		return s
	}
	c.sources[name] = nil
	t, err := c.engine.get(name)
	if err != nil {
		var te *Error
		if !errors.As(err, &te) || te.Kind == NotFound && !slices.Contains(c.names, name) {
			return nil
		}
		for _, e := range append([]*Error{te}, te.More...) {
			c.add(Problem{Place: e.Place(), Message: e.Message, Excerpt: e.Excerpt()})
		}
		return nil
	}
	s := &checked{Template: t, blocks: map[string]*blockNode{}}
	s.body, _ = parse(c.engine, t.source)
	walkAll(s.body, func(n any) {
		if b, ok := n.(*blockNode); ok && b.partial != partialUse && s.blocks[b.name] == nil {
			s.blocks[b.name] = b
		}
	})
	c.sources[name] = s
	return s
}

// add keeps a problem, once.
func (c *checker) add(p Problem) {
	if !c.seen[p] {
		c.seen[p] = true
		c.problems = append(c.problems, p)
	}
}

func (c *checker) report(s *checked, at spot, warning bool, message string) {
	place := placeIn{s.Template, at}.place()
	c.add(Problem{Place: place, Warning: warning, Message: message, Excerpt: excerpt(s.Template.source, place.Line, place.Column)})
}

func (c *checker) reportError(e *Error) {
	c.add(Problem{Place: e.Place(), Message: e.Message, Excerpt: e.Excerpt()})
}

func walkAll(body []statement, visit func(n any)) {
	for _, s := range body {
		walk(s, func(n any) bool {
			visit(n)
			return true
		})
	}
}

// meant is the end of a message that names what was probably meant.
func meant(name string, names []string) string {
	if near := closest.Name(name, slices.Values(names)); near != "" {
		return "; did you mean '" + near + "'?"
	}
	return ""
}
