package devserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// A recipe is what the go command ran in its last build: enough to do the same
// again for other contents of the same files, without the go command, which
// takes a while to find out that all else is as it was.
type recipe struct {
	work  string // the go command's working directory, kept
	units []*unit
	link  command
}

// A unit is a package that the last build compiled, and those of the program
// that import it were compiled after it. What it did not compile is in the go
// command's cache, and no unit.
type unit struct {
	path    string // as it is imported; "main" for the program
	command command
	files   []string // absolute
	archive string
	embed   map[string]struct{} // files compiled in, absolute
	imports map[string]struct{}
}

// A command is a program with its arguments.
type command struct {
	dir  string
	args []string
	env  []string // added to this process's
}

// A buildEvent is what go build -json prints.
type buildEvent struct {
	ImportPath, Action, Output string
}

// readEvents takes apart what go build -json -x printed: the commands, and what
// the compiler said about packages that failed.
func readEvents(out []byte) (events []buildEvent, faults string) {
	var said strings.Builder
	failing := map[string]bool{}
	for line := range bytes.Lines(out) {
		var e buildEvent
		if json.Unmarshal(line, &e) != nil {
			said.Write(line)
			continue
		}
		events = append(events, e)
		if e.Action == "build-output" && strings.HasPrefix(e.Output, "# ") {
			failing[e.ImportPath] = true
		}
		if failing[e.ImportPath] {
			said.WriteString(e.Output)
		}
	}
	return events, said.String()
}

// errNoRecipe says that a build did something that cannot be repeated.
var errNoRecipe = errors.New("devserver: the build is not a simple one")

// readRecipe makes a recipe of the events of a build that worked.
func readRecipe(events []buildEvent) (*recipe, error) {
	r := &recipe{}
	dir := "" // where the commands run that follow
	for _, e := range events {
		line := strings.TrimSuffix(e.Output, "\n")
		switch {
		case strings.HasPrefix(line, "WORK="):
			r.work = strings.TrimPrefix(line, "WORK=")
		case strings.HasPrefix(line, "cd "):
			if to := strings.TrimPrefix(line, "cd "); filepath.IsAbs(to) {
				dir = to
			}
		case strings.Contains(line, "<<"), strings.HasPrefix(line, "#"):
		default:
			if err := r.add(line, dir); err != nil {
				return nil, err
			}
		}
	}
	if r.work == "" || r.link.args == nil {
		return nil, errNoRecipe
	}
	return r, nil
}

// add takes one command of a build.
func (r *recipe) add(line, dir string) error {
	words, err := splitWords(strings.ReplaceAll(line, "$WORK", r.work))
	if err != nil || len(words) == 0 {
		return err
	}
	c := command{dir: dir}
	for len(words) > 0 && strings.Contains(words[0], "=") {
		c.env, words = append(c.env, words[0]), words[1:]
	}
	if len(words) == 0 {
		return nil
	}
	c.args = words
	switch strings.TrimSuffix(filepath.Base(words[0]), ".exe") {
	case "compile":
		u, err := newUnit(c)
		if err != nil {
			return err
		}
		r.units = append(r.units, u)
	case "link":
		r.link = c
	case "asm", "cgo", "pack", "gcc", "clang", "cover":
		return errNoRecipe
	}
	return nil
}

func newUnit(c command) (*unit, error) {
	u := &unit{command: c, embed: map[string]struct{}{}, imports: map[string]struct{}{}}
	for i, arg := range c.args[:len(c.args)-1] {
		next := c.args[i+1]
		switch arg {
		case "-p":
			u.path = next
		case "-o":
			u.archive = next
		case "-importcfg":
			if err := u.readImports(next); err != nil {
				return nil, err
			}
		case "-embedcfg":
			if err := u.readEmbeds(next); err != nil {
				return nil, err
			}
		case "-symabis", "-asmhdr":
			return nil, errNoRecipe
		}
	}
	for i := len(c.args) - 1; i > 0 && strings.HasSuffix(c.args[i], ".go"); i-- {
		file := c.args[i]
		if !filepath.IsAbs(file) {
			file = filepath.Join(c.dir, file)
		}
		u.files = append(u.files, filepath.Clean(file))
	}
	if u.path == "" || u.archive == "" || c.dir == "" || len(u.files) == 0 {
		return nil, errNoRecipe
	}
	return u, nil
}

func (u *unit) readImports(file string) error {
	text, err := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if entry, ok := strings.CutPrefix(line, "packagefile "); ok {
			path, _, _ := strings.Cut(entry, "=")
			u.imports[path] = struct{}{}
		}
	}
	return err
}

func (u *unit) readEmbeds(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var cfg struct{ Files map[string]string }
	if err := json.Unmarshal(text, &cfg); err != nil {
		return err
	}
	for _, path := range cfg.Files {
		u.embed[filepath.Clean(path)] = struct{}{}
	}
	return nil
}

// with returns the command with another value after a flag.
func (c command) with(flag, value string) command {
	args := append([]string(nil), c.args...)
	for i := range len(args) - 1 {
		if args[i] == flag {
			args[i+1] = value
			break
		}
	}
	c.args = args
	return c
}

// splitWords takes a line of the go command apart as a shell would: it quotes
// words in single or double quotes.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	in, quote := false, byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0 && (c != '\\' || quote == '\''):
			word.WriteByte(c)
		case c == '\\' || c == '`' || c == ';' || c == '|' || c == '$':
			return nil, errNoRecipe // none of which a simple build needs
		case c == '\'' || c == '"':
			in, quote = true, c
		case c == ' ' || c == '\n':
			if in {
				words = append(words, word.String())
			}
			word.Reset()
			in = false
		default:
			in = true
			word.WriteByte(c)
		}
	}
	if quote != 0 {
		return nil, errNoRecipe
	}
	if in {
		words = append(words, word.String())
	}
	return words, nil
}
