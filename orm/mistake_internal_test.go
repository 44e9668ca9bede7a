package orm

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

type (
	misspelt struct {
		Model
		Fine  string `orm:"size=2"`
		Wrong string `orm:"sise=2"`
		One,
		Two chan int
		misspeltPart
	}
	misspeltPart struct {
		X, Y func()
	}
)

func TestMistakesHaveTheLinesOfFields(t *testing.T) {
	t.Parallel()
	const source = "mistake_internal_test.go"
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	file, err := filepath.Abs(source)
	if err != nil {
		t.Fatal(err)
	}
	info := buildInfo(reflect.TypeFor[misspelt]())
	locate(info.buildErr, info.Type, file)
	message := info.buildErr.Error()
	for field, code := range map[string]string{"Wrong": "Wrong string", "One": "One,", "Two": "Two chan", "X": "X, Y", "Y": "X, Y"} {
		before, _, _ := strings.Cut(string(text), "\t\t"+code)
		want := fmt.Sprintf("%s:%d)", file, strings.Count(before, "\n")+1)
		found := false
		for line := range strings.Lines(message) {
			found = found || strings.Contains(line, "misspelt."+field+": ") && strings.HasSuffix(strings.TrimSpace(line), want)
		}
		if !found {
			t.Errorf("%s is not at %s in %s", field, want, message)
		}
	}
	info = buildInfo(reflect.TypeFor[misspelt]())
	locate(info.buildErr, info.Type, "/nowhere/x.go")
	if strings.Contains(info.buildErr.Error(), "nowhere") {
		t.Error(info.buildErr)
	}
}
