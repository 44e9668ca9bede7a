package orm

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// Transform is a word in a lookup that makes another value of a field before it is
// compared: "year" in "published__year__gte".
type Transform struct {
	// Name is the word, in snake case.
	Name string
	// Of are the kinds of columns it is for. Default: all.
	Of []schema.Type
	// Gives is the kind of what it makes. Default: that of its operand.
	Gives schema.Type
	// Apply makes the expression.
	Apply func(e Expr) Expr
}

// Comparison is a last word of a lookup that says how to compare: "icontains".
type Comparison struct {
	// Name is the word, in snake case.
	Name string
	// Of are the kinds of columns it is for. Default: all.
	Of []schema.Type
	// Apply makes the condition, or says what is wrong with the value, which may come
	// from outside of the program as text.
	Apply func(e Expr, value any) (Cond, error)
}

// words are the words of lookups beside names, filled while packages are initialised.
var lookupWords = struct {
	sync.RWMutex
	transforms  map[string]Transform
	comparisons map[string]Comparison
}{transforms: builtinTransforms(), comparisons: builtinComparisons()}

// RegisterTransform makes a word known to all lookups. It panics if the word is taken or
// is no name.
func RegisterTransform(t Transform) {
	lookupWords.Lock()
	defer lookupWords.Unlock()
	checkWord(t.Name)
	lookupWords.transforms[t.Name] = t
}

// RegisterComparison makes a word known to all lookups. It panics if the word is taken or
// is no name.
func RegisterComparison(c Comparison) {
	lookupWords.Lock()
	defer lookupWords.Unlock()
	checkWord(c.Name)
	lookupWords.comparisons[c.Name] = c
}

func checkWord(name string) {
	_, transform := lookupWords.transforms[name]
	_, comparison := lookupWords.comparisons[name]
	switch {
	case transform, comparison, comparisons[name]:
		panic("orm: the word " + name + " of lookups is taken")
	case !validName(name) || strings.Contains(name, "__") || name != strings.ToLower(name):
		panic(fmt.Sprintf("orm: %q cannot be a word of lookups: letters, digits and single _", name))
	}
}

func transformNamed(word string, kind schema.Type) (Transform, bool) {
	lookupWords.RLock()
	defer lookupWords.RUnlock()
	t, ok := lookupWords.transforms[word]
	return t, ok && suits(t.Of, kind)
}

func comparisonNamed(word string, kind schema.Type) (Comparison, bool) {
	lookupWords.RLock()
	defer lookupWords.RUnlock()
	c, ok := lookupWords.comparisons[word]
	return c, ok && suits(c.Of, kind)
}

func suits(kinds []schema.Type, kind schema.Type) bool {
	return len(kinds) == 0 || slices.Contains(kinds, kind)
}

var (
	textKinds   = []schema.Type{schema.String, schema.Text}
	numberKinds = []schema.Type{schema.Int16, schema.Int32, schema.Int64, schema.Float64, schema.Decimal}
	dayKinds    = []schema.Type{schema.DateTime, schema.Date}
	clockKinds  = []schema.Type{schema.DateTime}
	jsonKinds   = []schema.Type{schema.JSON}
)

func builtinTransforms() map[string]Transform {
	m := map[string]Transform{}
	for _, unit := range []Unit{Year, ISOYear, Quarter, Month, Week, WeekDay, ISOWeekDay, Day, YearDay, Hour, Minute, Second} {
		of := dayKinds
		if unit == Hour || unit == Minute || unit == Second {
			of = clockKinds
		}
		m[string(unit)] = Transform{Of: of, Gives: schema.Int64, Apply: func(e Expr) Expr { return Extract(unit, e) }}
	}
	m["time"] = Transform{Of: clockKinds, Gives: schema.Time, Apply: func(e Expr) Expr {
		return Extract(Hour, e).Mul(60).Add(Extract(Minute, e)).Mul(60).Add(Extract(Second, e))
	}}
	m["date"] = Transform{Of: clockKinds, Apply: func(e Expr) Expr { return Trunc(Day, e) }}
	for name, f := range map[string]func(any) Expr{"lower": Lower, "upper": Upper, "trim": Trim, "ltrim": TrimLeft, "rtrim": TrimRight, "reverse": Reverse, "md5": MD5, "sha256": SHA256} {
		m[name] = Transform{Of: textKinds, Gives: schema.Text, Apply: func(e Expr) Expr { return f(e) }}
	}
	m["length"] = Transform{Of: textKinds, Gives: schema.Int64, Apply: func(e Expr) Expr { return Length(e) }}
	for name, f := range map[string]func(any) Expr{"abs": Abs, "ceil": Ceil, "floor": Floor, "sign": Sign, "sqrt": Sqrt} {
		m[name] = Transform{Of: numberKinds, Gives: schema.Float64, Apply: func(e Expr) Expr { return f(e) }}
	}
	m["len"] = Transform{Of: jsonKinds, Gives: schema.Int64, Apply: func(e Expr) Expr { return asJSON(e).JSONLength() }}
	return m
}

// asJSON is a JSON field as the value at the path of nothing in it.
func asJSON(e Expr) Expr {
	if _, ok := e.e.(*jsonPath); ok {
		return e
	}
	return JSONPath(e)
}

func builtinComparisons() map[string]Comparison {
	m := map[string]Comparison{}
	for name, f := range map[string]func(Expr, string) Cond{"regex": Expr.Regex, "iregex": Expr.IRegex} {
		m[name] = Comparison{Of: append(slices.Clone(textKinds), schema.JSON), Apply: func(e Expr, v any) (Cond, error) {
			pattern, ok := v.(string)
			if !ok || len(pattern) > maxPattern {
				return Cond{}, fmt.Errorf("%s needs a regular expression of at most %d bytes", name, maxPattern)
			}
			if _, err := regexp.Compile(pattern); err != nil {
				return Cond{}, fmt.Errorf("%q is not a regular expression: %w", pattern, err)
			}
			return f(e, pattern), nil
		}}
	}
	for name, f := range map[string]func(any, ...string) Cond{"has_keys": HasKeys, "has_any_keys": HasAnyKey} {
		m[name] = Comparison{Of: jsonKinds, Apply: func(e Expr, v any) (Cond, error) {
			switch v := v.(type) {
			case string:
				return f(e, strings.Split(v, ",")...), nil
			case []string:
				return f(e, v...), nil
			}
			return Cond{}, fmt.Errorf("%s needs keys, not a %T", name, v)
		}}
	}
	m["has_key"] = Comparison{Of: jsonKinds, Apply: func(e Expr, v any) (Cond, error) {
		key, ok := v.(string)
		if !ok {
			return Cond{}, fmt.Errorf("has_key needs a key, not a %T", v)
		}
		return HasKey(e, key), nil
	}}
	return m
}

// maxPattern bounds a regular expression, which is compiled.
const maxPattern = 500

// transformed is a field, or what transforms and a path in JSON make of it, and the kind
// of that.
type transformed struct {
	e    Expr
	kind schema.Type
	zone *time.Location // of the query
}

// transform applies words to a field. The last may be how to compare; it is returned,
// empty if there is none.
func (p place) transform(rest []string) (transformed, string, error) {
	at := transformed{e: Expr{p}, kind: p.t.field.Kind}
	var path []any
	inJSON := func() {
		if len(path) > 0 {
			at.e, path = JSONPath(at.e, path...), nil
		}
	}
	for i, word := range rest {
		last := i == len(rest)-1
		_, comparison := comparisonNamed(word, at.kind)
		if last && (comparison || comparisons[word] && word != "year" && word != "date") {
			inJSON()
			return at, word, nil
		}
		t, ok := transformNamed(word, at.kind)
		switch {
		case ok:
			inJSON()
			if at.e = t.Apply(at.e); t.Gives != "" {
				at.kind = t.Gives
			}
		case at.kind == schema.JSON && word != "":
			if n, err := strconv.Atoi(word); err == nil {
				path = append(path, n)
			} else {
				path = append(path, word)
			}
		default:
			return at, "", fmt.Errorf("%q is no comparison; allowed are %s", strings.Join(rest[i:], "__"), strings.Join(wordsFor(at.kind), ", "))
		}
	}
	inJSON()
	return at, "", nil
}

// wordsFor lists the words that can follow a value of a kind.
func wordsFor(kind schema.Type) []string {
	lookupWords.RLock()
	defer lookupWords.RUnlock()
	words := sortedKeys(comparisons)
	for name, t := range lookupWords.transforms {
		if suits(t.Of, kind) {
			words = append(words, name)
		}
	}
	for name, c := range lookupWords.comparisons {
		if suits(c.Of, kind) {
			words = append(words, name)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// compare makes a condition of a value that was made of a field.
func (at transformed) compare(how string, v any) (expr, error) {
	if text, ok := v.(string); ok && strings.IndexByte(text, 0) >= 0 {
		return nil, fmt.Errorf("a NUL character is not allowed")
	}
	if c, ok := comparisonNamed(how, at.kind); ok {
		cond, err := c.Apply(at.e, v)
		if err != nil {
			return nil, err
		}
		return cond.orInvalid(), nil
	}
	if kind, ok := textMatches[how]; ok {
		text, ok := v.(string)
		if !ok || len(text) > maxText {
			return nil, fmt.Errorf("%s needs a text of at most %d bytes", how, maxText)
		}
		if at.kind != schema.JSON && !slices.Contains(textKinds, at.kind) {
			return nil, fmt.Errorf("what is not text cannot be compared by %s", how)
		}
		return &match{at.e.text(), kind, text}, nil
	}
	switch how {
	case "isnull":
		null, err := boolOf(v)
		if err != nil {
			return nil, fmt.Errorf("isnull: %w", err)
		}
		return &isNull{at.e.presence(), !null}, nil
	case "in", "range":
		values, err := at.values(v)
		if err != nil {
			return nil, err
		}
		if how == "in" {
			return at.e.In(values...).e, nil
		}
		if len(values) != 2 {
			return nil, fmt.Errorf("range needs two values, not %d", len(values))
		}
		return at.e.Between(values[0], values[1]).e, nil
	}
	value, err := at.value(v)
	if err != nil {
		return nil, err
	}
	op, ok := comparisonSQL[how]
	if !ok {
		return nil, fmt.Errorf("%q is no comparison; allowed are %s", how, strings.Join(wordsFor(at.kind), ", "))
	}
	if value == nil && op != "=" && op != "<>" {
		return nil, fmt.Errorf("null cannot be compared by %s", how)
	}
	return at.e.compare(op, value).e, nil
}

func (at transformed) values(v any) ([]any, error) {
	var items []any
	if text, ok := v.(string); ok {
		for item := range strings.SplitSeq(text, ",") {
			if text != "" {
				items = append(items, item)
			}
		}
	} else {
		r := reflect.ValueOf(v)
		if r.Kind() != reflect.Slice {
			return nil, fmt.Errorf("a slice or a text with commas is needed, not a %T", v)
		}
		for i := range r.Len() {
			items = append(items, r.Index(i).Interface())
		}
	}
	for i := range items {
		var err error
		if items[i], err = at.value(items[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// value reads a value, which may be text, as one of the kind.
func (at transformed) value(v any) (any, error) {
	text, isText := v.(string)
	switch {
	case v == nil:
		return nil, nil
	case at.kind == schema.JSON:
		return jsonScalar(v)
	case at.kind == schema.DateTime && isText:
		if day, err := time.ParseInLocation(time.DateOnly, text, zoneOr(at.zone)); err == nil {
			return day.UTC(), nil
		}
		return ParseTime(text)
	case at.kind == schema.DateTime:
		if t, ok := v.(time.Time); ok {
			t = t.In(zoneOr(at.zone))
			return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location()).UTC(), nil
		}
	case at.kind == schema.Time:
		return secondsOfDay(v, zoneOr(at.zone))
	}
	goType := map[schema.Type]reflect.Type{schema.Bool: reflect.TypeFor[bool](), schema.Float64: reflect.TypeFor[float64](), schema.String: reflect.TypeFor[string](), schema.Text: reflect.TypeFor[string]()}[at.kind]
	if goType == nil {
		goType = reflect.TypeFor[int64]()
	}
	return (&FieldInfo{Kind: at.kind, Type: goType, codec: &codec{goType: goType}}).convert(v, true)
}

// jsonScalar reads a value to be compared with one in JSON. Text that is a number, true,
// false or null in JSON is taken for that, and in quotes for a text in any case.
func jsonScalar(v any) (any, error) {
	text, ok := v.(string)
	if !ok {
		_, err := jsonFunction(v)
		return v, err
	}
	var scalar any
	if json.Unmarshal([]byte(text), &scalar) == nil {
		switch scalar.(type) {
		case map[string]any, []any:
		default:
			return scalar, nil
		}
	}
	return text, nil
}

func boolOf(v any) (bool, error) {
	b, err := (&FieldInfo{Kind: schema.Bool, codec: &codec{goType: reflect.TypeFor[bool]()}}).convert(v, true)
	return b == true, err
}
