// Command retort is the tool of the Retort web framework: it serves a program
// while you write it.
//
//	retort dev              build, serve, and rebuild on every change
//	retort new NAME         start a project
//	retort secret           print a new secret key
//	retort version          show the versions of the tool and of Go
//	retort completion bash  print a completion script
//
// A program needs none of it in production: it is its own command line.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes of every command.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the tool at once.
	context.AfterFunc(ctx, stop)
	code := run(ctx, rootCommand(), os.Args[1:])
	stop()
	os.Exit(code)
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(root.ErrOrStderr(), "retort: %v\n", err)
	if _, failed := errors.AsType[*commandError](err); failed {
		return exitFailed
	}
	fmt.Fprintf(root.ErrOrStderr(), "Run '%s --help' for usage.\n", cmd.CommandPath())
	return exitUsage
}

// A commandError is a failure of a command that was called correctly. Every
// other error is one of usage.
type commandError struct{ err error }

func (e *commandError) Error() string { return e.err.Error() }

func (e *commandError) Unwrap() error { return e.err }

// failing makes the errors of a command's work commandErrors.
func failing(work func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := work(cmd, args); err != nil {
			return &commandError{err}
		}
		return nil
	}
}

// rootCommand joins the commands; each has a file of its own.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:               "retort",
		Short:             "The tool of the Retort web framework",
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              knownCommand,
		DisableAutoGenTag: true,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.AddCommand(devCommand(), newCommand(), secretCommand(), versionCommand())
	return root
}

// knownCommand refuses a first word that is no command, and proposes one.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("there is no command %q; did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return fmt.Errorf("there is no command %q", args[0])
}
