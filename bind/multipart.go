package bind

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// multipartReader reads a form of RFC 7578 part by part. The parsing is that of
// mime/multipart; the limits are counted here, on what was really read.
type multipartReader struct {
	parts  *multipart.Reader
	source *formSource
	limits Limits

	fields, files, count int
	memory, fileMemory   int64
}

func newMultipartReader(body io.Reader, boundary string, l Limits) *multipartReader {
	source := &formSource{body: body, ending: "\r\n"}
	return &multipartReader{
		parts:      multipart.NewReader(source, boundary),
		source:     source,
		limits:     l,
		memory:     l.FormMemory,
		fileMemory: l.FileMemory,
	}
}

// formSource stands between the body and mime/multipart. It bounds what is read
// in search of the next part and its header, for which the bound of
// mime/multipart is 10 MB and cannot be changed. And it ends a body with a line end
// and an error: mime/multipart needs nothing after the final boundary, but
// takes a body that ends in a header for a complete one.
type formSource struct {
	body    io.Reader
	limited bool
	left    int64
	ending  string
	ended   bool
}

var errPartHeader = errors.New("bind: part header over the limit")

func (s *formSource) Read(p []byte) (int, error) {
	if s.limited && s.left <= 0 {
		return 0, errPartHeader
	}
	if s.ended {
		n := copy(p, s.ending)
		if s.ending = s.ending[n:]; n == 0 {
			return 0, io.ErrUnexpectedEOF
		}
		return n, nil
	}
	n, err := s.body.Read(p)
	s.left -= int64(n)
	if errors.Is(err, io.EOF) {
		s.ended, err = true, nil
	}
	return n, err
}

func (m *multipartReader) read(data *FormData) error {
	for {
		part, err := m.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = m.take(part, data)
		}
		if err != nil {
			return m.fault(err)
		}
	}
}

func (m *multipartReader) next() (*multipart.Part, error) {
	// One more buffer may have been asked for than the header needed.
	m.source.limited, m.source.left = true, int64(m.limits.PartHeader)+4096
	part, err := m.parts.NextRawPart()
	m.source.limited = false
	if err != nil {
		return nil, err
	}
	if m.count++; m.count > m.limits.Parts {
		return nil, tooMany("parts", m.limits.Parts)
	}
	size := 0
	for key, values := range part.Header {
		for _, value := range values {
			size += len(key) + len(value) + 4
		}
	}
	if size > m.limits.PartHeader {
		return nil, errPartHeader
	}
	return part, nil
}

func (m *multipartReader) fault(err error) error {
	if errors.Is(err, errPartHeader) {
		return tooLarge("the header of a part", int64(m.limits.PartHeader), nil)
	}
	if spool, ok := errors.AsType[*spoolError](err); ok {
		return spool.cause
	}
	known := readError(err)
	if plain, ok := errors.AsType[*Error](known); ok && errors.Is(err, plain.Cause) && !errors.Is(err, io.ErrUnexpectedEOF) && plain.Status == 400 {
		plain.Message = "the multipart form is malformed"
	}
	return known
}

// take reads one part to its end.
func (m *multipartReader) take(part *multipart.Part, data *FormData) error {
	disposition, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	name := params["name"]
	if err != nil || disposition != "form-data" || name == "" {
		return badRequest("a part of the form has no proper Content-Disposition with a name", err)
	}
	filename, isFile := params["filename"]
	if isFile {
		return m.takeFile(part, data, name, filename)
	}
	if kind := part.Header.Get("Content-Type"); kind != "" {
		if _, typeParams, err := mime.ParseMediaType(kind); err == nil {
			if err := checkCharset(typeParams["charset"]); err != nil {
				return err
			}
		}
	}
	if m.fields++; m.fields > m.limits.FormFields {
		return tooMany("values in its form", m.limits.FormFields)
	}
	m.memory -= int64(len(name))
	var text bytes.Buffer
	n, err := io.Copy(&text, io.LimitReader(part, max(m.memory, 0)+1))
	if err != nil {
		return err
	}
	if m.memory -= n; m.memory < 0 {
		return tooLarge("the form without its files", m.limits.FormMemory, nil)
	}
	data.Values[name] = append(data.Values[name], text.String())
	return nil
}

func (m *multipartReader) takeFile(part *multipart.Part, data *FormData, name, filename string) error {
	if m.files++; m.files > m.limits.Files {
		return tooMany("files", m.limits.Files)
	}
	m.memory -= int64(len(name) + len(filename))
	if m.memory < 0 {
		return tooLarge("the form without its files", m.limits.FormMemory, nil)
	}
	file := &File{
		Filename:    filename,
		ContentType: strings.TrimSpace(part.Header.Get("Content-Type")),
	}
	if err := file.spool(part, m.fileMemory); err != nil {
		return err
	}
	if filename == "" && file.Size == 0 {
		// A file input in which nothing was chosen.
		m.files--
		return nil
	}
	m.fileMemory -= int64(len(file.memory))
	if data.Files == nil {
		data.Files = map[string][]*File{}
	}
	data.Files[name] = append(data.Files[name], file)
	return nil
}
