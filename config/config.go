// Package config fills one typed struct with a program's settings from where
// operators put them: the environment, a .env file, a TOML file.
//
//	type Config struct {
//		Addr    string        `config:"addr" default:":5000" help:"address to listen on"`
//		Workers int           `default:"4" min:"1" max:"64"`
//		Upload  config.Size   `default:"10MB"`
//		Secret  string        `env:"SECRET_KEY" secret:"true" min:"16"`
//		Session struct {
//			Lifetime time.Duration `default:"31d"`
//		}
//	}
//
//	cfg := Config{Workers: 8}
//	report, err := config.Load(&cfg, config.Options{})
//
// # Where a value comes from
//
// The first of these that has one wins:
//
//  1. the environment: RETORT_WORKERS, RETORT_SESSION_LIFETIME, SECRET_KEY;
//  2. the file .env, with the same names;
//  3. the file retort.toml: workers = 8, lifetime under [session];
//  4. what the program put into the struct before, if it is not zero;
//  5. the tag default.
//
// A variable that is set to the empty string counts as not set.
//
// # Fields
//
// A field may be a string, bool, any integer or float, [time.Duration] ("90s",
// "1h30m", "31d", "2w"), [Size] ("10MB"), anything with UnmarshalText
// (time.Time, netip.Prefix, slog.Level), a pointer to one of these (nil if not
// set), a list of them ("a, b") or a map from strings to them ("a=1, b=2"). A
// struct is a section; an embedded struct adds its fields to the section around
// it. These tags say more:
//
//	config:"name"    the key; "-" leaves the field alone. Default: the field's
//	                 name in snake case, AllowedHosts as allowed_hosts.
//	env:"A,B"        further variables, without the prefix, that set it
//	default:"text"   the value if nothing sets one
//	help:"text"      for [Report] and the documentation
//	oneof:"a b c"    the values allowed
//	min:"1" max:"9"  of numbers, durations and sizes the value; of strings the
//	                 bytes; of lists and maps the length
//	required:"true"  it is an error if nothing sets it
//	secret:"true"    the value is shown nowhere. Default: by the key, see [Mask].
//
// A secret may also be read from a file, as container platforms hand them out:
// if SECRET_KEY_FILE is set, the first line of the file it names is the value.
//
// # Mistakes
//
// [Load] reports all of them at once as an [Error]: each with the key, where
// it was set, the text found there and what is allowed. A key of the TOML file
// that no field has is a mistake as well, with the closest name suggested; a
// variable with our prefix that no field has is a warning in the [Report].
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Options say where [Load] looks. The zero value is right for most programs.
type Options struct {
	// Prefix of the environment variables. Default: "RETORT_".
	Prefix string

	// Files are TOML files; of a key in several of them the first counts.
	// Default: "retort.toml" if there is one. Files named here must exist;
	// an empty list that is not nil means none.
	Files []string

	// DotEnv are files of variables; of a name in several of them the first
	// counts. Default: ".env" if there is one; else as for Files.
	DotEnv []string

	// Environ are the variables as "NAME=value". Default: os.Environ().
	Environ []string

	// Dir is the folder that relative file names start from. Default: the
	// current one.
	Dir string

	// Section makes the struct the named section ("mail") of the files and
	// variables: for a part of a program that brings settings of its own.
	// Keys outside of it are not judged then.
	Section string

	// Allow names sections and keys that other parts of the program read, so
	// that they are not unknown. "*" stands for every section.
	Allow []string

	// Export also puts the variables of the .env files that the environment
	// lacks into it, for code that calls os.Getenv.
	Export bool
}

// Load fills the struct that dst points to. The report is never nil and
// describes what could be read, also beside an error. Mistakes of operators
// come together as an [*Error]; any other error is a mistake in the struct
// itself.
func Load(dst any, o Options) (*Report, error) {
	if o.Prefix == "" {
		o.Prefix = "RETORT_"
	}
	l := &loader{options: o, report: &Report{}}
	fields, err := plan(dst, o)
	if err != nil {
		return l.report, err
	}
	l.fields = fields
	l.readEnviron()
	l.readDotEnv()
	l.readFiles()
	for _, f := range fields {
		l.fill(f)
	}
	l.checkNames()
	if len(l.problems) == 0 {
		l.validate(dst)
	}
	if len(l.problems) > 0 {
		return l.report, &Error{Problems: l.problems}
	}
	return l.report, nil
}

// Validator is what dst or a section implements to check what tags cannot say,
// such as two settings that rule each other out. It is called when every
// setting by itself is right.
type Validator interface {
	Validate() error
}

// loader is one call of Load.
type loader struct {
	options  Options
	fields   []*field
	environ  map[string]variable
	dotenv   map[string]variable
	file     map[string]entry // by key
	report   *Report
	problems []Problem
}

// variable is an environment variable and where it was set.
type variable struct {
	name, value, source string
}

// entry is a value of a TOML file and where it stands, "retort.toml:3".
type entry struct {
	key    string
	value  any
	source string
}

func (l *loader) problem(p Problem) { l.problems = append(l.problems, p) }

func (l *loader) readEnviron() {
	environ := l.options.Environ
	if environ == nil {
		environ = os.Environ()
	}
	l.environ = make(map[string]variable, len(environ))
	for _, line := range environ {
		if name, value, ok := strings.Cut(line, "="); ok && name != "" {
			l.environ[name] = variable{name: name, value: value, source: "environment variable " + name}
		}
	}
}

// readDotEnv reads the .env files, the first one first.
func (l *loader) readDotEnv() {
	l.dotenv = map[string]variable{}
	for _, f := range l.open(l.options.DotEnv, ".env") {
		variables, err := parseDotEnv(f.text, func(name string) string {
			if v, ok := l.environ[name]; ok {
				return v.value
			}
			return l.dotenv[name].value
		})
		if err != nil {
			l.problem(Problem{Source: fmt.Sprintf("%s:%d", f.name, err.line), Message: err.message})
			continue
		}
		for _, v := range variables {
			if _, ok := l.dotenv[v.name]; ok {
				continue
			}
			l.dotenv[v.name] = variable{name: v.name, value: v.value, source: fmt.Sprintf("%s:%d", f.name, v.line)}
			if _, set := l.environ[v.name]; l.options.Export && !set {
				if err := os.Setenv(v.name, v.value); err != nil {
					l.problem(Problem{Key: v.name, Source: f.name, Message: "cannot be exported"})
				}
			}
		}
	}
}

// readFiles reads the TOML files, the first one first.
func (l *loader) readFiles() {
	l.file = map[string]entry{}
	for _, f := range l.open(l.options.Files, "retort.toml") {
		entries, problem := parseTOML(f.name, f.text, l.fields)
		if problem != nil {
			l.problem(*problem)
			continue
		}
		for _, e := range entries {
			if _, ok := l.file[e.key]; !ok {
				l.file[e.key] = e
			}
		}
	}
}

// maxFile bounds what is read of a file of settings, in bytes.
const maxFile = 256 << 10

type textFile struct{ name, text string }

// open reads the named files, or the usual one if it is there.
func (l *loader) open(names []string, usual string) []textFile {
	optional := names == nil
	if optional {
		names = []string{usual}
	}
	var files []textFile
	for _, name := range names {
		text, err := readFile(l.path(name))
		switch {
		case err == nil:
			files = append(files, textFile{name, text})
			l.report.Files = append(l.report.Files, name)
		case optional && errors.Is(err, os.ErrNotExist):
		default:
			l.problem(Problem{Source: name, Message: "cannot be read: " + reason(err)})
		}
	}
	return files
}

func (l *loader) path(name string) string {
	if l.options.Dir == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(l.options.Dir, name)
}

func readFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	if info.Size() > maxFile {
		return "", fmt.Errorf("larger than %d bytes", maxFile)
	}
	b, err := os.ReadFile(path)
	return string(b), err
}

// reason is an error without the path in front, which the source names already.
func reason(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// fill gives a field its value and the report its line.
func (l *loader) fill(f *field) {
	source := "default"
	e, inFile := l.file[f.key]
	switch v, found := l.lookup(f); {
	case found:
		source = v.source
		l.setText(f, v)
	case inFile:
		source = e.source
		if wrong := f.setTOML(e.value); wrong != nil {
			l.problem(f.problem(source, wrong))
		}
	case !f.value.IsZero():
		source = "code"
		if wrong := f.check(f.value); wrong != nil {
			l.problem(f.problem(source, &mistake{text: f.text(), want: wrong.want}))
		}
	case f.hasDefault:
		f.value.Set(f.fallback)
	case f.required:
		l.problem(f.missing(l.options))
	}
	l.report.add(f, source)
}

// lookup finds the variable that sets a field: its own name before further
// ones, the environment before .env, the value before the file with the value.
func (l *loader) lookup(f *field) (variable, bool) {
	for _, from := range []map[string]variable{l.environ, l.dotenv} {
		for _, name := range f.env {
			if v := from[name]; v.value != "" {
				return v, true
			}
			if !f.secret || l.owned(name+"_FILE") {
				continue
			}
			if v := from[name+"_FILE"]; v.value != "" {
				return l.secretFile(f, v), true
			}
		}
	}
	return variable{}, false
}

// secretFile follows a variable that names the file with the value.
func (l *loader) secretFile(f *field, v variable) variable {
	text, err := readFile(l.path(v.value))
	if err != nil {
		l.problem(Problem{Key: f.key, Source: v.source, Message: "names a file that cannot be read: " + reason(err)})
		return variable{name: v.name, source: v.source}
	}
	line, _, _ := strings.Cut(text, "\n")
	return variable{name: v.name, value: strings.TrimSuffix(line, "\r"), source: v.source}
}

func (l *loader) setText(f *field, v variable) {
	if v.value == "" {
		return // the file it named could not be read, which is reported
	}
	if wrong := f.setText(v.value); wrong != nil {
		l.problem(f.problem(v.source, wrong))
	}
}

// owned reports whether a field claims the variable.
func (l *loader) owned(name string) bool {
	return slices.ContainsFunc(l.fields, func(f *field) bool { return slices.Contains(f.env, name) })
}

// validate calls the Validate methods of the struct and its sections.
func (l *loader) validate(dst any) {
	check := func(v reflect.Value, key string) {
		if v.CanAddr() {
			v = v.Addr()
		}
		if c, ok := v.Interface().(Validator); ok {
			if err := c.Validate(); err != nil {
				l.problem(Problem{Key: key, Message: err.Error()})
			}
		}
	}
	root := reflect.ValueOf(dst).Elem()
	walkSections(root, l.options.Section, check)
}
