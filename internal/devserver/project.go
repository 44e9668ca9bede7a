package devserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A project is the program and the directories that its source is in.
type project struct {
	dir string // where the go command runs
	pkg string // what it builds
	own string // path of its module, "" outside one

	mu       sync.Mutex
	roots    []string            // modules that are edited, absolute
	embedded map[string]struct{} // files compiled into the program by go:embed
	imported map[string][]string // by path, the packages of these modules that import it
	builds   int                 // of the go command
	listed   int                 // the last of them that the two are of
	changed  chan struct{}       // one value after roots were added
}

// findProject looks for the module, by the go command, and refuses what is no
// program.
func findProject(dir, pkg string) (*project, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("devserver: the go command is not in PATH; install Go from https://go.dev/dl")
	}
	var stderr bytes.Buffer
	cmd := goCommand(context.Background(), dir, "list", "-e", "-find", "-f", "{{.Name}}\t{{.Dir}}\t{{with .Module}}{{.Dir}}{{end}}\t{{with .Module}}{{.Path}}{{end}}", "--", pkg)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("devserver: %s is no package: %s", pkg, strings.TrimSpace(stderr.String()))
	}
	lines := strings.Split(strings.Trim(string(out), "\n"), "\n")
	if len(lines) != 1 {
		return nil, fmt.Errorf("devserver: %s names %d packages; name the one that is to be served", pkg, len(lines))
	}
	field := strings.Split(lines[0], "\t")
	if len(field) != 4 || field[1] == "" {
		return nil, fmt.Errorf("devserver: there is no Go package at %s in %s", pkg, dir)
	}
	if field[0] != "" && field[0] != "main" {
		return nil, fmt.Errorf("devserver: %s is a library (package %s), not a program; name the package with main, as in: retort dev ./cmd/site", pkg, field[0])
	}
	root := field[2]
	if root == "" {
		root = field[1]
	}
	return &project{dir: dir, pkg: pkg, own: field[3], roots: []string{root}, changed: make(chan struct{}, 1)}, nil
}

// listing names the directories of edited modules, the embedded files and the
// imports of their packages, among the program's dependencies.
const listing = `{{$d := .Dir}}{{$p := .ImportPath}}{{if eq .Name "main"}}{{$p = "main"}}{{end}}{{with .Module}}{{if or .Main (and .Replace (not .Replace.Version))}}M {{.Dir}}
{{range $.EmbedFiles}}E {{$d}}/{{.}}
{{end}}{{range $.Imports}}I {{$p}} {{.}}
{{end}}{{end}}{{end}}`

// refresh asks again which directories belong to the program: a new import can
// bring in another module of the workspace. If the program is broken, what was
// known stays.
func (p *project) refresh(ctx context.Context) {
	p.mu.Lock()
	builds := p.builds
	p.mu.Unlock()
	out, err := goCommand(ctx, p.dir, "list", "-e", "-deps", "-f", listing, "--", p.pkg).Output()
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	added := false
	p.embedded, p.imported, p.listed = map[string]struct{}{}, map[string][]string{}, builds
	for line := range strings.Lines(string(out)) {
		kind, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case kind == "M" && path != "" && !slices.Contains(p.roots, path):
			p.roots = append(p.roots, path)
			added = true
		case kind == "E":
			p.embedded[filepath.Clean(path)] = struct{}{}
		case kind == "I":
			importer, imported, _ := strings.Cut(path, " ")
			p.imported[imported] = append(p.imported[imported], importer)
		}
	}
	if added {
		select {
		case p.changed <- struct{}{}:
		default:
		}
	}
}

// isListed reports whether embedded files and imports are those of the last
// build; outdate says that they may not be any more.
func (p *project) isListed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listed == p.builds
}

func (p *project) outdate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.builds++
}

// importers returns the packages of edited modules that import a path.
func (p *project) importers(path string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.imported[path]
}

// embedsBeside reports whether a file of that directory is compiled into the
// program.
func (p *project) embedsBeside(path string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for embedded := range p.embedded {
		if filepath.Dir(embedded) == filepath.Dir(path) {
			return true
		}
	}
	return false
}

func (p *project) directories() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.roots)
}

func (p *project) isEmbedded(path string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.embedded[path]
	return ok
}

// skipDirectory says which directories hold nothing that is edited: hidden
// ones, other tools' folders, test data, and modules of their own.
func (p *project) skipDirectory(path string) bool {
	name := filepath.Base(path)
	if slices.Contains(p.directories(), path) {
		return false
	}
	switch name {
	case "node_modules", "testdata", "vendor", "media", "uploads", "tmp":
		return true
	}
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	return err == nil
}
