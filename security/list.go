package security

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/ratelimit"
)

// limitRow is a line of the command limits.
type limitRow struct {
	Methods []string `json:"methods"`
	Host    string   `json:"host,omitempty"`
	Pattern string   `json:"pattern"` // empty: all together
	Name    string   `json:"name,omitempty"`
	Limits  []string `json:"limits"`
	By      string   `json:"by"`
	Store   string   `json:"store"`
}

// limitsCommand lists the limits of all routes.
func (e *Extension) limitsCommand() retort.Command {
	return retort.Command{
		Name: "limits", Short: "List the rate limits of the routes", JSON: true, WithoutApp: true, Examples: "app limits\napp limits --json",
		Run: func(_ context.Context, in *retort.Invocation) error {
			if err := e.app.Prepare(); err != nil {
				return err
			}
			rows := e.limitRows()
			if in.JSON {
				return in.WriteJSON(rows)
			}
			w := tabwriter.NewWriter(in.Out, 0, 0, 2, ' ', 0)
			for _, r := range rows {
				pattern := cmp.Or(r.Host+r.Pattern, "all routes together")
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", strings.Join(r.Methods, ","), pattern, strings.Join(r.Limits, "; "), r.By, cmp.Or(r.Name, "-"), r.Store)
			}
			return w.Flush()
		},
	}
}

func (e *Extension) limitRows() []limitRow {
	rows := []limitRow{}
	routes := e.app.Routes()
	whole := ofApp(routes)
	for _, l := range whole {
		rows = append(rows, l.row([]string{"ANY"}))
	}
	for _, r := range routes {
		methods := r.Methods
		if len(methods) == 0 {
			methods = []string{"ANY"}
		}
		var limiters []*limiter
		if e.limiter != nil && !e.limiter.leavesOut(r.Name, r.Mark(unlimited{})) {
			limiters = append(limiters, e.limiter)
		}
		limiters = append(limiters, ownLimits.among(r.Middleware)...)
		for i, l := range limiters {
			if slices.Contains(limiters[:i], l) || slices.Contains(whole, l) {
				continue
			}
			row := l.row(methods)
			row.Host, row.Pattern = r.Host, r.Pattern
			rows = append(rows, row)
		}
	}
	return rows
}

// ofApp returns the limiters around all routes, which count them together: [retort.App].Use
// gave them, and they run before a route is found.
func ofApp(routes []retort.RouteInfo) (whole []*limiter) {
	for i, r := range routes {
		here := ownLimits.among(r.Middleware)
		if i == 0 {
			whole = here
		}
		whole = slices.DeleteFunc(whole, func(l *limiter) bool { return !slices.Contains(here, l) })
	}
	return whole
}

// row describes the limiter.
func (l *limiter) row(methods []string) limitRow {
	row := limitRow{Methods: methods, Name: l.Name, By: l.by(), Store: l.where()}
	if len(l.Methods) > 0 {
		row.Methods = l.Methods
	}
	for _, limit := range l.Limits {
		row.Limits = append(row.Limits, limit.String())
	}
	if l.LimitsFor != nil {
		row.Limits = []string{"by request"}
	}
	return row
}

// by says whose requests count together.
func (l *limiter) by() string {
	switch reflect.ValueOf(l.Key).Pointer() {
	case reflect.ValueOf(ByAddress).Pointer():
		return "by address"
	case reflect.ValueOf(ByUser).Pointer():
		return "by user"
	}
	return "by a function"
}

// where says what counts, and what is done while that is away.
func (l *limiter) where() string {
	if l.Store == nil {
		return "memory of the process"
	}
	away := map[ratelimit.WhenAway]string{
		ratelimit.CountHere: "while away, memory of the process", ratelimit.Pass: "while away, all pass", ratelimit.Refuse: "while away, none pass",
	}
	return fmt.Sprintf("%T; %s", l.Store, away[l.WhenAway])
}
