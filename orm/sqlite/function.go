package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

// spellings are the functions that SQLite spells in its own way,
// https://www.sqlite.org/lang_corefunc.html.
var spellings = map[string]string{
	"div": "(%1 / %2)", "mod": "(%1 %% %2)", "pow": "pow(%1, %2)", "bitxor": "((%1 | %2) - (%1 & %2))",
	"length": "length(%1)", "concat": "(%1 || %2)", "left": "substr(%1, 1, %2)",
	"right": "CASE WHEN %2 > 0 THEN substr(%1, -(%2)) ELSE substr(%1, 1, 0) END", "position": "instr(%1, %2)",
	"greatest": "max(%*)", "least": "min(%*)", "log": "log(%1, %2)", "pi": "pi()",
	"now": "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now')", "random": "(0.5 + random() / 18446744073709551616.0)",
	"string_agg":  "GROUP_CONCAT(%1, %2%o)",
	"json_get":    "(%1 -> %2)",
	"json_text":   "CASE json_type(%1, %2) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(%1 ->> %2 AS TEXT) END",
	"json_string": "CASE json_type(%1, %2) WHEN 'text' THEN %1 ->> %2 END",
	"json_number": "CASE WHEN json_type(%1, %2) IN ('integer', 'real') THEN %1 ->> %2 END",
	"json_bool":   "CASE json_type(%1, %2) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END",
	"json_length": "CASE json_type(%1, %2) WHEN 'array' THEN json_array_length(%1, %2) END",
	"json_type": "CASE json_type(%1, %2) WHEN 'true' THEN 'boolean' WHEN 'false' THEN 'boolean' WHEN 'integer' THEN 'number'" +
		" WHEN 'real' THEN 'number' WHEN 'text' THEN 'string' ELSE json_type(%1, %2) END",
	"json_object": "json_object(%*)", "json_array": "json_array(%*)",
}

// ownFunctions are spelt as functions that connections of the own driver have.
var ownFunctions = map[string]string{
	"reverse": "retort_reverse(%1)", "repeat": "retort_repeat(%1, %2)", "lpad": "retort_pad(%1, %2, %3, 0)", "rpad": "retort_pad(%1, %2, %3, 1)",
	"md5": "retort_hash('md5', %1)", "sha1": "retort_hash('sha1', %1)", "sha224": "retort_hash('sha224', %1)", "sha256": "retort_hash('sha256', %1)",
	"sha384": "retort_hash('sha384', %1)", "sha512": "retort_hash('sha512', %1)", "uuid": "retort_uuid()",
	"string_agg_distinct": "retort_join(%1, %2%o)",
	"stddev":              "retort_stddev(%d%1)", "stddev_samp": "retort_stddev_samp(%d%1)", "variance": "retort_variance(%d%1)", "var_samp": "retort_var_samp(%d%1)",
	"regex": "retort_regexp(%2, %1)", "iregex": "retort_regexp('(?i)' || %2, %1)",
	"time_add": "retort_time_add(%1, %2)", "time_sub": "retort_time_add(%1, -(%2))", "time_diff": "retort_time_diff(%1, %2)",
	"search": "(retort_search(%2, %1) > 0)", "search_rank": "retort_search(%2, %1)", "json_contains": "retort_contains(%1, %2)",
	"bit_and": "retort_bit_and(%d%1)", "bit_or": "retort_bit_or(%d%1)", "bit_xor": "retort_bit_xor(%d%1)",
}

// Function spells a function of the library.
func (d dialect) Function(f orm.Function) (string, error) {
	switch f.Name {
	case "extract":
		return d.extract(f)
	case "trunc":
		return d.trunc(f)
	case "cast", "cast_wide":
		return "CAST(%1 AS " + castTypes[f.Type] + ")", nil
	case "fits":
		if bits := intBits[f.Type]; bits > 0 && d.fold {
			return fmt.Sprintf("retort_fits(%%1, %d)", bits), nil
		}
		return "", nil
	}
	name := f.Name
	if name == "string_agg" && f.Distinct {
		name = "string_agg_distinct"
	}
	if s, ok := ownFunctions[name]; ok {
		if !d.fold {
			return "", fmt.Errorf("sqlite: %s needs the driver that comes with this package, not one of your own", f.Name)
		}
		return s, nil
	}
	return spellings[f.Name], nil
}

// castTypes are the names by which CAST gives values the type that columns have,
// https://www.sqlite.org/lang_expr.html#castexpr.
var castTypes = map[schema.Type]string{
	schema.Bool: "INTEGER", schema.Int16: "INTEGER", schema.Int32: "INTEGER", schema.Int64: "INTEGER", schema.Duration: "INTEGER",
	schema.Float64: "REAL", schema.Decimal: "NUMERIC", schema.Bytes: "BLOB",
	schema.String: "TEXT", schema.Text: "TEXT", schema.UUID: "TEXT", schema.JSON: "TEXT", schema.Date: "TEXT", schema.DateTime: "TEXT",
}

// intBits are the sizes of whole numbers. Columns of SQLite take all numbers, also those
// with a fraction, which an overflow makes.
var intBits = map[schema.Type]int{schema.Int16: 16, schema.Int32: 32, schema.Int64: 64, schema.Duration: 64}

// clockFormats are the parts that strftime knows,
// https://www.sqlite.org/lang_datefunc.html.
var clockFormats = map[orm.Unit]string{
	orm.Year: "%%Y", orm.Month: "%%m", orm.Day: "%%d", orm.YearDay: "%%j", orm.Hour: "%%H", orm.Minute: "%%M", orm.Second: "%%S",
}

func (d dialect) extract(f orm.Function) (string, error) {
	if format := clockFormats[f.Unit]; format != "" && f.Zone == "UTC" {
		return "CAST(strftime('" + format + "', %1) AS INTEGER)", nil
	}
	return d.clock("retort_extract", f)
}

// truncFormats are the units whose beginning strftime can write.
var truncFormats = map[orm.Unit]string{
	orm.Year: "%%Y-01-01", orm.Month: "%%Y-%%m-01", orm.Day: "%%Y-%%m-%%d",
	orm.Hour: "%%Y-%%m-%%d %%H:00:00.000000", orm.Minute: "%%Y-%%m-%%d %%H:%%M:00.000000", orm.Second: "%%Y-%%m-%%d %%H:%%M:%%S.000000",
}

func (d dialect) trunc(f orm.Function) (string, error) {
	format := truncFormats[f.Unit]
	if format == "" || f.Zone != "UTC" {
		return d.clock("retort_trunc", f)
	}
	if f.Type == schema.DateTime && len(format) < 20 {
		format += " 00:00:00.000000"
	}
	return "strftime('" + format + "', %1)", nil
}

func (d dialect) clock(function string, f orm.Function) (string, error) {
	if !d.fold {
		return "", errors.New("sqlite: this unit or time zone needs the driver that comes with this package, not one of your own")
	}
	return fmt.Sprintf("%s('%s', '%s', %%1)", function, f.Unit, strings.ReplaceAll(f.Zone, "'", "")), nil
}

// JSONPath writes a path as https://www.sqlite.org/json1.html#jptr has it.
func (dialect) JSONPath(path []any) any {
	b := []byte("$")
	for _, step := range path {
		switch step := step.(type) {
		case int:
			b = append(b, '[')
			if step < 0 {
				b = append(b, '#')
			}
			b = strconv.AppendInt(b, int64(step), 10)
			b = append(b, ']')
		case string:
			key, err := json.Marshal(step)
			if err != nil {
				key = []byte(`""`)
			}
			b = append(append(b, '.'), key...)
		}
	}
	return string(b)
}
