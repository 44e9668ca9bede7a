// Command lab is a site with a route for each thing that can go wrong.
package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/server"
)

//go:embed templates
var files embed.FS

type order struct {
	ID    int64    `path:"id"`
	Name  string   `json:"name" form:"name" validate:"required,max=20"`
	Count int8     `json:"count" form:"count"`
	Lines []string `json:"lines" form:"lines" validate:"max=3"`
}

func main() {
	app := retort.New(retort.Config{Name: "lab", Assets: retort.Embed(files)})
	app.HealthRoutes()
	app.TemplateGlobal("explode", func() string { panic("the template's secret fault") })

	app.Get("/", func(c *retort.Ctx) error { return c.HTML("<p>fine</p>") })
	app.Get("/slash/", func(c *retort.Ctx) error { return c.Text("slash") })
	app.Get("/item/{id:int}", func(c *retort.Ctx) error { return c.Text(c.Param("id")) })
	app.Put("/orders/{id:int}", retort.Typed(func(_ context.Context, in *order) (*order, error) { return in, nil }))
	app.Post("/form", func(c *retort.Ctx) error {
		form, err := c.Form()
		if err != nil {
			return err
		}
		return c.Text(strconv.Itoa(len(form.Values)))
	})

	// Values of the request that reach the header of the response.
	app.Get("/to-header", func(c *retort.Ctx) error {
		c.SetHeader("X-Echo", c.Query("v"))
		return c.Text("set")
	})
	app.Get("/to-cookie", func(c *retort.Ctx) error {
		c.SetCookie(retort.Cookie{Name: "echo", Value: c.Query("v")})
		return c.Text("set")
	})
	app.Get("/to-name", func(c *retort.Ctx) error {
		return c.Download(strings.NewReader("content"), c.Query("v"))
	})
	app.Get("/next", func(c *retort.Ctx) error { return c.Redirect(c.Next("/")) })
	app.Get("/redirect", func(c *retort.Ctx) error { return c.Redirect(c.Query("v")) })

	app.Get("/visits", func(c *retort.Ctx) error {
		n := visits(c.Session().Get("visits"))
		c.Session().Set("visits", n+1)
		return c.Text(strconv.FormatInt(n+1, 10))
	})
	app.Get("/token", func(c *retort.Ctx) error { return c.Text(c.CSRFToken()) })
	app.Post("/change", func(c *retort.Ctx) error { return c.Text("changed") })

	app.Get("/panic/handler", func(*retort.Ctx) error { panic("the handler's secret fault") })
	app.Get("/panic/nil", func(*retort.Ctx) error {
		var missing *order
		missing.Name = "nobody"
		return nil
	})
	app.Get("/panic/template", func(c *retort.Ctx) error { return c.Render("panics.html", nil) })
	app.Get("/broken/template", func(c *retort.Ctx) error { return c.Render("broken.html", nil) })
	app.Get("/panic/goroutine", func(c *retort.Ctx) error {
		app.Go("the goroutine", func(context.Context) { panic("the goroutine's secret fault") })
		return c.Text("started")
	})
	app.Get("/panic/late", func(c *retort.Ctx) error {
		return c.Stream("text/plain; charset=utf-8", func(w io.Writer) error {
			io.WriteString(w, "the first part\n")
			panic("the stream's secret fault")
		})
	})
	app.Get("/error/late", func(c *retort.Ctx) error {
		return c.Stream("text/plain; charset=utf-8", func(w io.Writer) error {
			io.WriteString(w, "the first part\n")
			return errors.New("the stream's secret error")
		})
	})
	app.Mount("/mounted", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the guest's secret fault") }))
	app.Get("/error", func(*retort.Ctx) error { return errors.New("the handler's secret error") })
	app.Get("/without-answer", func(*retort.Ctx) error { return nil })

	for name, describe := range map[string]func(b *retort.Blueprint){
		"before":   func(b *retort.Blueprint) { b.Before(func(*retort.Ctx) error { panic("the hook's secret fault") }) },
		"after":    func(b *retort.Blueprint) { b.After(func(*retort.Ctx) error { panic("the hook's secret fault") }) },
		"teardown": func(b *retort.Blueprint) { b.Teardown(func(*retort.Ctx, error) { panic("the hook's secret fault") }) },
		"middleware": func(b *retort.Blueprint) {
			b.Use(func(retort.Handler) retort.Handler {
				return func(*retort.Ctx) error { panic("the hook's secret fault") }
			})
		},
		"handler-of-errors": func(b *retort.Blueprint) {
			b.OnStatus(http.StatusTeapot, func(*retort.Ctx, error) error { panic("the hook's secret fault") })
		},
		"deferred": func(*retort.Blueprint) {},
	} {
		b := retort.NewBlueprint(name)
		describe(b)
		b.Get("/hook/"+name, func(c *retort.Ctx) error {
			switch name {
			case "handler-of-errors":
				return retort.NewError(http.StatusTeapot, "")
			case "deferred":
				c.Defer(func() { panic("the hook's secret fault") })
			}
			return c.Text("fine")
		})
		app.Register(b)
	}
	app.Get("/panic/typed/{id:int}", retort.Typed(func(context.Context, *order) (*order, error) { panic("the handler's secret fault") }))

	app.Get("/events", func(c *retort.Ctx) error {
		return c.SSE(func(s *retort.EventStream) error {
			if err := s.Send(retort.Event{Data: "hello"}); err != nil {
				return err
			}
			<-c.Done()
			return c.Err()
		})
	})
	app.Get("/endless", func(c *retort.Ctx) error {
		return c.Stream("text/plain", func(w io.Writer) error {
			for {
				select {
				case <-server.Draining(c):
					return nil
				default:
				}
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return nil
				}
			}
		})
	})
	app.Get("/download", func(c *retort.Ctx) error {
		size, err := retort.Query(c, "size", 8<<20)
		if err != nil {
			return err
		}
		return c.Download(strings.NewReader(strings.Repeat("d", size)), "download.bin")
	})
	app.Post("/upload", func(c *retort.Ctx) error {
		file, err := c.FormFile("file")
		if err != nil {
			return err
		}
		content, err := file.Open()
		if err != nil {
			return err
		}
		defer content.Close()
		sum := sha256.New()
		if _, err := io.Copy(sum, content); err != nil {
			return err
		}
		return c.Text(hex.EncodeToString(sum.Sum(nil)))
	}).BodyLimit(64 << 20)
	app.Get("/wait", func(c *retort.Ctx) error {
		// As long as the test holds the pipe open.
		io.WriteString(os.Stdout, "waiting\n")
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			return err
		}
		return c.Text("waited")
	})
	app.Run()
}

// visits is the count in a session, which may keep any kind of number.
func visits(v any) int64 {
	n, _ := strconv.ParseInt(fmt.Sprint(v), 10, 64)
	return n
}
