package site

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
)

// Sample is what the laboratory asks the database about; it refers to nothing.
type Sample struct {
	orm.Model
	Name   string         `orm:"size=60"`
	Amount int            `orm:"default=0"`
	Data   map[string]any `orm:"json,null"`
	Taken  time.Time
}

// Samples are the rows of the laboratory.
var Samples = orm.Register[Sample]()

// laboratory hands what visitors send to the framework as they sent it. Each experiment
// takes its input from the query.
func (s *Site) laboratory(app *retort.App) {
	b := retort.NewBlueprint("lab", retort.BlueprintOptions{Prefix: "/lab"})
	b.Get("/", func(c *retort.Ctx) error {
		return render(c, http.StatusOK, "lab.html", map[string]any{"filters": textFilters})
	}).Name("index")
	b.Get("/filter", labFilter).Name("filter")
	b.Get("/json", labJSON).Name("json")
	b.Get("/alias", labAlias).Name("alias")
	b.Get("/order", labOrder).Name("order")
	b.Get("/trunc", labTrunc).Name("trunc")
	b.Get("/text", labText).Name("text")
	b.Get("/slow", labSlow).Name("slow")
	b.Get("/big", labBig).Name("big")
	b.Get("/fail/handler", func(*retort.Ctx) error { panic("the handler fails") }).Name("fail_handler")
	b.Get("/fail/error", func(*retort.Ctx) error { return errors.New("the handler returns an error with a secret: hunter2") }).Name("fail_error")
	b.Get("/fail/template", func(c *retort.Ctx) error { return render(c, http.StatusOK, "broken.html", nil) }).Name("fail_template")
	b.Get("/fail/database", func(c *retort.Ctx) error {
		_, err := Samples.Raw(c, "SELECT * FROM no_such_table")
		return err
	}).Name("fail_database")
	b.Get("/fail/stream", func(c *retort.Ctx) error {
		return c.Stream("text/plain; charset=utf-8", func(w io.Writer) error {
			_, _ = io.WriteString(w, strings.Repeat("the first bytes\n", 4096))
			return errors.New("the stream fails after its first bytes")
		})
	}).Name("fail_stream")
	b.Get("/fail/goroutine", func(c *retort.Ctx) error {
		s.app.Go("failing work", func(context.Context) { panic("the goroutine fails") })
		return c.Text("begun")
	}).Name("fail_goroutine")
	s.webExperiments(b)
	s.formExperiments(b)
	app.Register(b)
}

// answer shows what a query found.
func answer(c *retort.Ctx, rows []*Sample, err error) error {
	if err != nil {
		return err
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Name
	}
	return c.JSON(map[string]any{"count": len(names), "names": names})
}

func labFilter(c *retort.Ctx) error {
	rows, err := Samples.Where(orm.Lookup(c.Query("key"), c.Query("value"))).Limit(50).All(c)
	return answer(c, rows, err)
}

func labJSON(c *retort.Ctx) error {
	s := Samples.Fields()
	path := []any{}
	for _, key := range c.QueryValues()["key"] {
		path = append(path, key)
	}
	if len(path) == 0 || len(path) > 20 {
		return retort.BadRequest("Give one to twenty keys.")
	}
	rows, err := Samples.Where(orm.JSONPath(&s.Data, path...).AsText().Eq(c.Query("value"))).Limit(50).All(c)
	return answer(c, rows, err)
}

func labAlias(c *retort.Ctx) error {
	s := Samples.Fields()
	rows, err := orm.Select[map[string]any](Samples.OrderBy(orm.Asc(&s.ID)).Limit(5), orm.As(c.Query("name"), &s.Name)).All(c)
	if err != nil {
		return err
	}
	return c.JSON(rows)
}

func labOrder(c *retort.Ctx) error {
	rows, err := Samples.OrderBy(orm.OrderLookup(c.Query("by"))).Limit(50).All(c)
	return answer(c, rows, err)
}

func labTrunc(c *retort.Ctx) error {
	s := Samples.Fields()
	days, err := orm.Dates(c, Samples, orm.Unit(c.Query("unit")), &s.Taken)
	if err != nil {
		return err
	}
	return c.JSON(days)
}

// textFilters are the filters of templates that make text of text.
var textFilters = map[string]string{
	"addslashes": "", "capfirst": "", "capitalize": "", "center": "(20)", "cut": "(' ')", "e": "", "escape": "", "escapejs": "",
	"first": "", "forceescape": "", "indent": "(2)", "intcomma": "", "json_script": "('x')", "last": "", "length": "", "linebreaks": "",
	"linebreaksbr": "", "linenumbers": "", "list": "", "ljust": "(20)", "lower": "", "make_list": "", "phone2numeric": "", "pprint": "", "replace": "('a', 'b')",
	"reverse": "", "rjust": "(20)", "slugify": "", "sort": "", "string": "", "striptags": "", "title": "", "tojson": "", "trim": "", "truncate": "(20)",
	"truncatechars": "(20)", "truncatechars_html": "(20)", "truncatewords": "(3)", "truncatewords_html": "(3)", "upper": "", "urlencode": "", "urlize": "",
	"urlizetrunc": "(10)", "wordcount": "", "wordwrap": "(20)",
}

// maxLabText bounds the text that is rendered: the work of a filter is not the visitor's
// to choose.
const maxLabText = 100_000

func labText(c *retort.Ctx) error {
	text := c.Query("text")
	name := c.Query("filter")
	if len(text) > maxLabText {
		return retort.NewError(http.StatusRequestEntityTooLarge, "The text is too long.")
	}
	args, ok := textFilters[name]
	if !ok {
		return retort.BadRequest("There are the filters " + strings.Join(slices.Sorted(maps.Keys(textFilters)), ", ") + ".")
	}
	return c.RenderString("<!doctype html><title>Text</title><p>{{ text|"+name+args+" }}</p>", map[string]any{"text": text})
}

// labSlow answers after some time, or not at all if the client goes.
func labSlow(c *retort.Ctx) error {
	var in struct {
		Wait int `query:"ms" default:"1000" validate:"min=0,max=30000"`
	}
	if err := c.Bind(&in); err != nil {
		return err
	}
	select {
	case <-time.After(time.Duration(in.Wait) * time.Millisecond):
		return c.Text("done")
	case <-c.Done():
		return c.Err()
	}
}

// labBig sends up to a gigabyte that is kept nowhere.
func labBig(c *retort.Ctx) error {
	var in struct {
		Size int `query:"mb" default:"100" validate:"min=0,max=1024"`
	}
	if err := c.Bind(&in); err != nil {
		return err
	}
	block := []byte(strings.Repeat("retort proving ground\n", 1<<20/22+1)[:1<<20])
	return c.Stream("application/octet-stream", func(w io.Writer) error {
		for range in.Size {
			if _, err := w.Write(block); err != nil {
				return err
			}
		}
		return nil
	})
}
