package migrate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// LatestFile is the file beside an app's migrations that names the newest of
// them. Two branches that each add a migration change the same line of it, so
// that Git finds the conflict when they are merged, and not the database when
// the program is deployed.
const LatestFile = "latest.txt"

// latestFile returns the file that names a migration as the newest.
func latestFile(app, folder, name string) File {
	return File{App: app, Path: filepath.Join(folder, LatestFile), replaces: true, Content: fmt.Appendf(nil, `# The newest migration of %s, kept by makemigrations. If Git finds a conflict
# below, two branches have each added one: run rebasemigrations.
%s
`, app, name)}
}

// latest is what a file says.
type latest struct {
	names []string // the newest; two, ours and theirs, in a conflict
}

// readLatest reads the file of a folder; nil if there is none.
func readLatest(folder string) (*latest, error) {
	text, err := os.ReadFile(filepath.Join(folder, LatestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	l := &latest{}
	base := false // within the common ancestor, which some conflicts show
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "|||||||"):
			base = true
		case strings.HasPrefix(line, "======="), strings.HasPrefix(line, "<<<<<<<"), strings.HasPrefix(line, ">>>>>>>"):
			base = false
		case line != "" && !base && !strings.HasPrefix(line, "#"):
			l.names = append(l.names, line)
		}
	}
	return l, nil
}

// checkLatest reports a file that names another migration than the newest.
// Programs without their source have none, and apps without conflicts in the
// graph can be mended.
func (g *Graph) checkLatest() error {
	for _, app := range g.apps() {
		folder, leaves := g.sets[app].directory, g.leaves(app)
		if folder == "" || len(leaves) != 1 {
			continue
		}
		l, err := readLatest(folder)
		if err != nil {
			return err
		}
		if l != nil && !slices.Equal(l.names, []string{leaves[0].Name}) {
			return fmt.Errorf("migrate: %s does not name the newest migration of %s, %s: run makemigrations, which mends it, and commit it",
				filepath.Join(folder, LatestFile), app, leaves[0].Name)
		}
	}
	return nil
}

// latestFiles returns the files of the apps that need new ones, when the
// given migrations are added.
func (g *Graph) latestFiles(added []File, options MakeOptions) ([]File, error) {
	newest := map[string]string{}
	folders := map[string]string{}
	for _, app := range g.apps() {
		leaves := g.leaves(app)
		if len(leaves) != 1 || len(options.Apps) > 0 && !slices.Contains(options.Apps, app) {
			continue
		}
		folder, _, err := g.folder(app, options)
		if err != nil {
			continue // that of a library, or not on this machine
		}
		l, err := readLatest(folder)
		if err != nil {
			return nil, err
		}
		if l == nil || !slices.Equal(l.names, []string{leaves[0].Name}) {
			newest[app], folders[app] = leaves[0].Name, folder
		}
	}
	for _, f := range added {
		if f.Name != "" {
			newest[f.App], folders[f.App] = f.Name, filepath.Dir(f.Path)
		}
	}
	apps := make([]string, 0, len(newest))
	for app := range newest {
		apps = append(apps, app)
	}
	slices.Sort(apps)
	var files []File
	for _, app := range apps {
		files = append(files, latestFile(app, folders[app], newest[app]))
	}
	return files, nil
}

// rebasing reports whether Git is in the middle of a rebase of the repository
// that a folder is in: then what it calls theirs is mine.
func rebasing(folder string) bool {
	for root := folder; ; root = filepath.Dir(root) {
		git := filepath.Join(root, ".git")
		if info, err := os.Stat(git); err == nil {
			if !info.IsDir() { // a linked work tree names its folder in a file
				text, err := os.ReadFile(git)
				if err != nil {
					return false
				}
				git = strings.TrimSpace(strings.TrimPrefix(string(text), "gitdir:"))
				if !filepath.IsAbs(git) {
					git = filepath.Join(root, git)
				}
			}
			for _, name := range []string{"rebase-merge", "rebase-apply"} {
				if _, err := os.Stat(filepath.Join(git, name)); err == nil {
					return true
				}
			}
			return false
		}
		if root == filepath.Dir(root) {
			return false
		}
	}
}
