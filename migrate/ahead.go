package migrate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrAhead is in the error of a database that has applied migrations which the program
// does not have, and on top of which it would build.
var ErrAhead = errors.New("migrate: the database is ahead of the program")

// unknown returns what a database has applied and the program does not have, in order.
func (g *Graph) unknown(applied history) []string {
	var ids []string
	for id := range applied {
		if g.nodes[id] == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// ahead refuses to apply migrations of an app in which others, that the program does not
// have, were applied later, or instead of them: nobody knows which tables they have left.
// Older ones that are gone were replaced by a squashed one.
func (g *Graph) ahead(applied history, steps []Step) error {
	var problems []string
	for _, id := range g.unknown(applied) {
		app, name, _ := strings.Cut(id, ".")
		at := slices.IndexFunc(steps, func(s Step) bool {
			return s.App == app && !s.Backward && migrationNumber(s.Name) <= migrationNumber(name) && migrationNumber(s.Name) > 0
		})
		if at >= 0 && !g.replaces(id) {
			problems = append(problems, fmt.Sprintf("%s is applied, which the program does not have, and %s is not", id, steps[at].ID()))
		}
	}
	if problems == nil {
		return nil
	}
	return fmt.Errorf("%w: %s; migrate with the newer program, or with the code of the branch that has it, back to what both have; if its file was deleted and the tables are as they should be, delete its row from the table %s",
		ErrAhead, strings.Join(problems, "; "), HistoryTable)
}

// replaces reports whether a migration of the program stands for another.
func (g *Graph) replaces(id string) bool {
	for _, s := range g.sets {
		for _, m := range s.migrations {
			for _, name := range m.Replaces {
				if s.app+"."+name == id || name == id {
					return true
				}
			}
		}
	}
	return false
}
