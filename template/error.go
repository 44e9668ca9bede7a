package template

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Kind tells what sort of failure an [Error] is.
type Kind uint8

// The kinds of errors.
const (
	// Syntax: the source is not a valid template, which includes unknown
	// filters, tests and tags.
	Syntax Kind = iota + 1
	// NotFound: the template, or one it extends, includes or imports, does not exist.
	NotFound
	// Undefined: something was done to an undefined value that its mode forbids.
	Undefined
	// Runtime: everything else, such as wrong types, a function of the program
	// that failed, or a limit that was reached.
	Runtime
)

// String gives the kind's name in lower case.
func (k Kind) String() string {
	switch k {
	case Syntax:
		return "syntax"
	case NotFound:
		return "not found"
	case Undefined:
		return "undefined"
	case Runtime:
		return "runtime"
	}
	return "kind " + strconv.Itoa(int(k))
}

// Error is what every failure of a template is reported as, with the place
// in the source it comes from.
type Error struct {
	Kind Kind
	// Name is the template's name, empty for one made by [Engine.FromString].
	Name string
	// Path is where the loader found the source, if it said so.
	Path string
	// Line and Column count from 1, the column in characters; 0 means that no
	// place is to blame.
	Line, Column int
	Message      string
	// Cause is the error of the loader, of a function of the program or of
	// the context; nil if the template itself is at fault.
	Cause error
	// Trail lists the places that led to the template named above, innermost
	// first: the include, import, extends, macro call or block it was reached by.
	Trail []Place
	// More are the other syntax errors of the same template, in order.
	More []*Error

	source string
	at     spot
	// lacking is what an undefined value was about, for a suggestion.
	lacking *missing
}

// Error is one line: where, and what.
func (e *Error) Error() string {
	buf := []byte("template: ")
	if place := e.Place(); place.Name != "" || place.Line > 0 {
		buf = append(place.appendTo(buf), ": "...)
	}
	buf = append(buf, e.Message...)
	switch n := len(e.More); {
	case n == 1:
		buf = append(buf, " (and 1 more error)"...)
	case n > 1:
		buf = fmt.Appendf(buf, " (and %d more errors)", n)
	}
	return string(buf)
}

// Place is where the error is.
func (e *Error) Place() Place { return Place{e.Name, e.Path, e.Line, e.Column} }

// Excerpt is the line of the source the error is in, and the one before it,
// with their numbers and a caret under the column; empty if there is none.
func (e *Error) Excerpt() string { return excerpt(e.source, e.Line, e.Column) }

// Explain tells all that is known, for terminals and logs: the error, its
// excerpt, how the render came there, and the template's other errors.
func (e *Error) Explain() string {
	var sb strings.Builder
	first := *e
	first.More = nil
	sb.WriteString(first.Error() + "\n" + e.Excerpt())
	for _, p := range e.Trail {
		sb.WriteString("  reached from " + p.String() + "\n")
	}
	for _, m := range e.More {
		sb.WriteString("\n" + m.Error() + "\n" + m.Excerpt())
	}
	return sb.String()
}

// locate fills in where the error is.
func (e *Error) locate(name, path, source string) {
	e.Name, e.Path, e.source = name, path, source
	e.Line, e.Column = e.at.lineColumn(source)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports a missing template as [fs.ErrNotExist] too.
func (e *Error) Is(target error) bool { return e.Kind == NotFound && target == fs.ErrNotExist }

// TemplateLocation is how a debug page finds the place to show.
func (e *Error) TemplateLocation() (name, path string, line int) { return e.Name, e.Path, e.Line }

// runtimeError makes an error that the render stamps with its place.
func runtimeError(format string, args ...any) *Error {
	return &Error{Kind: Runtime, Message: fmt.Sprintf(format, args...)}
}

func undefinedError(format string, args ...any) *Error {
	return &Error{Kind: Undefined, Message: fmt.Sprintf(format, args...)}
}

func recursionError() *Error {
	return runtimeError("maximum recursion depth exceeded")
}

// causeError reports a failure of the program's own code.
func causeError(what string, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Runtime, Message: what + ": " + err.Error(), Cause: err}
}

func operandError(op string, a, b value) *Error {
	if e := undefinedOperand(a, b); e != nil {
		return e
	}
	return runtimeError("unsupported operand types for %s: '%s' and '%s'", op, a.typeName(), b.typeName())
}

func undefinedOperand(vs ...value) *Error {
	for _, v := range vs {
		if v.isUndefined() {
			return v.undefined().error()
		}
	}
	return nil
}
