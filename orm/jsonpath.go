package orm

import (
	"encoding/json"
	"fmt"

	"github.com/retort-web/retort/orm/schema"
)

// JSONPath is the value at a path in a JSON field: keys, which are strings, and indexes,
// which are ints, negative ones counted from the end:
//
//	orm.JSONPath(&u.Settings, "mail", "addresses", 0).Eq("a@example.org")
//
// Its comparisons take a string, a number or a bool, and are true for a JSON value of
// that type only: "1" is not 1. Eq(nil) is true for a JSON null, IsNull where there is
// nothing at the path. As a value it is text; [Expr.AsNumber] and [Expr.AsBool] make
// others of it, for an order or a computation.
func JSONPath(field any, path ...any) Expr {
	for _, step := range path {
		switch step.(type) {
		case string, int:
		default:
			return Expr{&invalid{fmt.Errorf("orm: a path in JSON is made of strings and ints, not of a %T", step)}}
		}
	}
	of := operandOf(field)
	if outer, ok := of.(*jsonPath); ok {
		return Expr{&jsonPath{outer.of, add(outer.path, path...)}}
	}
	return Expr{&jsonPath{of, path}}
}

// HasKey is true if the JSON object in a field has a key, whatever its value is.
func HasKey(field any, key string) Cond { return JSONPath(field, key).NotNull() }

// HasKeys is true if the JSON object in a field has all of the keys.
func HasKeys(field any, keys ...string) Cond { return And(hasKeys(field, keys)...) }

// HasAnyKey is true if the JSON object in a field has one of the keys.
func HasAnyKey(field any, keys ...string) Cond { return Or(hasKeys(field, keys)...) }

func hasKeys(field any, keys []string) []Cond {
	conds := make([]Cond, len(keys))
	for i, key := range keys {
		conds[i] = HasKey(field, key)
	}
	return conds
}

// JSONContains is true if the JSON in a field, or at a path that [JSONPath] names, has all
// that value has: objects the same keys with values that contain theirs, arrays all
// elements.
func JSONContains(field, value any) Cond {
	text, err := json.Marshal(value)
	if err != nil {
		return Cond{&invalid{fmt.Errorf("orm: JSONContains: %w", err)}}
	}
	if e, ok := field.(Expr); ok {
		if j, ok := e.e.(*jsonPath); ok {
			return Cond{&call{f: Function{Name: "json_contains", Args: 2}, like: -1, args: []operand{j.as("json_get"), untyped(text)}}}
		}
	}
	return Cond{&call{f: Function{Name: "json_contains", Args: 2}, like: -1, args: []operand{&jsonField{operandOf(field)}, untyped(text)}}}
}

// JSONObject is a JSON object of keys and values in turn, which are fields, expressions
// and values.
func JSONObject(keysAndValues ...any) Expr {
	if len(keysAndValues)%2 != 0 {
		return Expr{&invalid{fmt.Errorf("orm: JSONObject needs a value for each key")}}
	}
	return Expr{newCall("json_object", keysAndValues...)}
}

// JSONArray is a JSON array of fields, expressions and values.
func JSONArray(elements ...any) Expr { return Expr{newCall("json_array", elements...)} }

// AsText is a value that [JSONPath] names as text; NULL if it is a JSON null or not there.
func (e Expr) AsText() Expr { return e.jsonAs("AsText", "json_text") }

// AsNumber is a value that [JSONPath] names as a number; NULL if it is none.
func (e Expr) AsNumber() Expr { return e.jsonAs("AsNumber", "json_number") }

// AsBool is a value that [JSONPath] names as a bool; NULL if it is none.
func (e Expr) AsBool() Expr { return e.jsonAs("AsBool", "json_bool") }

// JSONLength is how many elements the array has that [JSONPath] names.
func (e Expr) JSONLength() Expr { return e.jsonAs("JSONLength", "json_length") }

// JSONType is the type of a value that [JSONPath] names: "object", "array", "string",
// "number", "boolean" or "null"; NULL if it is not there.
func (e Expr) JSONType() Expr { return e.jsonAs("JSONType", "json_type") }

func (e Expr) jsonAs(method, function string) Expr {
	if j, ok := e.e.(*jsonPath); ok {
		return Expr{j.as(function)}
	}
	return Expr{&invalid{fmt.Errorf("orm: %s is for values that orm.JSONPath names", method)}}
}

// jsonPath is a value inside a JSON field.
type jsonPath struct {
	of   operand
	path []any
}

// as is the value by one of the functions for JSON.
func (e *jsonPath) as(function string) *call {
	return &call{f: Function{Name: function, Args: 2}, like: -1, null: true, args: []operand{&jsonField{e.of}, jsonSteps(e.path)}}
}

// compare chooses the comparison by the type of the value.
func (e *jsonPath) compare(op string, v any) expr {
	if v == nil {
		return &compare{op, e.as("json_type"), &variable{"null"}}
	}
	function, err := jsonFunction(v)
	if err != nil {
		return &invalid{err}
	}
	return &compare{op, e.as(function), comparand(v)}
}

// jsonFunction is the function whose result compares with a value.
func jsonFunction(v any) (string, error) {
	if _, isExpr := v.(Expr); isExpr {
		return "json_text", nil
	}
	plain, err := plainValue(v)
	if err == nil {
		switch plain.(type) {
		case string:
			return "json_string", nil
		case int64, float64:
			return "json_number", nil
		case bool:
			return "json_bool", nil
		}
	}
	return "", fmt.Errorf("orm: a value in JSON is compared with a string, a number or a bool, not with a %T; see JSONContains", v)
}

// text is the value where a text is looked for in it.
func (e Expr) text() operand {
	if j, ok := e.e.(*jsonPath); ok {
		return j.as("json_string")
	}
	return operandOf(e)
}

func (e *jsonPath) write(c *compiler) { e.as("json_text").write(c) }

func (e *jsonPath) parts() []expr { return []expr{e.of} }

func (e *jsonPath) visit(c *compiler, f func(*node)) { e.of.visit(c, f) }

func (e *jsonPath) mayBeNull(*compiler) bool { return true }

func (e *jsonPath) target(*compiler) target { return target{} }

// jsonField is a field that must hold JSON.
type jsonField struct{ operand }

func (e *jsonField) write(c *compiler) {
	if t := e.target(c); t.field != nil && t.field.Kind != schema.JSON {
		c.failf("%s is no JSON", t.name())
		return
	}
	e.operand.write(c)
}

func (e *jsonField) parts() []expr { return []expr{e.operand} }

// jsonSteps is a path as the parameter that the dialect makes of it.
type jsonSteps []any

func (e jsonSteps) write(c *compiler) { c.arg(c.dialect.JSONPath(e)) }

func (jsonSteps) visit(*compiler, func(*node)) {}

func (jsonSteps) mayBeNull(*compiler) bool { return false }

func (jsonSteps) target(*compiler) target { return target{} }

// untyped is a text as a bare parameter, whose type the SQL around tells.
type untyped string

func (e untyped) write(c *compiler) { c.arg(string(e)) }

func (untyped) visit(*compiler, func(*node)) {}

func (untyped) mayBeNull(*compiler) bool { return false }

func (untyped) target(*compiler) target { return target{} }
