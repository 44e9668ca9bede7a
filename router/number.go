package router

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// intRule is a whole number in ASCII digits that fits int64. Leading zeros are
// accepted unless digits fixes the width; a sign only when signed.
type intRule struct {
	min, max int64
	digits   int
	signed   bool
}

func newIntRule(arguments []Argument) (rule, error) {
	r := intRule{min: math.MinInt64, max: math.MaxInt64}
	err := flags(arguments, func(name, value string) (bool, error) {
		switch name {
		case "fixed_digits":
			if err := countArgument(value, &r.digits); err != nil || r.digits > 18 {
				return true, errors.New("a count from 1 to 18")
			}
			return true, nil
		case "min":
			return true, intArgument(value, &r.min)
		case "max":
			return true, intArgument(value, &r.max)
		case "signed":
			return true, boolArgument(value, &r.signed)
		}
		return false, nil
	})
	if err != nil {
		return nil, err
	}
	if !r.signed && r.min < 0 {
		if r.min != math.MinInt64 {
			return nil, errors.New("min is below zero; add signed=true")
		}
		r.min = 0
	}
	if r.min > r.max {
		return nil, fmt.Errorf("min %d is above max %d", r.min, r.max)
	}
	return r, nil
}

func intArgument(value string, into *int64) error {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return errors.New("a whole number")
	}
	*into = n
	return nil
}

func (r intRule) match(text string) bool {
	_, ok := r.parse(text)
	return ok
}

func (r intRule) parse(text string) (n int64, ok bool) {
	negative := false
	if r.signed && text != "" && text[0] == '-' {
		negative, text = true, text[1:]
	}
	if text == "" || r.digits > 0 && len(text) != r.digits {
		return 0, false
	}
	var u uint64
	for i := range len(text) {
		d := uint64(text[i]) - '0'
		if d > 9 || u > (math.MaxUint64-9)/10 {
			return 0, false
		}
		u = u*10 + d
	}
	switch {
	case negative && u <= 1<<63:
		n = -int64(u)
	case !negative && u <= math.MaxInt64:
		n = int64(u)
	default:
		return 0, false
	}
	return n, n >= r.min && n <= r.max
}

func (r intRule) value(text string) any {
	n, _ := r.parse(text)
	return n
}

func (r intRule) format(value any) (string, error) {
	n, err := intOf(value)
	if err != nil {
		return "", err
	}
	text := strconv.FormatInt(n, 10)
	if width := len(strings.TrimPrefix(text, "-")); width < r.digits {
		text = text[:len(text)-width] + strings.Repeat("0", r.digits-width) + text[len(text)-width:]
	}
	switch {
	case n < 0 && !r.signed:
		return "", fmt.Errorf("%d is below zero and the converter is not signed", n)
	case n < r.min:
		return "", fmt.Errorf("%d is below min %d", n, r.min)
	case n > r.max:
		return "", fmt.Errorf("%d is above max %d", n, r.max)
	case !r.match(text):
		return "", fmt.Errorf("%d has more than %d digits", n, r.digits)
	}
	return text, nil
}

func (r intRule) spec() string {
	var list []string
	if r.digits > 0 {
		list = append(list, fmt.Sprintf("fixed_digits=%d", r.digits))
	}
	if r.max != math.MaxInt64 {
		list = append(list, fmt.Sprintf("max=%d", r.max))
	}
	if r.min != math.MinInt64 && (r.signed || r.min != 0) {
		list = append(list, fmt.Sprintf("min=%d", r.min))
	}
	if r.signed {
		list = append(list, "signed=true")
	}
	return withArguments("int", list)
}

func (r intRule) rank() int {
	switch {
	case r.digits > 0 || r.max != math.MaxInt64 || r.min != 0 && r.min != math.MinInt64:
		return rankIntBounded
	case r.signed:
		return rankIntSigned
	}
	return rankInt
}

// floatRule is digits, a dot and digits: a number without a dot is an int.
type floatRule struct {
	min, max float64
	signed   bool
}

func newFloatRule(arguments []Argument) (rule, error) {
	r := floatRule{min: math.Inf(-1), max: math.Inf(1)}
	err := flags(arguments, func(name, value string) (bool, error) {
		switch name {
		case "min":
			return true, floatArgument(value, &r.min)
		case "max":
			return true, floatArgument(value, &r.max)
		case "signed":
			return true, boolArgument(value, &r.signed)
		}
		return false, nil
	})
	switch {
	case err != nil:
		return nil, err
	case !r.signed && r.min < 0 && !math.IsInf(r.min, -1):
		return nil, errors.New("min is below zero; add signed=true")
	case r.min > r.max:
		return nil, fmt.Errorf("min %v is above max %v", r.min, r.max)
	}
	return r, nil
}

func floatArgument(value string, into *float64) error {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return errors.New("a number")
	}
	*into = f
	return nil
}

func (r floatRule) match(text string) bool {
	_, ok := r.parse(text)
	return ok
}

func (r floatRule) parse(text string) (float64, bool) {
	digits := text
	if r.signed && text != "" && text[0] == '-' {
		digits = text[1:]
	}
	whole, fraction, found := strings.Cut(digits, ".")
	if !found || !allDigits(whole) || !allDigits(fraction) {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && f >= r.min && f <= r.max
}

func (r floatRule) value(text string) any {
	f, _ := r.parse(text)
	return f
}

// format writes without an exponent, with at least one digit after the dot.
func (r floatRule) format(value any) (string, error) {
	f, err := floatOf(value)
	if err != nil {
		return "", err
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "", fmt.Errorf("%v has no digits", f)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	switch {
	case f < r.min || f > r.max:
		return "", fmt.Errorf("%v is not between %v and %v", f, r.min, r.max)
	case !r.match(text):
		return "", fmt.Errorf("%v is below zero and the converter is not signed", f)
	}
	return text, nil
}

func (r floatRule) spec() string {
	var list []string
	if !math.IsInf(r.max, 1) {
		list = append(list, fmt.Sprintf("max=%v", r.max))
	}
	if !math.IsInf(r.min, -1) {
		list = append(list, fmt.Sprintf("min=%v", r.min))
	}
	if r.signed {
		list = append(list, "signed=true")
	}
	return withArguments("float", list)
}

func (r floatRule) rank() int {
	if r.signed {
		return rankFloatSigned
	}
	return rankFloat
}

// uuidRule is the hyphenated form of RFC 9562, in either case. Its value is
// [16]byte; it is built in lower case.
type uuidRule struct{}

func newUUIDRule(arguments []Argument) (rule, error) { return uuidRule{}, noArguments(arguments) }

func (uuidRule) match(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if text[i] != '-' {
				return false
			}
		} else if !isHex(text[i]) {
			return false
		}
	}
	return true
}

func (uuidRule) value(text string) any {
	var id [16]byte
	at := 0
	for i := 0; i < len(text); i += 2 {
		if text[i] == '-' {
			i++
		}
		id[at] = unhex(text[i])<<4 | unhex(text[i+1])
		at++
	}
	return id
}

func (r uuidRule) format(value any) (string, error) {
	var text string
	array := reflect.TypeFor[[16]byte]()
	if v := reflect.ValueOf(value); v.Kind() == reflect.Array && v.Type().ConvertibleTo(array) {
		id := v.Convert(array).Interface().([16]byte)
		text = fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	} else {
		var err error
		if text, err = textOf(value); err != nil {
			return "", err
		}
	}
	if !r.match(text) {
		return "", fmt.Errorf("%q is not a UUID", text)
	}
	return strings.ToLower(text), nil
}

func (uuidRule) spec() string { return "uuid" }
func (uuidRule) rank() int    { return rankUUID }

func withArguments(name string, list []string) string {
	if len(list) == 0 {
		return name
	}
	return name + "(" + strings.Join(list, ",") + ")"
}

func allDigits(text string) bool {
	for i := range len(text) {
		if !isDigit(text[i]) {
			return false
		}
	}
	return text != ""
}
