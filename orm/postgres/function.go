package postgres

import (
	"fmt"
	"strings"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

// spellings are the functions that PostgreSQL spells in its own way,
// https://www.postgresql.org/docs/current/functions.html. Parameters are bigint where
// it wants an int.
var spellings = map[string]string{
	"bitxor": "(%1 # %2)", "sign": "(SIGN(%1))::bigint", "log": "LOG((%1)::numeric, (%2)::numeric)", "pi": "PI()",
	"concat": "((%1)::text || (%2)::text)", "position": "STRPOS(%1, %2)",
	"repeat": "REPEAT(%1, (%2)::int)", "lpad": "LPAD(%1, (%2)::int, %3)", "rpad": "RPAD(%1, (%2)::int, %3)",
	"left": "LEFT(%1, (%2)::int)", "right": "RIGHT(%1, GREATEST((%2)::int, 0))",
	"ntile": "NTILE((%1)::int)", "nth_value": "NTH_VALUE(%1, (%2)::int)",
	"now": "STATEMENT_TIMESTAMP()", "random": "RANDOM()", "uuid": "GEN_RANDOM_UUID()", "md5": "MD5(%1)",
	"sha1":   "ENCODE(DIGEST(%1, 'sha1'), 'hex')", // of the extension pgcrypto
	"sha224": "ENCODE(SHA224(CONVERT_TO(%1, 'UTF8')), 'hex')", "sha256": "ENCODE(SHA256(CONVERT_TO(%1, 'UTF8')), 'hex')",
	"sha384": "ENCODE(SHA384(CONVERT_TO(%1, 'UTF8')), 'hex')", "sha512": "ENCODE(SHA512(CONVERT_TO(%1, 'UTF8')), 'hex')",
	"string_agg": "STRING_AGG((%1)::text, %2%o)", "any_value": "(ARRAY_REMOVE(ARRAY_AGG(%1), NULL))[1]",
	"bitleft": "(%1 << (%2)::int)", "bitright": "(%1 >> (%2)::int)",
	"greatest": "CASE WHEN NUM_NULLS(%*) = 0 THEN GREATEST(%*) END", "least": "CASE WHEN NUM_NULLS(%*) = 0 THEN LEAST(%*) END",
	"time_add": "(%1 + ((%2) / 1000) * INTERVAL '1 microsecond')", "time_sub": "(%1 - ((%2) / 1000) * INTERVAL '1 microsecond')",
	"time_diff":   "((EXTRACT(EPOCH FROM (%1 - %2)) * 1000000)::bigint * 1000)",
	"search":      "(TO_TSVECTOR('simple', %1) @@ WEBSEARCH_TO_TSQUERY('simple', %2))",
	"search_rank": "TS_RANK(TO_TSVECTOR('simple', %1), WEBSEARCH_TO_TSQUERY('simple', %2))",
	"iregex":      "((%1)::text ~* %2)",
	"json_string": "CASE WHEN JSONB_TYPEOF(%1 #> %2) = 'string' THEN %1 #>> %2 END",
	"json_number": "CASE WHEN JSONB_TYPEOF(%1 #> %2) = 'number' THEN (%1 #>> %2)::double precision END",
	"json_bool":   "CASE WHEN JSONB_TYPEOF(%1 #> %2) = 'boolean' THEN (%1 #>> %2)::boolean END",
	"json_length": "CASE WHEN JSONB_TYPEOF(%1 #> %2) = 'array' THEN JSONB_ARRAY_LENGTH(%1 #> %2) END",
	"json_type":   "JSONB_TYPEOF(%1 #> %2)", "json_contains": "(%1 @> ((%2)::text)::jsonb)",
	"json_object": "JSONB_BUILD_OBJECT(%*)", "json_array": "JSONB_BUILD_ARRAY(%*)",
	"regex": "((%1)::text ~ %2)", "json_get": "(%1 #> %2)", "json_text": "(%1 #>> %2)",
}

// Function spells a function of the library.
func (dialect) Function(f orm.Function) (string, error) {
	switch f.Name {
	case "value", "cast", "cast_wide":
		return "CAST(%1 AS " + castTypes[f.Type] + ")", nil
	case "extract":
		return extract(f)
	case "trunc":
		return trunc(f), nil
	case "string_agg":
		if f.Distinct {
			// What it is ordered by must be what is joined, to the letter.
			return "STRING_AGG(DISTINCT %1, %2%o)", nil
		}
	case "substr":
		if f.Args == 3 {
			return "SUBSTR(%1, (%2)::int, (%3)::int)", nil
		}
		return "SUBSTR(%1, (%2)::int)", nil
	case "round":
		if f.Args == 2 {
			return "ROUND((%1)::numeric, (%2)::int)", nil
		}
	case "lag", "lead":
		name := strings.ToUpper(f.Name)
		switch f.Args {
		case 2:
			return name + "(%1, (%2)::int)", nil
		case 3:
			return name + "(%1, (%2)::int, %3)", nil
		}
	}
	return spellings[f.Name], nil
}

// castTypes are the types of columns as CAST knows them.
var castTypes = map[schema.Type]string{
	schema.Bool: "boolean", schema.Int16: "smallint", schema.Int32: "integer", schema.Int64: "bigint", schema.Duration: "bigint",
	schema.Float64: "double precision", schema.Decimal: "numeric", schema.Bytes: "bytea", schema.String: "text", schema.Text: "text",
	schema.UUID: "uuid", schema.JSON: "jsonb", schema.Date: "date", schema.Time: "time", schema.DateTime: "timestamptz",
}

// extractFields are the fields of EXTRACT,
// https://www.postgresql.org/docs/current/functions-datetime.html#FUNCTIONS-DATETIME-EXTRACT.
var extractFields = map[orm.Unit]string{
	orm.Year: "YEAR", orm.ISOYear: "ISOYEAR", orm.Quarter: "QUARTER", orm.Month: "MONTH", orm.Week: "WEEK", orm.WeekDay: "DOW",
	orm.ISOWeekDay: "ISODOW", orm.Day: "DAY", orm.YearDay: "DOY", orm.Hour: "HOUR", orm.Minute: "MINUTE", orm.Second: "SECOND",
}

func extract(f orm.Function) (string, error) {
	field := extractFields[f.Unit]
	if field == "" {
		return "", fmt.Errorf("postgres: Extract of %q; there is no such part of a time", f.Unit)
	}
	sql := "FLOOR(EXTRACT(" + field + " FROM " + clock(f) + "))::bigint"
	if f.Unit == orm.WeekDay {
		sql = "(" + sql + " + 1)"
	}
	return sql, nil
}

// clock is what the clocks of the zone show.
func clock(f orm.Function) string {
	if f.Type == schema.Date {
		return "(%1)"
	}
	return "((%1) AT TIME ZONE " + zone(f) + ")"
}

func zone(f orm.Function) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(f.Zone, "'", ""), "%", "") + "'"
}

func trunc(f orm.Function) string {
	sql := "DATE_TRUNC('" + string(f.Unit) + "', " + clock(f) + ")"
	if f.Unit == orm.ISOYear {
		// The ISO year begins with the week that has the fourth of January.
		sql = "DATE_TRUNC('week', MAKE_DATE(EXTRACT(ISOYEAR FROM " + clock(f) + ")::int, 1, 4)::timestamp)"
	}
	if f.Type == schema.Date {
		return sql + "::date"
	}
	return "(" + sql + " AT TIME ZONE " + zone(f) + ")"
}

// JSONPath writes a path as an array of text, in which an index is a number.
func (dialect) JSONPath(path []any) any {
	steps := make([]any, len(path))
	for i, step := range path {
		steps[i] = fmt.Sprint(step)
	}
	return orm.ArrayValue{Values: steps}.Braces()
}
