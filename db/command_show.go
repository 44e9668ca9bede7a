package db

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/migrate"
)

func (e *Extension) showCommand() retort.Command {
	return retort.Command{
		Name: "showmigrations", Args: "[APP …]", Group: group, JSON: true, WithoutApp: true, Complete: apps,
		Short:    "List the migrations and which are applied",
		Examples: "app showmigrations\napp showmigrations blog --json",
		Run: func(ctx context.Context, in *retort.Invocation) error {
			if err := in.App.Prepare(); err != nil {
				return err
			}
			graph, conn, err := load(ctx)
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
			if in.JSON {
				return in.WriteJSON(statusInfos(status))
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
