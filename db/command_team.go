package db

import (
	"context"
	"flag"
	"fmt"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/migrate"
)

// renamedInfo is a migration in the JSON of rebasemigrations.
type renamedInfo struct {
	App  string `json:"app"`
	From string `json:"from"`
	To   string `json:"to"`
	Path string `json:"path"`
}

func (e *Extension) rebaseCommand() retort.Command {
	var options migrate.RebaseOptions
	var without bool
	return retort.Command{
		Name: "rebasemigrations", Args: "[APP …]", Group: group, JSON: true, WithoutApp: true, Complete: apps,
		Short: "Put my migrations after those that came by a merge",
		Long: "When two branches have each added migrations to an app, gives those of one branch the numbers after\n" +
			"those of the other, and changes their Go files so that they depend on them. Which branch is yours it\n" +
			"reads from the conflict in the file latest.txt; without one, --mine says it.",
		Examples: "app rebasemigrations\napp rebasemigrations blog --mine 0005_post_subtitle",
		Flags: func(fs *flag.FlagSet) {
			options = migrate.RebaseOptions{}
			fs.StringVar(&options.Mine, "mine", "", "last `migration` of the branch to put on top")
			fs.StringVar(&options.Onto, "onto", "", "last `migration` of the branch below; default: the other one")
			fs.BoolVar(&options.DryRun, "dry-run", false, "show what would be renamed and change nothing")
			fs.BoolVar(&without, "no-database", false, "do not look whether the database has applied them")
		},
		Run: func(ctx context.Context, in *retort.Invocation) error {
			if err := in.App.Prepare(); err != nil {
				return err
			}
			graph, err := migrate.Load(migrate.Sets()...)
			if err != nil {
				return err
			}
			if options.Root, err = moduleRoot(); err != nil {
				return err
			}
			var conn migrate.Database
			if !without {
				var c connection
				if _, c, err = load(ctx); err != nil {
					return err
				}
				conn = c
			}
			names := in.Args
			if len(names) == 0 {
				names = graph.Branched()
			}
			list := []renamedInfo{}
			for _, app := range names {
				done, err := graph.Rebase(ctx, conn, app, options)
				if err != nil {
					return err
				}
				for _, m := range done.Moved {
					list = append(list, renamedInfo{app, m.From, m.To, m.Path})
				}
				if !in.JSON {
					fmt.Fprintf(in.Out, "%s: after %s come\n", app, done.Onto)
					for _, m := range done.Moved {
						fmt.Fprintf(in.Out, "    %s, which was %s\n", relative(m.Path), m.From)
					}
				}
			}
			switch {
			case in.JSON:
				return in.WriteJSON(list)
			case len(list) == 0:
				fmt.Fprintln(in.Out, "The migrations of each app are in one line.")
			case !options.DryRun:
				fmt.Fprintln(in.Out, "\nCommit the files, and run migrate to apply them.")
			}
			return nil
		},
	}
}

// squashedInfo is the JSON of squashmigrations.
type squashedInfo struct {
	App        string   `json:"app"`
	Name       string   `json:"name"`
	Path       string   `json:"path"`
	Replaces   []string `json:"replaces"`
	Before     int      `json:"operations_before"`
	Operations []string `json:"operations"`
}

func (e *Extension) squashCommand() retort.Command {
	var options migrate.SquashOptions
	return retort.Command{
		Name: "squashmigrations", Args: "APP [FROM] TO", Group: group, JSON: true, WithoutApp: true, Complete: apps,
		Short: "Write one migration that stands for several",
		Long: "Writes a migration that does what those from FROM (default: the first) to TO do, with fewer operations.\n" +
			"Databases that have applied some of them go on with them; others get the new one. When every database\n" +
			"has it, delete the files of those that it replaces.",
		Examples: "app squashmigrations blog 0012\napp squashmigrations blog 0003 0012 --name comments",
		Flags: func(fs *flag.FlagSet) {
			options = migrate.SquashOptions{}
			fs.StringVar(&options.Name, "name", "", "name of the migration, after its number")
			fs.BoolVar(&options.NoOptimize, "no-optimize", false, "keep all operations as they are")
			fs.BoolVar(&options.DryRun, "dry-run", false, "print the file and write nothing")
		},
		Run: func(_ context.Context, in *retort.Invocation) error {
			if err := in.App.Prepare(); err != nil {
				return err
			}
			if len(in.Args) < 2 || len(in.Args) > 3 {
				return retort.UsageError("squashmigrations takes an app and one or two names of migrations")
			}
			graph, err := migrate.Load(migrate.Sets()...)
			if err != nil {
				return err
			}
			if options.Root, err = moduleRoot(); err != nil {
				return err
			}
			from := ""
			if len(in.Args) == 3 {
				from = in.Args[1]
			}
			s, err := graph.Squash(in.Args[0], from, in.Args[len(in.Args)-1], options)
			if err != nil {
				return err
			}
			if in.JSON {
				return in.WriteJSON(squashedInfo{s.File.App, s.File.Name, s.File.Path, s.Replaced, s.Before, s.File.Operations})
			}
			fmt.Fprintf(in.Out, "%s\n    stands for %d migrations; their %d operations are %d now\n", relative(s.File.Path), len(s.Replaced), s.Before, s.After)
			if options.DryRun {
				printIndented(in.Out, string(s.File.Content))
				return nil
			}
			fmt.Fprintln(in.Out, "\nCommit it, and release it together with the old ones. When every database has applied them, delete their files.")
			return nil
		},
	}
}
