package retort

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Run is the program's main function: it does what the command line says and
// ends the process. Without arguments it serves. A failure is printed, and the
// exit code tells what kind it was: see [ExitError].
func (a *App) Run() {
	err := a.Execute(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	// Serving has shut the app down; after any other command, what it opened is
	// closed here.
	ctx, cancel := context.WithTimeout(context.Background(), a.config.Server.ShutdownTimeout)
	if stopErr := a.Shutdown(ctx); stopErr != nil && err == nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", a.config.Name, stopErr)
		err = stopErr
	}
	cancel()
	os.Exit(exitCode(err))
}

// Execute is Run with everything given, and without ending the process: for
// tests, and for programs with a command line of their own. It has printed the
// error that it returns.
func (a *App) Execute(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) error {
	root := a.commandLine(&Invocation{App: a, In: in, Out: out, Err: errOut})
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return nil
	}
	if exit, ok := errors.AsType[*ExitError](err); !ok || exit.Err != nil {
		fmt.Fprintf(errOut, "%s: %v\n", a.config.Name, err)
	}
	if _, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintf(errOut, "Run '%s help' for what there is.\n", a.config.Name)
	}
	return err
}

// Call runs one of the app's commands from code and returns what it printed.
func (a *App) Call(ctx context.Context, args ...string) (output string, err error) {
	var out strings.Builder
	err = a.Execute(ctx, args, strings.NewReader(""), &out, &out)
	return out.String(), err
}

// commandLine makes the program's commands, ours and those that were added.
func (a *App) commandLine(in *Invocation) *cobra.Command {
	root := &cobra.Command{
		Use:           a.config.Name,
		Short:         "Serve the site, or run one of its commands",
		SilenceErrors: true,
		SilenceUsage:  true,
		// The version of the program is not ours to know; the command
		// `version` prints Retort's and the build's.
		SuggestionsMinimumDistance: 2,
	}
	root.CompletionOptions.HiddenDefaultCmd = false
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })

	serve := a.serveCommand()
	commands := append([]Command{serve, a.routesCommand(), a.checkCommand(), a.configCommand(), a.versionCommand()}, a.commands...)
	groups := []string{}
	for _, c := range commands {
		cmd := a.cobraCommand(c, in)
		title := c.Group
		if title == "" {
			title = "Commands"
		}
		if !slices.Contains(groups, title) {
			groups = append(groups, title)
			root.AddGroup(&cobra.Group{ID: title, Title: title + ":"})
		}
		cmd.GroupID = title
		root.AddCommand(cmd)
	}
	// Without a command the program serves, with the flags of serve.
	alone := a.cobraCommand(serve, in)
	root.RunE = alone.RunE
	root.Flags().AddFlagSet(alone.Flags())
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		message := fmt.Sprintf("there is no command %q", args[0])
		if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
			message += "; did you mean " + strings.Join(s, " or ") + "?"
		}
		return usageError{errors.New(message)}
	}
	return root
}

// cobraCommand turns a Command into what runs it.
func (a *App) cobraCommand(c Command, in *Invocation) *cobra.Command {
	own := *in
	cmd := &cobra.Command{
		Use: strings.TrimSpace(c.Name + " " + c.Args), Short: c.Short, Long: c.Long,
		Example: indent(strings.ReplaceAll("\n"+c.Examples, "\napp ", "\n"+a.config.Name+" ")), DisableFlagsInUseLine: true,
	}
	if c.Flags != nil {
		flags := flag.NewFlagSet(c.Name, flag.ContinueOnError)
		c.Flags(flags)
		cmd.Flags().AddGoFlagSet(flags)
	}
	if c.JSON {
		cmd.Flags().BoolVar(&own.JSON, "json", false, "print the result as JSON")
	}
	for _, sub := range c.Commands {
		cmd.AddCommand(a.cobraCommand(sub, in))
	}
	if c.Complete != nil {
		cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, start string) ([]string, cobra.ShellCompDirective) {
			return c.Complete(args, start), cobra.ShellCompDirectiveNoFileComp
		}
	}
	if c.Run == nil {
		return cmd
	}
	if c.Args == "" {
		cmd.Args = func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return UsageError("%s takes no arguments, but was given %s", c.Name, strings.Join(args, " "))
			}
			return nil
		}
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		own.Args = args
		ctx := cmd.Context()
		if !c.WithoutApp {
			if err := a.Startup(ctx); err != nil {
				return err
			}
		}
		return c.Run(a.withBase(ctx), &own)
	}
	return cmd
}

func indent(s string) string {
	if s == "" {
		return ""
	}
	return "  " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ")
}
