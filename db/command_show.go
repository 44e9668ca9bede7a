package db

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/migrate"
)

func (e *Extension) showCommand() retort.Command {
	var plan, list bool
	var database string
	return retort.Command{
		Name: "showmigrations", Args: "[APP …]", Group: group, JSON: true, WithoutApp: true, Complete: apps,
		Short:    "List the migrations and which are applied",
		Examples: "app showmigrations\napp showmigrations --plan\napp showmigrations blog --json",
		Flags: func(fs *flag.FlagSet) {
			fs.BoolVar(&list, "list", false, "app by app, as without a flag")
			fs.BoolVar(&plan, "plan", false, "in the order in which they are applied")
			fs.StringVar(&database, "database", "", "`name` of the database; default: the one given to db.Open")
		},
		Run: func(ctx context.Context, in *retort.Invocation) error {
			if err := in.App.Prepare(); err != nil {
				return err
			}
			if list && plan {
				return retort.UsageError("showmigrations takes --list or --plan, not both")
			}
			graph, conn, err := load(using(ctx, database))
			if err != nil {
				return err
			}
			status, err := graph.Status(ctx, conn)
			if err != nil {
				return err
			}
			if status, err = selected(status, in.Args); err != nil {
				return err
			}
			infos := statusInfos(status)
			if plan {
				infos = inOrder(infos, graph.Order())
			}
			if in.JSON {
				return in.WriteJSON(infos)
			}
			if plan {
				printInOrder(in, infos)
				return nil
			}
			if len(status) == 0 {
				fmt.Fprintln(in.Out, "The program has no migrations.")
			}
			for _, app := range status {
				fmt.Fprintln(in.Out, app.App)
				for _, m := range app.Migrations {
					stands := ""
					if len(m.Replaces) > 0 {
						stands = fmt.Sprintf("  (stands for %d migrations)", len(m.Replaces))
					}
					switch {
					case m.Missing:
						fmt.Fprintf(in.Out, " [?] %s  applied, but the program does not have it\n", m.Name)
					case m.Applied:
						fmt.Fprintf(in.Out, " [X] %s  %s%s\n", m.Name, m.At.Local().Format(time.DateTime), stands)
					default:
						fmt.Fprintf(in.Out, " [ ] %s%s\n", m.Name, stands)
					}
				}
			}
			return nil
		},
	}
}

// inOrder sorts migrations as they are applied, those that the program does not have last.
func inOrder(infos []statusInfo, order []string) []statusInfo {
	place := map[string]int{}
	for i, id := range order {
		place[id] = i - len(order)
	}
	slices.SortStableFunc(infos, func(a, b statusInfo) int { return place[a.App+"."+a.Name] - place[b.App+"."+b.Name] })
	return infos
}

func printInOrder(in *retort.Invocation, infos []statusInfo) {
	for _, m := range infos {
		mark := "[ ]"
		switch {
		case m.Missing:
			mark = "[?]"
		case m.Applied:
			mark = "[X]"
		}
		fmt.Fprintf(in.Out, "%s %s.%s\n", mark, m.App, m.Name)
	}
}

// selected keeps the apps named, or all.
func selected(status []migrate.AppStatus, names []string) ([]migrate.AppStatus, error) {
	if len(names) == 0 {
		return status, nil
	}
	var kept []migrate.AppStatus
	for _, name := range names {
		found := false
		for _, app := range status {
			if app.App == name {
				kept, found = append(kept, app), true
			}
		}
		if !found {
			return nil, retort.UsageError("there is no app %q with migrations", name)
		}
	}
	return kept, nil
}

// statusInfo is a migration in the JSON of showmigrations.
type statusInfo struct {
	App     string     `json:"app"`
	Name    string     `json:"name"`
	Applied bool       `json:"applied"`
	At      *time.Time `json:"at,omitempty"`
	Missing bool       `json:"missing,omitempty"`
}

func statusInfos(status []migrate.AppStatus) []statusInfo {
	list := []statusInfo{}
	for _, app := range status {
		for _, m := range app.Migrations {
			info := statusInfo{App: app.App, Name: m.Name, Applied: m.Applied, Missing: m.Missing}
			if m.Applied {
				at := m.At
				info.At = &at
			}
			list = append(list, info)
		}
	}
	return list
}

func (e *Extension) sqlCommand() retort.Command {
	var backwards bool
	return retort.Command{
		Name: "sqlmigrate", Args: "APP MIGRATION", Group: group, WithoutApp: true, Complete: apps,
		Short:    "Print the SQL of a migration",
		Examples: "app sqlmigrate blog 0001\napp sqlmigrate blog 0001 --backwards",
		Flags: func(fs *flag.FlagSet) {
			fs.BoolVar(&backwards, "backwards", false, "the statements that undo it")
		},
		Run: func(ctx context.Context, in *retort.Invocation) error {
			if err := in.App.Prepare(); err != nil {
				return err
			}
			if len(in.Args) != 2 {
				return retort.UsageError("sqlmigrate needs an app and the name of a migration")
			}
			graph, conn, err := load(ctx)
			if err != nil {
				return err
			}
			script, err := graph.SQL(in.Args[0], in.Args[1], conn.Dialect(), backwards)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(in.Out, script)
			return err
		},
	}
}
