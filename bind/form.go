package bind

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// FormData is the form in a request's body.
type FormData struct {
	// Values are the texts by name, as sent: they may be any bytes.
	Values url.Values

	// Files are the uploads by name, of multipart forms.
	Files map[string][]*File
}

// Close removes the files. They cannot be read any more afterwards.
func (f *FormData) Close() error {
	var err error
	for _, files := range f.Files {
		for _, file := range files {
			err = errors.Join(err, file.remove())
		}
	}
	return err
}

// Form reads the form in the request's body, urlencoded or multipart, within the
// limits. Another kind of body is an error with status 415, one that is over a
// limit 413, one that is malformed 400. No body at all is an empty form. The
// query of the URL plays no part. Close the data when done with the files; after
// an error there is nothing to close.
//
// It reads the body itself, so it works once per request, and not together with
// [http.Request.ParseForm].
func Form(r *http.Request, l Limits) (*FormData, error) {
	l = l.withDefaults()
	kind, boundary, err := mediaOf(r)
	if err != nil {
		return nil, err
	}
	data := &FormData{Values: url.Values{}}
	if kind == mediaNone || r.Body == nil {
		return data, nil
	}
	if kind != mediaURLEncoded && kind != mediaMultipart {
		return nil, unsupported("the request body must be a form: application/x-www-form-urlencoded or multipart/form-data")
	}
	if r.ContentLength > l.Body {
		return nil, tooLarge("the request body", l.Body, nil)
	}
	if kind == mediaMultipart {
		reader := newMultipartReader(http.MaxBytesReader(nil, r.Body, l.Body), boundary, l)
		if err := reader.read(data); err != nil {
			_ = data.Close()
			return nil, err
		}
		return data, nil
	}
	if data.Values, err = readURLEncoded(r.Body, l); err != nil {
		return nil, err
	}
	return data, nil
}

func readURLEncoded(body io.Reader, l Limits) (url.Values, error) {
	limit := min(l.FormMemory, l.Body)
	text, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, readError(err)
	}
	if int64(len(text)) > limit {
		return nil, tooLarge("the form", limit, nil)
	}
	if fields := bytes.Count(text, []byte("&")) + 1; fields > l.FormFields {
		return nil, tooMany("values in its form", l.FormFields)
	}
	values := url.Values{}
	for pair := range strings.SplitSeq(string(text), "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if name, err = url.QueryUnescape(name); err == nil {
			value, err = url.QueryUnescape(value)
		}
		if err != nil {
			return nil, badRequest("the form is not encoded properly", err)
		}
		values[name] = append(values[name], value)
	}
	return values, nil
}
