package retort_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/retort-web/retort"

// sourceFolders lists the folders of this module with Go files, other modules
// inside the repository left out.
func sourceFolders(t *testing.T) []string {
	t.Helper()
	var folders []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && path != "." {
			return fs.SkipDir
		}
		if name := d.Name(); path != "." && (name[0] == '.' || name[0] == '_' || name == "testdata") {
			return fs.SkipDir
		}
		if files, _ := filepath.Glob(filepath.Join(path, "*.go")); len(files) > 0 {
			folders = append(folders, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// parsePackage parses the files of a folder that are not tests.
func parsePackage(t *testing.T, set *token.FileSet, folder string) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

func TestPolicyEveryPackageHasOneComment(t *testing.T) {
	t.Parallel()
	for _, folder := range sourceFolders(t) {
		files := parsePackage(t, token.NewFileSet(), folder)
		var with []string
		for _, f := range files {
			if f.Doc != nil {
				with = append(with, f.Doc.Text())
			}
		}
		if folder == filepath.Join("examples", "hello") {
			continue // nine lines, as the README shows them
		}
		if len(files) > 0 && len(with) != 1 {
			t.Errorf("%s has %d package comments", folder, len(with))
		}
	}
}

func TestPolicyExportedNamesAreDocumented(t *testing.T) {
	t.Parallel()
	for _, folder := range sourceFolders(t) {
		set := token.NewFileSet()
		files := parsePackage(t, set, folder)
		if len(files) == 0 || files[0].Name.Name == "main" {
			continue
		}
		p, err := doc.NewFromFiles(set, files, modulePath+"/"+folder, doc.PreserveAST)
		if err != nil {
			t.Fatal(err)
		}
		missing := func(kind, name, text string) {
			if strings.TrimSpace(text) == "" && ast.IsExported(name[strings.LastIndexByte(name, '.')+1:]) {
				t.Errorf("%s: %s %s has no comment", folder, kind, name)
			}
		}
		values := func(list []*doc.Value) {
			for _, v := range list {
				for _, s := range v.Decl.Specs {
					spec := s.(*ast.ValueSpec)
					for _, name := range spec.Names {
						missing("value", name.Name, v.Doc+spec.Doc.Text()+spec.Comment.Text())
					}
				}
			}
		}
		functions := func(prefix string, list []*doc.Func) {
			for _, f := range list {
				if f.Level == 0 { // its own, not of an embedded type
					missing("function", prefix+f.Name, f.Doc)
				}
			}
		}
		values(p.Consts)
		values(p.Vars)
		functions("", p.Funcs)
		for _, typ := range p.Types {
			missing("type", typ.Name, typ.Doc)
			values(typ.Consts)
			values(typ.Vars)
			functions("", typ.Funcs)
			if ast.IsExported(typ.Name) {
				for _, m := range typ.Methods {
					// The methods of well-known interfaces say nothing new.
					if m.Level == 0 && !slices.Contains(wellKnown, m.Name) {
						missing("method", typ.Name+"."+m.Name, m.Doc)
					}
				}
			}
		}
	}
}

// wellKnown are methods whose interface documents them.
var wellKnown = []string{
	"Error", "Unwrap", "Is", "As", "String", "GoString", "Format", "Read", "Write", "Close", "ServeHTTP", "Len", "Less", "Swap",
	"MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "AppendText", "Scan", "Value", "HTTPStatus", "Name", "Install",
}

func TestPolicyNoPathOfOneMachineInTheSource(t *testing.T) {
	t.Parallel()
	absolute := regexp.MustCompile(`"(/(home|root|Users|work|usr/local|opt)/|[A-Z]:\\\\)`)
	for _, folder := range sourceFolders(t) {
		names, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range strings.Split(string(source), "\n") {
				if absolute.MatchString(line) {
					t.Errorf("%s:%d: %s", name, i+1, strings.TrimSpace(line))
				}
			}
		}
	}
}

// maxLines is how long a file may be. Longer ones tell more than one story.
const maxLines = 700

func TestPolicyFilesAreShort(t *testing.T) {
	t.Parallel()
	for _, folder := range sourceFolders(t) {
		names, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), "\n"); n > maxLines {
				t.Errorf("%s has %d lines, more than %d", name, n, maxLines)
			}
		}
	}
}

// goCommand runs the go command and returns what it printed.
func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// helloImports are the packages outside the standard library that a program
// with one route links, each with the reason why.
var helloImports = map[string]string{
	modulePath:                         "the core",
	modulePath + "/examples/hello":     "the program",
	modulePath + "/bind":               "Ctx.Bind and Ctx.Form",
	modulePath + "/config":             "Config from the environment, .env and retort.toml",
	modulePath + "/internal/closest":   "did you mean …?",
	modulePath + "/internal/debugpage": "the error page of development",
	modulePath + "/internal/outage":    "one log line for a session store that is away",
	modulePath + "/router":             "routes",
	modulePath + "/server":             "serving",
	modulePath + "/session":            "sessions in cookies",
	modulePath + "/signing":            "what sessions are sealed with",
	modulePath + "/static":             "static files and Ctx.File",
	modulePath + "/template":           "imported, and left out by the linker unless something renders",
	modulePath + "/validate":           "Ctx.Bind",
}

func TestPolicyWhatHelloImports(t *testing.T) {
	t.Parallel()
	out := goCommand(t, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./examples/hello")
	imported := strings.Fields(out)
	for _, path := range imported {
		if helloImports[path] == "" {
			t.Errorf("hello imports %s: leave it out, or say in helloImports why it is needed", path)
		}
	}
	for path := range helloImports {
		if !slices.Contains(imported, path) {
			t.Errorf("hello no longer imports %s: take it from helloImports", path)
		}
	}
}

// bareHello is hello as a program of nothing but the standard library.
const bareHello = `package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	http.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewEncoder(w).Encode(map[string]string{"hello": r.PathValue("name")}); err != nil {
			log.Error("write", "error", err)
		}
	})
	log.Error("served", "error", http.ListenAndServe("127.0.0.1:8000", nil))
}
`

// maxHelloRatio is how much larger than bareHello the same on Retort may be.
const maxHelloRatio = 1.25

func TestPolicyHelloIsSmallAndLinksNoReflectMethod(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(bareHello), 0o600); err != nil {
		t.Fatal(err)
	}
	size := func(out string, args ...string) int64 {
		goCommand(t, append([]string{"build", "-trimpath", "-o", out}, args...)...)
		info, err := os.Stat(out)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	bare := size(filepath.Join(dir, "bare"), "-ldflags=-s -w", filepath.Join(dir, "main.go"))
	hello := size(filepath.Join(dir, "hello"), "-ldflags=-s -w", "./examples/hello")
	if ratio := float64(hello) / float64(bare); ratio > maxHelloRatio {
		t.Errorf("hello is %.2f times the size of a bare one (%d and %d bytes), more than %.2f", ratio, hello, bare, maxHelloRatio)
	}

	noReflectMethod(t, filepath.Join(dir, "dumped"), "./examples/hello")
}

// models is a site with models and no templates.
const models = `package main

import (
	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/sqlite"
)

type note struct {
	orm.Model
	Text string
}

type marked struct {
	note
	Mark int
}

var (
	notes = orm.Register[note]()
	mine  = orm.Extend[marked](notes)
)

func main() {
	app := retort.New()
	app.Install(db.Open(""))
	app.Get("/", func(c *retort.Ctx) error {
		all, err := mine.All(c)
		if err != nil {
			return err
		}
		return c.JSON(all)
	})
	app.Run()
}
`

func TestPolicyModelsLinkNoReflectMethod(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(models), 0o600); err != nil {
		t.Fatal(err)
	}
	noReflectMethod(t, filepath.Join(dir, "dumped"), filepath.Join(dir, "main.go"))
}

// noReflectMethod builds a program. The linker drops methods that nothing calls, unless
// something looks methods up by reflection; then it keeps all exported ones of everything.
func noReflectMethod(t *testing.T, out, program string) {
	t.Helper()
	// It tells only when it runs, so the flag makes each link a new one.
	dump := goCommand(t, "build", "-o", out, fmt.Sprintf("-ldflags=-dumpdep -X main.unused=%s", filepath.Base(filepath.Dir(out))), program)
	if !strings.Contains(dump, "main.main") {
		t.Fatal("the linker told nothing")
	}
	for line := range strings.SplitSeq(dump, "\n") {
		if strings.Contains(line, "<ReflectMethod>") {
			t.Errorf("%s links reflection over methods: %s", program, line)
		}
	}
}
