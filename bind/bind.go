// Package bind fills Go structs from HTTP requests: once, within limits, and
// with one error that lists everything wrong.
//
//	type UpdatePost struct {
//		ID     int64    `path:"id"`
//		Notify bool     `query:"notify" default:"true"`
//		Title  string   `json:"title" form:"title" validate:"required,max=200"`
//		Tags   []string `json:"tags"  form:"tags"  validate:"max=10,each,slug"`
//	}
//
//	var in UpdatePost
//	err := bind.Struct(&in, bind.Source{Request: r, Path: bind.VariablesFunc(pathValue)})
//
// # Where values come from
//
// The tags path, query, header, cookie, form and json name the sources of a
// field. The first four are tried in this order, and win over the body. Fields
// without any of these tags belong to the body, under their name in snake_case in
// forms and as encoding/json has it in JSON. A tag "-" closes a source, and
// json:"-" alone the field.
//
// The body is JSON or a form by its Content-Type. A struct takes JSON when it
// has fields with json tags or without tags, and forms when it has fields with
// form tags or without tags; other bodies are refused with 415. A field that has
// tags but no json tag cannot be set by JSON, so that a body never replaces the
// id of a path. A field with the tag body:"" gets the whole body: as it is for
// []byte and string, and else decoded from JSON.
//
// For GET and HEAD, whose bodies mean nothing, the fields of the form are read
// from the URL's query, as HTML forms with method="get" send them.
//
// # Values
//
// From text come strings, bools (on, true, yes, 1 and their opposites), all
// sizes of numbers, never rounded or cut, [time.Time], [time.Duration],
// [json.RawMessage], []byte, types over these, and every
// [encoding.TextUnmarshaler]. Slices take repeated names, also written name[].
// In forms, "author.name" sets a field of a struct, and "items.0.name" one of a
// struct in a list, whose indexes only give the order. [*File] and []*File take
// uploads. Pointers stay nil for what was not sent.
//
// A blank input for anything but text counts as not sent. What was not sent is
// left as it was, or takes the default tag if it was zero; structs inside JSON
// have no defaults.
//
// # Errors
//
// After the values are set, the struct is checked by package validate. Faults of
// the client come as an [*Error] with a status. Anything else is a mistake in
// the program, such as a tag that makes no sense, or an error from a Validate
// method that could not decide.
package bind

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/retort-web/retort/validate"
)

// A Source is a request, and what is needed to read it.
type Source struct {
	// Request is required. Unless Form is set, its body is read.
	Request *http.Request

	// Response, if set, is told to close the connection when the body is over
	// the limit.
	Response http.ResponseWriter

	// Context is given to Validate methods. Default: that of the request.
	Context context.Context

	// Path has the variables of the route. It may be nil when the struct has no
	// path tags.
	Path Variables

	// Form returns the request's form for those who keep it for other uses.
	// They close it. Default: the request is parsed by [Form], and its files
	// are closed when the request's context ends.
	Form func() (*FormData, error)

	// Limits bound what is read.
	Limits Limits

	// Location is the zone of times sent without one. Default: UTC.
	Location *time.Location
}

// Variables are what a router found in the path of a request.
type Variables interface {
	// Lookup returns the text of a variable, and whether the route has it.
	Lookup(name string) (text string, ok bool)
}

// VariablesFunc is a function as [Variables].
type VariablesFunc func(name string) (text string, ok bool)

// Lookup calls the function.
func (f VariablesFunc) Lookup(name string) (text string, ok bool) { return f(name) }

// Cookie returns the value of a request's cookie, with what is percent-encoded in
// it decoded, and whether it was sent. What is not well-formed stays as it is.
func Cookie(r *http.Request, name string) (string, bool) {
	cookie, err := r.Cookie(name)
	if err != nil {
		return "", false
	}
	if value, err := url.PathUnescape(cookie.Value); err == nil {
		return value, true
	}
	return cookie.Value, true
}

// Struct fills dst, a pointer to a struct, from a request, and validates it. The
// package comment tells from where. Fields not sent are left as they are, except
// for a default tag. The error is an [*Error] if the client is at fault.
func Struct(dst any, src Source) error {
	v, p, err := target(dst)
	if err != nil {
		return err
	}
	if src.Request == nil {
		return errors.New("bind: Source.Request is nil")
	}
	d := newDecoder(src)
	d.applyDefaults(p, v)
	if p.takesJSON || p.takesForm || p.body != nil {
		err = d.body(p, v)
	}
	if err == nil {
		err = d.parameters(p, v, allSources)
	}
	if err == nil {
		ctx := src.Context
		if ctx == nil {
			ctx = src.Request.Context()
		}
		err = d.finish(ctx, dst)
	}
	d.release()
	if refused, ok := errors.AsType[*Error](err); ok && refused.Status == http.StatusRequestEntityTooLarge && src.Response != nil {
		src.Response.Header().Set("Connection", "close")
	}
	return err
}

// Query fills dst, a pointer to a struct, from the URL's query alone, and
// validates it: the fields with query tags, and those that a form would set.
func Query(r *http.Request, dst any, l Limits) error {
	v, p, err := target(dst)
	if err != nil {
		return err
	}
	d := newDecoder(Source{Request: r, Limits: l})
	d.applyDefaults(p, v)
	err = d.queryAsForm(p, v)
	if err == nil {
		err = d.parameters(p, v, 1<<fromQuery)
	}
	if err == nil {
		err = d.finish(r.Context(), dst)
	}
	d.release()
	return err
}

// Prepare compiles and keeps the plans for dst's type, the type of a struct, and
// returns the mistakes in its tags: for a program that wants to know at its
// start.
func Prepare(t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return fmt.Errorf("bind: %s is not a struct", t)
	}
	if _, err := planFor(t); err != nil {
		return err
	}
	return validate.Prepare(t)
}

// A PathVariable is a field that only a variable of the route can fill.
type PathVariable struct {
	Name  string // of the variable
	Field string // of the struct
}

// PathVariables returns what the route of a struct type must have: for a router
// that wants to know at its start.
func PathVariables(t reflect.Type) ([]PathVariable, error) {
	p, err := planFor(t)
	if err != nil {
		return nil, err
	}
	var needed []PathVariable
	for _, f := range p.parameters {
		if f.needsPath {
			needed = append(needed, PathVariable{f.sources[fromPath], f.goName})
		}
	}
	return needed, nil
}

func target(dst any) (reflect.Value, *plan, error) {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return v, nil, fmt.Errorf("bind: the target must be a pointer to a struct, not %T", dst)
	}
	v = v.Elem()
	p, err := planFor(v.Type())
	return v, p, err
}

// finish validates and makes the one error of all that was found.
func (d *decoder) finish(ctx context.Context, dst any) error {
	o := validate.Options{Naming: d.naming, Known: d.errors, Given: d.ask}
	err := validate.StructWith(ctx, dst, o)
	if err == nil {
		return nil
	}
	fields, ok := errors.AsType[validate.Errors](err)
	if !ok {
		return err
	}
	d.restoreIndexes(fields)
	return fieldsError(fields)
}
