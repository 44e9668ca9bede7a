package devserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A change is what must be done about files that were edited.
type change struct {
	build   bool     // compile and start again
	restart bool     // start again: a configuration file
	assets  []string // only tell the pages
	files   []string // all the files, for the message

	initial bool // the first build
	wanted  bool // a request asked for a program that had stopped
	stopped bool // the old process was told to stop
}

func (c change) any() bool { return c.build || c.restart || len(c.assets) > 0 }

func (c change) onlyAssets() bool { return !c.build && !c.restart }

func (c change) merge(d change) change {
	return change{
		build: c.build || d.build, restart: c.restart || d.restart,
		assets: union(c.assets, d.assets), files: union(c.files, d.files),
		initial: c.initial && !d.any(), wanted: c.wanted && !d.any(),
	}
}

// union keeps the order; one save of a file is several events.
func union(a, b []string) []string {
	a = slices.Clip(a)
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// name says what changed in a few words.
func (c change) name() string {
	switch {
	case c.initial:
		return "first build"
	case len(c.files) == 0:
		return "start"
	case len(c.files) == 1:
		return filepath.Base(c.files[0])
	}
	return fmt.Sprintf("%s and %d more", filepath.Base(c.files[0]), len(c.files)-1)
}

// maxDirectories bounds what is watched; a tree beyond it is hardly one
// program's source, and every directory costs a kernel resource.
const maxDirectories = 10_000

// A watcher reports changes once the files have been quiet for a moment.
type watcher struct {
	project *project
	quiet   time.Duration
	notify  *fsnotify.Watcher
	watched map[string]struct{}
	changes chan change
}

// newWatcher watches the project's directories.
func newWatcher(p *project, quiet time.Duration) (*watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("devserver: cannot watch files: %w", err)
	}
	w := &watcher{project: p, quiet: quiet, notify: notify, watched: map[string]struct{}{}, changes: make(chan change)}
	for _, root := range p.directories() {
		if err := w.add(root); err != nil {
			_ = notify.Close()
			return nil, err
		}
	}
	return w, nil
}

// add watches a directory and those below it.
func (w *watcher) add(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == root {
				return fmt.Errorf("devserver: cannot watch %s: %w", root, err)
			}
			return nil // it went away, or is not ours to read
		}
		if !d.IsDir() {
			return nil
		}
		if path != root && w.project.skipDirectory(path) {
			return fs.SkipDir
		}
		if _, ok := w.watched[path]; ok {
			return nil
		}
		if len(w.watched) >= maxDirectories {
			return fmt.Errorf("devserver: %s has more than %d directories; run retort dev inside the program's own module", root, maxDirectories)
		}
		if err := w.notify.Add(path); err != nil {
			if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) {
				return fmt.Errorf("devserver: the system permits no more watched directories; raise fs.inotify.max_user_watches or the number of open files: %w", err)
			}
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return fmt.Errorf("devserver: cannot watch %s: %w", path, err)
		}
		w.watched[path] = struct{}{}
		return nil
	})
}

// run reports changes until ctx ends.
func (w *watcher) run(ctx context.Context) {
	defer func() { _ = w.notify.Close() }()
	var (
		pending change
		ready   chan change
		timer   = time.NewTimer(time.Hour)
	)
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.project.changed:
			for _, root := range w.project.directories() {
				_ = w.add(root) // what could be watched is watched
			}
		case event, ok := <-w.notify.Events:
			if !ok {
				return
			}
			c := w.judge(event)
			if c.any() {
				pending = pending.merge(c)
				timer.Reset(w.quiet)
			}
		case _, ok := <-w.notify.Errors:
			if !ok {
				return
			}
			// Events were lost: build, which finds out what is new by itself.
			pending = pending.merge(change{build: true})
			timer.Reset(w.quiet)
		case <-timer.C:
			ready = w.changes
		case ready <- pending:
			pending, ready = change{}, nil
		}
	}
}

// judge decides what one event means, and follows new directories.
func (w *watcher) judge(event fsnotify.Event) change {
	if event.Op == fsnotify.Chmod {
		return change{}
	}
	path := event.Name
	if event.Has(fsnotify.Create) {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return w.newDirectory(path)
		}
	}
	if event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename) {
		delete(w.watched, path)
	}
	return w.classify(path)
}

// newDirectory watches a directory that appeared, and looks at the files that
// were in it before the watch began.
func (w *watcher) newDirectory(path string) change {
	var c change
	if w.project.skipDirectory(path) || w.add(path) != nil {
		return c
	}
	_ = filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
		case d.IsDir() && w.project.skipDirectory(path):
			return fs.SkipDir
		case !d.IsDir():
			c = c.merge(w.classify(path))
		}
		return nil
	})
	return c
}

// classify says what a changed file asks for, by its name.
func (w *watcher) classify(path string) change {
	name := filepath.Base(path)
	files := []string{path}
	switch extension := strings.ToLower(filepath.Ext(name)); {
	case name == ".env" || strings.HasPrefix(name, ".env."):
		return change{restart: true, files: files}
	case strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") || strings.HasSuffix(name, "~"):
		return change{} // editors' lock and backup files
	case extension == ".go":
		if strings.HasSuffix(name, "_test.go") {
			return change{}
		}
		return change{build: true, files: files}
	case name == "go.mod" || name == "go.work" || name == "go.sum" || name == "go.work.sum":
		return change{build: true, files: files}
	case extension == ".toml":
		return change{restart: true, files: files}
	case isAsset(extension):
		return change{assets: files, files: files}
	case w.project.isEmbedded(path):
		return change{build: true, files: files}
	}
	return change{}
}

// isAsset lists the files that a program in development reads from disk at
// each use, so that they never need a build. Databases, logs and uploads are
// not among them: a program writes those itself.
func isAsset(extension string) bool {
	switch extension {
	case ".html", ".htm", ".tmpl", ".tpl", ".jinja", ".jinja2", ".j2", ".md",
		".css", ".js", ".mjs", ".map", ".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".ico", ".woff2",
		".po", ".mo":
		return true
	}
	return false
}
