package orm

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/retort-web/retort/orm/schema"
)

// modelMistakes are all that is wrong with the fields of a model.
type modelMistakes struct {
	model  string
	fields []*fieldMistake
}

// fieldMistake is what is wrong with a field.
type fieldMistake struct {
	owner reflect.Type // the struct that has it: the model, or one embedded in it
	field string
	err   error
	at    string // the place in the source, if it is known
}

func (e *fieldMistake) Error() string {
	text := fmt.Sprintf("%s: %v", e.field, e.err)
	if e.at != "" {
		text += " (" + e.at + ")"
	}
	return text
}

func (e *fieldMistake) Unwrap() error { return e.err }

// Error lists the mistakes, each on a line of its own if they are several.
func (e *modelMistakes) Error() string {
	if len(e.fields) == 1 {
		return e.model + "." + e.fields[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s has %d mistakes:", e.model, len(e.fields))
	for _, mistake := range e.fields {
		fmt.Fprintf(&b, "\n\t%s.%v", e.model, mistake)
	}
	return b.String()
}

func (e *modelMistakes) Unwrap() []error {
	list := make([]error, len(e.fields))
	for i, mistake := range e.fields {
		list[i] = mistake
	}
	return list
}

// mistakes are those of the calls of Register, in their order.
var mistakes struct {
	sync.Mutex
	list []error
}

func noteMistake(err error) {
	mistakes.Lock()
	defer mistakes.Unlock()
	mistakes.list = append(mistakes.list, err)
}

// CheckModels looks at all models of the program together, and returns one error with all
// their mistakes: what struct, tag or Meta says wrong, and relations that lead nowhere, each
// with its place in the source and what to write instead. [Tables], and so every command
// of migrations, does the same; an app with a database does so when it starts.
func CheckModels() error {
	_, err := checkedTables()
	return err
}

// checkedTables are the tables of all models.
func checkedTables() (tables []*schema.Table, err error) {
	mistakes.Lock()
	found := slices.Clone(mistakes.list)
	mistakes.Unlock()
	for _, m := range Models() {
		if err := m.resolve(); err != nil {
			found = append(found, err)
			continue
		}
		own, err := m.Tables()
		if err != nil {
			found = append(found, fmt.Errorf("%w (registered at %s:%d)", err, m.File, m.Line))
		}
		if m.extends != nil && len(own) > 0 {
			own = own[1:] // the table is there as that of the extended model
		}
		tables = append(tables, own...)
	}
	return tables, report(found)
}

// registered is the error of the models that could not be registered.
func registered() error {
	mistakes.Lock()
	defer mistakes.Unlock()
	return report(mistakes.list)
}

// modelReport is the mistakes of all models.
type modelReport struct{ mistakes []error }

func report(found []error) error {
	if len(found) == 0 {
		return nil
	}
	return &modelReport{slices.Clone(found)}
}

func (e *modelReport) Error() string {
	var b strings.Builder
	if b.WriteString("orm: "); len(e.mistakes) > 1 {
		fmt.Fprintf(&b, "%d models have mistakes:\n", len(e.mistakes))
	}
	for i, mistake := range e.mistakes {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(strings.TrimPrefix(mistake.Error(), "orm: "))
	}
	return b.String()
}

func (e *modelReport) Unwrap() []error { return e.mistakes }

// locate finds the lines of the fields that are wrong. A running program does not know
// them, but where it is developed its source is there to be read: that of the file which
// registers the model, and of those beside it.
func locate(err error, model reflect.Type, file string) {
	mistakes, ok := errors.AsType[*modelMistakes](err)
	if !ok {
		return
	}
	beside, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*.go"))
	for _, mistake := range mistakes.fields {
		if mistake.owner.PkgPath() != model.PkgPath() {
			continue
		}
		for _, source := range append([]string{file}, beside...) {
			if line := lineOf(source, mistake.owner.Name(), mistake.field); line > 0 {
				mistake.at = fmt.Sprintf("%s:%d", source, line)
				break
			}
		}
	}
}

// lineOf finds the line of a field of a struct in a source file; 0 if it is not there, or
// not where gofmt puts it.
func lineOf(source, owner, field string) int {
	file, err := os.Open(source) //nolint:gosec // a file of the program's own source
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	inside, indent := false, ""
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		code := strings.TrimLeft(line, "\t ")
		switch {
		case !inside:
			declared, ok := strings.CutPrefix(strings.TrimPrefix(code, "type "), owner)
			if inside = ok && strings.HasPrefix(strings.TrimLeft(declared, " "), "struct"); inside {
				indent = line[:len(line)-len(code)]
			}
			if inside && strings.Contains(declared, "}") {
				// All of it stands on this line.
				return n
			}
		case line == indent+"}":
			inside = false
		case declares(code, field):
			return n
		}
	}
	return 0
}

// declares reports whether a line declares the field, by itself or with others of its type.
func declares(code, field string) bool {
	for {
		end := strings.IndexFunc(code, func(r rune) bool { return strings.ContainsRune(" ,\t", r) })
		if end < 0 {
			return strings.TrimLeft(code[strings.LastIndexByte(code, '.')+1:], "*") == field
		}
		if code[:end] == field {
			return true
		}
		if code[end] != ',' {
			return false
		}
		code = strings.TrimLeft(code[end+1:], " ")
	}
}
