package migrate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrAhead is in the error of a database that has applied migrations which the program
// does not have, and on top of which it would build.
var ErrAhead = errors.New("migrate: the database is ahead of the program")

// ahead refuses to apply migrations of an app in which others, that the program does not
// have, were applied later, or instead of them: nobody knows which tables they have left.
// Older ones that are gone were replaced by a squashed one.
func (g *Graph) ahead(applied history, steps []Step) error {
	var problems []string
	for _, id := range slices.Sorted(maps.Keys(applied)) {
		if g.has(id) || g.replaces(id) {
			continue
		}
		app, name, _ := strings.Cut(id, ".")
		at := slices.IndexFunc(steps, func(s Step) bool {
			return s.App == app && !s.Backward && migrationNumber(s.Name) <= migrationNumber(name) && migrationNumber(s.Name) > 0
		})
		if at >= 0 {
			problems = append(problems, fmt.Sprintf("%s is applied, which the program does not have, and %s is not", id, steps[at].ID()))
		}
	}
	if problems == nil {
		return nil
	}
	return fmt.Errorf("%w: %s; migrate with the newer program, or with the code of the branch that has it, back to what both have; if its file was deleted and the tables are as they should be, forget it with migrate --prune",
		ErrAhead, strings.Join(problems, "; "))
}

// replaces reports whether a migration of the program stands for another.
func (g *Graph) replaces(id string) bool {
	app, name, _ := strings.Cut(id, ".")
	if g.sets[app] == nil {
		return false
	}
	for _, m := range g.sets[app].migrations {
		if slices.Contains(m.Replaces, name) {
			return true
		}
	}
	return false
}
