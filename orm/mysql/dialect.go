package mysql

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

// dialect spells queries for MySQL, https://dev.mysql.com/doc/refman/8.4/en/sql-statements.html,
// and MariaDB, https://mariadb.com/kb/en/sql-statements/.
type dialect struct {
	mariaDB bool
	zones   bool // the server knows time zones by name
	// keyStep lies between the keys of the rows of one INSERT; 0 if they are not known
	// to follow one another.
	keyStep int64
}

func (dialect) Name() string { return "mysql" }

// Returning is true for MariaDB. MySQL has no RETURNING.
func (d dialect) Returning() bool { return d.mariaDB }

func (d dialect) Quirks() orm.Quirks {
	return orm.Quirks{NoNullsOrder: true, DeriveSubqueries: true, NoUpsertKey: true, NoKeyLocks: true, NoMaterialized: true, KeyStep: d.keyStep}
}

// OnConflict writes ON DUPLICATE KEY UPDATE. That is for any unique columns that are the
// same; a row in the way by others than those meant keeps all its values.
func (d dialect) OnConflict(b []byte, k orm.ConflictClause) []byte {
	b = append(b, " ON DUPLICATE KEY UPDATE "...)
	if len(k.Update) == 0 {
		key := d.Quote(nil, k.Key)
		// It makes Result.LastID 0, which tells that nothing was inserted.
		return fmt.Appendf(b, "%s = IF(LAST_INSERT_ID(0) = 0, %s, %s)", key, key, key)
	}
	for i, column := range k.Update {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = d.Quote(b, column)
		b = append(b, " = IF("...)
		for j, same := range k.Same {
			if j > 0 {
				b = append(b, " AND "...)
			}
			b = d.Quote(b, same)
			b = append(b, " = VALUES("...)
			b = d.Quote(b, same)
			b = append(b, ')')
		}
		b = append(b, ", VALUES("...)
		b = d.Quote(b, column)
		b = append(b, "), "...)
		b = d.Quote(b, column)
		b = append(b, ')')
	}
	return b
}

func (dialect) Quote(b []byte, name string) []byte {
	b = append(b, '`')
	for i := range len(name) {
		switch c := name[i]; c {
		case '`':
			b = append(b, '`', '`')
		case '.': // between a database and its table
			b = append(b, '`', '.', '`')
		default:
			b = append(b, c)
		}
	}
	return append(b, '`')
}

func (dialect) Placeholder(b []byte, _ int) []byte { return append(b, '?') }

// MaxParameters is what the protocol counts with 16 bits.
func (dialect) MaxParameters() int { return 65535 }

func (dialect) Bind(value any) any {
	switch v := value.(type) {
	case orm.ArrayValue:
		return v.JSON()
	case time.Time:
		// The driver would write the year 1, Go's zero time, as 0000-00-00.
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
			return b, fmt.Errorf("mysql: %v cannot be written in SQL", v)
		}
		return strconv.AppendFloat(b, v, 'e', -1, 64), nil
	case string:
		if strings.ContainsAny(v, "\x00\\") {
			return b, errors.New("mysql: text with a NUL or a backslash cannot be written in SQL that means the same in every session")
		}
		b = append(b, '\'')
		b = append(b, strings.ReplaceAll(v, "'", "''")...)
		return append(b, '\''), nil
	case []byte:
		b = append(b, "X'"...)
		b = hex.AppendEncode(b, v)
		return append(b, '\''), nil
	default:
		return b, fmt.Errorf("mysql: a %T cannot be written in SQL", v)
	}
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Match uses LIKE, which compares as the column does, by code point. An index serves the
// start of a text. Where case does not matter it is folded on both sides.
func (d dialect) Match(b []byte, m orm.Match, column, placeholder, text string) ([]byte, string) {
	pattern := likeEscaper.Replace(text)
	if m.FoldCase {
		b = fmt.Appendf(b, "LOWER(%s) LIKE LOWER(%s)", column, placeholder)
	} else {
		b = fmt.Appendf(b, "%s LIKE %s", column, placeholder)
	}
	b = append(b, ` ESCAPE '\'`...)
	if m.Place == orm.MatchAnywhere || m.Place == orm.MatchEnd {
		pattern = "%" + pattern
	}
	if m.Place == orm.MatchAnywhere || m.Place == orm.MatchStart {
		pattern += "%"
	}
	return b, pattern
}

// Lock writes FOR UPDATE or FOR SHARE. MariaDB has no OF and locks the rows of all tables
// of the SELECT; neither has FOR NO KEY UPDATE.
func (d dialect) Lock(b []byte, l orm.Lock) []byte {
	switch {
	case l.Share && d.mariaDB:
		b = append(b, " LOCK IN SHARE MODE"...)
	case l.Share:
		b = append(b, " FOR SHARE"...)
	default:
		b = append(b, " FOR UPDATE"...)
	}
	if !d.mariaDB {
		for i, alias := range l.Tables {
			if i == 0 {
				b = append(b, " OF "...)
			} else {
				b = append(b, ", "...)
			}
			b = d.Quote(b, alias)
		}
	}
	switch {
	case l.NoWait:
		b = append(b, " NOWAIT"...)
	case l.SkipLocked:
		b = append(b, " SKIP LOCKED"...)
	}
	return b
}

// InArray passes the values as one JSON array, unpacked by JSON_TABLE. Values that JSON
// does not carry exactly, which are bytes, floats, times and text that is not UTF-8, are
// left to the caller.
func (dialect) InArray(b []byte, column, placeholder string, values []any) ([]byte, any, bool) {
	kind := ""
	for _, v := range values {
		this := ""
		switch v := v.(type) {
		case int64:
			this = "BIGINT"
		case string:
			if !utf8.ValidString(v) {
				return b, nil, false
			}
			this = "LONGTEXT"
		}
		if this == "" || kind != "" && this != kind {
			return b, nil, false
		}
		kind = this
	}
	array, err := json.Marshal(values)
	if err != nil {
		return b, nil, false
	}
	b = fmt.Appendf(b, "%s IN (SELECT `listed`.`v` FROM JSON_TABLE(%s, '$[*]' COLUMNS (`v` %s PATH '$')) AS `listed`)", column, placeholder, kind)
	return b, string(array), true
}

// Explain is EXPLAIN, or what runs the query as well, which the two call differently.
func (d dialect) Explain(o orm.ExplainOptions) (string, error) {
	if o.Verbose || o.Buffers {
		return "", errors.New("mysql: EXPLAIN has no Verbose and no Buffers")
	}
	verb := "EXPLAIN "
	if o.Analyze {
		verb = "EXPLAIN ANALYZE "
		if d.mariaDB {
			verb = "ANALYZE "
		}
	}
	switch format := strings.ToLower(o.Format); {
	case format == "":
		return verb, nil
	case format == "json":
		return verb + "FORMAT=JSON ", nil
	case format == "tree" && !d.mariaDB, format == "traditional" && !d.mariaDB:
		return verb + "FORMAT=" + strings.ToUpper(format) + " ", nil
	default:
		return "", fmt.Errorf("mysql: EXPLAIN has no format %q; use json, or none", o.Format)
	}
}
