package server

import (
	"encoding/binary"
	"math"
)

// violation says why a message was refused. The zero value means nothing was wrong.
type violation string

const (
	badRequestLine      violation = "malformed request line"
	badVersion          violation = "unsupported protocol version"
	badLineEnd          violation = "line not ended by CR LF"
	badHeaderName       violation = "malformed header name"
	badHeaderValue      violation = "control character in a header value"
	foldedHeader        violation = "folded header line"
	tooManyHeaders      violation = "too many header lines"
	missingHost         violation = "missing Host header"
	repeatedHost        violation = "more than one Host header"
	badHost             violation = "malformed Host header"
	differentAuthority  violation = "request target and Host name different hosts"
	badContentLength    violation = "malformed Content-Length"
	unequalLengths      violation = "different Content-Length headers"
	badTransferEncoding violation = "unsupported Transfer-Encoding"
	encodingBefore11    violation = "Transfer-Encoding in HTTP/1.0"
	lengthAndEncoding   violation = "Content-Length together with Transfer-Encoding"
	badChunk            violation = "malformed chunk"
)

// A place is where in a message the next byte stands.
type place uint8

const (
	atStart place = iota // before the first byte of a message
	atStartLF
	inMethod
	inTarget
	inVersion
	atVersionLF
	atLine // first byte of a header line, or the CR of the empty line
	inName
	beforeValue
	inValue
	atValueLF
	atEndLF
	inBody
	inChunkSize
	inChunkExtension
	atChunkSizeLF
	inChunk
	afterChunkCR
	afterChunkLF
)

// A field is a header whose value decides the framing or the routing of a message.
type field uint8

const (
	otherField field = iota
	hostField
	lengthField
	encodingField
	upgradeField
)

// valueSize holds the longest host name (255) with its port, and any length or encoding
// that is not refused.
const valueSize = 264

// framing follows HTTP/1 messages (RFC 9112) through a stream that may be cut at any byte.
// It keeps no more than the few values that decide where a message ends and whom it is for,
// and allocates only for targets that carry an authority.
//
// It is deliberately stricter than net/http: whatever two readers of the same bytes could
// understand differently is refused rather than interpreted.
type framing struct {
	maxHeaders int

	at          place
	trailer     bool // the header lines being read follow a chunked body
	minor       byte // of the version, '0' or more
	field       field
	nameLength  uint8
	valueLength uint16
	headers     int
	hosts       int
	lengths     int
	encoded     bool // chunked
	upgrade     bool // Upgrade or CONNECT: what follows may not be HTTP

	underscore bool   // some header name had one, in any message so far
	begun      uint32 // messages whose first byte was seen
	left       int64  // of the body or the chunk
	length     int64  // Content-Length
	digits     int    // of the chunk size
	authority  []byte // of the target, if it has one; else nil
	slashes    int    // of the "//" before that authority
	version    [8]byte
	method     [7]byte
	name       [17]byte
	value      [valueSize]byte
}

const (
	tokenByte  = 1 << iota // RFC 9110 section 5.6.2
	targetByte             // visible, or part of a raw UTF-8 sequence
	valueByte              // visible, space, tab, obs-text
	hexByte
	underscoreByte
)

var byteClass = func() (class [256]uint8) {
	for c := range class {
		if c > ' ' && c != 0x7f {
			class[c] |= targetByte | valueByte
		}
	}
	class[' '] |= valueByte
	class['\t'] |= valueByte
	for c := '0'; c <= '9'; c++ {
		class[c] |= tokenByte | hexByte
	}
	for c := 'a'; c <= 'z'; c++ {
		class[c] |= tokenByte
		class[c-'a'+'A'] |= tokenByte
	}
	for c := 'a'; c <= 'f'; c++ {
		class[c] |= hexByte
		class[c-'a'+'A'] |= hexByte
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		class[c] |= tokenByte
	}
	class['_'] |= underscoreByte
	return class
}()

// scan follows the bytes of b and returns how many of them may be passed on. It stops early
// at the first byte that makes the message unacceptable, and then says why, and after a
// message that asked for another protocol, without a violation.
func (f *framing) scan(b []byte) (int, violation) {
	for i := 0; i < len(b); {
		c := b[i]
		switch f.at {
		case atStart:
			if c == '\r' {
				f.at = atStartLF
				break
			}
			f.begin()
			continue
		case atStartLF:
			if c != '\n' {
				return i, badLineEnd
			}
			f.at = atStart
		case inMethod:
			if c == ' ' && f.nameLength > 0 {
				f.at = inTarget
				f.valueLength = 0
				break
			}
			if byteClass[c]&tokenByte == 0 {
				return i, badRequestLine
			}
			if int(f.nameLength) < len(f.method) {
				f.method[f.nameLength] = c
			}
			if f.nameLength < math.MaxUint8 {
				f.nameLength++
			}
		case inTarget:
			n := 0
			for n < len(b)-i && byteClass[b[i+n]]&targetByte != 0 {
				n++
			}
			if n > 0 {
				if why := f.target(b[i : i+n]); why != "" {
					return i, why
				}
				i += n
				continue
			}
			if c != ' ' || f.valueLength == 0 {
				return i, badRequestLine
			}
			f.at = inVersion
			f.digits = 0
		case inVersion:
			if c == '\r' && f.digits == len(f.version) {
				if why := f.endVersion(); why != "" {
					return i, why
				}
				f.at = atVersionLF
				break
			}
			if f.digits == len(f.version) || byteClass[c]&targetByte == 0 {
				return i, badRequestLine
			}
			f.version[f.digits] = c
			f.digits++
		case atVersionLF:
			if c != '\n' {
				return i, badLineEnd
			}
			f.at = atLine
		case atLine:
			switch c {
			case '\r':
				f.at = atEndLF
			case ' ', '\t':
				return i, foldedHeader
			case '\n':
				return i, badLineEnd
			default:
				f.headers++
				if f.headers > f.maxHeaders {
					return i, tooManyHeaders
				}
				f.at = inName
				f.nameLength = 0
				continue
			}
		case inName:
			n, why := f.headerName(b[i:])
			i += n
			if why != "" {
				return i, why
			}
			continue
		case beforeValue:
			if c == ' ' || c == '\t' {
				break
			}
			f.at = inValue
			f.valueLength = 0
			continue
		case inValue:
			n := plainPrefix(b[i:])
			if f.field != otherField && n > 0 {
				if why := f.keep(b[i : i+n]); why != "" {
					return i, why
				}
			}
			if i += n; i == len(b) {
				continue
			}
			switch b[i] {
			case '\r':
				if why := f.endValue(); why != "" {
					return i, why
				}
				f.at = atValueLF
			case '\n':
				return i, badLineEnd
			default:
				return i, badHeaderValue
			}
		case atValueLF:
			if c != '\n' {
				return i, badLineEnd
			}
			f.at = atLine
		case atEndLF:
			if c != '\n' {
				return i, badLineEnd
			}
			if !f.trailer {
				if why := f.endHead(); why != "" {
					return i, why
				}
			} else {
				f.at = atStart
				f.trailer = false
			}
			if f.at == atStart && f.upgrade {
				return i + 1, ""
			}
		case inBody, inChunk:
			n := int(min(f.left, int64(len(b)-i)))
			f.left -= int64(n)
			i += n
			if f.left > 0 {
				continue
			}
			if f.at == inChunk {
				f.at = afterChunkCR
				continue
			}
			f.at = atStart
			if f.upgrade {
				return i, ""
			}
			continue
		case inChunkSize:
			switch {
			case byteClass[c]&hexByte != 0:
				if f.digits++; f.digits > 15 {
					return i, badChunk
				}
				f.left = f.left<<4 | int64(hexValue(c))
			case f.digits == 0:
				return i, badChunk
			case c == '\r':
				f.at = atChunkSizeLF
			case c == ';' || c == ' ' || c == '\t':
				f.at = inChunkExtension
			default:
				return i, badChunk
			}
		case inChunkExtension:
			switch {
			case c == '\r':
				f.at = atChunkSizeLF
			case byteClass[c]&valueByte == 0:
				return i, badChunk
			}
		case atChunkSizeLF:
			if c != '\n' {
				return i, badLineEnd
			}
			f.digits = 0
			if f.left > 0 {
				f.at = inChunk
				break
			}
			f.at = atLine
			f.trailer = true
		case afterChunkCR:
			if c != '\r' {
				return i, badChunk
			}
			f.at = afterChunkLF
		case afterChunkLF:
			if c != '\n' {
				return i, badChunk
			}
			f.at = inChunkSize
		}
		i++
	}
	return len(b), ""
}

func (f *framing) begin() {
	f.begun++
	f.at = inMethod
	f.trailer = false
	f.nameLength = 0
	f.headers, f.hosts, f.lengths = 0, 0, 0
	f.encoded, f.upgrade = false, false
	f.left, f.length = 0, 0
	f.authority = nil
	f.slashes = 0
}

// expectsBody reports whether the head of the current message ended and its body did not.
func (f *framing) expectsBody() bool {
	return f.at >= inBody || f.trailer && f.at != atStart
}

// plainPrefix returns how many bytes at the start of b may stand in a header value, eight
// at a time: header values are most of a request.
func plainPrefix(b []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		below := (x - ones*' ') &^ x // high bit set where a byte is below the space
		y := x ^ ones*0x7f
		del := (y - ones) &^ y // and where it is DEL
		if (below|del)&highs != 0 {
			break // a tab stops the quick way too
		}
	}
	for i < len(b) && byteClass[b[i]]&valueByte != 0 {
		i++
	}
	return i
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
