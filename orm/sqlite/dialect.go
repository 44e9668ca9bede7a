package sqlite

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/retort-web/retort/orm"
)

// dialect spells queries for SQLite, https://www.sqlite.org/lang.html.
type dialect struct {
	// fold is whether connections have the function foldName.
	fold bool
}

// foldName is a function that folds the case of all letters, as SQLite's own only
// does for ASCII.
const foldName = "retort_fold"

func fold(s string) string { return strings.ToLower(s) }

func (dialect) Name() string { return "sqlite" }

// Returning is true: SQLite has RETURNING since 3.35.
func (dialect) Returning() bool { return true }

// KeysFollow looks whether the greatest key is that of the row inserted last. Each row then
// gets the next one (https://www.sqlite.org/autoinc.html) as long as nobody else writes, which
// holds in a transaction that does, and no trigger inserts or deletes rows in between.
func (d dialect) KeysFollow(table, column string) (string, []any) {
	b := append([]byte(nil), `SELECT "last" FROM (SELECT `...)
	b = append(d.Quote(b, column), ` AS "last" FROM `...)
	b = append(d.Quote(b, table), ` ORDER BY 1 DESC LIMIT 1) WHERE "last" = last_insert_rowid()`...)
	for _, schema := range []string{"sqlite_master", "sqlite_temp_master"} {
		b = append(b, " AND NOT EXISTS (SELECT 1 FROM "+schema+" WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE)"...)
	}
	return string(b), []any{table, table}
}

// Quirks is empty: the compiler writes SQLite's SQL.
func (dialect) Quirks() orm.Quirks { return orm.Quirks{NoSchemas: true} }

// OnConflict writes the UPSERT of https://www.sqlite.org/lang_upsert.html.
func (d dialect) OnConflict(b []byte, k orm.ConflictClause) []byte {
	b = append(b, " ON CONFLICT"...)
	for i, column := range k.Same {
		if i == 0 {
			b = append(b, " ("...)
		} else {
			b = append(b, ", "...)
		}
		b = d.Quote(b, column)
	}
	if len(k.Same) > 0 {
		b = append(b, ')')
	}
	if len(k.Update) == 0 {
		return append(b, " DO NOTHING"...)
	}
	for i, column := range k.Update {
		if i == 0 {
			b = append(b, " DO UPDATE SET "...)
		} else {
			b = append(b, ", "...)
		}
		b = d.Quote(b, column)
		b = append(b, " = excluded."...)
		b = d.Quote(b, column)
	}
	return b
}

func (dialect) Quote(b []byte, name string) []byte {
	b = append(b, '"')
	if strings.IndexByte(name, '"') < 0 {
		b = append(b, name...)
	} else {
		b = append(b, strings.ReplaceAll(name, `"`, `""`)...)
	}
	return append(b, '"')
}

func (dialect) Placeholder(b []byte, _ int) []byte { return append(b, '?') }

// MaxParameters is SQLITE_MAX_VARIABLE_NUMBER as SQLite is built since 3.32.
func (dialect) MaxParameters() int { return 32766 }

func (dialect) Bind(value any) any {
	switch v := value.(type) {
	case orm.ArrayValue:
		return v.JSON()
	case time.Time:
		return orm.FormatTime(v)
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	}
	return value
}

func (d dialect) Literal(b []byte, value any) ([]byte, error) {
	switch v := d.Bind(value).(type) {
	case nil:
		return append(b, "NULL"...), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return b, fmt.Errorf("sqlite: %v cannot be written in SQL", v)
		}
		return strconv.AppendFloat(b, v, 'e', -1, 64), nil
	case string:
		if strings.IndexByte(v, 0) >= 0 {
			return b, fmt.Errorf("sqlite: text with a NUL cannot be written in SQL")
		}
		b = append(b, '\'')
		b = append(b, strings.ReplaceAll(v, "'", "''")...)
		return append(b, '\''), nil
	case []byte:
		b = append(b, "X'"...)
		b = hex.AppendEncode(b, v)
		return append(b, '\''), nil
	default:
		return b, fmt.Errorf("sqlite: a %T cannot be written in SQL", v)
	}
}

var (
	likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
	globEscaper = strings.NewReplacer(`[`, `[[]`, `*`, `[*]`, `?`, `[?]`)
)

// Match uses GLOB, which tells case apart, and LIKE, which does not for ASCII
// letters. Both can use an index for the start of a text. For other letters the
// case is folded on both sides.
func (d dialect) Match(b []byte, m orm.Match, column, placeholder, text string) ([]byte, string) {
	pattern, wild := globEscaper.Replace(text), "*"
	switch {
	case !m.FoldCase:
		b = append(b, column...)
		b = append(b, " GLOB "...)
	case d.fold && !isASCII(text):
		pattern, wild = likeEscaper.Replace(fold(text)), "%"
		b = append(b, foldName+"("...)
		b = append(b, column...)
		b = append(b, ") LIKE "...)
	default:
		pattern, wild = likeEscaper.Replace(text), "%"
		b = append(b, column...)
		b = append(b, " LIKE "...)
	}
	b = append(b, placeholder...)
	if m.FoldCase {
		b = append(b, ` ESCAPE '\'`...)
	}
	if m.Place == orm.MatchAnywhere || m.Place == orm.MatchEnd {
		pattern = wild + pattern
	}
	if m.Place == orm.MatchAnywhere || m.Place == orm.MatchStart {
		pattern += wild
	}
	return b, pattern
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Lock adds nothing: a transaction that may write has the whole database.
func (dialect) Lock(b []byte, _ orm.Lock) []byte { return b }

// Explain is SQLite's short form, in which a query tells of the indexes it uses.
func (dialect) Explain(o orm.ExplainOptions) (string, error) {
	if o.Analyze || o.Verbose || o.Buffers || o.Format != "" && o.Format != "text" {
		return "", errors.New("sqlite: Explain has no options here")
	}
	return "EXPLAIN QUERY PLAN ", nil
}

// InArray passes the values as one JSON array, unpacked by json_each,
// https://www.sqlite.org/json1.html#jeach. Values that JSON does not carry exactly,
// which are bytes, floats and text that is not UTF-8, are left to the caller.
func (dialect) InArray(b []byte, column, placeholder string, values []any) ([]byte, any, bool) {
	for _, v := range values {
		switch v := v.(type) {
		case int64:
		case string:
			if !utf8.ValidString(v) {
				return b, nil, false
			}
		default:
			return b, nil, false
		}
	}
	array, err := json.Marshal(values)
	if err != nil {
		return b, nil, false
	}
	b = append(b, column...)
	b = append(b, " IN (SELECT value FROM json_each("...)
	b = append(b, placeholder...)
	return append(b, "))"...), string(array), true
}
