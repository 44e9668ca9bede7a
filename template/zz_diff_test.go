package template

import (
	"encoding/json"
	"os"
	"testing"
)

func TestZZDiff(t *testing.T) {
	raw, err := os.ReadFile("/tmp/diff/out.json")
	if err != nil {
		t.Skip()
	}
	var set struct{ Vectors []*vector }
	if err := json.Unmarshal(raw, &set); err != nil {
		t.Fatal(err)
	}
	bad := 0
	for _, v := range set.Vectors {
		if wrong := v.check(); wrong != "" {
			bad++
			src := v.Entry
			if v.Template != nil {
				src = *v.Template
			}
			t.Logf("DIFFID %s", v.ID); t.Logf("DIFF %s: %q %s %s\n      %s", v.Area, shorten(src), v.Options, v.Files, wrong)
		}
	}
	t.Logf("%d of %d differ", bad, len(set.Vectors))
}
