package debugpage

import (
	"net/url"
	"slices"
	"strings"
)

// Masked stands for a value that is not shown.
const Masked = "[hidden]"

// IsSecretName reports whether a value of this name is masked. Names are cut
// into words at punctuation and at capitals, so that "Stripe-Signature",
// "api_key", "dbPassword" and "SESSIONID" are secret, but "author", "keyword"
// and "capital" are not. When in doubt it says yes.
func IsSecretName(name string) bool {
	if len(name) > 256 {
		return true
	}
	for word := range words(name) {
		if isSecretWord(word) {
			return true
		}
	}
	return containsSecret(strings.ToLower(name))
}

// containsSecret finds the long words anywhere; they are in no common word.
func containsSecret(lower string) bool {
	for _, s := range [...]string{
		"token", "secret", "passw", "passphrase", "passcode", "signature", "cookie", "csrf", "xsrf",
		"session", "credential", "apikey", "api_key", "authoriz", "authoris", "authentic", "private",
	} {
		if strings.Contains(lower, s) {
			return true
		}
	}
	return false
}

// isSecretWord judges one lower-case word by rules for the short names, which
// are also parts of harmless words.
func isSecretWord(word string) bool {
	switch word {
	case "api", "pwd", "otp", "totp", "pin", "cvv", "dsn", "jwt", "bearer", "salt", "sig", "pass", "sid":
		return true
	case "monkey", "turkey", "donkey", "hockey", "whiskey", "jockey", "journey", "bypass", "compass",
		"passage", "passenger", "passive", "passed", "passing", "passes":
		return false
	}
	return strings.HasSuffix(word, "key") || strings.HasSuffix(word, "keys") ||
		strings.HasSuffix(word, "pass") || strings.HasPrefix(word, "pass") ||
		strings.HasSuffix(word, "auth") || strings.HasPrefix(word, "auth") && !strings.HasPrefix(word, "author") ||
		strings.HasPrefix(word, "key") && word != "keyboard" && word != "keyword" && word != "keywords"
}

// words yields the words of a name in lower case: "X-APIKey_id" is "x", "api",
// "key", "id".
func words(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start := 0
		for i := 0; i <= len(name); i++ {
			if i < len(name) && isLetter(name[i]) && !(i > start && startsWord(name, i)) {
				continue
			}
			if i > start && !yield(strings.ToLower(name[start:i])) {
				return
			}
			start = i
			if i < len(name) && !isLetter(name[i]) {
				start = i + 1
			}
		}
	}
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || isUpper(c) }

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// startsWord finds the borders inside "apiKey" and "APIKey".
func startsWord(name string, i int) bool {
	if !isUpper(name[i]) {
		return false
	}
	return !isUpper(name[i-1]) || i+1 < len(name) && isLetter(name[i+1]) && !isUpper(name[i+1])
}

// withSecrets is a copy of p whose Secrets include the values that its sections
// mask: the token of a route is part of the path too, a form's password may be
// in an SQL argument or a log line. Short values are left out, because they
// would be found in everything.
func (p *Page) withSecrets() *Page {
	q := *p
	q.Secrets = slices.Clone(p.Secrets)
	for _, s := range p.Sections {
		for _, row := range s.Rows {
			if len(row[1]) >= minDerived && IsSecretName(row[0]) && len(q.Secrets) < maxRows {
				q.Secrets = append(q.Secrets, row[1])
			}
		}
	}
	return &q
}

// minDerived is the length from which a masked value is masked everywhere.
const minDerived = 6

// maskValue is value, or Masked if its name is secret.
func (p *Page) maskValue(name, value string) string {
	if IsSecretName(name) && value != "" {
		return Masked
	}
	return clip(p.scrub(value), maxValue)
}

// maskQuery masks the secret parameters of a raw query and leaves the rest as
// it was sent, broken escapes too.
func maskQuery(query string) string {
	if query == "" {
		return ""
	}
	pairs := strings.Split(clip(query, maxValue), "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		decoded, err := url.QueryUnescape(name)
		if err != nil {
			decoded = name
		}
		if value != "" && IsSecretName(decoded) {
			pairs[i] = name + "=" + Masked
		}
	}
	return strings.Join(pairs, "&")
}

// scrub hides what is secret inside running text: the page's Secrets, the
// passwords of URLs, and values after a secret name and an equals sign, as in
// the connection strings that drivers put into their errors.
func (p *Page) scrub(s string) string {
	for _, secret := range p.Secrets {
		if len(secret) >= 4 {
			s = strings.ReplaceAll(s, secret, Masked)
		}
	}
	return scrubAssignments(scrubURLs(s))
}

// scrubURLs hides the password of each scheme://user:password@host.
func scrubURLs(s string) string {
	const separator = "://"
	if !strings.Contains(s, separator) {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, separator)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		i += len(separator)
		b.WriteString(s[:i])
		s = s[i:]
		end := strings.IndexAny(s, " \t\r\n\"'`<>/?#")
		if end < 0 {
			end = len(s)
		}
		at := strings.LastIndexByte(s[:end], '@')
		if at < 0 {
			continue
		}
		user, _, hasPassword := strings.Cut(s[:at], ":")
		b.WriteString(user)
		if hasPassword {
			b.WriteString(":" + Masked)
		}
		s = s[at:]
	}
}

// scrubAssignments hides value in each name=value whose name is secret.
func scrubAssignments(s string) string {
	if !strings.Contains(s, "=") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '=')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		start := i
		for start > 0 && i-start < 64 && (isLetter(s[start-1]) || s[start-1] == '_' || s[start-1] == '-') {
			start--
		}
		b.WriteString(s[:i+1])
		name := s[start:i]
		s = s[i+1:]
		if name == "" || !IsSecretName(name) {
			continue
		}
		end := valueLength(s)
		if end > 0 {
			b.WriteString(Masked)
			s = s[end:]
		}
	}
}

// valueLength measures a value that is quoted or goes to the next separator.
func valueLength(s string) int {
	if s == "" {
		return 0
	}
	if quote := s[0]; quote == '"' || quote == '\'' || quote == '`' {
		if i := strings.IndexByte(s[1:], quote); i >= 0 {
			return i + 2
		}
		return len(s)
	}
	if i := strings.IndexAny(s, " \t\r\n&;,\"'`)<>"); i >= 0 {
		return i
	}
	return len(s)
}
