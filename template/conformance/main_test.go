package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test's own program be the second process.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args[1:], "-worker") {
		memory := uint64(1 << 30)
		if slices.Contains(os.Args[1:], "-memory=1") {
			memory = 1
		}
		work(os.Stdin, os.Stdout, memory)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const mixed = `{"format": 1, "vectors": [
{"id": "good", "area": "a", "template": "{{ 1 + 1 }}", "expect": "2"},
{"id": "bad", "area": "a", "template": "{{ 1 + 1 }}", "expect": "3"},
{"id": "endless", "area": "b", "template": "{% for i in range(999999) %}{% for j in range(999999) %}{% endfor %}{% endfor %}", "expect": ""},
{"id": "deep", "area": "b", "template": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "error": "runtime"},
{"id": "kind", "area": "b", "template": "{{ x.y }}", "error": "runtime", "error_also": ["undefined"]},
{"id": "last", "area": "c", "template": "{{ x.y }}", "error": "syntax"}
]}`

func runOn(t *testing.T, text string, timeout time.Duration, memory uint64) (string, int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "set.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	failed, err := run(&out, []string{file}, timeout, memory)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), failed
}

func TestAHungVectorFailsAlone(t *testing.T) {
	t.Parallel()
	out, failed := runOn(t, mixed, 500*time.Millisecond, 1<<30)
	if failed != 3 || !strings.HasSuffix(out, "\n3 passed, 3 failed\n") {
		t.Error(out)
	}
	for _, want := range []string{"FAIL bad: got \"2\", want \"3\"\n", "FAIL endless: does not end within 500ms\n", "FAIL last: error of kind undefined", "1       1 a\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestACrashedProcessIsStartedAgain(t *testing.T) {
	t.Parallel()
	slow := `{"id": "slow", "area": "a", "template": "{% for i in range(999999) %}{% for j in range(999999) %}{% endfor %}{% endfor %}", "expect": ""}`
	out, failed := runOn(t, `{"format": 1, "vectors": [`+slow+","+slow+"]}", time.Minute, 1)
	if failed != 2 || strings.Count(out, "the process crashed: the heap grew to") != 2 {
		t.Error(out)
	}
}
