package postgres

import "github.com/retort-web/retort/orm/schema"

// converted is the expression that turns the values of a column into those of another
// type. What it makes is then assigned to the new type: a text that is too long is an
// error and is not cut off.
func converted(name string, from, to *schema.Column) string {
	kind := to.Type
	if to.Native["postgres"] != "" || from.Native["postgres"] != "" || kind == schema.Array || from.Type == schema.Array {
		return name + "::" + columnType(to)
	}
	if from.Type == kind && (kind == schema.String || kind == schema.Decimal) {
		return name // a cast would hide from the server that the values fit, and it would rewrite the table
	}
	switch from.Type {
	case schema.Bool:
		if isInteger(kind) || kind == schema.Float64 || kind == schema.Decimal {
			return name + "::integer::" + types[kind]
		}
	case schema.DateTime:
		switch kind {
		case schema.Date, schema.Time:
			return "(" + name + " AT TIME ZONE 'UTC')::" + types[kind]
		case schema.String, schema.Text:
			return "to_char(" + name + " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
		}
	case schema.Bytes:
		if isText(kind) {
			return "convert_from(" + name + ", 'UTF8')"
		}
	}
	switch kind {
	case schema.Bool:
		if isInteger(from.Type) || from.Type == schema.Float64 || from.Type == schema.Decimal {
			return name + " <> 0"
		}
	case schema.DateTime:
		if from.Type == schema.Date || isText(from.Type) {
			return name + "::timestamp AT TIME ZONE 'UTC'"
		}
	case schema.Bytes:
		if isText(from.Type) {
			return "convert_to(" + name + ", 'UTF8')"
		}
	case schema.String:
		return name + "::text"
	case schema.Decimal:
		return name + "::numeric"
	}
	return name + "::" + types[kind]
}

func isInteger(t schema.Type) bool {
	return t == schema.Int16 || t == schema.Int32 || t == schema.Int64 || t == schema.Duration
}

func isText(t schema.Type) bool { return t == schema.String || t == schema.Text }
