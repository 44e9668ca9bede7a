package migrate

import (
	"slices"
	"strings"
)

// leaveOut takes the actions out of the operations that are about tables of
// other databases. What they do to the state stays: it is that of all.
func leaveOut(steps []operationStep, app string, allows func(app, model string) bool) {
	for i := range steps {
		tables := steps[i].tables(app)
		if !slices.ContainsFunc(tables, func(t [2]string) bool { return allows(t[0], t[1]) }) {
			steps[i].actions, steps[i].elsewhere = nil, true
		}
	}
}

// tables returns the app and model of the tables that an operation is about.
func (s *operationStep) tables(app string) [][2]string {
	var models []string
	switch o := s.operation.(type) {
	case RunSQL:
		models = o.Models
	case RunCode:
		for _, m := range o.Models {
			models = append(models, m.name())
		}
	}
	var all [][2]string
	add := func(key string) {
		owner, model, ok := strings.Cut(key, ".")
		if !ok {
			owner, model = app, key
		}
		if pair := [2]string{owner, model}; !slices.Contains(all, pair) {
			all = append(all, pair)
		}
	}
	for _, model := range models {
		add(model)
	}
	for key, t := range s.from.tables {
		if s.to.tables[key] != t {
			add(key)
		}
	}
	for key, t := range s.to.tables {
		if s.from.tables[key] != t {
			add(key)
		}
	}
	if all == nil {
		all = [][2]string{{app, ""}}
	}
	return all
}
