package migrate

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/retort-web/retort/orm/schema"
)

// mentions reports whether an SQL condition names a column.
func mentions(sql, column string) bool {
	found := false
	eachIdentifier(sql, func(name, text string) string {
		found = found || name == column
		return text
	})
	return found
}

// renameIdentifier renames a column in an SQL condition. Text between single
// quotes and the names of functions are left alone.
func renameIdentifier(sql, from, to string) string {
	return eachIdentifier(sql, func(name, text string) string {
		switch {
		case name != from:
			return text
		case strings.HasPrefix(text, `"`):
			return `"` + strings.ReplaceAll(to, `"`, `""`) + `"`
		}
		return to
	})
}

// eachIdentifier calls change for each identifier of an SQL condition, with
// its name and as it is written, and returns the condition with the answers in
// their places.
func eachIdentifier(sql string, change func(name, text string) string) string {
	var b strings.Builder
	for i := 0; i < len(sql); {
		switch r, size := utf8.DecodeRuneInString(sql[i:]); {
		case r == '\'':
			end := quotedEnd(sql, i)
			b.WriteString(sql[i:end])
			i = end
		case r == '"':
			end := quotedEnd(sql, i)
			text := sql[i:end]
			name := strings.ReplaceAll(strings.TrimSuffix(text[1:], `"`), `""`, `"`)
			b.WriteString(change(name, text))
			i = end
		case r == '_' || unicode.IsLetter(r):
			end := i
			for end < len(sql) {
				r, size := utf8.DecodeRuneInString(sql[end:])
				if r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
					break
				}
				end += size
			}
			text := sql[i:end]
			after := strings.TrimLeft(sql[end:], " \t\n")
			literalPrefix := end < len(sql) && sql[end] == '\''
			if strings.HasPrefix(after, "(") || literalPrefix {
				b.WriteString(text)
			} else {
				b.WriteString(change(text, text))
			}
			i = end
		case unicode.IsDigit(r):
			end := i + size
			for end < len(sql) && (sql[end] == '_' || sql[end] == '.' || isAlphanumeric(sql[end])) {
				end++
			}
			b.WriteString(sql[i:end])
			i = end
		default:
			b.WriteString(sql[i : i+size])
			i += size
		}
	}
	return b.String()
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// quotedEnd returns the index after the quoted text that begins at start; a
// doubled quote stands for itself.
func quotedEnd(sql string, start int) int {
	quote := sql[start]
	for i := start + 1; i < len(sql); i++ {
		if sql[i] != quote {
			continue
		}
		if i+1 < len(sql) && sql[i+1] == quote {
			i++
			continue
		}
		return i + 1
	}
	return len(sql)
}

// indexMentions reports whether an index is over a column, or has it in its
// condition.
func indexMentions(i *schema.Index, column string) bool {
	for _, c := range i.Columns {
		if c.Name == column || mentions(c.Expr, column) {
			return true
		}
	}
	return mentions(i.Where, column) || slices.Contains(i.Include, column)
}
