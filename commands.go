package retort

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"
)

func (a *App) routesCommand() Command {
	return Command{
		Name: "routes", Short: "List the routes", JSON: true, WithoutApp: true, Examples: "app routes\napp routes --json",
		Run: func(_ context.Context, in *Invocation) error {
			if err := a.Prepare(); err != nil {
				return err
			}
			type row struct {
				Methods []string `json:"methods"`
				Host    string   `json:"host,omitempty"`
				Pattern string   `json:"pattern"`
				Name    string   `json:"name,omitempty"`
				Where   string   `json:"where"`
			}
			rows := []row{}
			hosts := false
			for _, r := range a.Routes() {
				methods := r.Methods
				if len(methods) == 0 {
					methods = []string{"ANY"}
				}
				hosts = hosts || r.Host != ""
				rows = append(rows, row{methods, r.Host, r.Pattern, r.Name, r.Where})
			}
			if in.JSON {
				return in.WriteJSON(rows)
			}
			var lines [][]string
			for _, r := range rows {
				line := []string{strings.Join(r.Methods, ",")}
				if hosts {
					line = append(line, r.Host)
				}
				lines = append(lines, append(line, r.Pattern, r.Name, r.Where))
			}
			return writeTable(in.Out, lines)
		},
	}
}

// writeTable aligns lines of equally many cells.
func writeTable(w io.Writer, lines [][]string) error {
	widths := map[int]int{}
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		gap := 0
		for i, cell := range line {
			if cell != "" {
				b.WriteString(strings.Repeat(" ", gap) + cell)
				gap = -utf8.RuneCountInString(cell)
			}
			gap += widths[i] + 2
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// RouteInfo describes one route of an app that has been prepared.
type RouteInfo struct {
	Methods []string // empty: any
	Host    string
	Pattern string
	Name    string
	Where   string // file:line of the registration

	// Middleware is what is around the handler: that of the app, of its blueprints
	// and its own, the outermost first.
	Middleware []Middleware

	values map[any]any
}

// Mark returns the value that [Route.Mark] kept under the key, or nil.
func (r RouteInfo) Mark(key any) any { return r.values[key] }

// Routes lists the app's routes in a stable order.
func (a *App) Routes() []RouteInfo {
	if a.Prepare() != nil {
		return nil
	}
	var list []RouteInfo
	for _, r := range a.router.Routes() {
		info := RouteInfo{Methods: r.Methods, Host: r.Host, Pattern: r.Pattern, Name: r.Name, Where: r.Where}
		if e, ok := r.Value.(*endpoint); ok {
			info.Middleware, info.values = a.around(e), e.route.values
		}
		list = append(list, info)
	}
	return list
}

// around returns the middleware around an endpoint, the outermost first.
func (a *App) around(e *endpoint) []Middleware {
	all := slices.Clone(e.route.middleware)
	for m := e.mounted; m.parent != nil; m = m.parent {
		all = slices.Concat(m.scope.middleware, all)
	}
	return slices.Concat(a.middleware, all)
}

func (a *App) checkCommand() Command {
	var deploy bool
	return Command{
		Name: "check", Short: "Look for mistakes in the program", JSON: true, WithoutApp: true,
		Examples: "app check\napp check --deploy",
		Flags: func(fs *flag.FlagSet) {
			fs.BoolVar(&deploy, "deploy", false, "also check the settings of production")
		},
		Run: func(ctx context.Context, in *Invocation) error {
			found := a.RunChecks(ctx, deploy)
			bad := false
			for _, f := range found {
				if f.ID == templatesUnread && in.Out == io.Writer(os.Stdout) {
					checkWithEngine()
				}
				bad = bad || f.Level == LevelError
			}
			if in.JSON {
				if found == nil {
					found = []Finding{}
				}
				if err := in.WriteJSON(found); err != nil {
					return err
				}
			} else {
				for _, f := range found {
					fmt.Fprintf(in.Out, "%s: %s (%s)\n", f.Level, f.Message, f.ID)
					if f.Hint != "" {
						fmt.Fprintf(in.Out, "    %s\n", f.Hint)
					}
				}
				if len(found) == 0 {
					fmt.Fprintln(in.Out, "No problems found.")
				}
			}
			if bad {
				return &ExitError{Code: ExitChecksFailed}
			}
			return nil
		},
	}
}

func (a *App) configCommand() Command {
	return Command{
		Name: "config", Short: "Show the configuration and where each value comes from", JSON: true, WithoutApp: true,
		Long: "Shows every setting, its value and its source. Secrets are masked.",
		Run: func(_ context.Context, in *Invocation) error {
			if a.report == nil {
				return a.configErr
			}
			if in.JSON {
				return errors.Join(in.WriteJSON(a.report), a.configErr)
			}
			return errors.Join(a.report.WriteText(in.Out), a.configErr)
		},
	}
}

func (a *App) versionCommand() Command {
	return Command{
		Name: "version", Short: "Show the versions of the program, Retort and Go", JSON: true, WithoutApp: true,
		Run: func(_ context.Context, in *Invocation) error {
			v := struct {
				Program  string `json:"program"`
				Version  string `json:"version,omitempty"`
				Revision string `json:"revision,omitempty"`
				Retort   string `json:"retort"`
				Go       string `json:"go"`
			}{Program: a.config.Name, Retort: Version, Go: runtime.Version()}
			if info, ok := debug.ReadBuildInfo(); ok {
				v.Version = info.Main.Version
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						v.Revision = s.Value
					}
				}
			}
			if in.JSON {
				return in.WriteJSON(v)
			}
			fmt.Fprintf(in.Out, "%s %s\nretort %s\n%s\n", v.Program, strings.TrimSpace(v.Version+" "+v.Revision), v.Retort, v.Go)
			return nil
		},
	}
}
