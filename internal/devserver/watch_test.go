package devserver

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	w := &watcher{project: &project{embedded: map[string]struct{}{"/m/schema.sql": {}, "/m/page.html": {}}}}
	for name, want := range map[string]string{
		"/m/main.go": "build", "/m/go.mod": "build", "/m/go.sum": "build", "/m/go.work": "build",
		"/m/main_test.go": "", "/m/.main.go.swp": "", "/m/main.go~": "", "/m/#main.go#": "", "/m/4913": "", "/m/.#main.go": "",
		"/m/.env": "restart", "/m/.env.local": "restart", "/m/retort.toml": "restart",
		"/m/page.html": "asset", "/m/Site.CSS": "asset", "/m/de.po": "asset", "/m/logo.svg": "asset",
		"/m/blog.db": "", "/m/blog.db-wal": "", "/m/app.log": "", "/m/data.json": "", "/m/program": "",
		"/m/schema.sql": "build", "/m/other.sql": "",
	} {
		c := w.classify(name)
		got := ""
		switch {
		case c.build:
			got = "build"
		case c.restart:
			got = "restart"
		case len(c.assets) > 0:
			got = "asset"
		}
		if got != want {
			t.Errorf("%s asks for %q, want %q", name, got, want)
		}
	}
}

func TestSkipDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := &project{roots: []string{dir, filepath.Join(dir, "workspace")}}
	write(t, filepath.Join(dir, "nested", "go.mod"), "module nested\n")
	write(t, filepath.Join(dir, "workspace", "go.mod"), "module workspace\n")
	for name, want := range map[string]bool{
		".git": true, "node_modules": true, "testdata": true, "vendor": true, "_old": true, ".idea": true, "uploads": true, "nested": true,
		"templates": false, "static": false, "workspace": false, "cart": false,
	} {
		if got := p.skipDirectory(filepath.Join(dir, name)); got != want {
			t.Errorf("skipDirectory(%s) = %v", name, got)
		}
	}
}

func TestWatcherJoinsEventsAndFollowsNewDirectories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := &project{roots: []string{dir}, changed: make(chan struct{}, 1)}
	w, err := newWatcher(p, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() { w.run(ctx); close(stopped) }()
	defer func() { cancel(); <-stopped }()

	next := func() change {
		t.Helper()
		select {
		case c := <-w.changes:
			return c
		case <-time.After(10 * time.Second):
			t.Fatal("no change was reported")
			return change{}
		}
	}
	write(t, filepath.Join(dir, "a.go"), "package a\n")
	write(t, filepath.Join(dir, "b.css"), "b{}\n")
	if c := next(); !c.build || len(c.assets) == 0 {
		t.Errorf("change is %+v", c)
	}
	write(t, filepath.Join(dir, "deep", "er", "c.go"), "package c\n")
	if c := next(); !c.build {
		t.Errorf("change in a new directory is %+v", c)
	}
	write(t, filepath.Join(dir, "deep", "er", "page.html"), "<p>")
	if c := next(); !c.onlyAssets() || len(c.assets) == 0 {
		t.Errorf("change in a directory that was new is %+v", c)
	}
	if err := os.Rename(filepath.Join(dir, "a.go"), filepath.Join(dir, "d.go")); err != nil {
		t.Fatal(err)
	}
	if c := next(); !c.build {
		t.Errorf("a renamed file is %+v", c)
	}
	if err := os.RemoveAll(filepath.Join(dir, "deep")); err != nil {
		t.Fatal(err)
	}
	if c := next(); !c.build {
		t.Errorf("a removed directory is %+v", c)
	}
	write(t, filepath.Join(dir, "deep", "e.go"), "package e\n")
	if c := next(); !c.build {
		t.Errorf("a directory that came back is %+v", c)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	c := change{initial: true, build: true}.merge(change{})
	if !c.initial || !c.build {
		t.Errorf("nothing changed the first build to %+v", c)
	}
	c = change{wanted: true, restart: true}.merge(change{build: true, files: []string{"/a/main.go"}})
	if c.wanted || !c.build || !c.restart || c.name() != "main.go" {
		t.Errorf("merged to %+v, %s", c, c.name())
	}
	if !(change{assets: []string{"a"}}).onlyAssets() || (change{}).any() {
		t.Error("assets alone are no build, and nothing is no change")
	}
}

// write makes a file and the directories above it.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
