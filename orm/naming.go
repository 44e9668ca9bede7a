package orm

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/retort-web/retort/internal/naming"
)

func snake(name string) string { return naming.Snake(name) }

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

func objectName(parts ...string) string { return naming.Object(parts...) }
