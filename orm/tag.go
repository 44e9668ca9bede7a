package orm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// tagKeys are the words an orm tag may hold; those marked true take a value.
var tagKeys = map[string]bool{
	"array": false, "auto_now": false, "auto_now_add": false, "blank": false, "choices": true,
	"collation": true, "column": true, "columns": true, "comment": true, "db_default": true, "default": true,
	"editable": true, "email": false, "help": true, "index": false, "json": false,
	"label": true, "no_constraint": false, "no_index": false, "null": false, "on_delete": true, "pk": false, "regex": true,
	"related": true, "reverse": true, "scale": true, "size": true, "slug": false, "soft_delete": false,
	"symmetrical": false, "text": false, "to": true, "through": true, "through_fields": true, "type": true, "unique": false, "unique_for_date": true, "unique_for_month": true, "unique_for_year": true, "url": false, "version": false,
}

// tag is a parsed orm tag: words separated by commas, each alone or with a
// value. A value in single quotes may hold commas; two quotes stand for one.
type tag map[string]string

func parseTag(s string) (tag, error) {
	t := tag{}
	for s != "" {
		var word string
		var err error
		if word, s, err = cutWord(s); err != nil {
			return nil, err
		}
		key, value, has := strings.Cut(word, "=")
		key = strings.TrimSpace(key)
		takes, known := tagKeys[key]
		switch {
		case key == "" && !has:
			continue
		case !known:
			return nil, fmt.Errorf("unknown word %q in the orm tag; known: %s", key, strings.Join(sortedKeys(tagKeys), ", "))
		case takes && !has:
			return nil, fmt.Errorf("%q in the orm tag needs a value: %s=…", key, key)
		case !takes && has:
			return nil, fmt.Errorf("%q in the orm tag takes no value", key)
		}
		if _, twice := t[key]; twice {
			return nil, fmt.Errorf("%q stands twice in the orm tag", key)
		}
		t[key] = unquote(value)
	}
	return t, nil
}

// cutWord cuts s at the first comma that is outside quotes.
func cutWord(s string) (word, rest string, err error) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '\'':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return s[:i], s[i+1:], nil
		}
	}
	if quoted {
		return "", "", fmt.Errorf("a quote is not closed in the orm tag %q", s)
	}
	return s, "", nil
}

func unquote(s string) string {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return strings.ReplaceAll(s[1:len(s)-1], "''", "'")
	}
	return s
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (t tag) has(key string) bool {
	_, ok := t[key]
	return ok
}

// number returns a positive number, 0 if the word is missing.
func (t tag) number(key string) (int, error) {
	s, ok := t[key]
	if !ok {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s=%s in the orm tag: not a positive number", key, s)
	}
	return n, nil
}

var onDeletes = map[string]schema.OnDelete{
	"cascade": schema.Cascade, "restrict": schema.Restrict, "set_null": schema.SetNull,
	"set_default": schema.SetDefault, "no_action": schema.NoAction, "protect": schema.Restrict,
	"db_cascade": schema.Cascade, "db_set_null": schema.SetNull, "db_set_default": schema.SetDefault,
}

// onDelete defaults to restrict: nothing is deleted that nobody named.
func (t tag) onDelete() (schema.OnDelete, error) {
	s, ok := t["on_delete"]
	if !ok {
		return schema.Restrict, nil
	}
	action, ok := onDeletes[s]
	if !ok {
		return "", fmt.Errorf("on_delete=%s in the orm tag: allowed are %s", s, strings.Join(sortedKeys(onDeletes), ", "))
	}
	return action, nil
}

var tagTypes = map[string]schema.Type{
	"bool": schema.Bool, "int16": schema.Int16, "int32": schema.Int32, "int64": schema.Int64,
	"float64": schema.Float64, "decimal": schema.Decimal, "text": schema.Text, "bytes": schema.Bytes,
	"date": schema.Date, "time": schema.Time, "datetime": schema.DateTime, "uuid": schema.UUID, "json": schema.JSON,
}

// choices reads choices=draft|live or choices=draft:Draft|live:Live.
func (t tag) choices() []Choice {
	s, ok := t["choices"]
	if !ok {
		return nil
	}
	var list []Choice
	for item := range strings.SplitSeq(s, "|") {
		value, label, has := strings.Cut(item, ":")
		if !has {
			label = capital(words(value))
		}
		list = append(list, Choice{Value: value, Label: label})
	}
	return list
}

// validName reports whether s is a plain word, as the names of functions, operator
// classes and lookups are: those stand in SQL without quotes.
func validName(s string) bool {
	if s == "" || len(s) > 63 {
		return false
	}
	for i, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}
