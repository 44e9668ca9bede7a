package retort_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/retort-web/retort"
)

// echo is a command that prints its arguments and flags.
func echo() retort.Command {
	var name string
	var loud bool
	return retort.Command{
		Name: "echo", Args: "[WORD …]", Short: "Print words", WithoutApp: true,
		Flags: func(fs *flag.FlagSet) {
			fs.StringVar(&name, "name", "Ada", "whose `words` they are")
			fs.BoolVar(&loud, "l", false, "be loud")
		},
		Run: func(_ context.Context, in *retort.Invocation) error {
			fmt.Fprint(in.Out, in.Args, name, loud)
			return nil
		},
		Complete: func(args []string, start string) []string {
			return []string{start + fmt.Sprint(len(args)) + "\tthe next", "$(touch x)", "a b"}
		},
	}
}

func TestFlagsStandAnywhere(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"echo":                        "[]Adafalse",
		"echo a b":                    "[a b]Adafalse",
		"echo --name Bob a":           "[a]Bobfalse",
		"echo a --name=Bob b -l":      "[a b]Bobtrue",
		"echo -name Bob":              "[]Bobfalse",
		"echo -- --name Bob":          "[--name Bob]Adafalse",
		"echo a -- -l --":             "[a -l --]Adafalse",
		"echo - x":                    "[- x]Adafalse",
		"echo --l=false --name= echo": "[echo]false",
		"echo serve":                  "[serve]Adafalse",
	} {
		app := commandApp()
		app.Command(echo())
		if out, errOut, err := execute(app, strings.Fields(args)...); err != nil || out != want {
			t.Errorf("%s: got %q, want %q (%v %s)", args, out, want, err, errOut)
		}
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"serv":                    `there is no command "serv"; did you mean serve?`,
		"ROUTES":                  `there is no command "ROUTES"; did you mean routes?`,
		"quite-different":         `there is no command "quite-different"`,
		"--debug routes":          "the command comes first and its flags after it: blog routes",
		"echo --nam x":            "unknown flag: --nam",
		"echo --name":             "flag needs an argument: --name",
		"echo -l=maybe":           `invalid boolean value "maybe" for -l`,
		"help rotes":              "did you mean routes?",
		"completion":              "completion wants one of bash, fish, powershell, zsh",
		"completion tcsh":         "completion wants one of",
		strings.Repeat("x", 1000): "there is no command",
	} {
		app := commandApp()
		app.Command(echo())
		out, errOut, err := execute(app, strings.Fields(args)...)
		if err == nil || out != "" || !strings.Contains(errOut, want) {
			t.Errorf("%.40s: got %q and %q, want %q", args, out, errOut, want)
		}
	}
}

func TestHelpListsWhatThereIs(t *testing.T) {
	t.Parallel()
	app := commandApp()
	app.Command(echo())
	for _, args := range [][]string{{"help", "echo"}, {"echo", "--help"}, {"echo", "a", "-h"}} {
		out, _, err := execute(app, args...)
		want := `Print words

Usage:
  blog echo [WORD …] [flags]

Flags:
  -l            be loud
  --name words  whose words they are (default Ada)
  -h, --help    show this
`
		if err != nil || out != want {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	app := commandApp()
	app.Command(echo())
	for args, want := range map[string]string{
		"ro":              "routes\tList the routes\n",
		"echo --n":        "--name\twhose `words` they are\n",
		"echo -":          "-l\tbe loud\n--name\twhose `words` they are\n--help\texplain the command\n",
		"echo x y":        "y1\tthe next\n$(touch x)\na b\n",
		"help ver":        "version\n",
		"completion z":    "zsh\n",
		"routes x":        "",
		"nosuch ":         "",
		"completion \"\"": "bash\nfish\npowershell\nzsh\n",
	} {
		if out, _, err := execute(app, append([]string{"__complete"}, strings.Fields(args)...)...); err != nil || out != want {
			t.Errorf("%s: %v, got %q, want %q", args, err, out, want)
		}
	}
}

// The script is run by a real bash, which must not run what it completes.
func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Log("no bash here")
		return
	}
	app := commandApp()
	app.Command(echo())
	script, _, err := execute(app, "completion", "bash")
	if err != nil {
		t.Fatal(err)
	}
	candidates, _, err := execute(app, "__complete", "echo", "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "blog")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ncat <<'END'\n"+candidates+"END\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bash, "--norc", "-c", script+"\nCOMP_WORDS=("+program+" echo '') COMP_CWORD=2\n_blog "+program+"\nprintf '<%s>' \"${COMPREPLY[@]}\"")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if want := `<0><\$\(touch\ x\)><a\ b>`; err != nil || string(out) != want {
		t.Errorf("%v: got %s, want %s", err, out, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("a candidate was run")
	}
}
