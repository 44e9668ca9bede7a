package retort

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
)

// Command is one of the program's commands: the app, a battery or the user
// adds it with [App.Command].
type Command struct {
	Name     string // "createsuperuser"
	Args     string // for the usage line: "NAME [EMAIL]"; "" takes none
	Short    string // one line, for the list of commands
	Long     string
	Examples string // one per line, "app createsuperuser ada"; app stands for the program's name
	Group    string // heading in the list of commands; "" is "Commands"
	// Flags declares the command's flags.
	Flags func(fs *flag.FlagSet)
	// JSON says that Run knows [Invocation].JSON; the command gets --json.
	JSON bool
	// WithoutApp runs the command without preparing the app or running its
	// startup hooks: it works when the app cannot start.
	WithoutApp bool
	Run        func(ctx context.Context, in *Invocation) error
	Commands   []Command // below this one
	// Complete gives completions for the next argument.
	Complete func(args []string, start string) []string
}

// Invocation is one run of a command.
type Invocation struct {
	App  *App
	Args []string
	In   io.Reader
	Out  io.Writer // results
	Err  io.Writer // everything else
	JSON bool      // results as JSON
}

// WriteJSON prints v as indented JSON.
func (in *Invocation) WriteJSON(v any) error {
	e := json.NewEncoder(in.Out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Command adds commands to the program.
func (a *App) Command(commands ...Command) {
	for _, c := range commands {
		if c.Name == "" || c.Run == nil && len(c.Commands) == 0 {
			panic("retort: Command at " + callerPlace() + " needs a Name and Run")
		}
		for _, other := range a.commands {
			if other.Name == c.Name {
				panic(fmt.Sprintf("retort: two commands are named %s, the second at %s", c.Name, callerPlace()))
			}
		}
		a.commands = append(a.commands, c)
	}
}

// ExitError ends the program with a code of its own. Without one the codes
// are 0 for done, 1 for failed, 2 for wrong usage.
type ExitError struct {
	Code int
	Err  error // printed unless nil
}

// Error returns the message.
func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprint("exit code ", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *ExitError) Unwrap() error { return e.Err }

// Exit codes beyond 1 and 2.
const (
	ExitChecksFailed = 3
	ExitPending      = 4 // migrations are pending
)

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// UsageError returns an error that ends the program with code 2.
func UsageError(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exitCode returns the code that err ends the program with.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := errors.AsType[*ExitError](err); ok {
		return exit.Code
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}
