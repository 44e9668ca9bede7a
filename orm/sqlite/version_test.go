package sqlite

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersions(t *testing.T) {
	t.Parallel()
	driver := &debug.Module{Path: driverModule, Version: driverVersion}
	other := &debug.Module{Path: libcModule, Version: "v1.80.0"}
	for name, test := range map[string]struct {
		modules []*debug.Module
		refused bool
	}{
		"as in go.mod":            {[]*debug.Module{driver, {Path: libcModule, Version: libcVersion}}, false},
		"a newer library":         {[]*debug.Module{driver, other}, true},
		"with a newer driver":     {[]*debug.Module{{Path: driverModule, Version: "v1.70.0"}, other}, false},
		"replaced by the right":   {[]*debug.Module{driver, {Path: libcModule, Version: "v1.80.0", Replace: &debug.Module{Version: libcVersion}}}, false},
		"replaced by another":     {[]*debug.Module{driver, {Path: libcModule, Version: libcVersion, Replace: other}}, true},
		"replaced by a directory": {[]*debug.Module{driver, {Path: libcModule, Version: "v1.80.0", Replace: &debug.Module{Path: "../libc"}}}, false},
		"unknown":                 {nil, false},
	} {
		err := checkVersions(test.modules)
		if (err != nil) != test.refused || err != nil && !strings.Contains(err.Error(), "go get modernc.org/libc@"+libcVersion) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestVersionsAreThoseOfTheDriver holds the constants against the go.mod files.
func TestVersionsAreThoseOfTheDriver(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", driverModule).Output()
	if err != nil {
		t.Fatal("go list: ", err)
	}
	version, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if version != driverVersion {
		t.Fatalf("the driver is %s; set driverVersion and libcVersion", version)
	}
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), libcModule+" "+libcVersion) {
		t.Errorf("the driver's go.mod asks for another library than %s", libcVersion)
	}
}
