package mysql

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/orm/schema"
)

// spellings are the functions that MySQL spells in its own way,
// https://dev.mysql.com/doc/refman/8.4/en/built-in-function-reference.html. Operators on
// bits give numbers without a sign there.
var spellings = map[string]string{
	"bitand": "CAST((%1 & %2) AS SIGNED)", "bitor": "CAST((%1 | %2) AS SIGNED)", "bitxor": "CAST((%1 ^ %2) AS SIGNED)",
	"bitleft": "CAST((%1 << %2) AS SIGNED)", "bitright": "CAST((%1 >> %2) AS SIGNED)",
	"bit_and": "CAST(BIT_AND(%1) AS SIGNED)", "bit_or": "CAST(BIT_OR(%1) AS SIGNED)", "bit_xor": "CAST(BIT_XOR(%1) AS SIGNED)",
	"position": "LOCATE(%2, %1)", "log": "LOG(%1, %2)", "pi": "PI()",
	"now": "UTC_TIMESTAMP(6)", "random": "RAND()", "uuid": "UUID()",
	"md5": "MD5(%1)", "sha1": "SHA1(%1)", "sha224": "SHA2(%1, 224)", "sha256": "SHA2(%1, 256)", "sha384": "SHA2(%1, 384)", "sha512": "SHA2(%1, 512)",
	// The separator must be a literal: it goes before each text, and the first one is
	// taken off.
	"string_agg": "SUBSTR(GROUP_CONCAT(%dCONCAT(%2, %1)%o SEPARATOR ''), CHAR_LENGTH(%2) + 1)",
	"regex":      "(%1 REGEXP %2)", "iregex": "(%1 REGEXP CONCAT('(?i)', %2))",
	"time_add": "(%1 + INTERVAL (%2) DIV 1000 MICROSECOND)", "time_sub": "(%1 - INTERVAL (%2) DIV 1000 MICROSECOND)",
	"time_diff":   "(TIMESTAMPDIFF(MICROSECOND, %2, %1) * 1000)",
	"json_get":    "JSON_EXTRACT(%1, %2)",
	"json_string": "CASE WHEN JSON_TYPE(JSON_EXTRACT(%1, %2)) = 'STRING' THEN CAST(JSON_UNQUOTE(JSON_EXTRACT(%1, %2)) AS CHAR) END",
	"json_number": "CASE WHEN JSON_TYPE(JSON_EXTRACT(%1, %2)) IN ('INTEGER', 'DOUBLE', 'DECIMAL', 'UNSIGNED INTEGER') THEN JSON_EXTRACT(%1, %2) + 0 END",
	"json_bool":   "CASE CAST(JSON_UNQUOTE(JSON_EXTRACT(%1, %2)) AS CHAR) WHEN 'true' THEN CASE WHEN JSON_TYPE(JSON_EXTRACT(%1, %2)) = 'BOOLEAN' THEN 1 END WHEN 'false' THEN CASE WHEN JSON_TYPE(JSON_EXTRACT(%1, %2)) = 'BOOLEAN' THEN 0 END END",
	"json_length": "CASE WHEN JSON_TYPE(JSON_EXTRACT(%1, %2)) = 'ARRAY' THEN JSON_LENGTH(%1, %2) END",
	"json_type": "CASE WHEN JSON_TYPE(JSON_EXTRACT(%1, %2)) IN ('INTEGER', 'DOUBLE', 'DECIMAL', 'UNSIGNED INTEGER') THEN 'number'" +
		" ELSE CAST(LOWER(JSON_TYPE(JSON_EXTRACT(%1, %2))) AS CHAR) END",
	"json_contains": "JSON_CONTAINS(%1, %2)", "json_object": "JSON_OBJECT(%*)", "json_array": "JSON_ARRAY(%*)",
	"json_text": "CASE WHEN JSON_TYPE(JSON_EXTRACT(%1, %2)) = 'NULL' THEN NULL ELSE CAST(JSON_UNQUOTE(JSON_EXTRACT(%1, %2)) AS CHAR) END",
}

// Function spells a function of the library.
func (d dialect) Function(f orm.Function) (string, error) {
	switch f.Name {
	case "extract":
		of, err := d.inZone("%1", f)
		return strings.ReplaceAll(extracts[f.Unit], "x", of), err
	case "trunc":
		return d.trunc(f)
	case "cast_wide": // of the first row of a recursive query, whose columns get no wider
		if f.Type == schema.Text || f.Type == schema.String {
			return "CAST(%1 AS CHAR(8000))", nil
		}
		return "CAST(%1 AS " + d.castType(f.Type) + ")", nil
	case "cast":
		return "CAST(%1 AS " + d.castType(f.Type) + ")", nil
	case "avg":
		if f.Type != schema.Decimal {
			return "AVG(%d(%1) + 0E0)", nil // or the average of whole numbers has four digits
		}
	case "regex":
		if !d.mariaDB {
			return "REGEXP_LIKE(%1, %2, 'c')", nil
		}
	case "iregex":
		if !d.mariaDB {
			return "REGEXP_LIKE(%1, %2, 'i')", nil
		}
	}
	return spellings[f.Name], nil
}

// castType is the type that a value is given by CAST, which knows few,
// https://dev.mysql.com/doc/refman/8.4/en/cast-functions.html#function_cast.
func (d dialect) castType(t schema.Type) string {
	switch t {
	case schema.Bool, schema.Int16, schema.Int32, schema.Int64, schema.Duration:
		return "SIGNED"
	case schema.Float64:
		return "DOUBLE"
	case schema.Decimal:
		return "DECIMAL(65,30)"
	case schema.Bytes:
		return "BINARY"
	case schema.Date:
		return "DATE"
	case schema.Time:
		return "TIME(6)"
	case schema.DateTime:
		return "DATETIME(6)"
	case schema.JSON:
		if !d.mariaDB {
			return "JSON"
		}
	}
	return "CHAR"
}

// extracts are the parts of a time x.
var extracts = map[orm.Unit]string{
	orm.Year: "YEAR(x)", orm.ISOYear: "(YEARWEEK(x, 3) DIV 100)", orm.Quarter: "QUARTER(x)", orm.Month: "MONTH(x)", orm.Week: "WEEK(x, 3)",
	orm.WeekDay: "DAYOFWEEK(x)", orm.ISOWeekDay: "(WEEKDAY(x) + 1)", orm.Day: "DAY(x)", orm.YearDay: "DAYOFYEAR(x)",
	orm.Hour: "HOUR(x)", orm.Minute: "MINUTE(x)", orm.Second: "SECOND(x)",
}

// truncs are the beginnings of the units that a time x is in, as text.
var truncs = map[orm.Unit]string{
	orm.Year: "DATE_FORMAT(x, '%%Y-01-01')", orm.Month: "DATE_FORMAT(x, '%%Y-%%m-01')", orm.Day: "DATE_FORMAT(x, '%%Y-%%m-%%d')",
	orm.Quarter: "(MAKEDATE(YEAR(x), 1) + INTERVAL QUARTER(x) - 1 QUARTER)",
	orm.Week:    "(DATE(x) - INTERVAL WEEKDAY(x) DAY)",
	// The year of ISO 8601 begins with the week that has its fourth of January.
	orm.ISOYear: "(MAKEDATE(YEARWEEK(x, 3) DIV 100, 4) - INTERVAL WEEKDAY(MAKEDATE(YEARWEEK(x, 3) DIV 100, 4)) DAY)",
	orm.Hour:    "DATE_FORMAT(x, '%%Y-%%m-%%d %%H:00:00')", orm.Minute: "DATE_FORMAT(x, '%%Y-%%m-%%d %%H:%%i:00')",
	orm.Second: "DATE_FORMAT(x, '%%Y-%%m-%%d %%H:%%i:%%s')",
}

func (d dialect) trunc(f orm.Function) (string, error) {
	of, err := d.inZone("%1", f)
	sql := strings.ReplaceAll(truncs[f.Unit], "x", of)
	if f.Type == schema.Date {
		return "CAST(" + sql + " AS DATE)", err
	}
	sql = "CAST(" + sql + " AS DATETIME(6))"
	if f.Zone != "UTC" {
		sql = "CONVERT_TZ(" + sql + ", " + quoteText(f.Zone) + ", '+00:00')"
	}
	return sql, err
}

// inZone is a time as the clocks of a zone show it. A server without tables of time
// zones would say NULL.
func (d dialect) inZone(of string, f orm.Function) (string, error) {
	switch {
	case f.Zone == "UTC":
		return of, nil
	case !d.zones:
		return "", errors.New("mysql: the server has no time zones; its administrator loads them with mysql_tzinfo_to_sql (MySQL) or mariadb-tzinfo-to-sql (MariaDB)")
	}
	return "CONVERT_TZ(" + of + ", '+00:00', " + quoteText(f.Zone) + ")", nil
}

func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// JSONPath writes a path as https://dev.mysql.com/doc/refman/8.4/en/json.html#json-path-syntax
// has it.
func (dialect) JSONPath(path []any) any {
	b := []byte("$")
	for _, step := range path {
		switch step := step.(type) {
		case int:
			if step < 0 {
				b = append(b, "[last"...)
				if step < -1 {
					b = strconv.AppendInt(b, int64(step+1), 10)
				}
			} else {
				b = strconv.AppendInt(append(b, '['), int64(step), 10)
			}
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
