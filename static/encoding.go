package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
)

// An encoding is a content coding that a file can be had in.
type encoding struct {
	coding string // as in Content-Encoding
	suffix string // of the file that holds it ready-made
}

// encodings are in order of preference where the client has none.
var encodings = [...]encoding{{"br", ".br"}, {"zstd", ".zst"}, {"gzip", ".gz"}}

// quality reads from an Accept-Encoding header how much a client likes a coding, from 0
// (not at all) to 1000, as RFC 9110 section 12.5.3 has it. Without a header, or for a
// coding that is not listed, only identity is taken: RFC 9110 would allow any coding to a
// client that sends no header, but clients that send none cannot decode one.
func quality(accept, coding string) int {
	wildcard, listed := 0, false
	for item := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(item, ";")
		name = strings.TrimSpace(name)
		switch {
		case strings.EqualFold(name, coding), coding == "gzip" && strings.EqualFold(name, "x-gzip"):
			return weight(params)
		case name == "*":
			wildcard, listed = weight(params), true
		}
	}
	if coding == "identity" && !listed {
		return 1 // less than anything asked for by name, more than nothing
	}
	return wildcard
}

// weight reads "q=0.5" as 500. Anything malformed is 0: not asked for in a way we
// understand.
func weight(params string) int {
	name, value, ok := strings.Cut(strings.TrimSpace(params), "=")
	if !ok && name == "" {
		return 1000
	}
	value = strings.TrimSpace(value)
	if !strings.EqualFold(strings.TrimSpace(name), "q") || value == "" || len(value) > 5 || value[0] > '1' || value[0] < '0' {
		return 0
	}
	if len(value) > 1 && value[1] != '.' {
		return 0
	}
	total, unit := int(value[0]-'0')*1000, 100
	for i := 2; i < len(value); i++ {
		if value[i] < '0' || value[i] > '9' {
			return 0
		}
		total += int(value[i]-'0') * unit
		unit /= 10
	}
	if total > 1000 {
		return 0
	}
	return total
}

// compress returns content in gzip, or nil if that does not make it smaller. The result
// depends on the content alone.
func compress(content io.Reader, size int64) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(w, content); err != nil {
		return nil, err
	}
	if err = w.Close(); err != nil {
		return nil, err
	}
	if int64(out.Len()) >= size {
		return nil, nil
	}
	return bytes.Clone(out.Bytes()), nil
}
