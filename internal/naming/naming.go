// Package naming turns the names of Go into those of databases.
package naming

import (
	"hash/crc32"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Snake turns a Go name into snake case: "HTMLBody" is "html_body".
func Snake(name string) string {
	runes := []rune(name)
	var b strings.Builder
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 {
			next := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if !unicode.IsUpper(runes[i-1]) && runes[i-1] != '_' || next && unicode.IsUpper(runes[i-1]) {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Object names an index or join table after its parts, cut to what every
// database accepts with a hash in place of the lost end.
func Object(parts ...string) string {
	name := strings.Join(parts, "_")
	const limit = 60
	if len(name) <= limit {
		return name
	}
	sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(name))), 36)
	end := limit - len(sum) - 1
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end] + "_" + sum
}

// maxIdentifier is the longest name that all databases take, in bytes: PostgreSQL's.
const maxIdentifier = 63

// IsIdentifier reports whether s can name a table, column or index. Names are always
// quoted in SQL; this keeps out what not every database takes, what would let a name
// pose as something else, and the point that parts a schema's name from a table's.
func IsIdentifier(s string) bool {
	if s == "" || len(s) > maxIdentifier || !utf8.ValidString(s) || strings.TrimSpace(s) != s {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r == '"' || r == '`' || r == '\\' || r == '\'' || r == '.' || r > 0xffff
	})
}
