package db

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/migrate"
)

// group is the heading of the commands in the program's help.
const group = "Database"

// stepInfo is a migration in the JSON of the commands.
type stepInfo struct {
	App        string   `json:"app"`
	Name       string   `json:"name"`
	Backward   bool     `json:"backward,omitempty"`
	Operations []string `json:"operations"`
}

func stepInfos(steps []migrate.Step) []stepInfo {
	list := make([]stepInfo, len(steps))
	for i, s := range steps {
		list[i] = stepInfo{s.App, s.Name, s.Backward, s.Operations}
		if s.Operations == nil {
			list[i].Operations = []string{}
		}
	}
	return list
}

// apps completes the name of an app.
func apps(args []string, _ string) []string {
	if len(args) > 0 {
		return nil
	}
	var list []string
	for _, s := range migrate.Sets() {
		list = append(list, s.App())
	}
	return list
}

func (e *Extension) migrateCommand() retort.Command {
	var plan, fake, fakeInitial, check, prune bool
	var database string
	var lockTimeout time.Duration
	return retort.Command{
		Name: "migrate", Args: "[APP [MIGRATION]]", Group: group, JSON: true, WithoutApp: true, Complete: apps,
		Short: "Bring the tables of the database up to date",
		Long: "Applies the migrations that are not applied yet, of all apps or of one. With the name of a\n" +
			"migration, or the beginning of it, the app is brought to that state: later migrations are\n" +
			"undone. The name zero undoes all of the app.\n" +
			"Of several databases each is migrated on its own, with the tables that the routers keep in it.",
		Examples: "app migrate\napp migrate --plan\napp migrate blog 0003\napp migrate blog zero\napp migrate --database reports",
		Flags: func(fs *flag.FlagSet) {
			fs.BoolVar(&plan, "plan", false, "show what would be done")
			fs.BoolVar(&fake, "fake", false, "record the migrations as done and change nothing else")
			fs.BoolVar(&fakeInitial, "fake-initial", false, "record first migrations as done whose tables exist, with all columns")
			fs.BoolVar(&prune, "prune", false, "forget migrations that were applied and that the program does not have any more")
			fs.StringVar(&database, "database", "", "`name` of the database; default: the one given to db.Open")
			fs.BoolVar(&check, "check", false, "change nothing; end with code 4 if migrations are pending")
			fs.DurationVar(&lockTimeout, "lock-timeout", 0, "how `LONG` a statement waits for a table that others use, before it lets them pass and is tried again; -1s waits as long as it takes (default 5s)")
		},
		Run: func(ctx context.Context, in *retort.Invocation) error {
			if err := in.App.Prepare(); err != nil {
				return err
			}
			if len(in.Args) > 2 {
				return retort.UsageError("migrate takes an app and the name of a migration")
			}
			var target migrate.Target
			if len(in.Args) > 0 {
				target.App = in.Args[0]
			}
			if len(in.Args) > 1 {
				target.Name = in.Args[1]
			}
			allows := allowed(ctx, database)
			graph, conn, err := load(using(ctx, database))
			if err != nil {
				return err
			}
			waiting := func(elapsed time.Duration) {
				fmt.Fprintf(in.Err, "Another process migrates this database; waiting for it, %v so far.\n", elapsed.Round(time.Second))
			}
			if prune {
				return pruneHistory(ctx, in, graph, conn, waiting)
			}
			if plan || check {
				steps, err := graph.Plan(ctx, conn, target)
				if err != nil {
					return err
				}
				if err := printPlan(in, steps); err != nil {
					return err
				}
				if check && len(steps) > 0 {
					return &retort.ExitError{Code: retort.ExitPending}
				}
				return nil
			}
			options := migrate.Options{Fake: fake, FakeInitial: fakeInitial, Allows: allows, LockTimeout: lockTimeout, Waiting: waiting}
			if !in.JSON {
				p := newProgress(in)
				defer p.failed()
				options.Progress, options.Blocked = p.event, p.blocked
			}
			done, err := graph.Apply(ctx, conn, target, options)
			if in.JSON {
				if jsonErr := in.WriteJSON(stepInfos(done)); err == nil {
					err = jsonErr
				}
				return err
			}
			if err != nil {
				return err
			}
			if len(done) == 0 {
				fmt.Fprintln(in.Out, "Nothing to migrate.")
			}
			if missing, err := changes(); err == nil && len(missing) > 0 {
				fmt.Fprintf(in.Err, "The models have changes that no migration makes (%s).\nRun makemigrations, then migrate again.\n", summary(missing))
			}
			return nil
		},
	}
}

// pruneHistory takes what the program does not have any more out of the record.
func pruneHistory(ctx context.Context, in *retort.Invocation, graph *migrate.Graph, conn connection, waiting func(time.Duration)) error {
	var names []string
	if len(in.Args) > 0 {
		names = in.Args[:1]
	}
	pruned, err := graph.Prune(ctx, conn, names, waiting)
	switch {
	case err != nil:
		return err
	case in.JSON:
		return in.WriteJSON(append([]string{}, pruned...))
	case len(pruned) == 0:
		fmt.Fprintln(in.Out, "Nothing to prune.")
	}
	for _, id := range pruned {
		fmt.Fprintf(in.Out, "Forget %s\n", id)
	}
	return nil
}

// printPlan lists migrations and what each does.
func printPlan(in *retort.Invocation, steps []migrate.Step) error {
	if in.JSON {
		return in.WriteJSON(stepInfos(steps))
	}
	if len(steps) == 0 {
		fmt.Fprintln(in.Out, "Nothing to migrate.")
	}
	for _, s := range steps {
		verb := ""
		if s.Backward {
			verb = "undo "
		}
		fmt.Fprintf(in.Out, "%s%s\n", verb, s.ID())
		for _, o := range s.Operations {
			fmt.Fprintf(in.Out, "    %s\n", o)
		}
	}
	return nil
}
