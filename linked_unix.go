//go:build unix

package retort

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
)

// checkWithEngine goes on with the command check in this program built anew with its
// template engine, as the build tag retort_templates does. It returns if that cannot be:
// without the go command, or outside of the program's module.
func checkWithEngine() {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Path == "" || info.Path == "command-line-arguments" || !inModule(info.Main.Path) {
		return
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		command := filepath.Join(dir, "go")
		if f, err := os.Stat(command); err != nil || f.IsDir() || !filepath.IsAbs(command) {
			continue
		}
		args := append([]string{"go", "run", "-tags", "retort_templates", info.Path}, os.Args[1:]...)
		_ = syscall.Exec(command, args, os.Environ()) //nolint:gosec // the developer's own go command
		return
	}
}

// inModule reports whether the working directory is in the module of that path.
func inModule(path string) bool {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil { //nolint:gosec // as go itself does
			return strings.Contains("\n"+string(text), "\nmodule "+path+"\n")
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
	return false
}
