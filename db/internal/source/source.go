// Package source writes models as Go source: what the tables of a live database would be
// if they had been declared in Go.
package source

import (
	"bytes"
	"fmt"
	"go/format"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// Options of [Write].
type Options struct {
	// Package is the name of the Go package, and so the app's label: of tables named
	// shop_product in the package shop the models are called Product. Default: models.
	Package string
	// Dialect is the database the tables come from: sqlite, postgres or mysql.
	Dialect string
}

// Write returns a Go file with a model for each of the tables. What a model cannot say of
// its table is said in a comment.
func Write(tables []*schema.Live, o Options) ([]byte, error) {
	if o.Package == "" {
		o.Package = "models"
	}
	w := &writer{options: o, byTable: map[string]*model{}, taken: map[string]bool{}, imports: map[string]bool{}}
	w.nameModels(tables)
	for _, m := range w.models {
		w.makeKey(m)
	}
	w.findJoins()
	for _, m := range w.models {
		if m.join == nil {
			w.makeFields(m)
		}
	}
	w.addManyToMany()
	return w.file()
}

// writer makes one file.
type writer struct {
	options Options
	models  []*model
	byTable map[string]*model
	taken   map[string]bool // names of the package
	imports map[string]bool
}

// model is a table on its way to be a Go type.
type model struct {
	live     *schema.Live
	name     string // of the type
	set      string // of the variable with all rows
	key      string // of the type of a key of several columns
	fields   []*field
	parts    []*field // of the key's struct
	names    map[string]bool
	notes    []string
	meta     []string // the computed columns
	defaults []string
	dialect  string
	// paths are the names of columns as Go says them after "&m.".
	paths map[string]string
	// own are the indexes that fields have by themselves.
	own       map[string]bool
	join      *join // it is the join table of a relation and needs no model
	unmanaged bool
}

// field is a field of a struct.
type field struct {
	name, typ string
	tag       []string
	notes     []string
	// to is the column, and its model, that a foreign key leads to in place of the primary
	// key. What its field is called is known when all models have their fields.
	to      *model
	toField string
}

func (f *field) say(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

func (m *model) say(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}

// primary are the columns of the table's primary key.
func (m *model) primary() []schema.Column { return m.live.PrimaryKey() }

// file puts the models together.
func (w *writer) file() ([]byte, error) {
	var body bytes.Buffer
	for _, m := range w.models {
		if m.join == nil {
			w.writeModel(&body, m)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Package %s has the models of a database that was there before them, as inspectdb read it.\n", w.options.Package)
	fmt.Fprintf(&b, "package %s\n\nimport (\n", w.options.Package)
	for _, path := range []string{"encoding/json", "time"} {
		if w.imports[path] {
			fmt.Fprintf(&b, "\t%q\n", path)
		}
	}
	fmt.Fprintln(&b)
	if w.imports[uuidPath] {
		fmt.Fprintf(&b, "\t%q\n", uuidPath)
	}
	fmt.Fprintf(&b, "\n\t%q\n)\n", "github.com/retort-web/retort/orm")
	b.Write(body.Bytes())
	source, err := format.Source(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("the models of these tables are not Go, which is a mistake of inspectdb: %w", err)
	}
	return source, nil
}

func (w *writer) writeModel(b *bytes.Buffer, m *model) {
	if m.key != "" {
		fmt.Fprintf(b, "\n// %s is the primary key of %s.\ntype %s struct {\n", m.key, m.name, m.key)
		writeFields(b, m.parts)
		fmt.Fprintln(b, "}")
	}
	what := "table"
	if m.live.View {
		what = "view"
	}
	fmt.Fprintf(b, "\n// %s is a row of the %s %s.\n", m.name, what, oneLine(m.live.Name))
	if len(m.notes) > 0 {
		fmt.Fprintln(b, "//")
	}
	for _, note := range m.notes {
		fmt.Fprintf(b, "// %s\n", oneLine(note))
	}
	fmt.Fprintf(b, "type %s struct {\n", m.name)
	writeFields(b, m.fields)
	fmt.Fprintln(b, "}")
	if meta := w.metaOf(m); len(meta) > 0 {
		fmt.Fprintf(b, "\n// Meta says what the tags cannot.\nfunc (%s) Meta(m *%s) orm.Meta {\n\treturn orm.Meta{\n", m.name, m.name)
		for _, line := range meta {
			if !strings.HasPrefix(line, "//") {
				line += ","
			}
			fmt.Fprintf(b, "\t\t%s\n", line)
		}
		fmt.Fprintln(b, "\t}\n}")
	}
	fmt.Fprintf(b, "\n// %s are all rows of %s.\nvar %s = orm.Register[%s]()\n", m.set, oneLine(m.live.Name), m.set, m.name)
}

func writeFields(b *bytes.Buffer, fields []*field) {
	for _, f := range fields {
		for _, note := range f.notes {
			fmt.Fprintf(b, "\t// %s\n", oneLine(note))
		}
		if f.name != "" {
			fmt.Fprintf(b, "\t%s ", f.name)
		}
		fmt.Fprintf(b, "%s %s\n", f.typ, structTag(f.words()))
	}
}

// oneLine keeps a text within a line of comment.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// words are those of the tag.
func (f *field) words() []string {
	if f.to == nil {
		return f.tag
	}
	return append(f.tag[:len(f.tag):len(f.tag)], word("to", f.to.paths[f.toField]))
}
