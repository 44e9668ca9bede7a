package orm

import (
	"hash/crc32"
	"strconv"
	"strings"
	"unicode"
)

// snake turns a Go name into snake case: "HTMLBody" is "html_body".
func snake(name string) string {
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

// words turns a name into words for people: "BlogPost" is "blog post".
func words(name string) string { return strings.ReplaceAll(snake(name), "_", " ") }

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// appLabel is the last element of an import path that says something: not a
// major version.
func appLabel(path string) string {
	elements := strings.Split(path, "/")
	last := elements[len(elements)-1]
	if len(elements) > 1 && len(last) > 1 && last[0] == 'v' {
		if _, err := strconv.Atoi(last[1:]); err == nil {
			last = elements[len(elements)-2]
		}
	}
	label := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '_'
	}, last)
	if label == "" || label[0] >= '0' && label[0] <= '9' {
		label = "app_" + label
	}
	return label
}

// objectName names an index or join table after its parts, cut to what every
// database accepts with a hash in place of the lost end.
func objectName(parts ...string) string {
	name := strings.Join(parts, "_")
	const limit = 60
	if len(name) <= limit {
		return name
	}
	sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(name))), 36)
	return name[:limit-len(sum)-1] + "_" + sum
}
