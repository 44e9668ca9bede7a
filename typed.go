package retort

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/router"
)

// Typed makes a handler of a function whose signature says what goes in and
// out. The request is bound to In and validated, see [Ctx.Bind]; what the
// function returns is answered as JSON, nil as 204; its error goes to the error
// handlers. The context is the request's [Ctx].
//
//	app.Put("/posts/{id:int}", retort.Typed(func(ctx context.Context, in *UpdatePost) (*Post, error) { … }))
func Typed[In, Out any](fn func(ctx context.Context, in *In) (*Out, error)) Handler {
	if err := bind.Prepare(reflect.TypeFor[In]()); err != nil {
		panic("retort: Typed at " + callerPlace() + ": " + err.Error())
	}
	h := func(c *Ctx) error {
		in := new(In)
		if err := c.Bind(in); err != nil {
			return err
		}
		out, err := fn(c, in)
		if err != nil {
			return err
		}
		if out == nil {
			return c.NoContent()
		}
		return c.JSON(out)
	}
	in := reflect.TypeFor[In]()
	remember(h, func(r *Route, match *router.Route) error { return r.checkInput(in, match) })
	return h
}

// routeChecks has what is to be checked of the routes of a handler, by the address
// of its closure. It holds functions, so that a program without typed handlers
// does not link what they need.
var routeChecks sync.Map // of uintptr to func(*Route, *router.Route) error

func remember(h Handler, check func(r *Route, match *router.Route) error) {
	closure := closureOf(h)
	key := uintptr(closure)
	routeChecks.Store(key, check)
	runtime.AddCleanup((*byte)(closure), func(key uintptr) { routeChecks.Delete(key) }, key)
}

// closureOf returns what a function value points to. Unlike the address of its
// code, that is another one for each closure.
func closureOf(h Handler) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&h)) }

// check holds a route against what is known of its handler.
func (r *Route) check(match *router.Route) error {
	if check, ok := routeChecks.Load(uintptr(closureOf(r.handler))); ok {
		return check.(func(*Route, *router.Route) error)(r, match)
	}
	return nil
}

// checkInput reports a field of a typed handler's input that the route can never
// fill.
func (r *Route) checkInput(in reflect.Type, match *router.Route) error {
	needed, err := bind.PathVariables(in)
	if err != nil {
		return err
	}
	var has []string
	for _, v := range match.Variables() {
		has = append(has, v.Name)
	}
	for _, v := range needed {
		if !slices.Contains(has, v.Name) {
			return fmt.Errorf("retort: the handler of %s at %s takes the variable %s into %s.%s, but the route has %s; name it in the pattern or change the field's path tag",
				match.Pattern, r.where, v.Name, in, v.Field, cmp.Or(strings.Join(has, ", "), "no variables"))
		}
	}
	return nil
}
