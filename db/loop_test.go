package db_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// blogCopy is the example blog as a module of its own, whose source a test
// changes as a person would.
type blogCopy struct {
	t    *testing.T
	root string
}

func copyBlog(t *testing.T) *blogCopy {
	t.Helper()
	here, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	b := &blogCopy{t: t, root: t.TempDir()}
	if err := os.CopyFS(b.root, os.DirFS(filepath.Join(here, "examples", "blog"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(here, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "go.mod" {
			module := "module example.com/site"
			text = append([]byte(strings.Replace(string(text), "module github.com/retort-web/retort", module, 1)),
				"\nrequire github.com/retort-web/retort v0.0.0\n\nreplace github.com/retort-web/retort => "+here+"\n"...)
		}
		b.write(name, string(text))
	}
	b.replace("*.go", "github.com/retort-web/retort/examples/blog", "example.com/site")
	return b
}

func (b *blogCopy) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.root, name), []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// replace changes words in all files of a pattern.
func (b *blogCopy) replace(pattern, from, to string) {
	b.t.Helper()
	found := false
	err := filepath.WalkDir(b.root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if match, err := filepath.Match(pattern, entry.Name()); err != nil || !match {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), from) {
			return err
		}
		found = true
		return os.WriteFile(path, []byte(strings.ReplaceAll(string(text), from, to)), 0o644)
	})
	if err != nil || !found {
		b.t.Fatalf("%s in %s: found %v, %v", from, pattern, found, err)
	}
}

func (b *blogCopy) run(want bool, name string, arguments ...string) string {
	b.t.Helper()
	c := exec.Command(name, arguments...)
	c.Dir = b.root
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "CGO_ENABLED=0", "GOSUMDB=off",
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	out, err := c.CombinedOutput()
	if (err == nil) != want {
		b.t.Fatalf("%s %s: %v\n%s", name, strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

// site runs a command of the program, and wants words of its output.
func (b *blogCopy) site(success bool, command string, words ...string) {
	b.t.Helper()
	out := b.run(success, filepath.Join(b.root, "site"), strings.Fields(command)...)
	for _, w := range words {
		if !strings.Contains(out, w) {
			b.t.Fatalf("%s does not say %q:\n%s", command, w, out)
		}
	}
}

func (b *blogCopy) build() { b.run(true, "go", "build", "-o", "site", ".") }

func (b *blogCopy) git(success bool, command string, arguments ...string) {
	b.t.Helper()
	all := []string{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"}
	b.run(success, "git", append(append(all, strings.Fields(command)...), arguments...)...)
}

// TestTheDailyLoop changes the models of the example blog, has migrations
// written and applied, merges two branches that each made one, and squashes.
func TestTheDailyLoop(t *testing.T) {
	t.Parallel()
	b := copyBlog(t)
	b.build()
	b.site(true, "makemigrations --check", "No changes found.")
	b.site(true, "migrate", "Apply blog.0001_initial")

	// A field gets another name, another is new.
	b.replace("models.go", "	Bio   string                  `orm:\"text\"`", "	About string                  `orm:\"text\"`")
	b.replace("seed.go", "Bio: a.bio", "About: a.bio")
	b.replace("author.html", "author.bio", "author.about")
	b.replace("models.go", "	Body      string", "	Subtitle  string `orm:\"size=100\"`\n	Body      string")
	b.build()
	b.site(true, "migrate", "Nothing to migrate.", "Run makemigrations")
	b.site(false, "makemigrations", "--rename blog.Author.bio=about", "--no-rename")
	b.site(false, "makemigrations --rename blog.Author.bio=about", "--default blog.Post.subtitle=VALUE")
	b.site(true, "makemigrations --rename blog.Author.bio=about --default blog.Post.subtitle=",
		"0003_rename_bio_author_about_post_subtitle.go", "Run migrate")
	b.build()
	b.site(true, "makemigrations --check", "No changes found.")
	b.site(true, "sqlmigrate blog 0003", `RENAME COLUMN "bio" TO "about"`)
	b.site(true, "migrate --plan", "blog.0003_rename", "Add field Subtitle to Post")
	b.site(true, "migrate", "Apply blog.0003_rename")
	b.site(true, "showmigrations", "[X] 0001_initial", "[X] 0003_rename")

	// Two branches each add a migration.
	b.write(".gitignore", "site\n*.db*\n")
	b.git(true, "init -b main")
	b.git(true, "add .")
	b.git(true, "commit -m start")
	b.git(true, "checkout -b other")
	b.site(true, "makemigrations blog --empty --name theirs", "0004_theirs.go")
	b.git(true, "add .")
	b.git(true, "commit -m theirs")
	b.git(true, "checkout main")
	b.site(true, "makemigrations blog --empty --name mine", "0004_mine.go")
	b.git(true, "add .")
	b.git(true, "commit -m mine")
	b.git(false, "merge other")
	b.build()
	b.site(false, "migrate", "0004_mine and 0004_theirs", "rebasemigrations")
	b.site(true, "makemigrations --merge --dry-run", "0005_merge.go", `"blog.0004_mine"`, `"blog.0004_theirs"`)
	b.site(true, "rebasemigrations", "after 0004_theirs come", "0005_mine.go, which was 0004_mine")
	b.git(true, "add .")
	b.git(true, "commit -m merged")
	b.build()
	b.site(true, "migrate", "Apply blog.0004_theirs", "Apply blog.0005_mine")
	b.site(true, "rebasemigrations", "in one line")

	// And all become one.
	b.site(true, "squashmigrations blog 0005 --name tables", "0005_tables.go", "stands for 5 migrations")
	b.build()
	b.site(true, "migrate", "Nothing to migrate.")
	b.site(true, "showmigrations", "[X] 0005_tables", "stands for 5 migrations")
	for _, name := range []string{"0001_initial", "0002_accounts", "0003_rename_bio_author_about_post_subtitle", "0004_theirs", "0005_mine"} {
		if err := os.Remove(filepath.Join(b.root, "blog", "migrations", name+".go")); err != nil {
			t.Fatal(err)
		}
	}
	b.build()
	b.site(true, "makemigrations --check", "No changes found.")
	b.site(true, "migrate", "Nothing to migrate.")
	b.site(true, "migrate blog --prune", "Forget blog.0001_initial")
	b.site(true, "migrate --check", "Nothing to migrate.")
	if err := os.Remove(filepath.Join(b.root, "blog.db")); err != nil {
		t.Fatal(err)
	}
	b.site(true, "migrate", "Apply blog.0005_tables")
}
