package vectors

import (
	"bytes"
	"encoding/json"

	"github.com/retort-web/retort/template"
)

// decodeOrdered reads JSON with numbers of any size and the order of keys.
func decodeOrdered(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return decodeValue(d)
}

func decodeValue(d *json.Decoder) (any, error) {
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('['):
		return decodeList(d)
	case json.Delim('{'):
		return decodeDict(d)
	}
	return tok, nil
}

func decodeList(d *json.Decoder) (any, error) {
	l := template.NewList()
	for d.More() {
		v, err := decodeValue(d)
		if err != nil {
			return nil, err
		}
		l.Append(v)
	}
	_, err := d.Token()
	return l, err
}

// decodeDict reads an object; {"$markup": "…"} is a string that is safe.
func decodeDict(d *json.Decoder) (any, error) {
	dict := template.NewDict()
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := decodeValue(d)
		if err != nil {
			return nil, err
		}
		dict.Set(k, v)
	}
	_, err := d.Token()
	if m, ok := dict.Get("$markup"); ok && dict.Len() == 1 {
		if s, ok := m.(string); ok {
			return template.Safe(s), err
		}
	}
	return dict, err
}
