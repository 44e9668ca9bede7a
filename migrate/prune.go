package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Prune takes the migrations out of a database's record that the program does
// not have any more, such as those whose files were deleted after [Graph.Squash],
// and returns their ids. It leaves those alone that tell how much of a squashed
// migration was applied. Apps limits it to some apps; default: those that the
// program has migrations of.
func (g *Graph) Prune(ctx context.Context, db Database, apps []string, waiting func(elapsed time.Duration)) ([]string, error) {
	for _, app := range apps {
		if g.sets[app] == nil {
			return nil, fmt.Errorf("migrate: the program has no migrations of app %q; it has those of %s", app, strings.Join(g.apps(), ", "))
		}
	}
	if len(apps) == 0 {
		apps = g.apps()
	}
	unlock, err := lock(ctx, db, waiting)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var pruned []string
	err = transaction(ctx, db, TransactionOptions{}, waiting, func(ctx context.Context) error {
		pruned = nil
		applied, err := readHistory(ctx, db)
		if err != nil {
			return err
		}
		for id := range applied {
			app, name, _ := strings.Cut(id, ".")
			if !slices.Contains(apps, app) || g.has(id) {
				continue
			}
			if stand := g.hidden[id]; stand != "" {
				if _, done := applied[stand]; !done {
					continue
				}
			}
			if err := writeHistory(ctx, db, app, name, true); err != nil {
				return err
			}
			pruned = append(pruned, id)
		}
		return nil
	})
	slices.Sort(pruned)
	return pruned, err
}
