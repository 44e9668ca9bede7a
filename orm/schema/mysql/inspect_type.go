package mysql

import (
	"strconv"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// exactTypes are the types of the database that this dialect writes.
var exactTypes = map[string]schema.Type{
	"tinyint(1)": schema.Bool, "smallint": schema.Int16, "int": schema.Int32, "bigint": schema.Int64,
	"double": schema.Float64, "longtext": schema.Text, "longblob": schema.Bytes, "date": schema.Date,
	"time(6)": schema.Time, "datetime(6)": schema.DateTime, "char(36)": schema.UUID, "json": schema.JSON,
}

// nearTypes are those that come near one.
var nearTypes = map[string]schema.Type{
	"tinyint": schema.Int16, "mediumint": schema.Int32, "year": schema.Int16, "float": schema.Float64,
	"tinytext": schema.Text, "text": schema.Text, "mediumtext": schema.Text,
	"tinyblob": schema.Bytes, "blob": schema.Bytes, "mediumblob": schema.Bytes, "binary": schema.Bytes, "bit": schema.Bytes,
	"varbinary": schema.Bytes, "time": schema.Time, "datetime": schema.DateTime, "timestamp": schema.DateTime, "uuid": schema.UUID,
}

// logicalType finds the type that a declared one stands for. MariaDB tells the display
// width of integers, bigint(20), which says nothing.
func logicalType(c *schema.Column, declared string) {
	declared = strings.ToLower(declared)
	name, rest, _ := strings.Cut(declared, "(")
	arguments, attributes, _ := strings.Cut(rest, ")")
	plain := declared
	if strings.HasSuffix(name, "int") && declared != "tinyint(1)" {
		plain = name + attributes
	}
	if t := exactTypes[plain]; t != "" {
		c.Type = t
		return
	}
	size, scale, _ := strings.Cut(arguments, ",")
	switch name {
	case "varchar":
		c.Type = schema.String
		c.Size, _ = strconv.Atoi(size)
		return
	case "decimal":
		c.Type = schema.Decimal
		c.Size, _ = strconv.Atoi(size)
		c.Scale, _ = strconv.Atoi(scale)
		return
	case "char":
		c.Type = schema.String
		c.Size, _ = strconv.Atoi(size)
	default:
		name, _, _ = strings.Cut(name, " ")
		if c.Type = exactTypes[name]; c.Type == "" {
			c.Type = nearTypes[name]
		}
		if c.Type == "" {
			c.Type = schema.Text
		}
	}
	c.Native = map[string]string{"mysql": declared}
}

func isNumber(t schema.Type) bool {
	switch t {
	case schema.Bool, schema.Int16, schema.Int32, schema.Int64, schema.Float64, schema.Decimal:
		return true
	}
	return false
}

// unescaped is an expression as it was written; MySQL, not MariaDB, tells it with
// escaped quotes and the character set of each text.
func unescaped(sql string, maria bool) string {
	if !maria {
		sql = strings.ReplaceAll(sql, `\'`, `'`)
		for _, set := range []string{"_utf8mb4'", "_utf8mb3'", "_latin1'"} {
			sql = strings.ReplaceAll(sql, set, "'")
		}
	}
	return withoutParentheses(sql)
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
		case c == '\'' || c == '"' || c == '`':
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
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

func number(v any) int64 {
	n, _ := v.(int64)
	return n
}
