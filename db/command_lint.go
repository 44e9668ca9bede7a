package db

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/migrate"
)

func (e *Extension) lintCommand() retort.Command {
	var all bool
	var database string
	return retort.Command{
		Name: "lintmigrations", Args: "[APP [MIGRATION]]", Group: group, JSON: true, WithoutApp: true, Complete: apps,
		Short: "Find migrations that would lock a big table, or break code that still runs",
		Long: "Looks at the migrations that the database has not applied, or at those named, and tells\n" +
			"what would stop a site that is in use, and what to do instead. It ends with code 1 if it\n" +
			"finds something that the migration does not ignore by name, with a reason.",
		Examples: "app lintmigrations\napp lintmigrations blog 0007\napp lintmigrations --all --for postgres",
		Flags: func(fs *flag.FlagSet) {
			fs.BoolVar(&all, "all", false, "look at applied migrations, too")
			fs.StringVar(&database, "for", "", "the `DATABASE` in production: postgres, mysql, mariadb or sqlite (default: the one in use)")
		},
		Run: func(ctx context.Context, in *retort.Invocation) error {
			if err := in.App.Prepare(); err != nil {
				return err
			}
			if len(in.Args) > 2 {
				return retort.UsageError("lintmigrations takes an app and the name of a migration")
			}
			found, err := e.lint(ctx, in.Args, all, database)
			if err != nil {
				return err
			}
			return printHazards(in, found)
		},
	}
}

// lint finds the hazards of what was asked for. It needs no database if all is said.
func (e *Extension) lint(ctx context.Context, args []string, all bool, database string) ([]migrate.Hazard, error) {
	graph, err := migrate.Load(migrate.Sets()...)
	if err != nil {
		return nil, err
	}
	keep := func(string, string) bool { return true }
	if len(args) > 0 {
		name := ""
		if len(args) > 1 {
			name = args[1]
		}
		names, err := graph.Names(args[0], name)
		if err != nil {
			return nil, err
		}
		keep = func(app, name string) bool { return app == args[0] && names[name] }
	}
	if database != "" && (all || len(args) > 1) {
		return graph.Lint(database, keep)
	}
	_, conn, err := load(ctx)
	if err != nil {
		return nil, err
	}
	if database == "" {
		if database, err = product(ctx, conn); err != nil {
			return nil, err
		}
	}
	if !all && len(args) < 2 {
		steps, err := graph.Pending(ctx, conn)
		if err != nil {
			return nil, err
		}
		pending := map[string]bool{}
		for _, s := range steps {
			pending[s.ID()] = true
		}
		chosen := keep
		keep = func(app, name string) bool { return chosen(app, name) && pending[app+"."+name] }
	}
	return graph.Lint(database, keep)
}

// product is the name of the database for which there are rules.
func product(ctx context.Context, c connection) (string, error) {
	name := c.DB.Dialect()
	if name != "mysql" {
		return name, nil
	}
	rows, err := c.Values(ctx, "SELECT version()")
	if err == nil && strings.Contains(strings.ToLower(fmt.Sprint(rows)), "mariadb") {
		name = "mariadb"
	}
	return name, err
}

// productOf is the name of the database of a URL, as far as that tells; empty if it does
// not.
func (e *Extension) productOf() string {
	address := e.link.url
	if address == "" {
		address = e.app.Config().DatabaseURL
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "postgres", "postgresql":
		return "postgres"
	case "mysql", "mariadb", "sqlite":
		return u.Scheme
	}
	return ""
}

// hazardInfo is a hazard in the JSON of lintmigrations.
type hazardInfo struct {
	App       string `json:"app"`
	Name      string `json:"name"`
	Number    int    `json:"number"` // of the operation
	Operation string `json:"operation"`
	Rule      string `json:"rule"`
	Problem   string `json:"problem"`
	Advice    string `json:"advice"`
	Ignored   string `json:"ignored,omitempty"`
}

func printHazards(in *retort.Invocation, found []migrate.Hazard) error {
	list := []hazardInfo{}
	serious := 0
	last := ""
	for _, h := range found {
		list = append(list, hazardInfo{h.App, h.Migration, h.Operation, h.Describe, h.Rule, h.Problem, h.Advice, h.Ignored})
		if h.Ignored != "" {
			continue
		}
		serious++
		if in.JSON {
			continue
		}
		if id := h.App + "." + h.Migration; id != last {
			fmt.Fprintln(in.Out, id)
			last = id
		}
		fmt.Fprintf(in.Out, "    %s\n        %s: %s.\n        Instead: %s.\n", h.Describe, h.Rule, h.Problem, h.Advice)
	}
	if in.JSON {
		if err := in.WriteJSON(list); err != nil {
			return err
		}
	} else if serious == 0 {
		fmt.Fprintln(in.Out, "No hazards found.")
	}
	if serious == 0 {
		return nil
	}
	if !in.JSON {
		fmt.Fprintln(in.Out, "\nA migration accepts one with Ignore: []migrate.Ignore{{Rule: \"…\", Reason: \"…\"}}.")
	}
	return &retort.ExitError{Code: 1}
}
