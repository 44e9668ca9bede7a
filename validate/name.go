package validate

import (
	"reflect"
	"strings"
	"unicode"
)

// Naming says by whose names the fields are called in errors.
type Naming int

const (
	// NamingDefault takes the first of the tags json, form, query, path, header
	// and cookie, and else the field's Go name in snake_case.
	NamingDefault Naming = iota

	// NamingJSON takes json, query, path, header, cookie, and else the Go name
	// with a small first letter, which is a name that encoding/json accepts.
	NamingJSON

	// NamingForm takes form, query, path, header, cookie, json, and else the Go
	// name in snake_case. Items of lists are called "items.0.name" instead of
	// "items[0].name", as the inputs of an HTML form are.
	NamingForm

	namings = iota
)

var namingTags = [namings][]string{
	NamingDefault: {"json", "form", "query", "path", "header", "cookie"},
	NamingJSON:    {"json", "query", "path", "header", "cookie"},
	NamingForm:    {"form", "query", "path", "header", "cookie", "json"},
}

// FieldName returns the name by which clients know a struct field. It is empty
// for an embedded struct without a name of its own, whose fields belong to the
// struct around it, and for a field with the tag body, which is the whole
// request body.
func FieldName(field reflect.StructField, naming Naming) string {
	for _, key := range namingTags[naming] {
		name, _, _ := strings.Cut(field.Tag.Get(key), ",")
		if name != "" && name != "-" {
			return name
		}
	}
	if _, whole := field.Tag.Lookup("body"); whole {
		return ""
	}
	if field.Anonymous && isStruct(field.Type) {
		return ""
	}
	if naming == NamingJSON {
		return lowerFirst(field.Name)
	}
	return snakeCase(field.Name)
}

func isStruct(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}

// snakeCase turns CreatedAt into created_at and HTTPServerID into http_server_id.
func snakeCase(name string) string {
	runes := []rune(name)
	var b strings.Builder
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 {
			startsWord := !unicode.IsUpper(runes[i-1]) && runes[i-1] != '_'
			endsInitials := unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if startsWord || endsInitials {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// lowerFirst turns CreatedAt into createdAt, ID into id and HTTPServer into
// httpServer.
func lowerFirst(name string) string {
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsUpper(r) || i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
}
