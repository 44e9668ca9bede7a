// Package sessioncleaner has an app delete the sessions that have expired, for stores that do
// not forget by themselves.
package sessioncleaner

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/retort-web/retort"
)

// Install gives the app the command clearsessions, and has a program that serves delete
// expired sessions so often; if every is negative it never does. Default: an hour.
func Install(app *retort.App, every time.Duration) {
	if every == 0 {
		every = time.Hour
	}
	if every > 0 {
		app.OnReady(func(net.Addr) {
			app.Go("clean-up of the sessions", func(ctx context.Context) { clean(ctx, app, every) })
		})
	}
	app.Command(retort.Command{
		Name:  "clearsessions",
		Short: "delete sessions that have expired",
		Long:  "Deletes the sessions that have expired, a thousand at a time.",
		Run: func(ctx context.Context, in *retort.Invocation) error {
			n, err := app.Sessions().DeleteExpired(ctx)
			if err == nil {
				_, err = fmt.Fprintf(in.Out, "%d expired sessions deleted\n", n)
			}
			return err
		},
	})
}

// clean deletes expired sessions again and again. Processes that started together
// do so at different times.
func clean(ctx context.Context, app *retort.App, every time.Duration) {
	wait := time.Duration(rand.Int64N(int64(every))) //nolint:gosec // no secret
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = every
		if _, err := app.Sessions().DeleteExpired(ctx); err != nil && ctx.Err() == nil {
			app.Logger().Warn("expired sessions were not deleted", "error", err)
		}
	}
}
