package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/retort-web/retort/internal/devserver"
)

// devCommand serves a program while it is written.
func devCommand() *cobra.Command {
	server := &devserver.Server{}
	cmd := &cobra.Command{
		Use:   "dev [flags] [package] [-- args]",
		Short: "Build and serve a program, again on every change",
		Long: `Builds the package (by default the one in the working directory), serves it,
and builds and restarts it whenever its source changes. Requests wait for the
build. What does not compile, or does not start, is shown in the browser. Open
pages reload themselves; a changed template, style or script needs no build.

The program is started as: program serve --debug --addr 127.0.0.1:PORT args
with RETORT_DEV=1 in its environment. Build flags come from GOFLAGS.`,
		Example: `  retort dev
  retort dev ./cmd/site
  retort dev --addr :8000 ./cmd/site -- --log-level debug
  retort dev --addr 0.0.0.0:5000     # reachable from a phone in this network`,
		Args: func(cmd *cobra.Command, args []string) error {
			own := len(args)
			if dash := cmd.ArgsLenAtDash(); dash >= 0 {
				own = dash
			}
			if own > 1 {
				return fmt.Errorf("dev serves one package, not %d; the program's own arguments follow --", own)
			}
			return nil
		},
		RunE: failing(func(cmd *cobra.Command, args []string) error {
			own := args
			if dash := cmd.ArgsLenAtDash(); dash >= 0 {
				own, server.Args = args[:dash], args[dash:]
			}
			if len(own) == 1 {
				server.Package = own[0]
			}
			server.Log, server.Stdout, server.Stderr = cmd.ErrOrStderr(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			server.Color = os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(os.Stderr.Fd()))
			return server.Run(cmd.Context())
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&server.Addr, "addr", ":5000", "address to serve on; without a host it is this machine only")
	flags.BoolVar(&server.NoReload, "no-reload", false, "do not reload the browser's pages")
	flags.StringVar(&server.Editor, "editor", os.Getenv("RETORT_EDITOR"), "editor of the links on error pages: vscode, zed, goland …, a URL with {file} and {line}, or none")
	return cmd
}
