package form

import (
	"net/http"
	"strings"
	"unsafe"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// maxSuggestions is how many rows one answer of [Suggestions] has.
const maxSuggestions = 20

// suggestion is one row that could be meant.
type suggestion struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// Suggestions makes the handler that a [Suggest] widget asks: it answers with the rows of
// a query in which one of the fields has what is typed, the parameter q, as a JSON list of
// value and label. Who may ask is the route's matter, and which rows there are the query's:
//
//	app.Get("/authors/suggest", form.Suggestions(Authors.Query(), func(a *Author) []any {
//		return form.Fields(&a.Name)
//	}))
func Suggestions[T any](query orm.QuerySet[T], fields func(p *T) []any) retort.Handler {
	return suggestions(query.Any(), func(p unsafe.Pointer) []any { return fields((*T)(p)) })
}

func suggestions(query orm.AnySet, fields func(p unsafe.Pointer) []any) retort.Handler {
	plan := planOf(query.Info().Type)
	return func(c *retort.Ctx) error {
		if plan.err != nil {
			return plan.err
		}
		text := strings.TrimSpace(c.Query("q"))
		if !validate.SingleLine(text) || len(text) > 200 {
			return retort.BadRequest("The parameter q is not a text to look for.")
		}
		set := query
		if text != "" {
			var either []orm.Cond
			for _, ptr := range fields(plan.names) {
				either = append(either, orm.F(ptr).IContains(text))
			}
			set = set.Where(orm.Or(either...))
		}
		rows, err := set.Limit(maxSuggestions).All(c)
		if err != nil {
			return err
		}
		codec := codecOf(plan.info.PrimaryKey.Type)
		found := make([]suggestion, len(rows))
		for i, row := range rows {
			key, err := keyText(plan.info.PrimaryKey, codec, row)
			if err != nil {
				return err
			}
			found[i] = suggestion{Value: key, Label: plan.info.RowString(row)}
		}
		c.Header().Set("Cache-Control", "no-store")
		return c.Status(http.StatusOK).JSON(found)
	}
}
