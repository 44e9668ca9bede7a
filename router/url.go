package router

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/retort-web/retort/internal/closest"
)

// anchorKey is the key that gives the fragment to [Router.URL].
const anchorKey = "_anchor"

// ErrUnknownName is wrapped by the [URLError] for a name that no route has.
var ErrUnknownName = errors.New("no route has this name")

// URLError tells why a URL could not be built.
type URLError struct {
	Name     string   // the route's name as given
	Closest  string   // for an unknown name: the nearest name there is, or ""
	Missing  []string // variables without a value
	Variable string   // the variable whose converter refused its value
	Spec     string   // that converter
	Pattern  string   // the pattern that came nearest
	Err      error    // the cause, when there is one
}

// Error says what to change.
func (e *URLError) Error() string {
	msg := fmt.Sprintf("router: URL for %q", e.Name)
	switch {
	case errors.Is(e.Err, ErrUnknownName) && e.Closest != "":
		return fmt.Sprintf("%s: %v; did you mean %q?", msg, e.Err, e.Closest)
	case len(e.Missing) > 0:
		return fmt.Sprintf("%s: %s needs a value for %s", msg, e.Pattern, strings.Join(e.Missing, ", "))
	case e.Variable != "":
		return fmt.Sprintf("%s: %s: variable %s: converter %s refused the value: %v", msg, e.Pattern, e.Variable, e.Spec, e.Err)
	}
	return fmt.Sprintf("%s: %v", msg, e.Err)
}

// Unwrap returns Err.
func (e *URLError) Unwrap() error { return e.Err }

// URL builds the escaped path of the route with the name. values are pairs of a
// name and a value, as for [log/slog], or maps: map[string]any,
// map[string]string or [net/url.Values]. Where a pair and a map give the same
// name, the pair counts.
//
// Values named like a variable go there, through its converter. The others
// become the query, in the order given (maps by key); slices repeat the key. A
// nil value is as none. "_anchor" is the fragment.
//
// When several routes share the name, the one is taken whose variables all have
// a value; of several such, the one with most variables; of several such, the
// first one added whose converters accept the values.
//
// For a route with a host the result begins with "//" and the host; it is
// relative to the scheme only. Every other result begins with one slash.
//
// A slash in a str is encoded, in a path it is kept. The error is a [URLError].
func (r *Router) URL(name string, values ...any) (string, error) {
	var inline [8]pair
	given, err := readValues(inline[:0], values)
	if err != nil {
		return "", &URLError{Name: name, Err: err}
	}
	candidates := r.names[name]
	if len(candidates) == 0 {
		return "", &URLError{Name: name, Closest: closest.Name(name, maps.Keys(r.names)), Err: ErrUnknownName}
	}
	fitting := candidates
	if len(candidates) > 1 || len(candidates[0].missing(given)) > 0 {
		if fitting = fittest(candidates, given); len(fitting) == 0 {
			return "", missingError(name, candidates, given)
		}
	}
	var refused *URLError
	for _, rt := range fitting {
		built, fault := rt.build(given)
		if fault == nil {
			return built, nil
		}
		if refused == nil {
			refused = fault
			refused.Name = name
		}
	}
	return "", refused
}

// fittest returns those routes whose variables all have a value, and of these
// the ones with most variables, so that no value given for a variable of one
// ends in the query of another.
func fittest(candidates []*Route, given []pair) (fitting []*Route) {
	for _, rt := range candidates {
		if len(rt.missing(given)) > 0 || len(fitting) > 0 && len(rt.variables) < len(fitting[0].variables) {
			continue
		}
		if len(fitting) > 0 && len(rt.variables) > len(fitting[0].variables) {
			fitting = fitting[:0]
		}
		fitting = append(fitting, rt)
	}
	return fitting
}

// missingError tells about the route that lacks least.
func missingError(name string, candidates []*Route, given []pair) *URLError {
	nearest := candidates[0]
	for _, rt := range candidates[1:] {
		if len(rt.missing(given)) < len(nearest.missing(given)) {
			nearest = rt
		}
	}
	return &URLError{Name: name, Pattern: nearest.Host + nearest.Pattern, Missing: nearest.missing(given)}
}

// missing lists the variables without a value.
func (rt *Route) missing(given []pair) (names []string) {
	for _, v := range rt.variables {
		if valueOf(given, v.name) == nil {
			names = append(names, v.name)
		}
	}
	return names
}

// pair is one value for a URL.
type pair struct {
	name  string
	value any
}

// readValues appends pairs and flattened maps to given, without nils.
func readValues(given []pair, values []any) ([]pair, error) {
	var mapped []pair
	for i := 0; i < len(values); i++ {
		switch v := values[i].(type) {
		case string:
			if i++; i == len(values) {
				return nil, fmt.Errorf("%q has no value; give pairs of a name and a value", v)
			}
			given = append(given, pair{v, values[i]})
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				mapped = append(mapped, pair{key, v[key]})
			}
		case map[string]string:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				mapped = append(mapped, pair{key, v[key]})
			}
		case url.Values:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				mapped = append(mapped, pair{key, v[key]})
			}
		case nil:
			return nil, fmt.Errorf("expected a name or a map at argument %d, found nil", i+1)
		default:
			return nil, fmt.Errorf("expected a name or a map at argument %d, found %v (%T)", i+1, v, v)
		}
	}
	pairs := len(given)
	for _, m := range mapped {
		if !slices.ContainsFunc(given[:pairs], func(p pair) bool { return p.name == m.name }) {
			given = append(given, m)
		}
	}
	return slices.DeleteFunc(given, func(p pair) bool { return isNil(p.value) }), nil
}

// build writes the URL of one route; the error lacks the name.
func (rt *Route) build(given []pair) (string, *URLError) {
	var inline [128]byte
	built := inline[:0]
	if rt.Host != "" {
		built = append(built, "//"...)
	}
	for i := range rt.host {
		text, fault := rt.textFor(&rt.host[i], given)
		if fault != nil {
			return "", fault
		}
		if rt.host[i].rule != nil && strings.ContainsFunc(text, outsideLabel) {
			return "", rt.refusal(&rt.host[i], fmt.Errorf("%q cannot be part of a host name", text))
		}
		built = append(built, strings.ToLower(text)...)
	}
	start := len(built)
	for i := range rt.elements {
		e := &rt.elements[i]
		text, fault := rt.textFor(e, given)
		switch {
		case fault != nil:
			return "", fault
		case e.rule == nil || e.rule.rank() == rankPath:
			built = appendEscaped(built, text, pathSafe)
		default:
			built = appendEscaped(built, text, segmentSafe)
		}
	}
	if bytes.IndexByte(built[start:], '.') >= 0 {
		if path := string(built[start:]); hasDotSegment(path, 0) {
			return "", &URLError{Pattern: rt.Host + rt.Pattern, Err: fmt.Errorf(`%q has a "." or ".." segment, which browsers resolve`, path)}
		}
	}
	built, err := appendQuery(built, rt, given)
	if err != nil {
		return "", &URLError{Pattern: rt.Host + rt.Pattern, Err: err}
	}
	return string(built), nil
}

// textFor is the unescaped text of an element.
func (rt *Route) textFor(e *element, given []pair) (string, *URLError) {
	if e.rule == nil {
		return e.literal, nil
	}
	text, err := e.rule.format(valueOf(given, e.name))
	switch {
	case err != nil:
	case strings.IndexByte(text, 0) >= 0:
		err = errors.New("the value holds a NUL, which no path may")
	case hasDotSegment(text, 0):
		err = fmt.Errorf(`%q has a "." or ".." segment, which browsers resolve`, text)
	}
	if err != nil {
		return "", rt.refusal(e, err)
	}
	return text, nil
}

func (rt *Route) refusal(e *element, err error) *URLError {
	return &URLError{Pattern: rt.Host + rt.Pattern, Variable: e.name, Spec: e.rule.spec(), Err: err}
}

// outsideLabel reports what no label of a host may hold.
func outsideLabel(c rune) bool {
	return c > 0x7f || !isLetter(byte(c)) && !isDigit(byte(c)) && c != '-' && c != '_'
}

// valueOf is the value for a variable. A url.Values gives lists, of which a
// variable takes the first.
func valueOf(given []pair, name string) any {
	for _, p := range given {
		if p.name != name {
			continue
		}
		if list, ok := p.value.([]string); ok {
			if len(list) == 0 {
				return nil
			}
			return list[0]
		}
		return p.value
	}
	return nil
}

// appendQuery adds what is no variable, and the fragment.
func appendQuery(dst []byte, rt *Route, given []pair) ([]byte, error) {
	mark, anchor := byte('?'), ""
	add := func(name string, value any) error {
		text, err := textOf(value)
		if err != nil {
			return fmt.Errorf("query value %s: %w", name, err)
		}
		dst = append(dst, mark)
		dst = appendQueryText(dst, name)
		dst = append(dst, '=')
		dst = appendQueryText(dst, text)
		mark = '&'
		return nil
	}
	for _, p := range given {
		if p.name == anchorKey {
			text, err := textOf(p.value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", anchorKey, err)
			}
			anchor = text
			continue
		}
		if slices.ContainsFunc(rt.variables, func(e element) bool { return e.name == p.name }) {
			continue
		}
		list := reflect.ValueOf(p.value)
		if _, isBytes := p.value.([]byte); isBytes || list.Kind() != reflect.Slice {
			if err := add(p.name, p.value); err != nil {
				return nil, err
			}
			continue
		}
		for i := range list.Len() {
			item := list.Index(i).Interface()
			if isNil(item) {
				continue
			}
			if err := add(p.name, item); err != nil {
				return nil, err
			}
		}
	}
	if anchor != "" {
		dst = append(dst, '#')
		dst = appendEscaped(dst, strings.ReplaceAll(anchor, "\x00", ""), func(c byte) bool { return pathSafe(c) || c == '?' })
	}
	return dst, nil
}

// appendQueryText escapes as forms do: a space is "+".
func appendQueryText(dst []byte, text string) []byte {
	for i, word := range strings.Split(text, " ") {
		if i > 0 {
			dst = append(dst, '+')
		}
		for j, piece := range strings.Split(word, "\x00") {
			if j > 0 {
				dst = append(dst, "%00"...)
			}
			dst = appendEscaped(dst, piece, querySafe)
		}
	}
	return dst
}
