package router

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Converter is a user-made converter: it decides what a variable accepts and
// what its value is. A Converter must be safe for concurrent use.
//
// Parse gets the decoded text of the variable, never empty. Its value is what
// [Params.Value] returns. An error means that the route does not fit, and the
// next one is tried; it never becomes an error of the request. In a segment of
// several variables Parse may be asked about several ways to split the text.
//
// Format is the way back, for [Router.URL]. The text need not be escaped, and
// Parse must accept it.
type Converter interface {
	Parse(text string) (any, error)
	Format(value any) (string, error)
}

// Configurable is a [Converter] that takes arguments in the pattern, as in
// {token:hex(length=8)}. Configure is called once for each variable that uses
// it, with or without arguments; its error refuses the pattern. Without this
// interface arguments are refused.
type Configurable interface {
	Converter
	Configure(arguments []Argument) (Converter, error)
}

// rule is the converter of a variable, with its arguments.
type rule interface {
	// format gives the unescaped text, which the rule accepts.
	format(value any) (string, error)
	// spec is the canonical spelling: two variables are of the same shape when
	// their specs are the same text.
	spec() string
	// rank orders rules by how much they accept, least first.
	rank() int
}

// textRule is a built-in rule: match tests without allocating, value makes the
// typed value when someone asks for it.
type textRule interface {
	rule
	// match reports whether the variable may hold text, which is not empty.
	match(text string) bool
	// value is for a text that matches.
	value(text string) any
}

// Ranks below rankText are of constrained converters: what they accept is
// recognisably theirs.
const (
	rankAny = iota
	rankUUID
	rankIntBounded
	rankInt
	rankIntSigned
	rankFloat
	rankFloatSigned
	rankCustom
	rankText
	rankSlug
	rankStr
	rankPath
)

// builtinNames are the converters every router has.
var builtinNames = []string{"any", "float", "int", "path", "slug", "str", "uuid"}

// newRule makes the rule of a converter for a variable; its error is about the
// arguments. ok is false when the converter is unknown.
func newRule(name string, arguments []Argument, custom map[string]Converter) (r rule, ok bool, err error) {
	switch name {
	case "any":
		r, err = newAnyRule(arguments)
	case "float":
		r, err = newFloatRule(arguments)
	case "int":
		r, err = newIntRule(arguments)
	case "path":
		r, err = newPathRule(arguments)
	case "slug":
		r, err = newSlugRule(arguments)
	case "str":
		r, err = newStrRule(arguments)
	case "uuid":
		r, err = newUUIDRule(arguments)
	default:
		converter, known := custom[name]
		if !known {
			return nil, false, nil
		}
		r, err = newCustomRule(name, converter, arguments)
	}
	return r, true, err
}

func converterNames(custom map[string]Converter) []string {
	names := slices.Clone(builtinNames)
	for name := range custom {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// flags reads the named arguments of a built-in converter.
func flags(arguments []Argument, set func(name, value string) (bool, error)) error {
	seen := map[string]bool{}
	for _, a := range arguments {
		if a.Name == "" {
			return fmt.Errorf("argument %q needs a name, as in min=1", a.Value)
		}
		if seen[a.Name] {
			return fmt.Errorf("argument %s is given twice", a.Name)
		}
		seen[a.Name] = true
		known, err := set(a.Name, a.Value)
		if err != nil {
			return fmt.Errorf("argument %s: %q is not %w", a.Name, a.Value, err)
		}
		if !known {
			return fmt.Errorf("unknown argument %s", a.Name)
		}
	}
	return nil
}

func boolArgument(value string, into *bool) error {
	switch strings.ToLower(value) {
	case "true":
		*into = true
	case "false":
		*into = false
	default:
		return errors.New("true or false")
	}
	return nil
}

func countArgument(value string, into *int) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > 1<<20 {
		return errors.New("a count from 1")
	}
	*into = n
	return nil
}

// strRule is text without "/": {name}, {code:str(length=2)}. Lengths count
// characters, not bytes.
type strRule struct{ min, max int }

func newStrRule(arguments []Argument) (rule, error) {
	r, length := strRule{min: 1}, 0
	err := flags(arguments, func(name, value string) (bool, error) {
		switch name {
		case "minlength":
			return true, countArgument(value, &r.min)
		case "maxlength":
			return true, countArgument(value, &r.max)
		case "length":
			return true, countArgument(value, &length)
		}
		return false, nil
	})
	switch {
	case err != nil:
		return nil, err
	case length > 0 && len(arguments) > 1:
		return nil, errors.New("length stands alone: it is minlength and maxlength at once")
	case length > 0:
		r.min, r.max = length, length
	case r.max > 0 && r.max < r.min:
		return nil, fmt.Errorf("maxlength %d is below minlength %d", r.max, r.min)
	}
	return r, nil
}

func (r strRule) plain() bool { return r.min == 1 && r.max == 0 }

func (r strRule) match(text string) bool {
	return strings.IndexByte(text, '/') < 0 && r.fits(text)
}

func (r strRule) fits(text string) bool {
	if r.plain() {
		return text != ""
	}
	n := utf8.RuneCountInString(text)
	return n >= r.min && (r.max == 0 || n <= r.max)
}

func (r strRule) value(text string) any { return text }

func (r strRule) format(value any) (string, error) {
	text, err := textOf(value)
	if err != nil {
		return "", err
	}
	switch {
	case text == "":
		return "", errors.New("the text is empty")
	case !r.fits(text):
		return "", fmt.Errorf("%q is %d characters long", text, utf8.RuneCountInString(text))
	}
	return text, nil
}

func (r strRule) spec() string {
	switch {
	case r.plain():
		return "str"
	case r.min == r.max:
		return fmt.Sprintf("str(length=%d)", r.min)
	case r.max == 0:
		return fmt.Sprintf("str(minlength=%d)", r.min)
	case r.min == 1:
		return fmt.Sprintf("str(maxlength=%d)", r.max)
	}
	return fmt.Sprintf("str(maxlength=%d,minlength=%d)", r.max, r.min)
}

func (r strRule) rank() int {
	if r.plain() {
		return rankStr
	}
	return rankText
}

// slugRule is ASCII letters, digits, hyphens and underscores.
type slugRule struct{}

func newSlugRule(arguments []Argument) (rule, error) { return slugRule{}, noArguments(arguments) }

func (slugRule) match(text string) bool {
	for i := range len(text) {
		if c := text[i]; !isLetter(c) && !isDigit(c) && c != '-' && c != '_' {
			return false
		}
	}
	return text != ""
}

func (slugRule) value(text string) any { return text }

func (r slugRule) format(value any) (string, error) {
	text, err := textOf(value)
	if err == nil && !r.match(text) {
		err = fmt.Errorf("%q holds more than ASCII letters, digits, hyphens and underscores", text)
	}
	return text, err
}

func (slugRule) spec() string { return "slug" }
func (slugRule) rank() int    { return rankSlug }

// pathRule is text that may hold "/", but not begin with it (a path built with
// it is then never taken for a host), and has no dot segments.
type pathRule struct{}

func newPathRule(arguments []Argument) (rule, error) { return pathRule{}, noArguments(arguments) }

func (pathRule) match(text string) bool {
	return text != "" && text[0] != '/' && !hasDotSegment(text, 0)
}

func (pathRule) value(text string) any { return text }

func (r pathRule) format(value any) (string, error) {
	text, err := textOf(value)
	if err == nil && !r.match(text) {
		err = fmt.Errorf(`%q is empty, begins with "/" or has a "." or ".." segment`, text)
	}
	return text, err
}

func (pathRule) spec() string { return "path" }
func (pathRule) rank() int    { return rankPath }

// anyRule is one of a fixed set of texts.
type anyRule struct {
	options   []string // sorted
	canonical string
}

func newAnyRule(arguments []Argument) (rule, error) {
	var r anyRule
	for _, a := range arguments {
		switch {
		case a.Name != "":
			return nil, fmt.Errorf("%s= is not understood; list the texts, as in any(en,de)", a.Name)
		case a.Value == "" || strings.ContainsAny(a.Value, "/\x00"):
			return nil, fmt.Errorf("%q cannot be one segment", a.Value)
		}
		r.options = append(r.options, a.Value)
	}
	if len(r.options) == 0 {
		return nil, errors.New("list the texts it accepts, as in any(en,de)")
	}
	slices.Sort(r.options)
	r.options = slices.Compact(r.options)
	quoted := make([]string, len(r.options))
	for i, option := range r.options {
		quoted[i] = quoteArgument(option)
	}
	r.canonical = "any(" + strings.Join(quoted, ",") + ")"
	return r, nil
}

func (r anyRule) match(text string) bool { return slices.Contains(r.options, text) }

func (r anyRule) value(text string) any { return text }

func (r anyRule) format(value any) (string, error) {
	text, err := textOf(value)
	if err == nil && !r.match(text) {
		err = fmt.Errorf("%q is not one of %s", text, strings.Join(r.options, ", "))
	}
	return text, err
}

func (r anyRule) spec() string { return r.canonical }
func (anyRule) rank() int      { return rankAny }

// customRule is a [Converter] in a pattern.
type customRule struct {
	canonical string
	converter Converter
}

func newCustomRule(name string, converter Converter, arguments []Argument) (rule, error) {
	r := customRule{canonical: name, converter: converter}
	configurable, ok := converter.(Configurable)
	if !ok {
		return r, noArguments(arguments)
	}
	var err error
	if r.converter, err = configurable.Configure(arguments); err != nil {
		return nil, err
	}
	if r.converter == nil {
		return nil, errors.New("Configure returned no converter")
	}
	if len(arguments) > 0 {
		list := make([]string, len(arguments))
		for i, a := range arguments {
			list[i] = quoteArgument(a.Value)
			if a.Name != "" {
				list[i] = a.Name + "=" + list[i]
			}
		}
		r.canonical = withArguments(name, list)
	}
	return r, nil
}

// format asks Parse about the result, so that a built URL is one that matches.
func (r customRule) format(value any) (string, error) {
	text, err := r.converter.Format(value)
	if err != nil {
		return "", err
	}
	if text == "" {
		return "", errors.New("Format returned an empty text")
	}
	if _, err := r.converter.Parse(text); err != nil {
		return "", fmt.Errorf("Parse refuses %q, which Format made: %w", text, err)
	}
	return text, nil
}

func (r customRule) spec() string { return r.canonical }
func (customRule) rank() int      { return rankCustom }

// quoteArgument writes a value as patterns quote it. A value that holds double
// quotes was quoted by single ones, so it holds none of these.
func quoteArgument(value string) string {
	if strings.Contains(value, `"`) {
		return "'" + value + "'"
	}
	return `"` + value + `"`
}

func noArguments(arguments []Argument) error {
	if len(arguments) > 0 {
		return errors.New("takes no arguments")
	}
	return nil
}
