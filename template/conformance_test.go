package template_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/retort-web/retort/template/internal/vectors"
)

// TestConformance runs the vectors in testdata against Jinja's outcomes.
// testdata/known-failures.json names those that differ on purpose or that we
// cannot meet, with the reason.
func TestConformance(t *testing.T) {
	t.Parallel()
	known := map[string]string{}
	raw, err := os.ReadFile("testdata/known-failures.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &known); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/jinja-*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		for _, v := range readVectors(t, file) {
			seen[v.ID] = true
			wrong := v.Check()
			_, listed := known[v.ID]
			switch {
			case wrong == "" && listed:
				t.Errorf("%s passes but is listed as a known failure", v.ID)
			case wrong != "" && !listed:
				t.Errorf("%s: %s\n\ttemplate: %s\n\tfiles: %v\n\toptions: %s", v.ID, wrong, v.Source(), v.Files, v.Options)
			}
		}
	}
	for id := range known {
		if !seen[id] {
			t.Errorf("%s is listed as a known failure but does not exist", id)
		}
	}
}

func readVectors(t *testing.T, file string) []*vectors.Vector {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := vectors.Read(f)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return list
}
