package devserver

import (
	"crypto/sha256"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A stamp tells whether a file was written to.
type stamp struct {
	size    int64
	changed time.Time
}

// A snapshot is what the directories of the program held at one moment.
type snapshot map[string]stamp

// take looks at all files that can be part of the program.
func (p *project) take() (snapshot, error) {
	s := snapshot{}
	for _, root := range p.directories() {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && path != root && p.skipDirectory(path):
				return fs.SkipDir
			case d.IsDir():
				return nil
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if d.Type()&fs.ModeSymlink != 0 {
				if info, err = os.Stat(path); err != nil {
					return nil // it leads nowhere
				}
			}
			s[path] = stamp{info.Size(), info.ModTime()}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// since returns the files that are not as they were, and those that are new or
// gone.
func (s snapshot) since(old snapshot) (written, moved []string) {
	for path, now := range s {
		if before, ok := old[path]; !ok {
			moved = append(moved, path)
		} else if before != now {
			written = append(written, path)
		}
	}
	for path := range old {
		if _, ok := s[path]; !ok {
			moved = append(moved, path)
		}
	}
	return written, moved
}

// isTest reports a file that go build does not look at.
func isTest(path string) bool { return strings.HasSuffix(path, "_test.go") }

// isCode reports a file that decides what is compiled: Go, what Go calls, and
// the go command's own.
func isCode(path string) bool {
	switch filepath.Base(path) {
	case "go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt":
		return true
	}
	switch filepath.Ext(path) {
	case ".go", ".s", ".S", ".c", ".h", ".cc", ".cpp", ".cxx", ".m", ".f", ".syso", ".swig", ".swigcxx", ".pgo":
		return !isTest(path)
	}
	return false
}

// head is a sum over what of a Go file matters to others than the compiler: its
// package, what it imports, and what it tells the go command.
func head(path string) ([sha256.Size]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	f, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	facts := []string{"package " + f.Name.Name}
	for _, i := range f.Imports {
		facts = append(facts, i.Path.Value)
	}
	slices.Sort(facts[1:])
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		for _, told := range []string{"//go:build", "// +build", "//go:embed", "//go:debug", "//go:linkname", "//go:cgo", "#cgo"} {
			if strings.HasPrefix(line, told) {
				facts = append(facts, line)
			}
		}
	}
	return sha256.Sum256([]byte(strings.Join(facts, "\n"))), nil
}
