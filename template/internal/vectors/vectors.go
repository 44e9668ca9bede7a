// Package vectors runs the Jinja conformance set: templates whose outcome was
// computed with Jinja2 itself. The engine's tests and the command
// template/conformance share it.
package vectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/retort-web/retort/template"
)

// Vector is one case of a set.
type Vector struct {
	ID   string `json:"id"`
	Area string `json:"area"`
	// Template is the source of an inline template; without one the file
	// Entry is rendered.
	Template *string           `json:"template,omitempty"`
	Entry    string            `json:"entry,omitempty"`
	Files    map[string]string `json:"files,omitempty"`
	Context  json.RawMessage   `json:"context,omitempty"`
	Options  json.RawMessage   `json:"options,omitempty"`
	// Expect is the output; without one the render must fail with the kind
	// Error or one of ErrorAlso.
	Expect    *string  `json:"expect,omitempty"`
	Error     string   `json:"error,omitempty"`
	ErrorAlso []string `json:"error_also,omitempty"`
}

// Read reads the file of a set.
func Read(r io.Reader) ([]*Vector, error) {
	var set struct {
		Format  int
		Vectors []*Vector
	}
	if err := json.NewDecoder(r).Decode(&set); err != nil {
		return nil, err
	}
	if set.Format != 1 {
		return nil, fmt.Errorf("the set has format %d, not 1", set.Format)
	}
	return set.Vectors, nil
}

// Source is the template to render, for messages.
func (v *Vector) Source() string {
	if v.Template != nil {
		return *v.Template
	}
	return v.Files[v.Entry]
}

// Check runs the vector and tells how the outcome differs from Jinja's; empty
// if it does not.
func (v *Vector) Check() string {
	got, err := v.render()
	if v.Expect != nil {
		switch {
		case err != nil:
			return fmt.Sprintf("error %v, want %q", describe(err), shorten(*v.Expect))
		case got != *v.Expect:
			return fmt.Sprintf("got %q, want %q", shorten(got), shorten(*v.Expect))
		}
		return ""
	}
	if err == nil {
		return fmt.Sprintf("got %q, want an error of kind %s", shorten(got), v.Error)
	}
	te, ok := errors.AsType[*template.Error](err)
	if !ok {
		return fmt.Sprintf("the error %v is no *template.Error", err)
	}
	if _, panicked := errors.AsType[*template.Panic](err); panicked {
		return describe(err)
	}
	kind := strings.ReplaceAll(te.Kind.String(), " ", "_")
	for _, want := range append([]string{v.Error}, v.ErrorAlso...) {
		if kind == want {
			return ""
		}
	}
	return fmt.Sprintf("error of kind %s (%v), want kind %s", kind, err, v.Error)
}

func (v *Vector) render() (string, error) {
	o, err := v.engineOptions()
	if err != nil {
		return "", err
	}
	e, err := template.New(o)
	if err != nil {
		return "", err
	}
	var t *template.Template
	if v.Template != nil {
		t, err = e.FromString(*v.Template)
	} else {
		t, err = e.Get(v.Entry)
	}
	if err != nil {
		return "", err
	}
	var data any
	if len(v.Context) > 0 {
		if data, err = decodeOrdered(v.Context); err != nil {
			return "", err
		}
	}
	out, err := t.Append(nil, template.Execution{Data: data})
	return string(out), err
}

// describe adds the stack of a panic to its error.
func describe(err error) string {
	if p, ok := errors.AsType[*template.Panic](err); ok {
		return fmt.Sprintf("%v\n%s", err, p.Stack)
	}
	return err.Error()
}

func shorten(s string) string {
	if len(s) > 300 {
		return s[:300] + "…"
	}
	return s
}
