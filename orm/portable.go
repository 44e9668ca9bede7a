package orm

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// portable is the SQL that all databases read the same way, for constraints and
// partial indexes, which are part of the schema and written before a database is
// chosen.
type portable struct{}

func (portable) Name() string { return "sql" }

func (portable) Returning() bool { return false }

func (portable) Quirks() Quirks { return Quirks{} }

func (portable) Quote(b []byte, name string) []byte {
	b = append(b, '"')
	b = append(b, name...)
	return append(b, '"')
}

func (portable) Placeholder(b []byte, _ int) []byte { return append(b, '?') }

func (portable) MaxParameters() int { return 0 }

func (portable) Bind(v any) any { return v }

func (portable) Literal(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "NULL"...), nil
	case bool:
		return append(b, strings.ToUpper(strconv.FormatBool(v))...), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		return strconv.AppendFloat(b, v, 'f', -1, 64), nil
	case time.Time:
		return append(b, "'"+v.Format(TimeLayout)+"'"...), nil
	case string:
		if strings.ContainsAny(v, "\x00\\") {
			return b, fmt.Errorf("orm: the text %q in a constraint or index: NUL and backslash are not portable", v)
		}
		return append(b, "'"+strings.ReplaceAll(v, "'", "''")+"'"...), nil
	}
	return b, fmt.Errorf("orm: a %T cannot stand in a constraint or index", v)
}

// What follows is no part of constraints: the compiler refuses it there.

func (portable) Match(b []byte, _ Match, _, _, _ string) ([]byte, string) { return b, "" }

func (portable) InArray(b []byte, _, _ string, _ []any) ([]byte, any, bool) { return b, nil, false }

func (portable) Lock(b []byte, _ Lock) []byte { return b }

func (portable) OnConflict(b []byte, _ ConflictClause) []byte { return b }

// Function leaves "length" to the name that SQLite and PostgreSQL share, as
// constraints on the length of a text are common.
func (portable) Function(f Function) (string, error) {
	if f.Name == "length" {
		return "LENGTH(%1)", nil
	}
	return "", nil
}

func (portable) JSONPath([]any) any { return nil }

func (portable) Explain(ExplainOptions) (string, error) { return "", nil }
