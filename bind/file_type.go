package bind

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// DetectType returns the type of the content, such as "image/png", as its first bytes
// tell: what the client says of it plays no part. It is that of [http.DetectContentType]
// without parameters, and "image/svg+xml" for SVG, which may hold scripts. What is not
// known is "application/octet-stream", or "text/plain" for text.
func (f *File) DetectType() (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	var start [512]byte
	n, err := io.ReadFull(r, start[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return "", err
	}
	kind, _, err := mime.ParseMediaType(http.DetectContentType(start[:n]))
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(kind, "text/") && bytes.Contains(bytes.ToLower(start[:n]), []byte("<svg")) {
		kind = "image/svg+xml"
	}
	return kind, nil
}
