package postgres

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort/orm"
)

// dialect spells queries for PostgreSQL,
// https://www.postgresql.org/docs/current/sql.html.
type dialect struct{}

func (dialect) Name() string { return "postgres" }

func (dialect) Returning() bool { return true }

func (dialect) Quirks() orm.Quirks { return orm.Quirks{NoLastID: true, NullsLarge: true} }

// OnConflict writes the clause of
// https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT.
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

// CountOn moves the sequence of an identity column, which knows nothing of the keys that
// rows are inserted with.
func (d dialect) CountOn(table, column string) string {
	sequence, _ := appendQuoted([]byte("pg_get_serial_sequence("), string(d.Quote(nil, table)))
	sequence, _ = appendQuoted(append(sequence, ", "...), column)
	return "SELECT setval(s, $1) FROM " + string(sequence) + ") AS s WHERE $1 > coalesce(pg_sequence_last_value(s::regclass), 0)"
}

// DeclareCursor begins a cursor, which lives until it is closed or the transaction ends.
func (dialect) DeclareCursor(name string) string {
	return "DECLARE " + name + " NO SCROLL CURSOR FOR "
}

// FetchCursor reads the next rows of a cursor.
func (dialect) FetchCursor(name string, rows int) string {
	return "FETCH FORWARD " + strconv.Itoa(rows) + " FROM " + name
}

// CloseCursor ends a cursor.
func (dialect) CloseCursor(name string) string { return "CLOSE " + name }

// Quote quotes a name. That of a table may have its schema before it: a dot stands in
// no other names.
func (dialect) Quote(b []byte, name string) []byte {
	b = append(b, '"')
	for i := range len(name) {
		switch c := name[i]; c {
		case '"':
			b = append(b, '"', '"')
		case '.':
			b = append(b, '"', '.', '"')
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

func (dialect) Placeholder(b []byte, n int) []byte {
	return strconv.AppendInt(append(b, '$'), int64(n), 10)
}

// MaxParameters is what the count in the protocol can hold.
func (dialect) MaxParameters() int { return math.MaxUint16 }

// Bind leaves values as they are: they are encoded for the type of the parameter.
func (dialect) Bind(value any) any {
	if a, ok := value.(orm.ArrayValue); ok {
		return a.Braces()
	}
	return value
}

func (dialect) Literal(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(b, "NULL"...), nil
	case bool:
		return append(b, strings.ToUpper(strconv.FormatBool(v))...), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return b, fmt.Errorf("postgres: %v cannot be written in SQL", v)
		}
		return strconv.AppendFloat(b, v, 'e', -1, 64), nil
	case time.Time:
		return fmt.Appendf(b, "TIMESTAMPTZ '%s'", v.UTC().Format(timeText)), nil
	case string:
		return appendQuoted(b, v)
	case []byte:
		b = append(b, `'\x`...)
		b = hex.AppendEncode(b, v)
		return append(b, "'::bytea"...), nil
	}
	return b, fmt.Errorf("postgres: a %T cannot be written in SQL", value)
}

// appendQuoted writes a text as SQL. With a backslash it is written so that it does
// not depend on the setting standard_conforming_strings.
func appendQuoted(b []byte, v string) ([]byte, error) {
	if strings.IndexByte(v, 0) >= 0 {
		return b, errNUL
	}
	v = strings.ReplaceAll(v, "'", "''")
	if strings.Contains(v, `\`) {
		b = append(b, 'E')
		v = strings.ReplaceAll(v, `\`, `\\`)
	}
	b = append(b, '\'')
	b = append(b, v...)
	return append(b, '\''), nil
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Match uses LIKE, and ILIKE, which folds the case of all letters that the locale of
// the database knows. The cast lets values of all types be matched by their text.
func (dialect) Match(b []byte, m orm.Match, column, placeholder, text string) ([]byte, string) {
	b = append(b, column...)
	if m.FoldCase {
		b = append(b, "::text ILIKE "...)
	} else {
		b = append(b, "::text LIKE "...)
	}
	b = append(b, placeholder...)
	pattern := likeEscaper.Replace(text)
	if m.Place == orm.MatchAnywhere || m.Place == orm.MatchEnd {
		pattern = "%" + pattern
	}
	if m.Place == orm.MatchAnywhere || m.Place == orm.MatchStart {
		pattern += "%"
	}
	return b, pattern
}

// Lock writes the locking clause of
// https://www.postgresql.org/docs/current/sql-select.html#SQL-FOR-UPDATE-SHARE.
func (d dialect) Lock(b []byte, l orm.Lock) []byte {
	switch {
	case l.Share && l.NoKey:
		b = append(b, " FOR KEY SHARE"...)
	case l.Share:
		b = append(b, " FOR SHARE"...)
	case l.NoKey:
		b = append(b, " FOR NO KEY UPDATE"...)
	default:
		b = append(b, " FOR UPDATE"...)
	}
	for i, table := range l.Tables {
		if i == 0 {
			b = append(b, " OF "...)
		} else {
			b = append(b, ", "...)
		}
		// Tables are named here without their schema.
		b = d.Quote(b, table[strings.LastIndexByte(table, '.')+1:])
	}
	switch {
	case l.NoWait:
		b = append(b, " NOWAIT"...)
	case l.SkipLocked:
		b = append(b, " SKIP LOCKED"...)
	}
	return b
}

// explainFormats are the formats of EXPLAIN.
var explainFormats = []string{"text", "xml", "json", "yaml"}

func (dialect) Explain(o orm.ExplainOptions) (string, error) {
	var list []string
	if o.Analyze {
		list = append(list, "ANALYZE")
	}
	if o.Verbose {
		list = append(list, "VERBOSE")
	}
	if o.Buffers {
		if !o.Analyze {
			return "", errors.New("postgres: Explain with Buffers needs Analyze")
		}
		list = append(list, "BUFFERS")
	}
	if o.Format != "" {
		if !slices.Contains(explainFormats, o.Format) {
			return "", fmt.Errorf("postgres: Explain as %q; there is %s", o.Format, strings.Join(explainFormats, ", "))
		}
		list = append(list, "FORMAT "+strings.ToUpper(o.Format))
	}
	if len(list) == 0 {
		return "EXPLAIN ", nil
	}
	return "EXPLAIN (" + strings.Join(list, ", ") + ") ", nil
}

// InArray passes the values as one array, in the text form that the server reads as an
// array of the column's type.
func (dialect) InArray(b []byte, column, placeholder string, values []any) ([]byte, any, bool) {
	array, ok := arrayOf(values)
	if !ok {
		return b, nil, false
	}
	b = append(b, column...)
	b = append(b, " = ANY("...)
	b = append(b, placeholder...)
	return append(b, ')'), array, true
}
