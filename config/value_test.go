package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzVariable gives any text to a field of every kind: it must be refused or
// come back from the report's text the same.
func FuzzVariable(f *testing.F) {
	for _, seed := range []string{
		"", "1", "true", "10MB", "1h30m", "31d", "a,b", "a=1,b=2", "-5", "1e400", "NaN", "10.0.0.0/8", "2026-01-02T15:04:05Z",
		"\x00", "\xff", "😀", "0x10", "1_0", "=", ",,,", "postgres://a:b@c/d?password=e",
	} {
		f.Add(seed)
	}
	type kinds struct {
		String   string
		Bool     bool
		Int8     int8
		Uint     uint
		Float    float32
		Duration time.Duration
		Size     Size
		Time     time.Time
		Net      netip.Prefix
		Pointer  *int64
		List     []string `max:"1000"`
		Numbers  []int
		Map      map[string]float64
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "\x00") {
			return // no variable can hold one
		}
		load := func(name, text string) (string, error) {
			var k kinds
			report, err := Load(&k, Options{Environ: []string{name + "=" + text}, Files: []string{}, DotEnv: []string{}})
			for _, s := range report.Settings {
				if s.Env[0] == name {
					return s.Value, err
				}
			}
			t.Fatalf("no setting for %s", name)
			return "", nil
		}
		for _, name := range []string{"BOOL", "INT8", "UINT", "FLOAT", "DURATION", "SIZE", "TIME", "NET", "POINTER", "LIST", "NUMBERS", "MAP", "STRING"} {
			name = "RETORT_" + name
			value, err := load(name, text)
			var all *Error
			if err != nil && !errors.As(err, &all) {
				t.Fatalf("%s=%q: %v", name, text, err)
			}
			if err != nil || value == "" || strings.Contains(value, hidden) {
				continue
			}
			if again, err := load(name, value); err != nil || again != value {
				t.Errorf("%s=%q shows as %q, and that as %q, %v", name, text, value, again, err)
			}
		}
	})
}

// FuzzTOML gives any text as a file: it must be read or refused with its line.
func FuzzTOML(f *testing.F) {
	for _, seed := range []string{
		"addr = ':1'\n[session]\nlifetime = '1h'\n", "[[x]]\na=1\n[[x]]\na=2", "a.b.c = {d = [1, {e = 2}]}", "a = 1\na = 2", "\ufeffa = '''\n'''",
		"addr = 1979-05-27T07:32:00Z", "'' = 1", "[session]\n[session]", "session = [{lifetime = '1h'}]", "x = nan",
	} {
		f.Add(seed)
	}
	path := filepath.Join(f.TempDir(), "x.toml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var cfg struct {
			Addr    string
			Labels  map[string]string
			Session struct{ Lifetime time.Duration }
		}
		_, err := Load(&cfg, Options{Environ: []string{}, Files: []string{path}, DotEnv: []string{}})
		var all *Error
		if err != nil && !errors.As(err, &all) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
