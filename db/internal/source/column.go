package source

import (
	"strconv"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

const uuidPath = "github.com/google/uuid"

// goTypes are the Go types of columns, but for those whose type depends on more.
var goTypes = map[schema.Type]string{
	schema.Bool: "bool", schema.Int16: "int16", schema.Int32: "int32", schema.Int64: "int64",
	schema.Float64: "float64", schema.Decimal: "string", schema.String: "string", schema.Text: "string",
	schema.Bytes: "[]byte", schema.Date: "orm.Date", schema.Time: "orm.TimeOfDay", schema.DateTime: "time.Time",
	schema.Duration: "time.Duration", schema.UUID: "uuid.UUID", schema.JSON: "json.RawMessage",
}

// packages are those that the types need.
var packages = map[schema.Type]string{
	schema.DateTime: "time", schema.Duration: "time", schema.UUID: uuidPath, schema.JSON: "encoding/json",
}

// decimalDigits stand for a decimal without limit.
const decimalDigits, decimalScale = 38, 10

// typeOf gives the field the type of a column, without regard to NULL.
func (w *writer) typeOf(f *field, c *schema.Column) {
	f.typ = goTypes[c.Type]
	if path := packages[c.Type]; path != "" {
		w.imports[path] = true
	}
	switch c.Type {
	case schema.String:
		f.tag = append(f.tag, "size="+strconv.Itoa(c.Size))
	case schema.Text:
		f.tag = append(f.tag, "text")
	case schema.Decimal:
		size, scale := c.Size, c.Scale
		if size == 0 {
			size, scale = decimalDigits, decimalScale
			f.say("The column takes any number of digits.")
		}
		f.tag = append(f.tag, "type=decimal", "size="+strconv.Itoa(size))
		if scale > 0 {
			f.tag = append(f.tag, "scale="+strconv.Itoa(scale))
		}
	case schema.Array:
		elem := goTypes[c.Elem]
		switch c.Elem {
		case schema.Bool, schema.Int16, schema.Int32, schema.Int64, schema.Float64, schema.Text:
		case schema.String:
			f.tag = append(f.tag, "size="+strconv.Itoa(c.Size))
		default:
			elem = "string"
			f.say("The values of the array are of a type that is read here as text.")
		}
		f.typ = "[]" + elem
		f.tag = append(f.tag, "array")
	}
	if native := c.Native[w.options.Dialect]; native != "" && c.Type != schema.Decimal {
		f.say("The column is of the type %s; a migration would make it %s.", native, c.Type)
	}
}

// makeNull makes room for NULL.
func makeNull(f *field, c *schema.Column) {
	switch {
	case !c.Null:
	case strings.HasPrefix(f.typ, "[]") || f.typ == "json.RawMessage":
		f.tag = append(f.tag, "null")
	default:
		f.typ = "*" + f.typ
	}
}

// describe adds what the database says of the column beyond its type.
func (m *model) describe(f *field, c *schema.Column) {
	m.makeDefault(f, c)
	if c.Collation != "" {
		f.tag = append(f.tag, word("collation", c.Collation))
	}
	m.comment(f, c)
}

func (m *model) comment(f *field, c *schema.Column) {
	if c.Comment != "" {
		f.tag = append(f.tag, word("comment", c.Comment))
	}
}

// makeDefault lets the model have the default of the column.
func (m *model) makeDefault(f *field, c *schema.Column) {
	switch {
	case c.DefaultNow:
		f.tag = append(f.tag, "db_default=now")
	case c.Default == nil || strings.EqualFold(*c.Default, "NULL"):
	default:
		if value, ok := plainDefault(c); ok {
			f.tag = append(f.tag, word("default", value))
			return
		}
		sql := m.portable(*c.Default)
		if strings.Contains(sql, "{}") || c.PrimaryKey {
			f.say("The database fills in %s where an insert leaves the column out.", *c.Default)
			return
		}
		m.defaults = append(m.defaults, "orm.DBDefault(&m."+m.paths[c.Name]+", orm.RawExpr("+goText(sql)+"))")
	}
}

// plainDefault is the value of a default that is a literal which a tag can have.
func plainDefault(c *schema.Column) (string, bool) {
	sql := *c.Default
	bare, quoted := strings.CutPrefix(sql, "'")
	if quoted {
		var whole bool
		if bare, whole = strings.CutSuffix(bare, "'"); !whole || strings.Contains(strings.ReplaceAll(bare, "''", ""), "'") {
			return "", false
		}
		bare = strings.ReplaceAll(bare, "''", "'")
	}
	switch c.Type {
	case schema.Bool:
		switch strings.ToLower(bare) {
		case "true", "t", "1":
			return "true", true
		case "false", "f", "0":
			return "false", true
		}
	case schema.Int16, schema.Int32, schema.Int64:
		_, err := strconv.ParseInt(bare, 10, 64)
		return bare, err == nil
	case schema.Float64, schema.Decimal:
		_, err := strconv.ParseFloat(bare, 64)
		return bare, err == nil && !strings.ContainsAny(bare, "xXpPnN_")
	case schema.String, schema.Text:
		return bare, quoted
	}
	return "", false
}
