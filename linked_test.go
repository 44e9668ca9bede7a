package retort_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program whose templates are only a folder on disk says nothing of them
// but in its handlers. The check builds it anew with the engine, or tells so.
func TestCheckOfTemplatesThatAreOnlyOnDisk(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "program")
	goCommand(t, "build", "-o", binary, "./testdata/ondisk")
	check := func(environment ...string) (string, bool) {
		cmd := exec.Command(binary, "check")
		cmd.Env = append(os.Environ(), environment...)
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	// On a server, or wherever there is no go command, it can only say so.
	if out, ok := check("PATH="); !ok || !strings.Contains(out, "folder templates were not checked") || !strings.Contains(out, "go run -tags retort_templates . check") {
		t.Errorf("the check says %s", out)
	}
	if out, ok := check("CGO_ENABLED=0"); ok || !strings.Contains(out, "home.html:2:8: no filter named 'uper'; did you mean 'upper'?") {
		t.Errorf("with the go command the check says %s", out)
	}
}
