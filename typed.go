package retort

import (
	"context"
	"reflect"

	"github.com/retort-web/retort/bind"
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
	return func(c *Ctx) error {
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
}
