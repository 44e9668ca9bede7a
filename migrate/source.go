package migrate

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// source is the Go code of a migration, as somebody may have edited it.
type source struct {
	path    string
	text    []byte
	file    *ast.File
	set     *token.FileSet
	literal *ast.CompositeLit // migrate.Migration{…}
}

// readSources reads the migrations of a folder, by their names.
func readSources(folder string) (map[string]*source, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	all := map[string]*source{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("migrate: read the migrations: %w", err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			s := &source{path: path, text: text, file: file, set: set, literal: literal}
			if name, ok := stringOf(s.field("Name")); ok && isMigration(literal.Type) {
				all[name] = s
				return false
			}
			return true
		})
	}
	return all, nil
}

// isMigration reports whether a type is written migrate.Migration.
func isMigration(t ast.Expr) bool {
	selector, ok := t.(*ast.SelectorExpr)
	return ok && selector.Sel.Name == "Migration"
}

// field returns the value of a field of the migration, or nil.
func (s *source) field(name string) ast.Expr {
	for _, element := range s.literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if key, ok := pair.Key.(*ast.Ident); ok && key.Name == name {
			return pair.Value
		}
	}
	return nil
}

func stringOf(e ast.Expr) (string, bool) {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(literal.Value)
	return s, err == nil
}

// list returns the elements of a field that is written as a literal.
func (s *source) list(name string) ([]ast.Expr, bool) {
	value := s.field(name)
	if value == nil {
		return nil, true
	}
	literal, ok := value.(*ast.CompositeLit)
	if !ok {
		return nil, false
	}
	return literal.Elts, true
}

// code returns the code of an expression.
func (s *source) code(e ast.Node) string { return string(s.text[s.offset(e.Pos()):s.offset(e.End())]) }

func (s *source) offset(p token.Pos) int { return s.set.Position(p).Offset }

// imports returns the import lines that a piece of code of the file needs.
func (s *source) imports(e ast.Node) []string {
	var lines []string
	ast.Inspect(e, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		qualifier, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		for _, spec := range s.file.Imports {
			if line := s.code(spec); importName(spec) == qualifier.Name && !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
		return true
	})
	return lines
}

// importName is the name by which a file knows an import, as far as that can
// be told without reading the package.
func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	path := strings.Trim(spec.Path.Value, `"`)
	return path[strings.LastIndex(path, "/")+1:]
}

// revision is a change of a file: other text for a part of it.
type revision struct {
	from, to int
	text     string
}

// edited returns a text with changes, which must not overlap.
func edited(text []byte, edits []revision) []byte {
	slices.SortFunc(edits, func(a, b revision) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, e := range edits {
		out = append(append(out, text[at:e.from]...), e.text...)
		at = e.to
	}
	return append(out, text[at:]...)
}
