package bind

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"

	"github.com/retort-web/retort/validate"
)

// body fills the fields that belong to the body.
func (d *decoder) body(p *plan, v reflect.Value) error {
	r := d.src.Request
	if p.body == nil && isSafe(r.Method) {
		return d.queryAsForm(p, v)
	}
	kind, _, err := mediaOf(r)
	if err != nil {
		return err
	}
	if p.body != nil {
		return d.whole(p.body, v, kind)
	}
	switch kind {
	case mediaNone:
		if p.takesJSON {
			d.naming = validate.NamingJSON
		}
		return nil
	case mediaJSON:
		if p.takesJSON {
			return d.jsonFields(p, v)
		}
	case mediaURLEncoded, mediaMultipart:
		if p.takesForm {
			return d.formFields(p, v)
		}
	}
	switch {
	case !p.takesForm:
		return unsupported("the request body must be application/json")
	case !p.takesJSON:
		return unsupported("the request body must be a form: application/x-www-form-urlencoded or multipart/form-data")
	}
	return unsupported("the request body must be application/json or a form")
}

// formFields fills the fields of the form from the body.
func (d *decoder) formFields(p *plan, v reflect.Value) error {
	parse := d.src.Form
	if parse == nil {
		parse = d.parseForm
	}
	data, err := parse()
	if err != nil {
		return err
	}
	d.form(p, v, &values{texts: data.Values, files: data.Files})
	return nil
}

// parseForm reads the form for this one use.
func (d *decoder) parseForm() (*FormData, error) {
	r := d.src.Request
	data, err := Form(r, d.src.Limits)
	if err != nil {
		if refused, ok := errors.AsType[*Error](err); ok && refused.Status == http.StatusRequestEntityTooLarge {
			d.hangUp()
		}
		return nil, err
	}
	if len(data.Files) > 0 {
		context.AfterFunc(r.Context(), func() { _ = data.Close() })
	}
	return data, nil
}

// whole sets the field with the tag body.
func (d *decoder) whole(f *field, v reflect.Value, kind media) error {
	target := indirect(reach(v, f.index))
	raw := target.Kind() == reflect.Slice && target.Type().Elem().Kind() == reflect.Uint8 && target.Type() != rawMessageType
	if !raw && target.Kind() != reflect.String {
		switch kind {
		case mediaNone:
			return nil
		case mediaJSON:
			return d.decodeJSON(target.Addr().Interface(), nil)
		}
		return unsupported("the request body must be application/json")
	}
	body, err := d.read()
	if err != nil {
		return err
	}
	if raw {
		if cap(body) > maxKeptBuffer { // it would not be used again
			target.SetBytes(body)
			d.buffer = nil
			return nil
		}
		target.SetBytes(bytes.Clone(body))
		return nil
	}
	if fault := validate.TextFault(string(body)); fault != nil {
		return badRequest("the request body "+fault.Message, nil)
	}
	target.SetString(string(body))
	return nil
}

// read returns the whole body, which is valid until release.
func (d *decoder) read() ([]byte, error) {
	r := d.src.Request
	if r.Body == nil {
		return nil, nil
	}
	limit := d.src.Limits.Body
	if r.ContentLength > limit {
		d.hangUp()
		return nil, tooLarge("the request body", limit, nil)
	}
	announced := r.ContentLength + 1 // one more, to see the end
	if announced > int64(cap(d.buffer)) {
		d.buffer = make([]byte, 0, max(min(announced, maxKeptBuffer), 1024))
	}
	body := d.buffer[:0]
	for {
		if len(body) == cap(body) {
			body = grown(body, announced)
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		d.buffer = body
		if int64(len(body)) > limit {
			d.hangUp()
			return nil, tooLarge("the request body", limit, nil)
		}
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return nil, readError(err)
		}
	}
}

// grown returns body with room for more: for all that was announced once a fair
// part of it has come, so that a client which announces much and sends little
// costs little.
func grown(body []byte, announced int64) []byte {
	room := 2 * len(body)
	if rest := int(announced) - len(body); rest > 0 && rest <= 16*len(body) {
		room = len(body) + rest
	}
	return append(make([]byte, 0, max(room, 1024)), body...)
}

// hangUp has the server close the connection after the answer, rather than read
// what the client goes on to send.
func (d *decoder) hangUp() {
	if d.src.Response != nil {
		_, _ = http.MaxBytesReader(d.src.Response, io.NopCloser(bytes.NewReader([]byte{0})), 0).Read(make([]byte, 1))
	}
}
