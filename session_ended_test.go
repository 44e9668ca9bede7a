package retort_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/session"
)

// endedSite has routes that end the visitor's session, as another window would, and go on.
func endedSite(t *testing.T, open func(app *retort.App)) (*retorttest.Client, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	app := retort.New(retort.Config{SecretKey: "a key for these tests only, nowhere else", Logger: slog.New(slog.NewTextHandler(log, nil))})
	open(app)
	app.Get("/login", func(c *retort.Ctx) error {
		c.Session().Login("7", "")
		c.Flash("info", "Welcome")
		return c.Text("in")
	})
	ending := func(path string, then func(c *retort.Ctx) error) {
		app.Get(path, func(c *retort.Ctx) error {
			if c.Session().User() != "7" {
				return retort.Forbidden("nobody")
			}
			if _, err := c.App().Sessions().EndAll(c, "7"); err != nil {
				return err
			}
			return then(c)
		})
	}
	change := func(c *retort.Ctx) { c.Session().Set("cart", []int{42}) }
	ending("/read", func(c *retort.Ctx) error { return c.Text("user " + c.Session().User()) })
	ending("/form", func(c *retort.Ctx) error { return c.Text(fmt.Sprint("messages ", len(c.Flashes()), c.CSRFToken()[:0])) })
	ending("/change", func(c *retort.Ctx) error { change(c); return c.Text("added") })
	ending("/redirect", func(c *retort.Ctx) error { change(c); return c.Redirect("/cart") })
	ending("/missing", func(c *retort.Ctx) error { change(c); return retort.NotFound("No such thing.") })
	ending("/broken", func(c *retort.Ctx) error { change(c); return errors.New("broken") })
	ending("/stream", func(c *retort.Ctx) error {
		change(c)
		_, err := io.WriteString(c.Writer(), "streamed")
		return err
	})
	ending("/logout", func(c *retort.Ctx) error { c.Session().Clear(); return c.Text("out") })
	return retorttest.New(t, app), log
}

func TestASessionThatEndsDuringARequest(t *testing.T) {
	t.Parallel()
	memory := func() session.ServerStore { return session.NewMemoryStore(session.MemoryOptions{}) }
	for name, open := range map[string]func(app *retort.App){
		"memory": func(app *retort.App) { app.SessionStore(memory()) },
		"cached": func(app *retort.App) {
			app.SessionStore(session.NewCachedStore(memory(), memory(), session.CachedOptions{}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, tt := range []struct {
				path, text string
				status     int
			}{
				{"/read", "user 7", 200},
				{"/form", "messages 1", 200},
				{"/change", "Your session ended meanwhile", 400},
				{"/redirect", "Your session ended meanwhile", 400},
				{"/missing", "No such thing.", 404},
				{"/broken", "", 500},
				{"/stream", "streamed", 200},
				{"/logout", "out", 200},
			} {
				client, log := endedSite(t, open)
				client.Get("/login").Status(200)
				response := client.Get(tt.path).Status(tt.status).Contains(tt.text).HasHeader("Location", "")
				if got := response.Header().Get("Set-Cookie"); got != "" && !strings.Contains(got, "Max-Age=0") {
					t.Errorf("%s sets the cookie %q", tt.path, got)
				}
				client.Get("/read").Status(403)
				// It is not the program's fault.
				if tt.status != 500 && strings.Contains(log.String(), "level=ERROR") || strings.Contains(log.String(), "is away") {
					t.Errorf("%s: the log has %s", tt.path, log)
				}
				lost := tt.path == "/change" || tt.path == "/redirect" || tt.path == "/missing" || tt.path == "/stream"
				if strings.Contains(log.String(), session.ErrGone.Error()) != lost {
					t.Errorf("%s: something was lost: %v; the log has %s", tt.path, lost, log)
				}
			}
		})
	}
}

func TestTheAnswerWhenASessionHasEndedIsTheSites(t *testing.T) {
	t.Parallel()
	client, _ := endedSite(t, func(app *retort.App) {
		app.SessionStore(session.NewMemoryStore(session.MemoryOptions{}))
		app.OnStatus(400, func(c *retort.Ctx, err error) error {
			if errors.Is(err, session.ErrGone) {
				return c.Status(303).Redirect("/login")
			}
			return err
		})
	})
	client.Get("/login").Status(200)
	client.Get("/change").Status(303).RedirectsTo("/login")
}
