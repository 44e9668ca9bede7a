package migrate

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// files turns drafts into Go files, those of a new package with the file that
// registers it.
func (g *Graph) files(drafts []*draft, options MakeOptions) ([]File, error) {
	var files []File
	begun := map[string]bool{}
	for i, m := range g.number(drafts, options.Name) {
		app := drafts[i].app
		folder, isNew, err := g.folder(app, options)
		if err != nil {
			return nil, err
		}
		packageName := packageIn(folder)
		if isNew && !begun[app] {
			begun[app] = true
			content, err := writeRegister(packageName, app)
			if err != nil {
				return nil, err
			}
			files = append(files, File{App: app, Path: filepath.Join(folder, registerFile), Content: content, NewPackage: importPath(folder)})
		}
		content, err := writeMigration(packageName, m)
		if err != nil {
			return nil, err
		}
		files = append(files, File{
			App: app, Name: m.Name, Path: filepath.Join(folder, m.Name+".go"),
			Content: content, Operations: descriptions(m.Operations), Warnings: warnings(m.Operations),
		})
	}
	return files, nil
}

// registerFile is the file that registers an app's migrations.
const registerFile = "migrations.go"

// folder returns where an app's migrations are written, and whether it must be
// made into a package first.
func (g *Graph) folder(app string, options MakeOptions) (folder string, isNew bool, err error) {
	if s := g.sets[app]; s != nil {
		folder = s.directory
	} else if own := options.Folders[app]; own != "" {
		folder, isNew = filepath.Join(own, "migrations"), true
	}
	source := folder
	if isNew {
		source = options.Folders[app]
	}
	if info, err := os.Stat(source); folder == "" || err != nil || !info.IsDir() {
		return "", false, fmt.Errorf("migrate: the source of app %q is not on this machine (looked in %q); make migrations with \"go run\" in the project, built without -trimpath", app, source)
	}
	if _, err := os.Stat(filepath.Join(folder, registerFile)); isNew && err == nil {
		return "", false, fmt.Errorf("migrate: app %q has migrations that the program does not import; add: import _ %q", app, importPath(folder))
	}
	if options.Root != "" {
		relative, err := filepath.Rel(realPath(options.Root), realPath(folder))
		if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
			return "", false, fmt.Errorf("migrate: the models of app %q differ from its migrations, but it belongs to a library in %s; update the library, or ask its authors for a migration", app, folder)
		}
	}
	return folder, isNew, nil
}

// realPath follows symbolic links in the part of a path that exists.
func realPath(name string) string {
	for rest := ""; ; {
		if real, err := filepath.EvalSymlinks(name); err == nil {
			return filepath.Join(real, rest)
		}
		parent := filepath.Dir(name)
		if parent == name {
			return filepath.Join(name, rest)
		}
		name, rest = parent, filepath.Join(filepath.Base(name), rest)
	}
}

// packageIn returns the package name that the Go files of a folder use.
func packageIn(folder string) string {
	matches, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err == nil {
		for _, file := range matches {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			if parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly); err == nil {
				return parsed.Name.Name
			}
		}
	}
	return "migrations"
}

// importPath returns the import path of a folder by the go.mod above it, or
// the folder if there is none.
func importPath(folder string) string {
	for root := folder; ; root = filepath.Dir(root) {
		content, err := os.ReadFile(filepath.Join(root, "go.mod"))
		if err == nil {
			relative, err := filepath.Rel(root, folder)
			module := modulePath(string(content))
			if err != nil || module == "" {
				return folder
			}
			return path.Join(module, filepath.ToSlash(relative))
		}
		if root == filepath.Dir(root) {
			return folder
		}
	}
}

func modulePath(goMod string) string {
	for line := range strings.Lines(goMod) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "module" {
			return strings.Trim(fields[1], `"`)
		}
	}
	return ""
}

// writeFiles writes all files or none, and replaces none but those that may be.
func writeFiles(files []File) (err error) {
	var undo []func() error
	defer func() {
		if err != nil {
			for _, take := range slices.Backward(undo) {
				err = errors.Join(err, take())
			}
			err = fmt.Errorf("migrate: %w; nothing was written", err)
		}
	}()
	for _, f := range files {
		if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
			return err
		}
		old, err := os.ReadFile(f.Path)
		exists := err == nil
		flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
		if f.replaces {
			flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
		}
		file, err := os.OpenFile(f.Path, flags, 0o644)
		if err != nil {
			return err
		}
		undo = append(undo, func() error {
			if exists {
				return os.WriteFile(f.Path, old, 0o644)
			}
			return os.Remove(f.Path)
		})
		_, err = file.Write(f.Content)
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return nil
}
