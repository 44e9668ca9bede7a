package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNewProjectsBuildAndPassTheirTests makes both kinds of project from this
// checkout and runs their tests, as a user's first minute does.
func TestNewProjectsBuildAndPassTheirTests(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct {
		name string
		args []string
		want []string
	}{
		{"single", []string{"new", "hello"}, []string{"main.go", "main_test.go", "go.mod", ".gitignore"}},
		{"full", []string{"new", "--full", "--module", "example.com/me/site", "hello"}, []string{"main.go", "go.mod", "blog/models.go", "blog/templates", "blog/migrations"}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "hello")
			kind.args[len(kind.args)-1] = dir
			out := tool(t, 0, kind.args...)
			if !strings.Contains(out, "go test ./...") {
				t.Errorf("the next step is not said: %s", out)
			}
			for _, f := range kind.want {
				if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
					t.Error(err)
				}
			}
			for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
				cmd := exec.CommandContext(t.Context(), "go", args...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("go %s: %v\n%s", args[0], err, out)
				}
			}
			if out := tool(t, exitFailed, "new", dir); !strings.Contains(out, "not empty") {
				t.Errorf("the second time: %s", out)
			}
		})
	}
}

func TestNewRefusesBadNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "..", "a b", "1st", "x;y"} {
		if out := tool(t, exitFailed, "new", name); !strings.Contains(out, "name") {
			t.Errorf("%q: %s", name, out)
		}
	}
	tool(t, exitUsage, "new")
	tool(t, exitUsage, "new", "a", "b")
}

// tool runs one command line and returns what it printed.
func tool(t *testing.T, wantCode int, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	root := rootCommand()
	root.SetOut(&out)
	root.SetErr(&out)
	if code := run(context.Background(), root, args); code != wantCode {
		t.Fatalf("retort %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, wantCode, &out)
	}
	return out.String()
}
