package migrate

import (
	"bytes"
	"fmt"
	"go/format"
	"slices"
	"strconv"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// The packages that a written migration imports.
const (
	migratePath = "github.com/retort-web/retort/migrate"
	schemaPath  = "github.com/retort-web/retort/orm/schema"
)

// writeRegister returns the file that registers an app's migrations.
func writeRegister(packageName, app string) ([]byte, error) {
	return format.Source([]byte(fmt.Sprintf(`// Package %[1]s holds the steps by which the tables of %[2]s change.
package %[1]s

import %[3]q

// All is the migrations of %[2]s; each file of this package adds one.
var All = migrate.Register(%[4]q)
`, packageName, app, migratePath, app)))
}

// writeMigration returns a migration as a Go file.
func writeMigration(packageName string, m Migration) ([]byte, error) {
	w := &writer{}
	if m.Operations == nil && len(m.Replaces) > 0 {
		m.Operations = []Operation{}
	}
	for _, operation := range m.Operations {
		if err := w.operation(operation); err != nil {
			return nil, fmt.Errorf("migrate: write %s: %w", m.Name, err)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "package %s\n\n", packageName)
	imports := w.imports
	if w.usesSchema {
		imports = append(imports, strconv.Quote(schemaPath))
	}
	if imports = append(imports, strconv.Quote(migratePath)); len(imports) > 1 {
		fmt.Fprintf(&b, "import (\n%s)\n\n", importLines(imports))
	} else {
		fmt.Fprintf(&b, "import %q\n\n", migratePath)
	}
	fmt.Fprintf(&b, "var _ = All.Add(migrate.Migration{\nName: %q,\n", m.Name)
	if len(m.Dependencies) > 0 {
		b.WriteString("Dependencies: []string{\n")
		for _, id := range m.Dependencies {
			fmt.Fprintf(&b, "%q,\n", id)
		}
		b.WriteString("},\n")
	}
	if len(m.Replaces) > 0 {
		fmt.Fprintf(&b, "Replaces: []string{\n")
		for _, name := range m.Replaces {
			fmt.Fprintf(&b, "%q,\n", name)
		}
		b.WriteString("},\n")
	}
	if m.NonAtomic {
		b.WriteString("NonAtomic: true,\n")
	}
	if m.Operations != nil {
		fmt.Fprintf(&b, "Operations: []migrate.Operation{\n%s},\n", w.text.String())
	}
	b.WriteString("})\n")
	return format.Source(b.Bytes())
}

// importLines sorts import lines: first those of the standard library.
func importLines(imports []string) string {
	slices.Sort(imports)
	var standard, others string
	for _, line := range slices.Compact(imports) {
		first, _, _ := strings.Cut(line[strings.Index(line, `"`)+1:], "/")
		if strings.Contains(first, ".") {
			others += line + "\n"
		} else {
			standard += line + "\n"
		}
	}
	if standard != "" && others != "" {
		standard += "\n"
	}
	return standard + others
}

// writer writes operations as Go expressions.
type writer struct {
	text       strings.Builder
	usesSchema bool
	imports    []string // further ones, as they are written
}

func (w *writer) printf(layout string, args ...any) { fmt.Fprintf(&w.text, layout, args...) }

func (w *writer) operation(operation Operation) error {
	switch o := operation.(type) {
	case CreateModel:
		w.printf("migrate.CreateModel{Table: ")
		w.table(&o.Table)
		w.printf("},\n")
	case DeleteModel:
		w.printf("migrate.DeleteModel{Model: %q},\n", o.Model)
	case RenameModel:
		w.printf("migrate.RenameModel{From: %q, To: %q", o.From, o.To)
		w.optional("Table", o.Table)
		w.printf("},\n")
	case MoveModel:
		w.printf("migrate.MoveModel{From: %q", o.From)
		w.optional("To", o.To)
		w.optional("Table", o.Table)
		w.printf("},\n")
	case RenameIndex:
		w.printf("migrate.RenameIndex{Model: %q, From: %q, To: %q},\n", o.Model, o.From, o.To)
	case AlterComment:
		w.printf("migrate.AlterComment{Model: %q, Comment: %q},\n", o.Model, o.Comment)
	case AddField:
		w.field("AddField", o.Model, &o.Column, o.Backfill, false)
	case AlterField:
		w.field("AlterField", o.Model, &o.Column, o.Backfill, o.NotValid)
	case RemoveField:
		w.printf("migrate.RemoveField{Model: %q, Column: %q},\n", o.Model, o.Column)
	case RenameField:
		w.printf("migrate.RenameField{Model: %q, From: %q, To: %q", o.Model, o.From, o.To)
		w.optional("Field", o.Field)
		w.printf("},\n")
	case AlterPrimaryKey:
		w.printf("migrate.AlterPrimaryKey{Model: %q", o.Model)
		if len(o.Columns) > 0 {
			w.printf(", Columns: %#v", o.Columns)
		}
		w.printf("},\n")
	case AddForeignKey:
		w.printf("migrate.AddForeignKey{\nModel: %q,\nForeignKey: %sForeignKey", o.Model, w.schema())
		w.foreignKey(&o.ForeignKey)
		w.printf(",\n")
		w.setting("NotValid", o.NotValid)
		w.printf("},\n")
	case RemoveForeignKey:
		w.printf("migrate.RemoveForeignKey{Model: %q, Columns: %#v},\n", o.Model, o.Columns)
	case AddIndex:
		w.printf("migrate.AddIndex{\nModel: %q,\nIndex: %sIndex", o.Model, w.schema())
		w.index(&o.Index)
		w.printf(",\n")
		w.setting("Concurrently", o.Concurrently)
		w.printf("},\n")
	case RemoveIndex:
		w.printf("migrate.RemoveIndex{Model: %q, Name: %q", o.Model, o.Name)
		w.flag("Concurrently", o.Concurrently)
		w.printf("},\n")
	case AddCheck:
		w.printf("migrate.AddCheck{\nModel: %q,\nCheck: %sCheck", o.Model, w.schema())
		w.check(o.Check)
		w.printf(",\n")
		w.setting("NotValid", o.NotValid)
		w.printf("},\n")
	case RemoveCheck:
		w.printf("migrate.RemoveCheck{Model: %q, Name: %q},\n", o.Model, o.Name)
	case copied:
		w.imports = append(w.imports, o.imports...)
		w.printf("%s,\n", o.code)
	case RunSQL:
		if len(o.Args) > 0 {
			return fmt.Errorf("operation %q has arguments, which cannot be written as Go code", operation.Describe())
		}
		w.printf("migrate.RunSQL{SQL: %s", quoteGo(o.SQL))
		if o.ReverseSQL != "" {
			w.printf(", ReverseSQL: %s", quoteGo(o.ReverseSQL))
		}
		if len(o.Models) > 0 {
			w.printf(", Models: %#v", o.Models)
		}
		w.flag("Elidable", o.Elidable)
		w.printf("},\n")
	default:
		if w.besides(operation) {
			return nil
		}
		return fmt.Errorf("operation %q (%T) cannot be written as Go code", operation.Describe(), operation)
	}
	return nil
}

// besides writes the operations for changes beside others, and reports whether
// it was one.
func (w *writer) besides(operation Operation) bool {
	size := 0
	switch o := operation.(type) {
	case SetNotNull:
		w.printf("migrate.SetNotNull{Model: %q, Column: %q", o.Model, o.Column)
		if o.Value != nil {
			w.printf(", Value: new(%s)", quoteGo(*o.Value))
		}
		size = o.BatchSize
	case FillField:
		w.printf("migrate.FillField{Model: %q, Column: %q", o.Model, o.Column)
		if o.Value != "" {
			w.printf(", Value: %s", quoteGo(o.Value))
		}
		size = o.BatchSize
	case AddUnique:
		w.printf("migrate.AddUnique{Model: %q, Column: %q", o.Model, o.Column)
	case ValidateCheck:
		w.printf("migrate.ValidateCheck{Model: %q, Name: %q", o.Model, o.Name)
	case ValidateForeignKey:
		w.printf("migrate.ValidateForeignKey{Model: %q, Columns: %#v", o.Model, o.Columns)
	default:
		return false
	}
	w.number("BatchSize", size)
	w.printf("},\n")
	return true
}

// setting writes a flag on a line of its own.
func (w *writer) setting(name string, set bool) {
	if set {
		w.printf("%s: true,\n", name)
	}
}

// schema returns the qualifier of package schema and notes that it is used.
func (w *writer) schema() string {
	w.usesSchema = true
	return "schema."
}

func (w *writer) optional(name, value string) {
	if value != "" {
		w.printf(", %s: %q", name, value)
	}
}

func (w *writer) table(t *schema.Table) {
	w.printf("%sTable{\nModel: %q,\nName: %q,\n", w.schema(), t.Model, t.Name)
	if t.Comment != "" {
		w.printf("Comment: %q,\n", t.Comment)
	}
	w.printf("Columns: []%sColumn{\n", w.schema())
	for i := range t.Columns {
		w.column(&t.Columns[i])
		w.printf(",\n")
	}
	w.printf("},\n")
	if len(t.Indexes) > 0 {
		w.printf("Indexes: []%sIndex{\n", w.schema())
		for i := range t.Indexes {
			w.index(&t.Indexes[i])
			w.printf(",\n")
		}
		w.printf("},\n")
	}
	if len(t.ForeignKeys) > 0 {
		w.printf("ForeignKeys: []%sForeignKey{\n", w.schema())
		for i := range t.ForeignKeys {
			w.foreignKey(&t.ForeignKeys[i])
			w.printf(",\n")
		}
		w.printf("},\n")
	}
	if len(t.Checks) > 0 {
		w.printf("Checks: []%sCheck{\n", w.schema())
		for _, c := range t.Checks {
			w.check(c)
			w.printf(",\n")
		}
		w.printf("},\n")
	}
	w.printf("}")
}

func (w *writer) field(kind, model string, c *schema.Column, backfill *string, notValid bool) {
	w.printf("migrate.%s{\nModel: %q,\nColumn: %sColumn", kind, model, w.schema())
	w.column(c)
	w.printf(",\n")
	if backfill != nil {
		w.printf("Backfill: new(%s),\n", quoteGo(*backfill))
	}
	w.setting("NotValid", notValid)
	w.printf("},\n")
}

// column writes a column on one line, and leaves out what is not set.
func (w *writer) column(c *schema.Column) {
	w.printf("{Name: %q", c.Name)
	w.optional("Field", c.Field)
	w.printf(", Type: %s%s", w.schema(), typeNames[c.Type])
	w.number("Size", c.Size)
	w.number("Scale", c.Scale)
	w.flag("Null", c.Null)
	w.flag("PrimaryKey", c.PrimaryKey)
	w.flag("AutoIncrement", c.AutoIncrement)
	w.flag("Unique", c.Unique)
	if c.Default != nil {
		w.printf(", Default: new(%s)", quoteGo(*c.Default))
	}
	w.flag("DefaultNow", c.DefaultNow)
	if c.Generated != "" {
		w.printf(", Generated: %s", quoteGo(c.Generated))
	}
	w.flag("Stored", c.Stored)
	if c.Elem != "" {
		w.printf(", Elem: %s%s", w.schema(), typeNames[c.Elem])
	}
	if len(c.Native) > 0 {
		w.printf(", Native: %#v", c.Native)
	}
	if r := c.References; r != nil {
		w.printf(", References: &%sReference{Table: %q, Column: %q", w.schema(), r.Table, r.Column)
		w.onDelete(r.OnDelete)
		w.optional("Model", r.Model)
		w.printf("}")
	}
	w.optional("Collation", c.Collation)
	w.optional("Comment", c.Comment)
	w.printf("}")
}

func (w *writer) onDelete(o schema.OnDelete) {
	if name, ok := onDeleteNames[action(o)]; ok {
		w.printf(", OnDelete: %s%s", w.schema(), name)
	} else {
		w.optional("OnDelete", string(o))
	}
}

func (w *writer) foreignKey(k *schema.ForeignKey) {
	w.printf("{Columns: %#v, Table: %q, References: %#v", k.Columns, k.Table, k.References)
	w.onDelete(k.OnDelete)
	w.optional("Model", k.Model)
	w.printf("}")
}

func (w *writer) number(name string, n int) {
	if n != 0 {
		w.printf(", %s: %d", name, n)
	}
}

func (w *writer) flag(name string, set bool) {
	if set {
		w.printf(", %s: true", name)
	}
}

func (w *writer) index(i *schema.Index) {
	w.printf("{Name: %q, Columns: []%sIndexColumn{", i.Name, w.schema())
	for n, c := range i.Columns {
		if n > 0 {
			w.printf(", ")
		}
		if c.Expr != "" {
			w.printf("{Expr: %s", quoteGo(c.Expr))
		} else {
			w.printf("{Name: %q", c.Name)
		}
		w.flag("Desc", c.Desc)
		w.optional("OpClass", c.OpClass)
		w.optional("Exclude", c.Exclude)
		w.printf("}")
	}
	w.printf("}")
	w.flag("Unique", i.Unique)
	if i.Where != "" {
		w.printf(", Where: %s", quoteGo(i.Where))
	}
	if len(i.Include) > 0 {
		w.printf(", Include: %#v", i.Include)
	}
	w.optional("Method", i.Method)
	w.flag("NullsNotDistinct", i.NullsNotDistinct)
	w.flag("Deferred", i.Deferred)
	w.printf("}")
}

func (w *writer) check(c schema.Check) {
	w.printf("{Name: %q, SQL: %s}", c.Name, quoteGo(c.SQL))
}

// quoteGo writes SQL between backquotes where that spares the reader
// backslashes.
func quoteGo(s string) string {
	if strings.ContainsAny(s, "\"\\\n") && strconv.CanBackquote(strings.ReplaceAll(s, "\n", "")) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

var typeNames = map[schema.Type]string{
	schema.Bool: "Bool", schema.Int16: "Int16", schema.Int32: "Int32", schema.Int64: "Int64",
	schema.Float64: "Float64", schema.Decimal: "Decimal", schema.String: "String", schema.Text: "Text",
	schema.Bytes: "Bytes", schema.Date: "Date", schema.Time: "Time", schema.DateTime: "DateTime",
	schema.Duration: "Duration", schema.UUID: "UUID", schema.JSON: "JSON", schema.Array: "Array",
}

var onDeleteNames = map[schema.OnDelete]string{
	schema.NoAction: "NoAction", schema.Cascade: "Cascade", schema.Restrict: "Restrict",
	schema.SetNull: "SetNull", schema.SetDefault: "SetDefault",
}
