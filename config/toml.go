package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// parseTOML lists the values of a file in the order of their keys. Tables are
// opened up as long as their key is that of a section; the table of a map field
// is one value.
func parseTOML(name, text string, fields []*field) ([]entry, *Problem) {
	var top map[string]toml.Primitive
	md, err := toml.Decode(text, &top)
	if err != nil {
		return nil, syntaxProblem(name, text, err, fields)
	}
	t := tomlReader{md: &md, name: name, leaves: make(map[string]bool, len(fields))}
	for _, f := range fields {
		t.leaves[f.key] = true
	}
	if err := t.table("", top); err != nil {
		return nil, &Problem{Source: name, Message: "cannot be read as TOML"}
	}
	slices.SortFunc(t.entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return t.entries, nil
}

type tomlReader struct {
	md      *toml.MetaData
	name    string
	leaves  map[string]bool
	entries []entry
}

func (t *tomlReader) table(section string, table map[string]toml.Primitive) error {
	for name, primitive := range table {
		key := join(section, name)
		var value any
		if err := t.md.PrimitiveDecode(primitive, &value); err != nil {
			return err
		}
		if _, ok := value.(map[string]any); ok && !t.leaves[key] {
			var inner map[string]toml.Primitive
			if err := t.md.PrimitiveDecode(primitive, &inner); err != nil {
				return err
			}
			if err := t.table(key, inner); err != nil {
				return err
			}
			continue // also past a section of which every line is commented out
		}
		t.entries = append(t.entries, entry{key: key, value: value, source: func() string { return t.position(primitive) }})
	}
	return nil
}

// position says where a value stands. The library tells only with an error, so
// a value is asked for that refuses whatever it is given.
func (t *tomlReader) position(primitive toml.Primitive) string {
	var at toml.ParseError
	if errors.As(t.md.PrimitiveDecode(primitive, new(refusal)), &at) && at.Position.Line > 0 {
		return fmt.Sprintf("%s:%d", t.name, at.Position.Line)
	}
	return t.name
}

type refusal struct{}

func (*refusal) UnmarshalTOML(any) error { return errRefused }

var errRefused = errors.New("config: refused")

// syntaxProblem describes a file that is not TOML. The library's message may
// quote the text, so it is left out on a line that sets something secret.
func syntaxProblem(name, text string, err error, fields []*field) *Problem {
	p := &Problem{Source: name, Message: "is not valid TOML"}
	var at toml.ParseError
	if !errors.As(err, &at) || at.Position.Line < 1 {
		return p
	}
	p.Source = fmt.Sprintf("%s:%d", name, at.Position.Line)
	lines := strings.Split(text, "\n")
	line := lines[min(at.Position.Line, len(lines))-1]
	before, _, assigns := strings.Cut(line, "=")
	before = strings.TrimSpace(before)
	secret := !assigns || sensitive(before) || sensitive(at.LastKey) || slices.ContainsFunc(fields, func(f *field) bool {
		return f.secret && (f.key == before || strings.HasSuffix(f.key, "."+before) || f.key == at.LastKey)
	})
	if !secret {
		p.Message += ": " + maskText(at.Message)
	}
	return p
}
