package orm

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// Lookup is a condition that comes as text, from a URL, a fixture or a search box:
// names in snake case joined by two underscores, through relations if need be, and
// last how to compare, "exact" if it is left out:
//
//	orm.Lookup("status", "live")
//	orm.Lookup("author__username__icontains", "ali")
//	orm.Lookup("published__year", "2025")
//
// Ways to compare are exact, iexact, ne, gt, gte, lt, lte, in, range, isnull,
// contains, icontains, startswith, istartswith, endswith, iendswith, regex, iregex and,
// for JSON, has_key, has_keys and has_any_keys. Before them may stand what is made of the
// field, one after the other: year, iso_year, quarter, month, week, week_day,
// iso_week_day, day, year_day, date, time (to the second), hour, minute and second of a time, in the zone of the
// query, see [WithZone]; lower, upper,
// trim, reverse, length of a text; abs, ceil, floor of a number; keys and indexes of JSON:
//
//	orm.Lookup("published__year__gte", 2020)
//	orm.Lookup("settings__mail__address__icontains", "example.org")
//
// [RegisterTransform] and [RegisterComparison] add others. A value is of the field's type
// or its text form; for in and range it is a slice or text with commas.
//
// Names, comparison and value are checked against the model when the query runs;
// what does not fit is a [*LookupError]. Lookup reaches every field: which of them
// a request may ask for is for the caller to decide.
func Lookup(path string, value any) Cond { return Cond{&lookup{path, value}} }

// OrderLookup is an order that comes as text: "title", "-author__username".
func OrderLookup(path string) Order {
	name, desc := strings.CutPrefix(path, "-")
	return Order{of: &lookupField{name}, desc: desc}
}

// maxLookup bounds the relations in a lookup, each of which is a join.
const maxLookup = 8

// maxText bounds a text that is looked for within others. Databases have limits of
// their own, SQLite 50,000 bytes, which are not errors of the request.
const maxText = 10_000

type lookup struct {
	path  string
	value any
}

// place is a field reached from the root, found by name.
type place struct {
	node *node
	t    target
}

func (p place) write(c *compiler) { c.column(p.node, p.t.field) }

func (p place) visit(_ *compiler, f func(*node)) { f(p.node) }

func (p place) mayBeNull(*compiler) bool { return columnMayBeNull(p.node, p.t.field) }

func (p place) target(*compiler) target { return p.t }

// lookupField is a field named by text.
type lookupField struct{ path string }

// place is the field, or what transforms make of it.
func (e *lookupField) place(c *compiler) (operand, bool) {
	p, rest, err := findPlace(c.root, e.path)
	if err == nil && len(rest) == 0 {
		return p, true
	}
	at, how := transformed{}, ""
	if err == nil {
		at, how, err = p.transform(rest)
		at.zone = c.zone
	}
	if err == nil && how != "" {
		err = fmt.Errorf("%s has no field %q", p.node.model.Name, how)
	}
	if err != nil {
		c.fail(lookupError(c.root.model, e.path, err))
		return nil, false
	}
	return at.e.e, true
}

func (e *lookupField) write(c *compiler) {
	if p, ok := e.place(c); ok {
		p.write(c)
	}
}

func (e *lookupField) visit(c *compiler, f func(*node)) {
	if p, ok := e.place(c); ok {
		p.visit(c, f)
	}
}

func (e *lookupField) mayBeNull(c *compiler) bool {
	p, ok := e.place(c)
	return ok && p.mayBeNull(c)
}

func (e *lookupField) target(c *compiler) target {
	if p, ok := e.place(c); ok {
		return p.target(c)
	}
	return target{}
}

// findPlace walks the names of a path. What is left are transforms and how to compare.
func findPlace(root *node, path string) (place, []string, error) {
	n, relations := root, 0
	var f *FieldInfo
	words := strings.SplitN(path, "__", 2*maxLookup)
	for i, word := range words {
		if f != nil && f.Relation == nil || word == "" {
			if f == nil || word == "" {
				return place{}, nil, fmt.Errorf("%q is no field and no comparison", strings.Join(words[i:], "__"))
			}
			return n.placeOf(f), words[i:], nil
		}
		m := n.model
		if f != nil {
			m = f.Relation.Target()
		}
		g := m.named(word)
		if g == nil {
			if i > 0 && i == len(words)-1 && comparisons[word] {
				return n.placeOf(f), words[i:], nil
			}
			return place{}, nil, fmt.Errorf("%s has no field %q; it has %s", m.Name, word, m.fieldNames())
		}
		if f != nil {
			if relations++; relations > maxLookup {
				return place{}, nil, fmt.Errorf("it steps through more than %d relations", maxLookup)
			}
			n = n.step(f)
		}
		if err := m.resolve(); err != nil {
			return place{}, nil, &modelError{err}
		}
		f = g
	}
	return n.placeOf(f), nil, nil
}

// placeOf is a field of a node; for a relation to many, the key behind it.
func (n *node) placeOf(f *FieldInfo) place {
	if f.toMany() {
		n = n.step(f)
		f = n.model.PrimaryKey
	}
	return place{n, target{f, f.codec}}
}

// named finds a field by its snake name, "pk", or a foreign key by its column.
func (m *ModelInfo) named(word string) *FieldInfo {
	if f := m.bySnake[word]; f != nil {
		return f
	}
	if word == "pk" {
		return m.PrimaryKey
	}
	if f := m.byColumn[word]; f != nil && f.Relation != nil {
		return f
	}
	return m.reverse(word)
}

// reverse finds the other side of a foreign key that names it in its tag "related"
// and that has no field in this model, because its package cannot know the other.
func (m *ModelInfo) reverse(word string) *FieldInfo {
	for _, other := range Models() {
		for _, via := range other.attach {
			if r := via.Relation; via.inherits == nil && r.Kind == ToOne && r.leadsTo(m) && snake(r.Related) == word {
				spec := relationSpec{kind: ToMany, target: other.Type, many: true}
				return &FieldInfo{
					Name: r.Related, Snake: word, model: m,
					Relation: &RelationInfo{Kind: ToMany, spec: spec, via: via},
				}
			}
		}
	}
	return nil
}

func (m *ModelInfo) fieldNames() string {
	names := make([]string, len(m.Fields))
	for i, f := range m.Fields {
		names[i] = f.Snake
	}
	return strings.Join(names, ", ")
}

// comparisons are the last words a lookup may have.
var comparisons = map[string]bool{
	"exact": true, "iexact": true, "ne": true, "gt": true, "gte": true, "lt": true, "lte": true,
	"in": true, "range": true, "isnull": true, "contains": true, "icontains": true,
	"startswith": true, "istartswith": true, "endswith": true, "iendswith": true, "year": true, "date": true,
}

var comparisonSQL = map[string]string{"exact": "=", "": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

var textMatches = map[string]Match{
	"iexact": {MatchWhole, true}, "contains": {MatchAnywhere, false}, "icontains": {MatchAnywhere, true},
	"startswith": {MatchStart, false}, "istartswith": {MatchStart, true},
	"endswith": {MatchEnd, false}, "iendswith": {MatchEnd, true},
}

// build makes the condition the lookup stands for in the query's model.
func (e *lookup) build(c *compiler) expr {
	p, rest, err := findPlace(c.root, e.path)
	if err == nil {
		var cond expr
		if cond, err = e.condition(p, rest, c.zone); err == nil {
			return cond
		}
	}
	return &invalid{lookupError(c.root.model, e.path, err)}
}

// modelError is a fault of the program's models, for which a lookup cannot be blamed.
type modelError struct{ error }

func lookupError(m *ModelInfo, path string, err error) error {
	if fault, ok := errors.AsType[*modelError](err); ok {
		return fault.error
	}
	return &LookupError{m.Name, path, err.Error()}
}

func (e *lookup) write(c *compiler) { e.build(c).write(c) }

func (e *lookup) visit(c *compiler, f func(*node)) { e.build(c).visit(c, f) }

func (e *lookup) mayBeNull(c *compiler) bool { return e.build(c).mayBeNull(c) }

// condition compares the field itself, or what the words after it make of it.
func (e *lookup) condition(p place, rest []string, zone *time.Location) (expr, error) {
	switch {
	case len(rest) == 0:
		return e.compare(p, "exact", zone)
	case len(rest) == 1 && comparisons[rest[0]] && p.t.field.Kind != schema.JSON:
		return e.compare(p, rest[0], zone)
	}
	at, how, err := p.transform(rest)
	if err != nil {
		return nil, err
	}
	how, at.zone = cmp.Or(how, "exact"), zone
	if _, isPlace := at.e.e.(place); isPlace && comparisons[how] {
		return e.compare(p, how, zone)
	}
	return at.compare(how, e.value)
}

func (e *lookup) compare(p place, how string, zone *time.Location) (expr, error) {
	f := p.t.field
	if kind, ok := textMatches[how]; ok {
		text, ok := e.value.(string)
		if !ok {
			return nil, fmt.Errorf("%s needs a string, not a %T", how, e.value)
		}
		if f.Kind != "string" && f.Kind != "text" {
			return nil, fmt.Errorf("%s is not text and cannot be compared by %s", f.Snake, how)
		}
		if strings.IndexByte(text, 0) >= 0 {
			return nil, fmt.Errorf("a NUL character is not allowed")
		}
		if len(text) > maxText {
			return nil, fmt.Errorf("a text of %d bytes is too long to look for", len(text))
		}
		return &match{p, kind, text}, nil
	}
	switch how {
	case "in":
		return e.in(p)
	case "range":
		values, err := e.values(f)
		if err != nil {
			return nil, err
		}
		if len(values) != 2 {
			return nil, fmt.Errorf("range needs two values, not %d", len(values))
		}
		return &between{p, values[0], values[1]}, nil
	case "isnull":
		null, err := (&FieldInfo{Kind: "bool", codec: &codec{goType: reflect.TypeFor[bool]()}}).convert(e.value, true)
		if err != nil {
			return nil, fmt.Errorf("isnull: %w", err)
		}
		return &isNull{p, null != true}, nil
	case "year", "date":
		return e.period(p, how, zone)
	}
	op, ok := comparisonSQL[how]
	if !ok {
		return nil, fmt.Errorf("%q is no comparison; allowed are %s", how, strings.Join(sortedKeys(comparisons), ", "))
	}
	v, err := f.convert(e.value, true)
	if err != nil {
		return nil, err
	}
	if v == nil && op != "=" && op != "<>" {
		return nil, fmt.Errorf("null cannot be compared by %s", how)
	}
	return &compare{op, p, &variable{v}}, nil
}

func (e *lookup) in(p place) (expr, error) {
	values, err := e.values(p.t.field)
	return &inList{of: p, values: values}, err
}

// values reads a slice, or text with commas.
func (e *lookup) values(f *FieldInfo) ([]expr, error) {
	var items []any
	if s, ok := e.value.(string); ok {
		for item := range strings.SplitSeq(s, ",") {
			if s != "" {
				items = append(items, item)
			}
		}
	} else {
		r := reflect.ValueOf(e.value)
		if r.Kind() != reflect.Slice {
			return nil, fmt.Errorf("a slice or a text with commas is needed, not a %T", e.value)
		}
		for i := range r.Len() {
			items = append(items, r.Index(i).Interface())
		}
	}
	list := make([]expr, len(items))
	for i, item := range items {
		v, err := f.convert(item, true)
		if err != nil {
			return nil, err
		}
		list[i] = &variable{v}
	}
	return list, nil
}

// period compares with the bounds of a year or day, which an index can
// serve where a function of the column could not.
func (e *lookup) period(p place, how string, zone *time.Location) (expr, error) {
	f := p.t.field
	if f.Kind != "datetime" {
		return nil, fmt.Errorf("%s is not a time and cannot be compared by %s", f.Snake, how)
	}
	text, ok := e.value.(string)
	if n, isInt := e.value.(int); isInt {
		text, ok = fmt.Sprintf("%04d", n), true
	}
	if day, isTime := e.value.(time.Time); isTime {
		text, ok = day.In(zoneOr(zone)).Format(time.DateOnly), true
	}
	layout, years, days := "2006", 1, 0
	if how == "date" {
		layout, years, days = time.DateOnly, 0, 1
	}
	from, err := time.ParseInLocation(layout, text, zoneOr(zone))
	if err != nil || !ok {
		return nil, fmt.Errorf("%v is not a %s such as %s", e.value, how, layout)
	}
	return &logic{kids: []expr{
		&compare{">=", p, &variable{from.UTC()}},
		&compare{"<", p, &variable{from.AddDate(years, 0, days).UTC()}},
	}}, nil
}
