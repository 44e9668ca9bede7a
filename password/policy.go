package password

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/retort-web/retort/validate"
)

// Policy judges new passwords. The zero value asks for eight characters that are
// not among the common passwords, not only digits, and not much like what else is
// known of the user. There is no upper limit but [MaxLength], and no rule about
// kinds of characters, as NIST SP 800-63B 3.1.1 advises.
type Policy struct {
	// MinLength in characters. Default: 8.
	MinLength int
	// MaxSimilarity is how much of a password may be the same as the user's name
	// or address, from 0.1 to 1. Default: 0.7.
	MaxSimilarity float64
	// AllowCommon accepts common passwords.
	AllowCommon bool
	// Rules are further ones, such as a question to a list of stolen passwords.
	// A rule returns nil or what is wrong.
	Rules []Rule
}

// Rule returns what is wrong with a new password, or nil; about is what is known of the
// user. Package password/breach has one that asks a list of stolen passwords.
type Rule = func(password string, about []string) *validate.FieldError

// The codes of what a policy finds, beside min_length.
const (
	CodeCommon  = "password_common"
	CodeNumeric = "password_numeric"
	CodeSimilar = "password_similar"
	CodeTooLong = "password_too_long"
	CodeText    = "encoding"
)

// Check returns what is wrong with a password; about is what is known of the user,
// such as the e-mail address and the name. The errors have no field.
func (p Policy) Check(password string, about ...string) validate.Errors {
	var found validate.Errors
	add := func(code, message string, params map[string]any) {
		if message == "" {
			message = validate.Message(code, params)
		}
		found = append(found, validate.FieldError{Code: code, Message: message, Params: params})
	}
	if !utf8.ValidString(password) || strings.ContainsRune(password, 0) {
		add(CodeText, "", nil)
		return found
	}
	if len(password) > MaxLength {
		add(CodeTooLong, "is too long", nil)
		return found
	}
	least := p.MinLength
	if least == 0 {
		least = 8
	}
	if utf8.RuneCountInString(password) < least {
		add("min_length", "", map[string]any{"min": least})
	}
	if password != "" && strings.Trim(password, "0123456789") == "" {
		add(CodeNumeric, "must not be digits only", nil)
	}
	if !p.AllowCommon && IsCommon(password) {
		add(CodeCommon, "is one of the passwords that are tried first", nil)
	}
	limit := p.MaxSimilarity
	if limit == 0 {
		limit = 0.7
	}
	if similar(password, about, max(limit, 0.1)) {
		add(CodeSimilar, "is too much like your name or address", nil)
	}
	for _, rule := range p.Rules {
		if problem := rule(password, about); problem != nil {
			found = append(found, *problem)
		}
	}
	return found
}

// Help says in sentences what the policy asks for, for beside the field.
func (p Policy) Help() []string {
	return p.HelpIn(func(one, other string, n int) string {
		if other == "" {
			return one
		}
		if n != 1 {
			one = other
		}
		return validate.Fill(one, map[string]any{"n": n})
	})
}

// HelpIn is [Policy.Help] in another language. translate gets each sentence in English, with
// the plural in other and the number, for which the sentence has {n}, if it counts something;
// else other is empty.
func (p Policy) HelpIn(translate func(one, other string, n int) string) []string {
	least := p.MinLength
	if least == 0 {
		least = 8
	}
	lines := []string{
		translate("It must have at least {n} character.", "It must have at least {n} characters.", least),
		translate("It must not be digits only, or like your name or address.", "", 0),
	}
	if !p.AllowCommon {
		lines = append(lines, translate("It must not be one of the passwords that everybody tries.", "", 0))
	}
	return lines
}

// common are the 15,769 passwords of eight characters and more among the 47,000
// most common of Mark Burnett's collection of ten million, as project zxcvbn has
// counted them, in lower case and sorted.
//
//go:embed common.txt.gz
var common []byte

var commonPasswords = sync.OnceValue(func() []string {
	var list []string
	r, err := gzip.NewReader(bytes.NewReader(common))
	if err != nil {
		panic("password: the list of common passwords cannot be read: " + err.Error())
	}
	for lines := bufio.NewScanner(r); lines.Scan(); {
		list = append(list, lines.Text())
	}
	return list
})

// IsCommon reports whether a password is one of those that are tried first. Case
// does not count, nor do digits and signs around it: "Password1!" is "password".
func IsCommon(password string) bool {
	if utf8.RuneCountInString(password) > 64 {
		return false
	}
	lower := strings.ToLower(norm.NFKC.String(password))
	word := strings.TrimFunc(lower, func(r rune) bool { return !unicode.IsLetter(r) })
	for _, candidate := range []string{lower, word} {
		if len(candidate) < 8 && candidate != lower {
			continue // a short word with much around it
		}
		if _, found := slices.BinarySearch(commonPasswords(), candidate); found {
			return true
		}
	}
	return false
}

// maxCompared bounds the work of comparing with what a user has written about
// themselves, in characters.
const maxCompared = 256

// similar reports whether a password and one of the words about a user, or a part
// of one, have too much in common.
func similar(password string, about []string, limit float64) bool {
	secret := []rune(strings.ToLower(norm.NFKC.String(password)))
	if len(secret) == 0 || len(secret) > maxCompared {
		return false
	}
	for _, text := range about {
		text = strings.ToLower(norm.NFKC.String(strings.ToValidUTF8(text[:min(len(text), 4*maxCompared)], "")))
		if utf8.RuneCountInString(text) > maxCompared {
			text = string([]rune(text)[:maxCompared])
		}
		words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for _, word := range append(words, text) {
			other := []rune(word)
			// What is much shorter or longer cannot be similar as a whole.
			if len(other) < 3 || len(other)*10 < len(secret) || len(secret)*10 < len(other) {
				continue
			}
			if ratio(secret, other) >= limit {
				return true
			}
		}
	}
	return false
}

// ratio is 2·m/n where m is the length of the longest common subsequence and n
// that of both texts together: 1 for the same text, 0 for nothing in common.
func ratio(a, b []rune) float64 {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return 2 * float64(row[len(b)]) / float64(len(a)+len(b))
}
