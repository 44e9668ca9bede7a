package postgres

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// exactTypes are the types of the database that this dialect writes.
var exactTypes = map[string]schema.Type{
	"boolean": schema.Bool, "smallint": schema.Int16, "integer": schema.Int32, "bigint": schema.Int64,
	"double precision": schema.Float64, "text": schema.Text, "bytea": schema.Bytes, "date": schema.Date,
	"time without time zone": schema.Time, "timestamp with time zone": schema.DateTime,
	"uuid": schema.UUID, "jsonb": schema.JSON,
}

// nearTypes are those that come near one.
var nearTypes = map[string]schema.Type{
	"real": schema.Float64, "json": schema.JSON, "timestamp without time zone": schema.DateTime,
	"time with time zone": schema.Time, "numeric": schema.Decimal, "money": schema.Decimal,
	"oid": schema.Int64,
}

// logicalType finds the type that a declared one, as format_type writes it, stands
// for.
func logicalType(c *schema.Column, declared string) {
	element, isArray := strings.CutSuffix(declared, "[]")
	name, arguments, sized := strings.Cut(element, "(")
	rest := ""
	if sized {
		arguments, rest, _ = strings.Cut(arguments, ")")
		size, scale, _ := strings.Cut(arguments, ",")
		c.Size, _ = strconv.Atoi(size)
		c.Scale, _ = strconv.Atoi(scale)
	}
	exact := true
	switch t := exactTypes[name]; {
	case t != "":
		c.Type = t
	case name == "character varying" && sized:
		c.Type = schema.String
	case name == "numeric" && sized:
		c.Type = schema.Decimal
	case nearTypes[name+rest] != "":
		c.Type, exact, c.Size, c.Scale = nearTypes[name+rest], false, 0, 0
	case name == "character" && sized:
		c.Type, exact = schema.String, false
	default:
		c.Type, exact, c.Size, c.Scale = schema.Text, false, 0, 0
	}
	if isArray {
		c.Type, c.Elem = schema.Array, c.Type
	}
	if !exact {
		c.Native = map[string]string{"postgres": declared}
	}
}

// cast is what PostgreSQL adds to the defaults it prints.
var cast = regexp.MustCompile(`^('(?:[^']|'')*'|-?[0-9.]+|NULL)::[a-z0-9_ ."\[\]()]+$`)

// moments are the ways to say now.
var moments = []string{
	"now()", "current_timestamp", "statement_timestamp()", "transaction_timestamp()", "clock_timestamp()",
	"current_date", "current_time", "localtimestamp", "localtime", "('now'::text)::date", "timezone('utc'::text, now())",
	"timezone('utc'::text, statement_timestamp())", "timezone('utc'::text, clock_timestamp())",
}

func setDefault(c *schema.Column, sql string) {
	bare := strings.ToLower(sql)
	for strings.HasPrefix(bare, "(") && bare != withoutParentheses(bare) {
		bare = withoutParentheses(bare)
	}
	for _, kind := range []string{"::date", "::time without time zone"} {
		bare = withoutParentheses(strings.TrimSuffix(bare, kind))
	}
	for _, moment := range moments {
		if bare == moment {
			c.DefaultNow = true
			return
		}
	}
	if found := cast.FindStringSubmatch(sql); found != nil {
		sql = found[1]
	}
	if c.Type == schema.Bool {
		sql = strings.ToUpper(sql)
	}
	c.Default = &sql
}

// withoutParentheses takes off the pair that encloses all of the text.
func withoutParentheses(sql string) string {
	if !strings.HasPrefix(sql, "(") || !strings.HasSuffix(sql, ")") {
		return sql
	}
	depth, quote := 0, byte(0)
	for i := range len(sql) {
		switch c := sql[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 && i < len(sql)-1 {
				return sql
			}
		}
	}
	return sql[1 : len(sql)-1]
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
