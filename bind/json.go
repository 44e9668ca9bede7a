package bind

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/retort-web/retort/validate"
)

// JSON decodes the request's body into dst, a pointer, and validates what
// it is or holds of structs. The body must be one JSON value in UTF-8 of type
// application/json or one that ends in +json, else the error has status 415.
// Malformed JSON, with its place, and values of the wrong type are 400. Unlike
// [Struct] it sets every field that encoding/json would.
func JSON(r *http.Request, dst any, l Limits) error {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("bind: the target of JSON must be a pointer, not %T", dst)
	}
	kind, _, err := mediaOf(r)
	if err != nil {
		return err
	}
	if kind != mediaJSON {
		return unsupported("the request body must be application/json")
	}
	d := newDecoder(Source{Request: r, Limits: l})
	if err = d.decodeJSON(dst, nil); err == nil {
		err = d.finishAny(r.Context(), v)
	}
	d.release()
	return err
}

// finishAny is finish for targets that need not be structs.
func (d *decoder) finishAny(ctx context.Context, v reflect.Value) error {
	base := v
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	switch base.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
		return d.finish(ctx, v.Interface())
	}
	if len(d.errors) > 0 {
		return fieldsError(d.errors)
	}
	return nil
}

// jsonFields fills the struct at v except the fields that JSON must not set:
// those are put aside and back.
func (d *decoder) jsonFields(p *plan, v reflect.Value) error {
	var aside []reflect.Value
	for i, f := range p.hidden {
		target, err := v.FieldByIndexErr(f.index)
		if err != nil || target.IsZero() {
			continue
		}
		if aside == nil {
			aside = make([]reflect.Value, len(p.hidden))
		}
		aside[i] = reflect.New(target.Type()).Elem()
		aside[i].Set(target)
		target.SetZero()
	}
	err := d.decodeJSON(v.Addr().Interface(), p)
	for i, f := range p.hidden {
		target, unreachable := v.FieldByIndexErr(f.index)
		if unreachable != nil {
			continue
		}
		if aside != nil && aside[i].IsValid() {
			target.Set(aside[i])
		} else if !target.IsZero() {
			target.SetZero()
		}
	}
	return err
}

// decodeJSON reads the body into dst. Values of wrong types are noted as errors
// of fields, but for those of fields that are hidden in p, which may be nil.
func (d *decoder) decodeJSON(dst any, p *plan) error {
	d.naming = validate.NamingJSON
	body, err := d.read()
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return badRequest("the request has no body", nil)
	}
	if !utf8.Valid(body) {
		return badRequest("the request body must be in UTF-8", nil)
	}
	if err := checkJSON(body, d.src.Limits); err != nil {
		return err
	}
	d.json.body = body
	nulls := hasNullEscape(body)
	if d.src.Limits.RefuseUnknown {
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		if err = decoder.Decode(dst); err == nil && !json.Valid(body) {
			err = json.Unmarshal(body, new(json.RawMessage))
		}
	} else {
		err = json.Unmarshal(body, dst)
	}
	if err == nil && !nulls {
		return nil
	}
	if err != nil && !json.Valid(body) {
		return malformed(body)
	}
	return d.jsonFaults(dst, p, body, err)
}

// malformed says where the body stops being JSON.
func malformed(body []byte) *Error {
	err := json.NewDecoder(bytes.NewReader(body)).Decode(new(json.RawMessage))
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return badRequest("the request body is JSON that breaks off", err)
	}
	message := "the request body is not JSON"
	err = json.Unmarshal(body, new(json.RawMessage))
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		message += " from byte " + strconv.FormatInt(syntax.Offset, 10)
	}
	return badRequest(message, err)
}

var nullEscape = []byte(`\u0000`)

// checkJSON holds a body against the limits on depth and number of values. Text
// that has few brackets and commas is passed by counting these, which is many
// times faster than to look at each byte.
func checkJSON(body []byte, l Limits) error {
	if len(body) <= 2*l.JSONDepth && len(body) <= l.JSONValues {
		return nil // each level and each value takes its bytes
	}
	brackets := bytes.Count(body, []byte("{")) + bytes.Count(body, []byte("["))
	if brackets <= l.JSONDepth && brackets+bytes.Count(body, []byte(","))+1 <= l.JSONValues {
		return nil
	}
	depth, values := 0, 0
	quoted := false
	for i := 0; i < len(body); i++ {
		c := body[i]
		if quoted {
			switch c {
			case '\\':
				i++
			case '"':
				quoted = false
			}
			continue
		}
		switch c {
		case '"':
			quoted = true
		case '{', '[':
			values++
			if depth++; depth > l.JSONDepth {
				return badRequest("the JSON is nested more than "+strconv.Itoa(l.JSONDepth)+" levels deep", nil)
			}
		case '}', ']':
			depth--
		case ',':
			values++
		}
		if values > l.JSONValues {
			return tooMany("values in its JSON", l.JSONValues)
		}
	}
	return nil
}
