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
	// Line counts from 1; 0 means that no line is to blame.
	Line    int
	Message string
	// Cause is the error of the loader, of a function of the program or of
	// the context; nil if the template itself is at fault.
	Cause error
	// Trail lists the places that led to the template named above, innermost
	// first: the include, import, macro call or block it was reached by.
	Trail []Place
}

// Place is a line of a template.
type Place struct {
	Name string
	Path string
	Line int
}

// Error is one line: where, and what.
func (e *Error) Error() string {
	var sb strings.Builder
	sb.WriteString("template: ")
	switch {
	case e.Name != "":
		sb.WriteString(e.Name)
	case e.Line > 0:
		sb.WriteString("<inline>")
	}
	if e.Line > 0 {
		sb.WriteByte(':')
		sb.WriteString(strconv.Itoa(e.Line))
	}
	if e.Name != "" || e.Line > 0 {
		sb.WriteString(": ")
	}
	sb.WriteString(e.Message)
	return sb.String()
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
