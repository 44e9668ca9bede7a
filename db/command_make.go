package db

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/migrate"
	"github.com/retort-web/retort/orm"
)

func (e *Extension) makeCommand() retort.Command {
	var options migrate.MakeOptions
	var answers migrate.Answers
	var check bool
	return retort.Command{
		Name: "makemigrations", Args: "[APP …]", Group: group, JSON: true, WithoutApp: true, Complete: apps,
		Short: "Write the migrations that the models lack",
		Long: "Compares the models with the migrations that exist and writes what is missing as Go files.\n" +
			"What the comparison cannot know it asks, on a terminal; elsewhere the flags answer.",
		Examples: "app makemigrations\napp makemigrations blog --name add_subtitle\napp makemigrations --check\n" +
			"app makemigrations --rename blog.Post.title=headline --default blog.Post.summary=",
		Flags: func(fs *flag.FlagSet) {
			options, answers = migrate.MakeOptions{}, migrate.Answers{Renames: map[string]string{}, Backfills: map[string]string{}}
			fs.StringVar(&options.Name, "name", "", "name of the migration, after its number")
			fs.BoolVar(&options.DryRun, "dry-run", false, "print the files and write nothing")
			fs.BoolVar(&options.ZeroDowntime, "zero-downtime", e.options.ZeroDowntime, "write steps during which a site can go on, old code beside new")
			fs.BoolVar(&options.Empty, "empty", false, "write a migration without operations, to be filled in")
			fs.BoolVar(&options.Merge, "merge", false, "write a migration that joins two last ones")
			fs.BoolVar(&answers.MergeAnyway, "yes", false, "merge branches although they run SQL or Go code, which cannot be compared")
			fs.BoolVar(&check, "check", false, "write nothing; end with code 4 if a migration is missing")
			fs.BoolVar(&answers.NoRenames, "no-rename", false, "nothing was renamed beyond --rename")
			fs.Func("rename", "`OLD=NEW`: blog.Post=Article, blog.Post.title=headline, or blog.Post=news.Post if it moved; may be repeated", pairs(answers.Renames))
			fs.Func("default", "`FIELD=VALUE` of existing rows: blog.Post.summary=none; may be repeated", pairs(answers.Backfills))
		},
		Run: func(_ context.Context, in *retort.Invocation) error {
			if err := in.App.Prepare(); err != nil {
				return err
			}
			if check {
				missing, err := changes()
				if err != nil {
					return err
				}
				if len(missing) == 0 {
					return printFiles(in, nil, options)
				}
				if err := printPlan(in, missing); err != nil {
					return err
				}
				return &retort.ExitError{Code: retort.ExitPending}
			}
			options.Apps = in.Args
			options.Lint = e.productOf()
			options.Asker = asker(in, answers)
			files, err := makeMigrations(options)
			if err != nil {
				return err
			}
			return printFiles(in, files, options)
		},
	}
}

// pairs reads the values of a flag that is NAME=VALUE and may be repeated.
func pairs(into map[string]string) func(s string) error {
	return func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return errors.New("want NAME=VALUE")
		}
		into[name] = value
		return nil
	}
}

// asker asks a person if there is one.
func asker(in *retort.Invocation, answers migrate.Answers) migrate.Asker {
	if !in.JSON && isTerminal(in.In) && isTerminal(in.Err) {
		t := migrate.NewTerminal(in.In, in.Err)
		t.Answers = answers
		return t
	}
	return answers
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// makeMigrations writes the migrations into the source of the program, which is
// the module of the working directory.
func makeMigrations(options migrate.MakeOptions) ([]migrate.File, error) {
	graph, err := migrate.Load(migrate.Sets()...)
	if err != nil {
		return nil, err
	}
	tables, err := orm.Tables()
	if err != nil {
		return nil, err
	}
	if options.Root, err = moduleRoot(); err != nil {
		return nil, err
	}
	options.Folders = map[string]string{}
	for _, m := range orm.Models() {
		if !filepath.IsAbs(m.File) {
			return nil, errors.New("db: the program was built with -trimpath, so it does not know where its source is; run makemigrations with go run")
		}
		if options.Folders[m.App] == "" {
			options.Folders[m.App] = filepath.Dir(m.File)
		}
	}
	return graph.Make(tables, options)
}

// moduleRoot returns the folder of the go.mod that the working directory is
// below.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("db: makemigrations writes Go files, so run it inside the module of the program's source")
		}
		dir = parent
	}
}

// fileInfo is a file in the JSON of makemigrations.
type fileInfo struct {
	App        string   `json:"app"`
	Name       string   `json:"name,omitempty"`
	Path       string   `json:"path"`
	Operations []string `json:"operations"`
	Warnings   []string `json:"warnings,omitempty"`
	NewPackage string   `json:"new_package,omitempty"`
	Content    string   `json:"content,omitempty"`
}

func printFiles(in *retort.Invocation, files []migrate.File, options migrate.MakeOptions) error {
	if in.JSON {
		list := []fileInfo{}
		for _, f := range files {
			info := fileInfo{App: f.App, Name: f.Name, Path: f.Path, Operations: f.Operations, Warnings: f.Warnings, NewPackage: f.NewPackage}
			if f.Operations == nil {
				info.Operations = []string{}
			}
			if options.DryRun {
				info.Content = string(f.Content)
			}
			list = append(list, info)
		}
		return in.WriteJSON(list)
	}
	if len(files) == 0 {
		fmt.Fprintln(in.Out, "No changes found.")
		return nil
	}
	for _, f := range files {
		fmt.Fprintln(in.Out, relative(f.Path))
		for _, o := range f.Operations {
			fmt.Fprintf(in.Out, "    %s\n", o)
		}
		for _, w := range f.Warnings {
			fmt.Fprintf(in.Err, "    Warning: %s\n", w)
		}
		if options.DryRun {
			printIndented(in.Out, string(f.Content))
		}
	}
	if options.DryRun {
		return nil
	}
	for _, f := range files {
		if f.NewPackage != "" {
			fmt.Fprintf(in.Out, "\nThe package is new. Import it in the package of %s, so that the program has its migrations:\n\n    import _ %q\n", f.App, f.NewPackage)
		}
	}
	fmt.Fprintln(in.Out, "\nRun migrate to apply them.")
	return nil
}

func printIndented(out io.Writer, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprint(out, "    | "+line)
	}
}

// relative shortens a path for people.
func relative(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(dir, path); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return path
}
