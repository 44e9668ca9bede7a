package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// runTool runs one command line.
func runTool(t *testing.T, ctx context.Context, args ...string) (code int, out, errOut string) {
	t.Helper()
	root := rootCommand()
	var stdout, stderr bytes.Buffer
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	code = run(ctx, root, args)
	return code, stdout.String(), stderr.String()
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args        string
		code        int
		out, errOut string
	}{
		{"", 0, "Available Commands:", ""},
		{"help", 0, "Available Commands:", ""},
		{"--help", 0, "Available Commands:", ""},
		{"help dev", 0, "retort dev [flags] [package] [-- args]", ""},
		{"dev -h", 0, "reachable from a phone", ""},
		{"version", 0, runtime.Version(), ""},
		{"completion bash", 0, "bash completion", ""},
		{"dve", 2, "", `there is no command "dve"; did you mean dev?`},
		{"zzz", 2, "", `there is no command "zzz"`},
		{"version now", 2, "", "Run 'retort version --help' for usage."},
		{"dev --port x", 2, "", "unknown flag: --port"},
		{"dev a b", 2, "", "dev serves one package, not 2"},
		{"dev ./absent", 1, "", "no Go package"},
	} {
		code, out, errOut := runTool(t, t.Context(), strings.Fields(test.args)...)
		if code != test.code || !strings.Contains(out, test.out) || !strings.Contains(errOut, test.errOut) || (test.errOut == "") != (errOut == "") {
			t.Errorf("retort %s: code %d\nstdout: %s\nstderr: %s", test.args, code, out, errOut)
		}
	}
}

func TestVersionAsJSON(t *testing.T) {
	t.Parallel()
	code, out, _ := runTool(t, t.Context(), "version", "--json")
	var v map[string]string
	if err := json.Unmarshal([]byte(out), &v); code != 0 || err != nil {
		t.Fatalf("code %d, %v: %s", code, err, out)
	}
	if v["go"] != runtime.Version() || v["retort"] == "" || v["platform"] == "" {
		t.Errorf("versions are %v", v)
	}
}

// The package and the program's own arguments find their way, and Ctrl-C ends
// the command well.
func TestDevServesUntilInterrupted(t *testing.T) {
	dir := t.TempDir()
	source := "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc main() { fmt.Println(\"called with\", os.Args[1:]); os.Exit(3) }\n"
	for name, text := range map[string]string{"go.mod": "module example.com/site\n\ngo 1.26\n", "main.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	root := rootCommand()
	var stdout, stderr bytes.Buffer
	said := make(chan struct{})
	root.SetOut(&stdout)
	root.SetErr(&signalWriter{w: &stderr, wanted: "did not start", said: said})
	done := make(chan int)
	go func() { done <- run(ctx, root, []string{"dev", "--addr", "127.0.0.1:0", ".", "--", "--tea", "two"}) }()
	select {
	case <-said:
	case <-time.After(60 * time.Second):
		t.Error("the program was not started")
	}
	interrupt()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d", code)
	}
	if out := stdout.String(); !strings.Contains(out, "called with [serve --debug --addr 127.0.0.1:") || !strings.Contains(out, " --tea two]") {
		t.Errorf("stdout is %q", out)
	}
	if !strings.Contains(stderr.String(), "exit status 3") {
		t.Errorf("stderr is %q", stderr.String())
	}
}

// A signalWriter tells when something was written.
type signalWriter struct {
	w      *bytes.Buffer
	wanted string
	said   chan struct{}
}

func (s *signalWriter) Write(b []byte) (int, error) {
	if s.said != nil && strings.Contains(string(b), s.wanted) {
		close(s.said)
		s.said = nil
	}
	return s.w.Write(b)
}
