package migrate

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/orm/schema"
)

// written is an app whose migrations are files, as a program has them.
type written struct {
	folder string
	set    *Set
}

func newWritten(t testing.TB, app string, all ...Migration) *written {
	t.Helper()
	folder := t.TempDir()
	w := &written{folder: folder, set: NewSet(app, folder)}
	for _, m := range all {
		w.add(t, m)
	}
	return w
}

func (w *written) add(t testing.TB, m Migration) {
	t.Helper()
	content, err := writeMigration("migrations", m)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, m.Name+".go", string(content))
	w.set.Add(m)
}

func (w *written) write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.folder, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (w *written) read(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(w.folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// names lists the migrations that the files hold, with their dependencies.
func (w *written) names(t testing.TB) []string {
	t.Helper()
	sources, err := readSources(w.folder)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(w.folder)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range entries {
		s := sources[strings.TrimSuffix(e.Name(), ".go")]
		if s == nil {
			if strings.HasSuffix(e.Name(), ".go") {
				t.Errorf("%s holds another migration than its name says", e.Name())
			}
			continue
		}
		elements, _ := s.list("Dependencies")
		line := strings.TrimSuffix(e.Name(), ".go")
		for _, d := range elements {
			id, _ := stringOf(d)
			line += " < " + id
		}
		lines = append(lines, line)
	}
	return lines
}

func loaded(t testing.TB, apps ...*written) *Graph {
	t.Helper()
	sets := make([]*Set, len(apps))
	for i := range apps {
		sets[i] = apps[i].set
	}
	g, err := Load(sets...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func addText(model, column string) Operation {
	return AddField{Model: model, Column: schema.Column{Name: column, Type: schema.Text, Null: true}}
}

// branched is an app with two branches of two and one migrations.
func branched(t testing.TB) *written {
	return newWritten(t, "blog",
		Migration{Name: "0001_initial", Operations: []Operation{CreateModel{Table: *table("blog", "Post")}}},
		Migration{Name: "0002_left", Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{addText("Post", "left")}},
		Migration{Name: "0003_left_more", Dependencies: []string{"blog.0002_left"}, Operations: []Operation{addText("Post", "more")}},
		Migration{Name: "0002_right", Dependencies: []string{"blog.0001_initial", "auth.0001_initial"}, Operations: []Operation{addText("Post", "right")}},
	)
}

func authApp(t testing.TB, extra ...Migration) *written {
	return newWritten(t, "auth", append([]Migration{{Name: "0001_initial", Operations: []Operation{CreateModel{Table: *table("auth", "User")}}}}, extra...)...)
}

const conflict = `# The newest migration of blog.
<<<<<<< HEAD
0002_right
||||||| 1234567
0001_initial
=======
0003_left_more
>>>>>>> other
`

func TestMakeKeepsTheLatestFile(t *testing.T) {
	t.Parallel()
	w := newWritten(t, "blog")
	post := table("blog", "Post")
	g := loaded(t, w)
	if _, err := g.Make([]*schema.Table{post}, MakeOptions{DryRun: true}); err != nil {
		t.Fatal(err)
	}
	if l, err := readLatest(w.folder); l != nil || err != nil {
		t.Fatal("a dry run wrote it", l, err)
	}
	if _, err := g.Make([]*schema.Table{post}, MakeOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := w.read(t, LatestFile); !strings.HasSuffix(got, "\n0001_initial\n") || !strings.Contains(got, "rebasemigrations") {
		t.Errorf("got %q", got)
	}
	w.set.Add(Migration{Name: "0001_initial", Operations: []Operation{CreateModel{Table: *post}}})
	if _, err := loaded(t, w).Check([]*schema.Table{post}); err != nil {
		t.Error(err)
	}
	// By hand, without the file.
	w.add(t, Migration{Name: "0002_by_hand", Dependencies: []string{"blog.0001_initial"}})
	_, err := loaded(t, w).Check([]*schema.Table{post})
	contains(t, err, nil, LatestFile, "0002_by_hand", "run makemigrations")
	if files, err := loaded(t, w).Make([]*schema.Table{post}, MakeOptions{}); err != nil || len(files) > 0 {
		t.Error(files, err)
	}
	if _, err := loaded(t, w).Check([]*schema.Table{post}); err != nil {
		t.Error(err)
	}
}

func TestRebasePutsMineOnTop(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options  RebaseOptions
		conflict bool
		rebasing bool
		want     []string
		latest   string
	}{
		"by the conflict of a merge, HEAD is mine": {
			conflict: true,
			want: []string{
				"0001_initial", "0002_left < blog.0001_initial", "0003_left_more < blog.0002_left",
				"0004_right < blog.0003_left_more < auth.0001_initial",
			},
			latest: "0004_right",
		},
		"by the conflict of a rebase, the other is mine": {
			conflict: true, rebasing: true,
			want: []string{
				"0001_initial", "0002_right < blog.0001_initial < auth.0001_initial", "0003_left < blog.0002_right", "0004_left_more < blog.0003_left",
			},
			latest: "0004_left_more",
		},
		"as told": {
			options: RebaseOptions{Mine: "0003_left_more"},
			want: []string{
				"0001_initial", "0002_right < blog.0001_initial < auth.0001_initial", "0003_left < blog.0002_right", "0004_left_more < blog.0003_left",
			},
			latest: "0004_left_more",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, auth := branched(t), authApp(t)
			auth.add(t, Migration{Name: "0002_x", Dependencies: []string{"auth.0001_initial"}})
			if test.conflict {
				w.write(t, LatestFile, conflict)
			}
			if test.rebasing {
				if err := os.MkdirAll(filepath.Join(w.folder, ".git", "rebase-merge"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			got, err := loaded(t, w, auth).Rebase(t.Context(), nil, "blog", test.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, w.names(t)); diff != "" {
				t.Error(diff, got)
			}
			if l, err := readLatest(w.folder); err != nil || fmt.Sprint(l.names) != "["+test.latest+"]" {
				t.Error(l, err)
			}
		})
	}
}

func TestRebaseFollowsInOtherAppsAndKeepsWhatIsWrittenByHand(t *testing.T) {
	t.Parallel()
	w := branched(t)
	auth := authApp(t, Migration{Name: "0002_after", Dependencies: []string{"auth.0001_initial", "blog.0002_right"}, Operations: []Operation{addText("User", "x")}})
	w.write(t, "0002_right.go", "package migrations\n\n// Why: a reason.\nvar _ = All.Add(migrate.Migration{\n\tName: \"0002_right\", // a remark\n\tDependencies: []string{\"blog.0001_initial\", \"auth.0001_initial\"},\n})\n")
	got, err := loaded(t, w, auth).Rebase(t.Context(), nil, "blog", RebaseOptions{Mine: "0002_right", DryRun: true})
	if err != nil || len(got.Moved) != 1 || got.Moved[0].To != "0004_right" || got.Onto != "0003_left_more" {
		t.Fatal(got, err)
	}
	if _, err := os.Stat(filepath.Join(w.folder, "0004_right.go")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a dry run wrote files")
	}
	if _, err := loaded(t, w, auth).Rebase(t.Context(), nil, "blog", RebaseOptions{Mine: "0002_right"}); err != nil {
		t.Fatal(err)
	}
	want := "package migrations\n\n// Why: a reason.\nvar _ = All.Add(migrate.Migration{\n\tName: \"0004_right\", // a remark\n\tDependencies: []string{\"blog.0003_left_more\", \"auth.0001_initial\"},\n})\n"
	if diff := cmp.Diff(want, w.read(t, "0004_right.go")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"0001_initial", "0002_after < auth.0001_initial < blog.0004_right"}, auth.names(t)); diff != "" {
		t.Error(diff)
	}
}

func TestRebaseRefuses(t *testing.T) {
	t.Parallel()
	w, auth := branched(t), authApp(t)
	g := loaded(t, w, auth)
	db := openTest(t)
	_, err := g.Apply(t.Context(), db, Target{}, Options{})
	contains(t, err, ErrConflict, "0002_right and 0003_left_more", "rebasemigrations", "makemigrations --merge")
	// One branch can be applied while there are two.
	if _, err := g.Apply(t.Context(), db, Target{App: "blog", Name: "0002_right"}, Options{}); err != nil {
		t.Fatal(err)
	}
	before := w.names(t)
	_, err = g.Rebase(t.Context(), db, "blog", RebaseOptions{Mine: "0002_right"})
	contains(t, err, nil, "blog.0002_right is applied", `"migrate blog 0001_initial"`)
	if _, err := g.Rebase(t.Context(), db, "blog", RebaseOptions{Mine: "0003_left_more", DryRun: true}); err != nil {
		t.Error(err)
	}
	for _, test := range []struct {
		app     string
		options RebaseOptions
		want    string
	}{
		{"blog", RebaseOptions{}, "say which to put on top"},
		{"blog", RebaseOptions{Mine: "0002_left"}, "not the last of a branch"},
		{"blog", RebaseOptions{Mine: "0009"}, "no migration"},
		{"blog", RebaseOptions{Mine: "0002_right", Onto: "0002_right"}, "not the last of a branch"},
		{"auth", RebaseOptions{}, "nothing to rebase"},
		{"nowhere", RebaseOptions{}, "not on this machine"},
	} {
		_, err := g.Rebase(t.Context(), nil, test.app, test.options)
		contains(t, err, nil, test.want)
	}
	// What mine does is impossible after the others.
	w.add(t, Migration{Name: "0004_gone", Dependencies: []string{"blog.0003_left_more"}, Operations: []Operation{DeleteModel{Model: "Post"}}})
	_, err = loaded(t, w, auth).Rebase(t.Context(), nil, "blog", RebaseOptions{Mine: "0002_right"})
	contains(t, err, nil, "blog.0002_right cannot come after blog.0004_gone", "no model blog.Post")
	if diff := cmp.Diff(append(before, "0004_gone < blog.0003_left_more"), w.names(t)); diff != "" {
		t.Error(diff)
	}
}

func TestMergeOnlyWhatCommutes(t *testing.T) {
	t.Parallel()
	post := func(operation Operation) Migration {
		return Migration{Name: "0002_right", Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{operation}}
	}
	title := func(size int) Operation {
		return AlterField{Model: "Post", Column: schema.Column{Name: "title", Type: schema.String, Size: size}}
	}
	for name, test := range map[string]struct {
		right Migration
		asker Asker
		want  string // in the error
	}{
		"other fields":   {right: post(addText("Post", "right"))},
		"the same field": {right: post(title(70)), want: "which is done first decides what becomes of blog.Post"},
		"deleted":        {right: post(DeleteModel{Model: "Post"}), want: "no model blog.Post"},
		"SQL":            {right: post(RunSQL{SQL: "UPDATE blog_post SET title = 'x'"}), want: "blog.0002_right run SQL or Go code"},
		"SQL, told":      {right: post(RunSQL{SQL: "UPDATE blog_post SET title = 'x'"}), asker: Answers{MergeAnyway: true}},
		"SQL, asked":     {right: post(RunSQL{SQL: "UPDATE blog_post SET title = 'x'"}), asker: NewTerminal(strings.NewReader("y\n"), new(strings.Builder))},
		"SQL, refused":   {right: post(RunSQL{SQL: "UPDATE blog_post SET title = 'x'"}), asker: NewTerminal(strings.NewReader("\n"), new(strings.Builder)), want: "were not merged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWritten(t, "blog",
				Migration{Name: "0001_initial", Operations: []Operation{CreateModel{Table: *table("blog", "Post", schema.Column{Name: "title", Type: schema.String, Size: 50})}}},
				Migration{Name: "0002_left", Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{title(60), addText("Post", "left")}},
				test.right)
			files, err := loaded(t, w).Make(nil, MakeOptions{Merge: true, Asker: test.asker})
			if test.want != "" {
				contains(t, err, nil, test.want, "rebasemigrations")
				return
			}
			if err != nil || len(files) != 1 || files[0].Name != "0003_merge" {
				t.Fatal(files, err)
			}
			if got := w.read(t, LatestFile); !strings.HasSuffix(got, "\n0003_merge\n") {
				t.Error(got)
			}
		})
	}
}

// TestGitFindsTheConflict merges two branches that each added a migration, as
// people do.
func TestGitFindsTheConflict(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("this test needs git:", err)
	}
	w := newWritten(t, "blog")
	git := func(want bool, arguments ...string) string {
		t.Helper()
		c := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"}, arguments...)...)
		c.Dir = w.folder
		c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
		out, err := c.CombinedOutput()
		if (err == nil) != want {
			t.Fatalf("git %s: %v\n%s", strings.Join(arguments, " "), err, out)
		}
		return string(out)
	}
	commit := func(m Migration) {
		t.Helper()
		content, err := writeMigration("migrations", m)
		if err != nil {
			t.Fatal(err)
		}
		w.write(t, m.Name+".go", string(content))
		w.write(t, LatestFile, string(latestFile("blog", w.folder, m.Name).Content))
		git(true, "add", ".")
		git(true, "commit", "-m", m.Name)
	}
	git(true, "init", "-b", "main")
	initial := Migration{Name: "0001_initial", Operations: []Operation{CreateModel{Table: *table("blog", "Post")}}}
	left := Migration{Name: "0002_left", Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{addText("Post", "left")}}
	right := Migration{Name: "0002_right", Dependencies: []string{"blog.0001_initial"}, Operations: []Operation{addText("Post", "right")}}
	commit(initial)
	git(true, "checkout", "-b", "other")
	commit(left)
	git(true, "checkout", "main")
	commit(right)
	if out := git(false, "merge", "other"); !strings.Contains(out, LatestFile) {
		t.Error(out)
	}
	for _, m := range []Migration{initial, left, right} {
		w.set.Add(m)
	}
	got, err := loaded(t, w).Rebase(t.Context(), nil, "blog", RebaseOptions{})
	if err != nil || got.Onto != "0002_left" || got.Moved[0].To != "0003_right" {
		t.Fatal(got, err)
	}
	git(true, "add", ".")
	git(true, "commit", "-m", "merged")
}
