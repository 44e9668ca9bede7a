package config

import (
	"slices"
	"strings"
	"unicode"
)

// hidden stands for a value that is not shown. Its length tells nothing.
const hidden = "********"

// Mask returns value as it may be shown to people under name, the name of a
// setting, a variable, a header, a cookie or a form field. It is hidden
// altogether if a word of the name is or contains AUTH, COOKIE, CREDENTIAL,
// CSRF, KEY, PASS, PRIVATE, PWD, SECRET, SIGNATURE or TOKEN, or begins with API
// or DSN, or if its last word is SESSION; else the passwords in URLs and
// connection strings are hidden. Names of files and folders (TLS_KEY_FILE) are
// shown. An empty value stays empty, which tells that it is missing.
func Mask(name, value string) string {
	if value == "" {
		return ""
	}
	if sensitive(name) {
		return hidden
	}
	return maskText(value)
}

// sensitiveParts mark a name wherever they stand in one of its words.
var sensitiveParts = []string{
	"auth", "cookie", "credential", "csrf", "key", "pass", "private", "pwd", "secret", "signature", "token",
}

// sensitiveWords mark a name as a word or the beginning of one.
var sensitiveWords = []string{"api", "dsn"}

// harmless are words that hold a sensitive part by accident.
var harmless = []string{
	"author", "authors", "bypass", "compass", "keyboard", "keyboards", "keyword", "keywords", "monkey",
	"passenger", "passengers", "passive", "turkey",
}

// ends are last words that tell what kind of thing the value is.
var ends = map[string]bool{
	"session": true, "sessionid": true, "sid": true,
	"file": false, "path": false, "dir": false, "folder": false,
}

func sensitive(name string) bool {
	last := ""
	for word := range words(name) {
		last = word
	}
	if hide, ok := ends[last]; ok {
		return hide
	}
	for word := range words(name) {
		if slices.Contains(harmless, word) {
			continue
		}
		for _, part := range sensitiveParts {
			if strings.Contains(word, part) {
				return true
			}
		}
		for _, start := range sensitiveWords {
			if strings.HasPrefix(word, start) {
				return true
			}
		}
	}
	return false
}

// words yields the parts of a name in lower case, split at everything but
// letters and digits and where a small letter meets a capital.
func words(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start := 0
		var last rune
		for i, r := range name {
			separator := !unicode.IsLetter(r) && !unicode.IsDigit(r)
			if separator || unicode.IsUpper(r) && unicode.IsLower(last) {
				if start < i && !yield(strings.ToLower(name[start:i])) {
					return
				}
				start = i
				if separator {
					start = i + len(string(r))
				}
			}
			last = r
		}
		if start < len(name) {
			yield(strings.ToLower(name[start:]))
		}
	}
}

// maskText hides the passwords in URLs and connection strings.
func maskText(text string) string {
	return maskParameters(maskUserinfo(text))
}

// maskUserinfo hides what stands between the colon and the last @ of
// "scheme://user:password@host" and "user:password@tcp(host)/db". A password
// may hold any character, so of a URL everything up to the last @ before the
// next URL is taken for one: rather too much is hidden than too little.
func maskUserinfo(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	var b strings.Builder
	before, rest, found := strings.Cut(text, "://")
	for part := range strings.SplitAfterSeq(before, " ") {
		b.WriteString(maskPassword(part))
	}
	for found {
		b.WriteString("://")
		before, rest, found = strings.Cut(rest, "://")
		b.WriteString(maskPassword(before))
	}
	return b.String()
}

func maskPassword(text string) string {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return text
	}
	colon := strings.IndexByte(text[:at], ':')
	if colon < 0 {
		return text
	}
	return text[:colon+1] + hidden + text[at:]
}

// maskParameters hides the values of sensitive names in "host=a password=b",
// "?user=a&password=b" and "User=a;Password=b".
func maskParameters(text string) string {
	if !strings.Contains(text, "=") {
		return text
	}
	var b strings.Builder
	rest := text
	for {
		i := strings.IndexByte(rest, '=')
		if i < 0 {
			b.WriteString(rest)
			return b.String()
		}
		name := rest[:i]
		if j := strings.LastIndexAny(name, "?&; \t\n,"); j >= 0 {
			name = name[j+1:]
		}
		b.WriteString(rest[:i+1])
		rest = rest[i+1:]
		if !sensitive(name) {
			continue
		}
		n := parameterLength(rest)
		if n > 0 {
			b.WriteString(hidden)
		}
		rest = rest[n:]
	}
}

// parameterLength is the length of the value that text begins with.
func parameterLength(text string) int {
	if text != "" && (text[0] == '\'' || text[0] == '"') {
		for i := 1; i < len(text); i++ {
			switch text[i] {
			case '\\':
				i++
			case text[0]:
				return i + 1
			}
		}
		return len(text)
	}
	if i := strings.IndexAny(text, "&; \t\n"); i >= 0 {
		return i
	}
	return len(text)
}
