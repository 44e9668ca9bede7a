package server

import (
	"bytes"
	"math"
)

// target takes the next part of the request target, and keeps the authority of the absolute
// form and of CONNECT: net/http believes it rather than the Host header.
func (f *framing) target(part []byte) violation {
	connect := f.nameLength == 7 && string(f.method[:]) == "CONNECT"
	if f.valueLength == 0 {
		f.valueLength = 1
		if part[0] == '/' || part[0] == '*' {
			f.slashes = 3
		} else if connect {
			f.slashes = 2
			f.upgrade = true
		}
	}
	for f.slashes < 3 && len(part) > 0 {
		c := part[0]
		part = part[1:]
		switch {
		case f.slashes < 2 && c == '/':
			f.slashes++
		case f.slashes < 2:
			f.slashes = 0
		case c == '/' || c == '?' || c == '#':
			f.slashes = 3
			if f.authority == nil {
				return badRequestLine
			}
		case len(f.authority) == valueSize:
			return badHost
		default:
			f.authority = append(f.authority, c)
		}
	}
	return ""
}

func (f *framing) endVersion() violation {
	if string(f.version[:7]) != "HTTP/1." || f.version[7] < '0' || f.version[7] > '9' {
		return badVersion
	}
	f.minor = f.version[7]
	f.at = atVersionLF
	return ""
}

// headerName takes the bytes of a name up to and with its colon.
func (f *framing) headerName(b []byte) (int, violation) {
	seen, n := uint8(0), 0
	for n < len(b) && byteClass[b[n]]&tokenByte != 0 {
		seen |= byteClass[b[n]]
		n++
	}
	if seen&underscoreByte != 0 {
		f.underscore = true
	}
	name := b[:n]
	if f.nameLength > 0 || n == len(b) { // cut off before or after
		kept := min(int(f.nameLength), len(f.name))
		copy(f.name[kept:], name)
		f.nameLength = uint8(min(int(f.nameLength)+n, math.MaxUint8))
		name = f.name[:min(int(f.nameLength), len(f.name))]
	}
	if n == len(b) {
		return n, ""
	}
	switch {
	case b[n] == '\r' || b[n] == '\n':
		return n, badLineEnd
	case b[n] != ':' || len(name) == 0:
		return n, badHeaderName
	}
	f.field = otherField
	if int(f.nameLength) <= len(f.name) && !f.trailer {
		f.field = fieldNamed(name)
	}
	f.at = beforeValue
	return n + 1, ""
}

func fieldNamed(name []byte) field {
	var known string
	var found field
	switch len(name) {
	case 4:
		known, found = "host", hostField
	case 7:
		known, found = "upgrade", upgradeField
	case 14:
		known, found = "content-length", lengthField
	case 17:
		known, found = "transfer-encoding", encodingField
	default:
		return otherField
	}
	for i, c := range name {
		// Of all token characters only a capital letter becomes a letter by this bit, and
		// only the hyphen stays or becomes one.
		if c|0x20 != known[i] {
			return otherField
		}
	}
	return found
}

// keep collects the value of a field that matters.
func (f *framing) keep(part []byte) violation {
	if f.field == upgradeField {
		return ""
	}
	n := copy(f.value[f.valueLength:], part)
	f.valueLength += uint16(n)
	if n < len(part) {
		switch f.field {
		case hostField:
			return badHost
		case lengthField:
			return badContentLength
		default:
			return badTransferEncoding
		}
	}
	return ""
}

func (f *framing) endValue() violation {
	if f.field == otherField {
		return ""
	}
	value := bytes.TrimRight(f.value[:f.valueLength], " \t")
	switch f.field {
	case upgradeField:
		f.upgrade = true
	case hostField:
		if f.hosts++; f.hosts > 1 {
			return repeatedHost
		}
		if len(value) == 0 {
			if f.minor > '0' {
				return missingHost
			}
		} else if !validHost(value) {
			return badHost
		}
		if f.authority != nil && !bytes.EqualFold(f.authority, value) {
			return differentAuthority
		}
	case lengthField:
		if len(value) == 0 || len(value) > 18 {
			return badContentLength
		}
		var length int64
		for _, c := range value {
			if c < '0' || c > '9' {
				return badContentLength
			}
			length = length*10 + int64(c-'0')
		}
		if f.lengths++; f.lengths > 1 && length != f.length {
			return unequalLengths
		}
		f.length = length
	case encodingField:
		if f.encoded || !bytes.EqualFold(value, []byte("chunked")) {
			return badTransferEncoding
		}
		f.encoded = true
	}
	f.valueLength = 0
	return ""
}

// endHead judges the head as a whole and finds where the message ends.
func (f *framing) endHead() violation {
	switch {
	case f.hosts == 0 && f.minor > '0':
		return missingHost
	case f.authority != nil && !validHost(f.authority):
		return badHost
	case f.encoded && f.lengths > 0:
		return lengthAndEncoding
	case f.encoded && f.minor == '0':
		return encodingBefore11
	case f.encoded:
		f.at = inChunkSize
		f.left = 0
		f.digits = 0
	case f.length > 0:
		f.at = inBody
		f.left = f.length
	default:
		f.at = atStart
	}
	return ""
}
