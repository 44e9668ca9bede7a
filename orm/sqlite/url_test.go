package sqlite

import (
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/orm"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		url, path string
		options   Options
	}{
		{"sqlite:blog.db", "blog.db", Options{}},
		{"sqlite:/var/lib/blog.db", "/var/lib/blog.db", Options{}},
		{"sqlite:///var/lib/blog.db", "/var/lib/blog.db", Options{}},
		{"sqlite:data/blog.db", "data/blog.db", Options{}},
		{"sqlite::memory:", ":memory:", Options{}},
		{"sqlite:a%20b.db", "a b.db", Options{}},
		{"sqlite:a%3Fb.db", "a?b.db", Options{}},
		{
			"sqlite:x.db?busy_timeout=2s&readers=3&statements=7&synchronous=full&cache_size=-100&read_only=true", "x.db",
			Options{BusyTimeout: 2 * time.Second, Readers: 3, Statements: 7, Synchronous: "FULL", CacheSize: -100, ReadOnly: true},
		},
	} {
		path, options, err := parseURL(tt.url)
		if err != nil || path != tt.path || options != tt.options {
			t.Errorf("%s: %q, %+v, %v", tt.url, path, options, err)
		}
	}
	for _, url := range []string{
		"", "sqlite", "sqlite:", "sqlite:?readers=1", "postgres:x", "sqlite://host/x.db", "sqlite://x.db", "sqlite:a%zz", "sqlite:a%00b",
		"sqlite:x?readers=many", "sqlite:x?readers=-1", "sqlite:x?readers=99999", "sqlite:x?nonsense=1", "sqlite:x?busy_timeout=5", "sqlite:x?synchronous=NORMAL;DROP", "sqlite:x?%zz", "sqlite:x?read_only=perhaps",
	} {
		if path, options, err := parseURL(url); err == nil {
			t.Errorf("%s: %q, %+v", url, path, options)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("sqlite:blog.db?readers=4&busy_timeout=5s")
	f.Add("sqlite:///x%20y.db")
	f.Add("sqlite::memory:?synchronous=off")
	f.Fuzz(func(t *testing.T, url string) {
		path, options, err := parseURL(url)
		if err != nil {
			return
		}
		if path == "" || strings.IndexByte(path, 0) >= 0 {
			t.Errorf("%q: path %q", url, path)
		}
		if err := options.check(); err != nil {
			t.Errorf("%q: %v", url, err)
		}
		if strings.ContainsAny(fileName(path), "?#") {
			t.Errorf("%q: %q can be read as options", url, fileName(path))
		}
	})
}

func TestDialectSpelling(t *testing.T) {
	t.Parallel()
	d := dialect{}
	if got := string(d.Quote(nil, `a"b`)); got != `"a""b"` {
		t.Error(got)
	}
	for want, value := range map[string]any{
		"NULL": nil, "1": true, "0": false, "-5": int64(-5), "1.5e+00": 1.5, "'it''s'": "it's", "X'00ff'": []byte{0, 255},
		"'2024-01-02 03:04:05.000006'": time.Date(2024, 1, 2, 3, 4, 5, 6000, time.UTC),
	} {
		if got, err := d.Literal(nil, value); err != nil || string(got) != want {
			t.Errorf("%v: %s, %v", value, got, err)
		}
	}
	for _, value := range []any{"a\x00b", struct{}{}} {
		if got, err := d.Literal(nil, value); err == nil {
			t.Errorf("%v: %s", value, got)
		}
	}
	if _, _, ok := d.InArray(nil, "c", "?", []any{[]byte("x")}); ok {
		t.Error("bytes in JSON")
	}
	if _, pattern := d.Match(nil, orm.Match{Place: orm.MatchStart}, "c", "?", "a*[b]?"); pattern != "a[*][[]b][?]*" {
		t.Error(pattern)
	}
}
