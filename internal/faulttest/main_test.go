//go:build unix

package faulttest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The programs under test, built by TestMain.
var blogProgram, labProgram, provingProgram string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "faulttest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	blogProgram, labProgram, provingProgram = filepath.Join(dir, "blog"), filepath.Join(dir, "lab"), filepath.Join(dir, "proving")
	for program, source := range map[string]string{blogProgram: "../../examples/blog", labProgram: "./testdata/lab", provingProgram: "../../examples/proving"} {
		if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build %s: %v\n%s", source, err, out)
			return 1
		}
	}
	return m.Run()
}
