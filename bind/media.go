package bind

import (
	"mime"
	"net/http"
	"strings"
)

// media is the kind of a body, by its Content-Type.
type media int

const (
	mediaNone media = iota // nothing is said, and nothing is sent
	mediaJSON
	mediaURLEncoded
	mediaMultipart
	mediaOther
)

// mediaOf reads the Content-Type. It refuses character sets other than UTF-8 and
// compressed bodies, which nothing here can read.
func mediaOf(r *http.Request) (kind media, boundary string, err error) {
	if coding := first(r.Header, "Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return mediaOther, "", unsupported("the request body must not be compressed")
	}
	header := first(r.Header, "Content-Type")
	if header == "application/json" {
		return mediaJSON, "", nil
	}
	if header == "" {
		if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
			return mediaNone, "", nil
		}
		return mediaOther, "", nil
	}
	name, params, err := mime.ParseMediaType(header)
	if err != nil {
		return mediaOther, "", &Error{
			Status:  http.StatusUnsupportedMediaType,
			Message: "the Content-Type header is malformed",
			Cause:   err,
		}
	}
	switch {
	case name == "application/json" || strings.HasPrefix(name, "application/") && strings.HasSuffix(name, "+json"):
		kind = mediaJSON
	case name == "application/x-www-form-urlencoded":
		kind = mediaURLEncoded
	case name == "multipart/form-data":
		kind, boundary = mediaMultipart, params["boundary"]
		// RFC 2046, section 5.1.1.
		if boundary == "" || len(boundary) > 70 {
			return kind, "", badRequest("the Content-Type header has no proper boundary", nil)
		}
	default:
		return mediaOther, "", nil
	}
	return kind, boundary, checkCharset(params["charset"])
}

// first is Header.Get for a name that is known to be canonical.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

func checkCharset(charset string) error {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return nil
	}
	return unsupported("text must be in UTF-8")
}
