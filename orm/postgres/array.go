package postgres

import (
	"encoding/hex"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

// arrayTypes are the types of arrays of the kinds of columns for which rows are updated
// by arrays. Text is not among them: a column of text in Go is often one of an enum type,
// of addresses or the like in the database.
var arrayTypes = map[schema.Type]string{
	schema.Int16: "smallint[]", schema.Int32: "integer[]", schema.Int64: "bigint[]", schema.Duration: "bigint[]",
	schema.Float64: "double precision[]", schema.Decimal: "numeric[]", schema.UUID: "uuid[]", schema.DateTime: "timestamptz[]",
}

// ArrayType is the type of an array of values of a kind; none for most.
func (dialect) ArrayType(kind schema.Type) string { return arrayTypes[kind] }

// Array writes values, NULL among them, as one parameter.
func (dialect) Array(values []any) (any, bool) {
	text, ok := arrayOf(values)
	return text, ok
}

// part is in the message of the error of a statement that would have changed but part of
// its rows.
const part = "retort: rows that are missing"

// AllOrNone counts the rows changed. Where they are fewer it reads a text as a number, which
// fails with the text in the message.
func (dialect) AllOrNone(update, arrayType string) string {
	return "WITH __changed AS (" + update + " RETURNING 1) SELECT CASE WHEN count(*) = cardinality($1::" + arrayType +
		") THEN count(*) ELSE cast('" + part + "' || count(*) AS bigint) END FROM __changed"
}

// IsPart reports that err is the failure that AllOrNone makes.
func (dialect) IsPart(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == codeInvalidText && strings.Contains(e.Message, part)
}

// arrayOf writes values as the text of one array parameter, which the server reads as an
// array of the type that the parameter has; false if one of them cannot be an element.
func arrayOf(values []any) (string, bool) {
	a := orm.ArrayValue{Values: make([]any, len(values))}
	for i, v := range values {
		switch v := v.(type) {
		case nil, int64, float64, bool:
			a.Values[i] = v
		case string:
			if !utf8.ValidString(v) || strings.IndexByte(v, 0) >= 0 {
				return "", false
			}
			a.Values[i] = v
		case []byte:
			a.Values[i] = `\x` + hex.EncodeToString(v)
		case time.Time:
			a.Values[i] = string(appendTimeText(nil, v))
		default:
			return "", false
		}
	}
	return a.Braces(), true
}
