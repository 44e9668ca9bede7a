package form

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/bind"
)

// sent is what a request has for a form: names and texts, or a JSON object.
type sent struct {
	data   *bind.FormData
	object map[string]json.RawMessage // nil unless the body is JSON
}

// jsonKey is where the body's object is kept for the other forms of the request.
const jsonKey = "retort form: json"

// isJSON reports whether the body is JSON by its Content-Type.
func isJSON(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"))
}

// sentBy reads the body of a request, once for all its forms.
func sentBy(c *retort.Ctx) (sent, error) {
	if !isJSON(c.Request()) {
		data, err := c.Form()
		return sent{data: data}, err
	}
	if object, ok := c.Value(jsonKey).(map[string]json.RawMessage); ok {
		return sent{object: object}, nil
	}
	object := map[string]json.RawMessage{}
	if err := c.DecodeJSON(&object); err != nil {
		return sent{}, err
	}
	if object == nil { // the body is null
		object = map[string]json.RawMessage{}
	}
	c.Set(jsonKey, object)
	return sent{object: object}, nil
}

// below is what belongs to a form with a prefix: the member of that name.
func (s sent) below(prefix string) (sent, bool) {
	if s.object == nil {
		return s, hasPrefix(s.data, prefix+"-")
	}
	raw, ok := s.object[prefix]
	if !ok {
		return s, false
	}
	object := map[string]json.RawMessage{}
	if json.Unmarshal(raw, &object) != nil || object == nil {
		object = map[string]json.RawMessage{}
	}
	return sent{object: object}, true
}

// member finds what JSON has under a name, through objects where there are dots in it.
func (s sent) member(name string) (json.RawMessage, bool) {
	if raw, ok := s.object[name]; ok {
		return raw, true
	}
	outer, inner, nested := strings.Cut(name, ".")
	if !nested {
		return nil, false
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(s.object[outer], &object) != nil {
		return nil, false
	}
	return sent{object: object}.member(inner)
}

// readJSON takes a JSON value as the texts that inputs would send for it.
func (f *Field) readJSON(s sent) {
	raw, ok := s.member(f.spec.name)
	if !ok {
		return
	}
	f.present, f.exact = true, true
	raw = bytes.TrimSpace(raw)
	switch {
	case bytes.Equal(raw, []byte("null")):
		f.raw = []string{""}
	case f.isFile():
		f.misfit = "file"
	case f.spec.codec.kind == jsonKind && f.spec.shape == single:
		f.raw = []string{string(raw)}
	case f.Multiple():
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			f.misfit = "array"
			return
		}
		f.raw = make([]string, 0, len(items))
		for _, item := range items {
			f.raw = append(f.raw, f.scalar(item))
		}
	default:
		f.raw = []string{f.scalar(raw)}
	}
}

// scalar is the text of a JSON value that is no list or object. One of another type
// than the field's is a misfit: text stays text, and no number becomes true.
func (f *Field) scalar(raw json.RawMessage) string {
	kind := f.spec.codec.kind
	switch raw[0] {
	case '"':
		var text string
		if json.Unmarshal(raw, &text) != nil {
			f.misfit = "string"
		}
		return text
	case 't', 'f':
		if kind != boolKind {
			f.misfit = f.jsonType()
		}
	case '{', '[', 'n':
		f.misfit = f.jsonType()
	default:
		if kind == textKind || kind == boolKind || kind == timeKind {
			f.misfit = f.jsonType()
		}
	}
	return string(raw)
}

// jsonType is the type that a value of the field has in JSON.
func (f *Field) jsonType() string {
	switch f.spec.codec.kind {
	case boolKind:
		return "boolean"
	case intKind:
		return "integer"
	case floatKind:
		return "number"
	case timeKind:
		return "date-time"
	}
	return "string"
}
