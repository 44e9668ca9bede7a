package devserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// direct builds without the go command: it compiles the packages that were
// edited and links, by the recipe of the last build. That saves what the go
// command takes to look at all packages, and the compilation of those that
// import an edited one when nothing changed that they can see.
//
// It is for the usual edit only, inside of functions of packages that were
// edited before. Whenever anything else may have changed, there is no plan and
// the go command builds. It builds as well what does not compile, since it
// tells the reason.
type direct struct {
	project *project
	recipe  *recipe
	taken   snapshot // when the last build began
	heads   map[string][sha256.Size]byte
	env     []string // the go command's settings, as it gives them to its tools
}

// learn keeps the recipe of a build that worked, which began at taken and whose
// temporary directory is temp.
func (d *direct) learn(ctx context.Context, events []buildEvent, taken snapshot, temp string) {
	d.forget()
	r, err := readRecipe(events)
	if err != nil || filepath.Dir(r.work) != temp || len(r.units) == 0 {
		_ = os.RemoveAll(temp)
		return
	}
	d.recipe, d.taken, d.heads = r, taken, map[string][sha256.Size]byte{}
	for _, u := range r.units {
		for _, file := range u.files {
			if _, ours := taken[file]; !ours {
				d.forget() // made by a tool, such as cgo
				return
			}
			if d.heads[file], err = head(file); err != nil {
				d.forget()
				return
			}
		}
	}
	if d.env == nil {
		d.env, err = toolEnv(ctx, d.project.dir)
	}
	if now, failed := d.project.take(); err != nil || failed != nil || !settled(now, taken, d.heads) {
		d.forget()
	}
}

// settled reports whether no file was written to while its head was read.
func settled(now, taken snapshot, heads map[string][sha256.Size]byte) bool {
	for file := range heads {
		if now[file] != taken[file] {
			return false
		}
	}
	return true
}

// forget makes the next build one of the go command.
func (d *direct) forget() {
	if d.recipe != nil {
		_ = os.RemoveAll(filepath.Dir(d.recipe.work)) // made for it by the builder
	}
	d.recipe = nil
}

// toolEnv returns the go command's settings. Its tools do not read the file that
// go env -w writes.
func toolEnv(ctx context.Context, dir string) ([]string, error) {
	out, err := goCommand(ctx, dir, "env", "-json").Output()
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	if err := json.Unmarshal(out, &settings); err != nil {
		return nil, err
	}
	env := []string{"TERM=dumb"}
	for _, name := range []string{"GOROOT", "GOOS", "GOARCH", "GOEXPERIMENT", "GOFIPS140", "GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM"} {
		if value, ok := settings[name]; ok {
			env = append(env, name+"="+value)
		}
	}
	return env, nil
}

// plan returns the packages to compile, or false where the go command must
// build.
func (d *direct) plan(now snapshot) ([]*unit, bool) {
	if d.recipe == nil || !d.project.isListed() {
		return nil, false
	}
	written, moved := now.since(d.taken)
	for _, path := range moved {
		if isCode(path) || d.mayEmbed(path) {
			return nil, false
		}
	}
	edited := map[*unit]bool{}
	tests := len(written) > 0
	for _, path := range written {
		tests = tests && isTest(path)
		u := d.unitOf(path)
		switch {
		case u != nil && !strings.HasSuffix(path, ".go"):
			edited[u] = true
		case u != nil:
			if now, err := head(path); err != nil || now != d.heads[path] {
				return nil, false
			}
			edited[u] = true
		case isCode(path) || d.project.isEmbedded(path):
			return nil, false
		}
	}
	var units []*unit
	for _, u := range d.recipe.units {
		if edited[u] {
			units = append(units, u)
		}
	}
	return units, len(units) > 0 || tests
}

// mayEmbed reports whether a file that is new or gone can be one that a
// directive go:embed names.
func (d *direct) mayEmbed(path string) bool {
	if d.project.embedsBeside(path) {
		return true
	}
	for _, u := range d.recipe.units {
		if len(u.embed) > 0 && strings.HasPrefix(path, filepath.Dir(u.files[0])+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

// unitOf returns the package that a file is compiled into.
func (d *direct) unitOf(path string) *unit {
	for _, u := range d.recipe.units {
		if _, embedded := u.embed[path]; embedded || slices.Contains(u.files, path) {
			return u
		}
	}
	return nil
}

// build makes the program of the packages that were edited and what was built
// before. See builder.build for linking.
func (d *direct) build(ctx context.Context, units []*unit, now snapshot, binary string, linking func()) (err error) {
	stale := map[*unit]bool{}
	for _, u := range units {
		stale[u] = true
	}
	var replaced []*unit
	other := false
	defer func() {
		if err != nil { // the archives fit together again
			for _, u := range replaced {
				_ = os.Rename(u.archive+".old", u.archive)
			}
		}
	}()
	for i, u := range d.recipe.units { // in the order of their imports
		if !stale[u] {
			continue
		}
		if err := d.run(ctx, u.command.with("-o", u.archive+".new")); err != nil {
			return err
		}
		same, err := sameExports(u.archive, u.archive+".new")
		if err != nil {
			return err
		}
		if err := errors.Join(os.Rename(u.archive, u.archive+".old"), os.Rename(u.archive+".new", u.archive)); err != nil {
			return err
		}
		replaced = append(replaced, u)
		other = other || !sameContent(u.archive, u.archive+".old")
		if same {
			continue
		}
		if !d.importersKnown(u) {
			return fmt.Errorf("devserver: a package that imports %s is not in the recipe", u.path)
		}
		for _, importer := range d.recipe.units[i+1:] {
			if _, ok := importer.imports[u.path]; ok {
				stale[importer] = true
			}
		}
	}
	if other && linking != nil {
		linking()
	}
	if err := d.run(ctx, d.recipe.link.with("-o", binary)); err != nil {
		return err
	}
	d.taken = now
	return nil
}

// importersKnown reports whether all packages that import u are units: one that
// the last build found in the cache is not.
func (d *direct) importersKnown(u *unit) bool {
	for _, importer := range d.project.importers(u.path) {
		if !slices.ContainsFunc(d.recipe.units, func(u *unit) bool { return u.path == importer }) {
			return false
		}
	}
	return true
}

func (d *direct) run(ctx context.Context, c command) error {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(append(cmd.Environ(), d.env...), c.env...)
	return runTool(cmd)
}

// sameExports reports whether two archives of the compiler tell those who import
// the package the same.
func sameExports(a, b string) (bool, error) {
	x, err := exports(a)
	if err != nil {
		return false, err
	}
	y, err := exports(b)
	return bytes.Equal(x, y), err
}

// exports returns the first member of an archive, without the identity of the
// build: that is all the compiler reads of a package that is imported. The
// header of a member is 60 bytes and ends with its size.
func exports(archive string) ([]byte, error) {
	const start, header = len("!<arch>\n"), 60
	text, err := os.ReadFile(archive)
	if err != nil {
		return nil, err
	}
	if len(text) < start+header || !bytes.HasPrefix(text[start:], []byte("__.PKGDEF ")) {
		return nil, fmt.Errorf("devserver: %s is no archive of the compiler", archive)
	}
	size, err := strconv.Atoi(strings.TrimSpace(string(text[start+48 : start+58])))
	if err != nil || size < 0 || size > len(text)-start-header {
		return nil, fmt.Errorf("devserver: %s is cut short", archive)
	}
	text = text[start+header:][:size]
	var rest []byte
	for range 8 { // lines of text come before the data
		line, after, found := bytes.Cut(text, []byte("\n"))
		if !found || bytes.HasPrefix(line, []byte("$$")) {
			break
		}
		if !bytes.HasPrefix(line, []byte("build id ")) {
			rest = append(rest, line...)
		}
		text = after
	}
	return append(rest, text...), nil
}
