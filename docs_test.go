package retort_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The Go code of the pages is compiled:
//
//   - A block that begins with the name of a file of ours, "// examples/…", quotes
//     it: its lines are there, in that order, with "…" for what is between.
//   - A block of package main is a program of its own.
//   - The other blocks of a page are one package. Declarations are seen by all
//     of them. Statements stand in a function each, with the variables that
//     docsVariables declares, and may return an error.
//   - "…" stands for what is left out.
//   - An HTML comment that begins with "<!-- go" holds declarations that the
//     blocks need and readers do not. "<!-- go: form.Options -->" before a block
//     says that it is fields of a literal of that type.
//   - Packages are imported by themselves, see docsImports.
func TestDocumentationCompiles(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, "README.md")
	paths := []string{"list", "-e", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}
	for _, p := range docsImports {
		paths = append(paths, p)
	}
	slices.Sort(paths[6:])
	exports := map[string]string{}
	for line := range strings.SplitSeq(goCommand(t, paths...), "\n") {
		p, file, _ := strings.Cut(line, " ")
		exports[p] = file
	}
	set := token.NewFileSet()
	checker := &docsChecker{set: set, importer: importer.ForCompiler(set, "gc", func(p string) (io.ReadCloser, error) {
		if exports[p] == "" {
			return nil, errors.New("not imported by docsImports")
		}
		return os.Open(exports[p])
	})}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range checker.page(page, string(text)) {
			t.Error(problem)
		}
	}
}

// docsVariables are the names that statements may use, shadowed by their own.
const docsVariables = `app *retort.App, c *retort.Ctx, ctx context.Context, t *testing.T, w http.ResponseWriter, r *http.Request, client *retorttest.Client`

// docsImports are the packages that the pages use, by their names in the code.
var docsImports = map[string]string{
	"bytes": "bytes", "context": "context", "embed": "embed", "errors": "errors", "fmt": "fmt", "flag": "flag", "io": "io", "fs": "io/fs",
	"log": "log", "slog": "log/slog", "net": "net", "http": "net/http", "httptest": "net/http/httptest", "url": "net/url", "netip": "net/netip",
	"os": "os", "rand": "crypto/rand", "strconv": "strconv", "strings": "strings", "slices": "slices", "testing": "testing", "time": "time", "json": "encoding/json", "sync": "sync",
	"regexp": "regexp", "tls": "crypto/tls", "exec": "os/exec", "iter": "iter", "fstest": "testing/fstest", "uuid": "github.com/google/uuid",
	"retort": modulePath, "bind": modulePath + "/bind", "config": modulePath + "/config", "db": modulePath + "/db",
	"migrate": modulePath + "/migrate", "migratedb": modulePath + "/migrate/migratedb", "migratetest": modulePath + "/migrate/migratetest", "orm": modulePath + "/orm", "retorttest": modulePath + "/retorttest", "router": modulePath + "/router",
	"schema": modulePath + "/orm/schema", "server": modulePath + "/server", "session": modulePath + "/session", "signing": modulePath + "/signing",
	"sqlite": modulePath + "/orm/sqlite", "static": modulePath + "/static", "template": modulePath + "/template", "validate": modulePath + "/validate",
	"security": modulePath + "/security", "ratelimit": modulePath + "/ratelimit", "redislimit": modulePath + "/ratelimit/redislimit",
	"redissession": modulePath + "/session/redissession",
	"filesession":  modulePath + "/session/filesession", "cachedsession": modulePath + "/session/cachedsession",
	"sessiontest": modulePath + "/session/sessiontest", "form": modulePath + "/form", "formtest": modulePath + "/form/formtest",
	"auth": modulePath + "/auth", "accounts": modulePath + "/accounts", "dbsession": modulePath + "/session/dbsession", "password": modulePath + "/password",
	"mail": modulePath + "/mail", "mailtest": modulePath + "/mail/mailtest",
	"postgres": modulePath + "/orm/postgres", "pgxpool": "github.com/jackc/pgx/v5/pgxpool",
}

type docsChecker struct {
	set      *token.FileSet
	importer types.Importer
}

// docsBlock is a piece of Go code on a page.
type docsBlock struct {
	line    int
	code    string
	literal string // the type that the code is fields of
	hidden  bool
}

var docsFence = regexp.MustCompile("(?s)(?:^|\n)(?:(?:<!-- go: (\\S+) -->\n)?```go\n(.*?)\n```|<!-- go\n(.*?)\n?-->)")

// page checks the code of one page and tells what is wrong.
func (d *docsChecker) page(name, text string) (problems []string) {
	var shared []docsBlock
	for _, m := range docsFence.FindAllStringSubmatchIndex(text, -1) {
		b := docsBlock{hidden: m[4] < 0}
		from, to := m[4], m[5]
		if b.hidden {
			from, to = m[6], m[7]
		}
		if m[2] >= 0 {
			b.literal = text[m[2]:m[3]]
		}
		b.line, b.code = strings.Count(text[:from], "\n")+1, text[from:to]
		if m := docsQuote.FindStringSubmatch(b.code); m != nil {
			problems = append(problems, quotes(name, b, m[1])...)
			continue
		}
		if docsMain.MatchString(b.code) {
			problems = append(problems, d.check(name, []docsFile{{name, b.line, b.code}})...)
			continue
		}
		shared = append(shared, b)
	}
	declared := map[string]bool{}
	var files []docsFile
	for _, hidden := range []bool{true, false} {
		for _, b := range shared {
			if b.hidden == hidden {
				more, err := d.wrap(name, b, declared)
				if err != nil {
					problems = append(problems, err.Error())
				}
				files = append(files, more...)
			}
		}
	}
	return append(problems, d.check(name, files)...)
}

var (
	docsMain   = regexp.MustCompile(`(?m)^package main$`)
	docsClause = regexp.MustCompile(`(?m)^package \w+$`)
	docsQuote  = regexp.MustCompile(`^// (\S+/\S+\.go)\n`)
	docsOther  = regexp.MustCompile(`(?m)^import _ "example\.com/.*$`)
	docsImport = regexp.MustCompile(`(?m)^import .*$`)
)

// quotes compares a quotation with its file.
func quotes(page string, b docsBlock, file string) []string {
	source, err := os.ReadFile(file)
	if err != nil {
		return []string{fmt.Sprintf("%s:%d: %v", page, b.line, err)}
	}
	rest := strings.Split(string(source), "\n")
	for i, line := range strings.Split(b.code, "\n")[1:] {
		if strings.TrimSpace(line) == "" || strings.Contains(line, "…") {
			continue
		}
		at := slices.IndexFunc(rest, func(s string) bool { return strings.TrimSpace(s) == strings.TrimSpace(line) })
		if at < 0 {
			return []string{fmt.Sprintf("%s:%d: %s has no such line here: %s", page, b.line+i+1, file, line)}
		}
		rest = rest[at+1:]
	}
	return nil
}

// docsFile is code that parses as a file, from that line of the page on.
type docsFile struct {
	page string
	line int
	code string
}

// wrap makes files of a block: one of its declarations, or one of its
// statements and another of the types among them, which later blocks may use.
func (d *docsChecker) wrap(name string, b docsBlock, declared map[string]bool) ([]docsFile, error) {
	code := strings.ReplaceAll(strings.ReplaceAll(b.code, "…,", ""), "…", `panic("…");`)
	code = docsOther.ReplaceAllString(docsClause.ReplaceAllString(code, ""), "")
	if b.literal != "" {
		code = "var _ = " + b.literal + "{" + strings.TrimSuffix(code, ",") + ",\n}"
	}
	if e, err := parser.ParseExpr(code); err == nil {
		if _, ok := e.(*ast.CompositeLit); ok {
			code = "var _ = " + code
		}
	}
	set := token.NewFileSet()
	if f, err := parser.ParseFile(set, "", "package docs\n"+code, 0); err == nil {
		for _, decl := range f.Decls {
			for _, n := range declaredNames(decl) {
				declared[n] = true
			}
		}
		return []docsFile{{name, b.line - 1, "package docs\n" + code}}, nil
	}
	head := "package docs; func _(" + docsVariables + ") error { {\n"
	whole := head + docsImport.ReplaceAllString(code, "") + "\n}; return nil }\n"
	f, err := parser.ParseFile(set, "", whole, 0)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, b.line, err)
	}
	files := []docsFile{{name, b.line - 1, whole}}
	for _, statement := range f.Decls[0].(*ast.FuncDecl).Body.List[0].(*ast.BlockStmt).List {
		decl, ok := statement.(*ast.DeclStmt)
		if !ok || decl.Decl.(*ast.GenDecl).Tok != token.TYPE {
			continue
		}
		if names := declaredNames(decl.Decl); !slices.ContainsFunc(names, func(n string) bool { return declared[n] }) {
			for _, n := range names {
				declared[n] = true
			}
			var source bytes.Buffer
			if err := format.Node(&source, set, decl.Decl); err != nil {
				return nil, err
			}
			files = append(files, docsFile{name, b.line - 1, "package docs\n" + source.String()})
		}
	}
	return files, nil
}

// declaredNames lists the names that a declaration adds to its package.
func declaredNames(decl ast.Decl) (names []string) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Recv == nil {
			names = append(names, decl.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range decl.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			}
		}
	}
	return names
}

// check compiles files as one package. That names are not used is no problem
// here.
func (d *docsChecker) check(page string, files []docsFile) (problems []string) {
	var parsed []*ast.File
	for i, file := range files {
		// The line directive makes errors name the line of the page.
		code := fmt.Sprintf("//line %s:%d\n%s", file.page, file.line, file.code)
		f, err := parser.ParseFile(d.set, fmt.Sprint("block ", i), code, 0)
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		d.addImports(f)
		parsed = append(parsed, f)
	}
	if len(parsed) == 0 {
		return problems
	}
	cfg := types.Config{Importer: d.importer, Error: func(err error) {
		if e, ok := errors.AsType[types.Error](err); !ok || !e.Soft {
			problems = append(problems, err.Error())
		}
	}}
	_, _ = cfg.Check("docs", d.set, parsed, nil)
	return problems
}

// addImports imports what the file uses and does not import itself.
func (d *docsChecker) addImports(f *ast.File) {
	have := map[string]bool{}
	for _, i := range f.Imports {
		have[path.Base(strings.Trim(i.Path.Value, `"`))] = true
	}
	var specs []ast.Spec
	for _, ident := range f.Unresolved {
		if p := docsImports[ident.Name]; p != "" && !have[ident.Name] {
			have[ident.Name] = true
			spec := &ast.ImportSpec{Path: &ast.BasicLit{Kind: token.STRING, Value: `"` + p + `"`}}
			f.Imports = append(f.Imports, spec)
			specs = append(specs, spec)
		}
	}
	if len(specs) > 0 {
		f.Decls = append([]ast.Decl{&ast.GenDecl{Tok: token.IMPORT, Lparen: 1, Specs: specs}}, f.Decls...)
	}
}

// docsTest names a test in a table of docs/security.md.
var docsTest = regexp.MustCompile("`([\\w/.]+_test\\.go): (Test\\w+)`")

// The page of security names a test for each class of mistakes; all are there.
func TestDocumentationNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := docsTest.FindAllStringSubmatch(string(page), -1)
	if len(named) < 40 {
		t.Errorf("the page names %d tests", len(named))
	}
	for _, n := range named {
		source, err := os.ReadFile(filepath.FromSlash(n[1]))
		if err != nil {
			t.Error(err)
		} else if !bytes.Contains(source, []byte("func "+n[2]+"(t *testing.T)")) {
			t.Errorf("%s has no %s", n[1], n[2])
		}
	}
	files, err := filepath.Glob(filepath.Join("examples", "proving", "site", "classes_*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range regexp.MustCompile(`func (TestClass\w+)\(`).FindAllSubmatch(source, -1) {
			if entry := "`" + filepath.ToSlash(file) + ": " + string(n[1]) + "`"; !bytes.Contains(page, []byte(entry)) {
				t.Errorf("the page does not name %s", entry)
			}
		}
	}
}
