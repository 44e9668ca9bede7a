package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/retort-web/retort/examples"
)

//go:embed scaffold
var scaffold embed.FS

// retortModule is the module of the framework, and of this tool.
const retortModule = "github.com/retort-web/retort"

// newCommand starts a project.
func newCommand() *cobra.Command {
	p := &project{}
	cmd := &cobra.Command{
		Use:   "new [flags] NAME",
		Short: "Start a project: one file, or a whole site with --full",
		Long: `Makes a folder NAME with a module of that name.

Without flags it holds one file and its test. With --full it is the example
blog, to be changed into your site: models, migrations, forms, templates,
styles, an API and tests. What is made builds and passes its tests at once.`,
		Example: `  retort new hello
  retort new --full blog
  retort new --full --module example.com/me/shop shop`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("new takes one NAME, the folder to make")
			}
			return nil
		},
		RunE: failing(func(cmd *cobra.Command, args []string) error {
			p.dir = args[0]
			if err := p.create(); err != nil {
				return err
			}
			if err := p.tidy(cmd); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Made %s. Now:\n\n  cd %s\n  go test ./...\n  go run .          # or, to rebuild on every change: retort dev\n", p.dir, p.dir)
			return nil
		}),
	}
	cmd.Flags().BoolVar(&p.full, "full", false, "a whole site: models, migrations, forms, templates, tests")
	cmd.Flags().StringVar(&p.module, "module", "", "module path (default: NAME)")
	return cmd
}

// project is a folder to be made.
type project struct {
	dir    string
	module string
	full   bool
}

var projectName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// create writes the project. A folder that holds something is left alone.
func (p *project) create() error {
	name := filepath.Base(p.dir)
	if !projectName.MatchString(name) {
		return fmt.Errorf("%q cannot be a project's name; use letters, digits, - and _", name)
	}
	if p.module == "" {
		p.module = strings.ToLower(name)
	}
	if p.module == retortModule || strings.ContainsAny(p.module, " \"'\\") {
		return fmt.Errorf("%q cannot be the module path; give another with --module", p.module)
	}
	if entries, err := os.ReadDir(p.dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("the folder %s is not empty", p.dir)
	}
	files, err := p.files(name)
	if err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(p.dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// file is one file to be written.
type file struct {
	name string
	data []byte
}

func (p *project) files(name string) ([]file, error) {
	ignore, err := scaffold.ReadFile("scaffold/gitignore.txt")
	if err != nil {
		return nil, err
	}
	files := []file{{".gitignore", ignore}}
	if p.full {
		more, err := p.siteFiles()
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	} else {
		for _, f := range []string{"main.go", "main_test.go"} {
			data, err := scaffold.ReadFile("scaffold/single/" + f + ".txt")
			if err != nil {
				return nil, err
			}
			files = append(files, file{f, bytes.ReplaceAll(data, []byte("NAME"), []byte(name))})
		}
	}
	modules, err := p.moduleFiles()
	return append(files, modules...), err
}

// siteFiles are those of the example blog, as if it had been written in the
// new module.
func (p *project) siteFiles() ([]file, error) {
	var files []file
	err := fs.WalkDir(examples.Blog, "blog", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.Contains(entry.Name(), ".db") {
			return err
		}
		data, err := examples.Blog.ReadFile(path)
		data = bytes.ReplaceAll(data, []byte(retortModule+"/examples/blog"), []byte(p.module))
		files = append(files, file{strings.TrimPrefix(path, "blog/"), data})
		return err
	})
	return files, err
}

// moduleFiles are go.mod and, for a project made from a checkout of Retort,
// which needs nothing from the network, go.sum.
func (p *project) moduleFiles() ([]file, error) {
	checkout := checkoutDir()
	if checkout == "" {
		return []file{{"go.mod", fmt.Appendf(nil, "module %s\n\ngo 1.26.0\n\nrequire %s %s\n", p.module, retortModule, releasedVersion())}}, nil
	}
	mod, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	if err != nil {
		return nil, err
	}
	sum, err := os.ReadFile(filepath.Join(checkout, "go.sum"))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "module %s\n\ngo 1.26.0\n\nrequire %s v0.0.0\n\nreplace %s => %s\n\nrequire (\n", p.module, retortModule, retortModule, quoteModulePath(checkout))
	for _, line := range requirements(string(mod)) {
		fmt.Fprintf(&b, "\t%s // indirect\n", line)
	}
	b.WriteString(")\n")
	return []file{{"go.mod", b.Bytes()}, {"go.sum", sum}}, nil
}

// requirements lists "module version" of all requirements of a go.mod file.
func requirements(mod string) []string {
	var list []string
	inside := false
	for line := range strings.Lines(mod) {
		line, _, _ = strings.Cut(line, "//")
		line = strings.TrimSpace(line)
		switch {
		case line == "require (":
			inside = true
		case line == ")":
			inside = false
		case inside && line != "":
			list = append(list, line)
		case strings.HasPrefix(line, "require "):
			list = append(list, strings.TrimPrefix(line, "require "))
		}
	}
	return list
}

func quoteModulePath(path string) string {
	if strings.ContainsAny(path, " \t") {
		return `"` + path + `"`
	}
	return path
}

// checkoutDir returns the folder of the Retort source that this tool was built
// from, or "" if it was installed from a released version.
func checkoutDir() string {
	_, source, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(source) {
		return ""
	}
	dir := filepath.Dir(filepath.Dir(filepath.Dir(source)))
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || !bytes.HasPrefix(mod, []byte("module "+retortModule+"\n")) {
		return ""
	}
	if strings.Contains(filepath.ToSlash(dir), "/pkg/mod/") {
		return "" // the module cache is no place to point at
	}
	return dir
}

// releasedVersion is what a project made by an installed tool requires.
func releasedVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		return info.Main.Version
	}
	return "latest"
}

// tidy completes go.mod for a released version. From a checkout the files are
// complete already.
func (p *project) tidy(cmd *cobra.Command) error {
	if _, err := os.Stat(filepath.Join(p.dir, "go.sum")); err == nil {
		return nil
	}
	tidy := exec.CommandContext(cmd.Context(), "go", "mod", "tidy")
	tidy.Dir, tidy.Stderr = p.dir, cmd.ErrOrStderr()
	if err := tidy.Run(); err != nil {
		return fmt.Errorf("the project was made, but go mod tidy failed in it: %w", err)
	}
	return nil
}
