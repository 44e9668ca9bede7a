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

	"github.com/retort-web/retort/internal/closest"
)

// Run is the program's main function: it does what the command line says and
// ends the process. Without arguments it serves. A failure is printed, and the
// exit code tells what kind it was: see [ExitError].
func (a *App) Run() {
	err := a.Execute(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if a.started.Load() {
		// Serving has shut the app down; after any other command, what it opened
		// is closed here.
		ctx, cancel := context.WithTimeout(context.Background(), a.config.Server.ShutdownTimeout)
		if stopErr := a.Shutdown(ctx); stopErr != nil && err == nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", a.config.Name, stopErr)
			err = stopErr
		}
		cancel()
	}
	os.Exit(exitCode(err))
}

// Execute is Run with everything given, and without ending the process: for
// tests, and for programs with a command line of their own. It has printed the
// error that it returns.
func (a *App) Execute(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) error {
	l := &commandLine{invocation: Invocation{App: a, In: in, Out: out, Err: errOut}}
	err := l.run(ctx, a.commandTree(), a.config.Name, args)
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

// commandTree returns the program as a command: without a name among its
// arguments it serves, with the flags of serve.
func (a *App) commandTree() *Command {
	serve := a.serveCommand()
	root := &Command{
		Name: a.config.Name, Short: "Serve the site, or run one of its commands",
		Flags: serve.Flags, Run: serve.Run, WithoutApp: serve.WithoutApp,
	}
	root.Commands = append([]Command{serve, a.routesCommand(), a.checkCommand(), a.configCommand(), a.versionCommand()}, a.commands...)
	root.Commands = append(root.Commands, helpCommand(root), completionCommand(root))
	return root
}

// find goes down the tree as far as the arguments name commands. The path is
// what was gone, as it is typed.
func (c *Command) find(args []string) (found *Command, path, rest []string) {
	path = []string{c.Name}
	for len(args) > 0 {
		i := slices.IndexFunc(c.Commands, func(sub Command) bool { return sub.Name == args[0] })
		if i < 0 {
			break
		}
		c, path, args = &c.Commands[i], append(path, args[0]), args[1:]
	}
	return c, path, args
}

// commandLine is one run of the program's command line.
type commandLine struct{ invocation Invocation }

func (l *commandLine) run(ctx context.Context, root *Command, program string, args []string) error {
	if len(args) > 0 && args[0] == completeName {
		return root.complete(l.invocation.Out, args[1:])
	}
	c, path, args := root.find(args)
	in := l.invocation
	flags := c.flagSet(&in)
	positional, err := parseFlags(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return c.help(in.Out, path)
	}
	if err != nil {
		return usageError{err}
	}
	if len(positional) > 0 && len(c.Commands) > 0 {
		return c.unknown(positional[0])
	}
	if c.Run == nil {
		return c.help(in.Out, path)
	}
	if len(positional) > 0 && c.Args == "" {
		return UsageError("%s takes no arguments, but was given %s", c.Name, strings.Join(positional, " "))
	}
	in.Args = positional
	if !c.WithoutApp {
		if err := in.App.Startup(ctx); err != nil {
			return err
		}
	}
	return c.Run(in.App.withBase(ctx), &in)
}

// maxEdits is how far a mistyped command may be from what it is taken for.
const maxEdits = 2

// unknown says that there is no command of that name.
func (c *Command) unknown(name string) error {
	if strings.HasPrefix(name, "-") || slices.ContainsFunc(c.Commands, func(sub Command) bool { return sub.Name == name }) {
		return UsageError("the command comes first and its flags after it: %s %s …", c.Name, name)
	}
	var near []string
	for _, sub := range c.Commands {
		if strings.HasPrefix(sub.Name, name) || closest.Distance(strings.ToLower(name), sub.Name) <= maxEdits {
			near = append(near, sub.Name)
		}
	}
	message := fmt.Sprintf("there is no command %q", name)
	if len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usageError{errors.New(message)}
}

// flagSet makes the flags of a command.
func (c *Command) flagSet(in *Invocation) *flag.FlagSet {
	flags := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	if c.Flags != nil {
		c.Flags(flags)
	}
	if c.JSON {
		flags.BoolVar(&in.JSON, "json", false, "print the result as JSON")
	}
	return flags
}

// parseFlags reads the flags wherever they stand among the arguments, and
// returns the others. After "--" everything is an argument.
func parseFlags(flags *flag.FlagSet, args []string) (positional []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, flagError(err)
		}
		rest := flags.Args()
		if len(rest) == 0 {
			return positional, nil
		}
		if read := len(args) - len(rest); read > 0 && args[read-1] == "--" {
			return append(positional, rest...), nil
		}
		positional, args = append(positional, rest[0]), rest[1:]
	}
}

// flagError words an error of package flag as people type flags.
func flagError(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	message := err.Error()
	if name, ok := strings.CutPrefix(message, "flag provided but not defined: -"); ok {
		return errors.New("unknown flag: --" + name)
	}
	for _, before := range []string{"needs an argument: -", " for flag -", " for -"} {
		if head, tail, ok := strings.Cut(message, before); ok {
			name, _, _ := strings.Cut(tail, ":")
			message = head + strings.TrimSuffix(before, "-") + dashed(name) + tail[len(name):]
			break
		}
	}
	return errors.New(message)
}
