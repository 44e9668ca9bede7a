package router

import (
	"bytes"
	"strings"
)

// decodeKeepingSlashes decodes rawPath with each encoded slash as NUL, which
// path does not hold. So "/a%2Fb" stays one segment.
//
// encoded tells whether there was one; else the result is path itself, without
// allocation. A rawPath that is no encoding of path is a leftover of a
// middleware that changed only the path, and is not believed. ok is false for
// invalid escapes.
func decodeKeepingSlashes(path, rawPath string) (decoded string, encoded, ok bool) {
	same, slashes := true, false
	at := 0
	for i := 0; i < len(rawPath); i++ {
		c := rawPath[i]
		if c == '%' {
			if i+2 >= len(rawPath) || !isHex(rawPath[i+1]) || !isHex(rawPath[i+2]) {
				return "", false, false
			}
			c = unhex(rawPath[i+1])<<4 | unhex(rawPath[i+2])
			i += 2
			slashes = slashes || c == '/'
		}
		same = same && at < len(path) && path[at] == c
		at++
	}
	if !same || at != len(path) || !slashes {
		return path, false, true
	}
	var b strings.Builder
	b.Grow(len(path))
	for i := 0; i < len(rawPath); i++ {
		c := rawPath[i]
		if c == '%' {
			if c = unhex(rawPath[i+1])<<4 | unhex(rawPath[i+2]); c == '/' {
				c = 0
			}
			i += 2
		}
		b.WriteByte(c)
	}
	return b.String(), true, true
}

// hasDotSegment reports whether path has a "." or ".." segment that ends after
// from. from may lie inside a segment.
func hasDotSegment(path string, from int) bool {
	for from > 0 && path[from-1] != '/' {
		from--
	}
	for from <= len(path) {
		end := segmentEnd(path, from)
		if isDots(path[from:end]) {
			return true
		}
		from = end + 1
	}
	return false
}

func isDots(segment string) bool { return segment == "." || segment == ".." }

// segmentEnd is the offset of the next slash from i on, or the path's end.
func segmentEnd(path string, i int) int {
	for i < len(path) && path[i] != '/' {
		i++
	}
	return i
}

// clean merges doubled slashes and resolves dot segments (RFC 3986, section
// 5.2.4). The result begins with exactly one slash.
func clean(path string) string {
	cleaned := make([]byte, 0, len(path)+1)
	final := true // the last segment is a directory
	for i := 0; i <= len(path); {
		end := segmentEnd(path, i)
		segment := path[i:end]
		i = end + 1
		final = segment == "" || isDots(segment)
		switch segment {
		case "", ".":
		case "..":
			cleaned = cleaned[:max(bytes.LastIndexByte(cleaned, '/'), 0)]
		default:
			cleaned = append(append(cleaned, '/'), segment...)
		}
	}
	if final || len(cleaned) == 0 {
		cleaned = append(cleaned, '/')
	}
	return string(cleaned)
}

const upperHex = "0123456789ABCDEF"

// pathSafe reports the bytes that need no escape in a path: unreserved,
// sub-delims, ":" and "@" (RFC 3986, section 3.3), and the slash.
func pathSafe(c byte) bool { return c == '/' || segmentSafe(c) }

// segmentSafe is pathSafe within a segment, where a slash needs its escape.
func segmentSafe(c byte) bool { return querySafe(c) || strings.IndexByte("!$&'()*+,:;=@", c) >= 0 }

// querySafe reports the unreserved bytes, safe anywhere in a URL.
func querySafe(c byte) bool { return isLetter(c) || isDigit(c) || strings.IndexByte("-._~", c) >= 0 }

// appendEscaped percent-encodes what is not safe. NUL is written as the
// encoded slash it stands for.
func appendEscaped(dst []byte, text string, safe func(byte) bool) []byte {
	for i := range len(text) {
		c := text[i]
		switch {
		case safe(c):
			dst = append(dst, c)
		case c == 0:
			dst = append(dst, "%2F"...)
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// escapePath makes the target of a redirect. Backslashes and control characters
// are escaped, and the path has one leading slash, so that no browser takes it
// for another host.
func escapePath(path string) string {
	return string(appendEscaped(make([]byte, 0, len(path)+8), "/"+strings.TrimLeft(path, "/"), pathSafe))
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
