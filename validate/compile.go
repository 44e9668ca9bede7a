package validate

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A check looks at one value, without pointers, and returns nil or the failure
// without its field.
type check func(v reflect.Value) *FieldError

var (
	durationType = reflect.TypeFor[time.Duration]()
	timeType     = reflect.TypeFor[time.Time]()
)

// compileRule makes the check of one rule for values of type t, which is no
// pointer. It refuses a rule that makes no sense for t.
func compileRule(rule Rule, t reflect.Type) (check, error) {
	switch rule.Name {
	case "min", "max", "above", "below":
		return compileBound(rule, t)
	case "len":
		return compileLength(rule, t)
	case "multiple_of":
		return compileMultiple(rule, t)
	case "one_of":
		return compileChoice(rule, t)
	case "pattern":
		pattern, err := regexp.Compile(rule.Param)
		if err != nil {
			return nil, err
		}
		return textCheck(rule, t, pattern.MatchString, nil)
	case "not_pattern":
		pattern, err := regexp.Compile(rule.Param)
		if err != nil {
			return nil, err
		}
		return textCheck(rule, t, func(s string) bool { return !pattern.MatchString(s) }, nil)
	case "int_list":
		return textCheck(rule, t, IntList, nil)
	case "email":
		return textCheck(rule, t, Email, nil)
	case "hostname":
		return textCheck(rule, t, Hostname, nil)
	case "ip":
		return textCheck(rule, t, IP, nil)
	case "single_line":
		return textCheck(rule, t, SingleLine, nil)
	case "slug":
		return textCheck(rule, t, Slug, nil)
	case "uuid":
		return textCheck(rule, t, UUID, nil)
	case "url":
		schemes := webSchemes
		if rule.Param != "" {
			schemes = strings.Split(rule.Param, "|")
		}
		prefixes := make([]string, len(schemes))
		for i, scheme := range schemes {
			prefixes[i] = scheme + "://"
		}
		valid := func(s string) bool { return URL(s, schemes...) }
		return textCheck(rule, t, valid, map[string]any{"schemes": prefixes})
	case "unique":
		return compileUnique(rule, t)
	}
	if custom, ok := lookup(rule.Name); ok {
		return compileCustom(custom, rule)
	}
	return nil, fmt.Errorf("there is no rule %q", rule.Name)
}

func wrongKind(rule Rule, t reflect.Type, takes string) error {
	return fmt.Errorf("the rule %q is for %s, not for %s", rule.Name, takes, t)
}

func textCheck(rule Rule, t reflect.Type, valid func(string) bool, params map[string]any) (check, error) {
	if t.Kind() != reflect.String {
		return nil, wrongKind(rule, t, "strings")
	}
	return func(v reflect.Value) *FieldError {
		if valid(v.String()) {
			return nil
		}
		return Fault(rule.Name, params)
	}, nil
}

func compileBound(rule Rule, t reflect.Type) (check, error) {
	switch kind := t.Kind(); {
	case t == durationType:
		limit, err := time.ParseDuration(rule.Param)
		if err != nil {
			return nil, fmt.Errorf("the rule %q needs a duration such as 1h30m", rule.Name)
		}
		return bound(rule, func(v reflect.Value) int { return cmp.Compare(v.Int(), int64(limit)) }, limit.String()), nil
	case isInt(kind):
		limit, err := strconv.ParseInt(rule.Param, 10, t.Bits())
		if err != nil {
			return nil, fmt.Errorf("the rule %q needs a whole number that fits %s", rule.Name, t)
		}
		return bound(rule, func(v reflect.Value) int { return cmp.Compare(v.Int(), limit) }, limit), nil
	case isUint(kind):
		limit, err := strconv.ParseUint(rule.Param, 10, t.Bits())
		if err != nil {
			return nil, fmt.Errorf("the rule %q needs a whole number that fits %s", rule.Name, t)
		}
		return bound(rule, func(v reflect.Value) int { return cmp.Compare(v.Uint(), limit) }, limit), nil
	case isFloat(kind):
		limit, err := strconv.ParseFloat(rule.Param, 64)
		if err != nil {
			return nil, fmt.Errorf("the rule %q needs a number", rule.Name)
		}
		return bound(rule, func(v reflect.Value) int { return cmp.Compare(v.Float(), limit) }, limit), nil
	case rule.Name == "above" || rule.Name == "below":
		return nil, wrongKind(rule, t, "numbers")
	}
	limit, count, code, err := lengthOf(rule, t)
	if err != nil {
		return nil, err
	}
	params := map[string]any{rule.Name: limit}
	code = rule.Name + "_" + code
	text := t.Kind() == reflect.String
	if rule.Name == "min" {
		return func(v reflect.Value) *FieldError {
			// A character has at most utf8.UTFMax bytes.
			if text && v.Len()/utf8.UTFMax >= limit || count(v) >= limit {
				return nil
			}
			return Fault(code, params)
		}, nil
	}
	return func(v reflect.Value) *FieldError {
		// There are no more characters than bytes.
		if text && v.Len() <= limit || count(v) <= limit {
			return nil
		}
		return Fault(code, params)
	}, nil
}

func bound(rule Rule, compare func(reflect.Value) int, limit any) check {
	params := map[string]any{rule.Name: limit}
	// What compare may return, from lowest to highest.
	var lowest, highest int
	switch rule.Name {
	case "min":
		lowest, highest = 0, 1
	case "max":
		lowest, highest = -1, 0
	case "above":
		lowest, highest = 1, 1
	case "below":
		lowest, highest = -1, -1
	}
	return func(v reflect.Value) *FieldError {
		if order := compare(v); lowest <= order && order <= highest {
			return nil
		}
		return Fault(rule.Name, params)
	}
}

func compileLength(rule Rule, t reflect.Type) (check, error) {
	limit, count, code, err := lengthOf(rule, t)
	if err != nil {
		return nil, err
	}
	params := map[string]any{code: limit}
	return func(v reflect.Value) *FieldError {
		if count(v) == limit {
			return nil
		}
		return Fault(code, params)
	}, nil
}

// lengthOf says what the size of a value is, and whether it is a length of text
// or a number of items.
func lengthOf(rule Rule, t reflect.Type) (limit int, count func(reflect.Value) int, code string, err error) {
	switch t.Kind() {
	case reflect.String:
		code = "length"
		count = func(v reflect.Value) int { return utf8.RuneCountInString(v.String()) }
	case reflect.Slice, reflect.Map:
		code = "items"
		count = reflect.Value.Len
	default:
		takes := "strings, lists and maps"
		if rule.Name != "len" {
			takes = "numbers, durations, " + takes
		}
		return 0, nil, "", wrongKind(rule, t, takes)
	}
	if limit, err = strconv.Atoi(rule.Param); err != nil || limit < 0 {
		return 0, nil, "", fmt.Errorf("the rule %q needs a whole number from 0 up", rule.Name)
	}
	return limit, count, code, nil
}

func compileMultiple(rule Rule, t reflect.Type) (check, error) {
	step, err := strconv.ParseUint(rule.Param, 10, 63)
	if err != nil || step == 0 {
		return nil, fmt.Errorf("the rule %q needs a whole number above 0", rule.Name)
	}
	params := map[string]any{rule.Name: step}
	var rest func(v reflect.Value) bool
	switch {
	case isInt(t.Kind()) && t != durationType:
		rest = func(v reflect.Value) bool { return v.Int()%int64(step) != 0 }
	case isUint(t.Kind()):
		rest = func(v reflect.Value) bool { return v.Uint()%step != 0 }
	default:
		return nil, wrongKind(rule, t, "whole numbers")
	}
	return func(v reflect.Value) *FieldError {
		if !rest(v) {
			return nil
		}
		return Fault(rule.Name, params)
	}, nil
}

func compileChoice(rule Rule, t reflect.Type) (check, error) {
	choices := strings.Split(rule.Param, "|")
	params := map[string]any{"choices": choices}
	var matches func(v reflect.Value, i int) bool
	switch kind := t.Kind(); {
	case kind == reflect.String:
		matches = func(v reflect.Value, i int) bool { return v.String() == choices[i] }
	case isInt(kind) && t != durationType:
		numbers := make([]int64, len(choices))
		for i, choice := range choices {
			var err error
			if numbers[i], err = strconv.ParseInt(choice, 10, t.Bits()); err != nil {
				return nil, fmt.Errorf("the rule %q has the choice %q, which is no %s", rule.Name, choice, t)
			}
		}
		matches = func(v reflect.Value, i int) bool { return v.Int() == numbers[i] }
	case isUint(kind):
		numbers := make([]uint64, len(choices))
		for i, choice := range choices {
			var err error
			if numbers[i], err = strconv.ParseUint(choice, 10, t.Bits()); err != nil {
				return nil, fmt.Errorf("the rule %q has the choice %q, which is no %s", rule.Name, choice, t)
			}
		}
		matches = func(v reflect.Value, i int) bool { return v.Uint() == numbers[i] }
	default:
		return nil, wrongKind(rule, t, "strings and whole numbers")
	}
	return func(v reflect.Value) *FieldError {
		for i := range choices {
			if matches(v, i) {
				return nil
			}
		}
		return Fault(rule.Name, params)
	}, nil
}

func compileUnique(rule Rule, t reflect.Type) (check, error) {
	if t.Kind() != reflect.Slice || !isPlain(t.Elem()) {
		return nil, wrongKind(rule, t, "lists of strings, numbers and other plain values")
	}
	return func(v reflect.Value) *FieldError {
		seen := make(map[any]struct{}, v.Len())
		for i := range v.Len() {
			item := v.Index(i).Interface()
			if _, twice := seen[item]; twice {
				return Fault(rule.Name, nil)
			}
			seen[item] = struct{}{}
		}
		return nil
	}, nil
}

// isPlain reports whether values of t can be map keys without a panic and
// compare by what they hold.
func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Chan:
		return false
	case reflect.Struct:
		for field := range t.Fields() {
			if !isPlain(field.Type) {
				return false
			}
		}
		return true
	case reflect.Array:
		return isPlain(t.Elem())
	}
	return t.Comparable()
}

func compileCustom(custom CustomRule, rule Rule) (check, error) {
	valid, err := custom.New(rule.Param)
	if err != nil {
		return nil, err
	}
	if valid == nil {
		return nil, errors.New("New of the rule returned no check")
	}
	var params map[string]any
	if rule.Param != "" {
		params = map[string]any{"param": rule.Param}
	}
	return func(v reflect.Value) *FieldError {
		if valid(v.Interface()) {
			return nil
		}
		return Fault(rule.Name, params)
	}, nil
}

func isInt(k reflect.Kind) bool   { return k >= reflect.Int && k <= reflect.Int64 }
func isUint(k reflect.Kind) bool  { return k >= reflect.Uint && k <= reflect.Uintptr }
func isFloat(k reflect.Kind) bool { return k == reflect.Float32 || k == reflect.Float64 }
