package session

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"
)

// An encoded session is
//
//	version (1 byte) · flags (1) · created · saved · id · [lifetime] ·
//	[user · auth hash · logged in] · [revision · expires · agent · address] · body
//
// with times as signed varints and strings as a length and their bytes. What is
// in brackets is there when its flag says so. The body is the number of values,
// the values (name, JSON), the number of flash messages and the messages
// (category, text). Names are sorted: equal sessions give equal bytes.
const (
	encodingVersion = 2

	flagPermanent  = 1 << 0
	flagCompressed = 1 << 1 // the body; only in cookies
	flagTokens     = 1 << 2 // CSRF tokens were given out
	flagLifetime   = 1 << 3
	flagUser       = 1 << 4
	flagServer     = 1 << 5 // what only stores on the server keep
	flagsKnown     = 1<<6 - 1
)

var errEncoding = errors.New("session: data is broken or of a newer version")

// Encode returns the session as bytes, for stores to keep. The ID is not among
// them.
func (s *Session) Encode() []byte {
	return s.appendBody(s.appendHead(make([]byte, 0, 256), "", flagServer))
}

// Restore makes a session again from what [Session.Encode] wrote and the ID it
// is stored under.
func Restore(id string, data []byte) (*Session, error) {
	s, body, flags, err := decodeHead(data)
	if err != nil || flags&flagCompressed != 0 || s.decodeBody(body) != nil {
		return nil, errEncoding
	}
	s.id, s.storedID = id, id
	return s, nil
}

// Revision counts how often the session had been saved when it was loaded.
// [Session.Encode] writes one more. A store replaces what it keeps only if that
// is of this revision; otherwise it calls [Session.Merge] first.
func (s *Session) Revision() int64 { return s.revision }

func (s *Session) appendHead(b []byte, id string, flags byte) []byte {
	flags |= s.flags()
	b = append(b, encodingVersion, flags)
	b = binary.AppendVarint(b, s.created)
	b = binary.AppendVarint(b, time.Now().Unix())
	b = appendString(b, id)
	if flags&flagLifetime != 0 {
		b = binary.AppendVarint(b, s.lifetime)
	}
	if flags&flagUser != 0 {
		b = appendString(b, s.user)
		b = appendString(b, s.authHash)
		b = binary.AppendVarint(b, s.loggedIn)
	}
	if flags&flagServer != 0 {
		b = binary.AppendVarint(b, s.revision+1)
		b = binary.AppendVarint(b, s.Expires().Unix())
		b = appendString(b, s.agent)
		b = appendString(b, s.address)
	}
	return b
}

func (s *Session) appendBody(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.values)))
	names := make([]string, 0, len(s.values))
	for name := range s.values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b = appendString(b, name)
		value := s.values[name]
		b = append(binary.AppendUvarint(b, uint64(len(value))), value...)
	}

	unread := 0
	for _, f := range s.flashes {
		if f.unread() {
			unread++
		}
	}
	b = binary.AppendUvarint(b, uint64(unread))
	for _, f := range s.flashes {
		if f.unread() {
			b = appendString(b, f.Category)
			b = appendString(b, f.Text)
		}
	}
	return b
}

// appendString is not inlined, as it is called often and not in a hurry.
//
//go:noinline
func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// flags tells what of the session is worth writing down.
func (s *Session) flags() (flags byte) {
	if s.Permanent {
		flags |= flagPermanent
	}
	if s.tokens {
		flags |= flagTokens
	}
	if s.lifetime != 0 {
		flags |= flagLifetime
	}
	if s.user != "" {
		flags |= flagUser
	}
	return flags
}

// decodeHead reads all but the body, which it returns as it is.
func decodeHead(data []byte) (s *Session, body []byte, flags byte, err error) {
	if len(data) < 2 || data[0] != encodingVersion || data[1]&^flagsKnown != 0 {
		return nil, nil, 0, errEncoding
	}
	flags = data[1]
	d := decoder{rest: data[2:]}
	permanent := flags&flagPermanent != 0
	s = &Session{
		Permanent: permanent, wasPermanent: permanent, tokens: flags&flagTokens != 0,
		created: d.time(), saved: d.time(), id: string(d.bytes()),
	}
	if flags&flagLifetime != 0 {
		s.lifetime = d.time()
		s.wasLifetime = s.lifetime
	}
	if flags&flagUser != 0 {
		s.user, s.authHash, s.loggedIn = string(d.bytes()), string(d.bytes()), d.time()
	}
	if flags&flagServer != 0 {
		s.revision = d.time()
		if t := d.time(); t > 0 {
			s.expires = time.Unix(t, 0)
		}
		s.agent, s.address = string(d.bytes()), string(d.bytes())
	}
	if d.bad {
		return nil, nil, 0, errEncoding
	}
	return s, d.rest, flags, nil
}

// decodeBody reads the values and messages. The values stay JSON, and parts of
// body, until something reads them.
func (s *Session) decodeBody(body []byte) error {
	d := decoder{rest: body}
	if n := d.count(); n > 0 {
		s.values = make(map[string][]byte, n)
		for range n {
			name := string(d.bytes())
			s.values[name] = d.bytes()
		}
	}
	if n := d.count(); n > 0 {
		s.flashes = make([]flash, n)
		for i := range s.flashes {
			s.flashes[i].Category = string(d.bytes())
			s.flashes[i].Text = string(d.bytes())
		}
	}
	if d.bad || len(d.rest) != 0 {
		return errEncoding
	}
	return nil
}

// decoder reads from the front of rest; after the first mistake it is bad and
// yields nothing more.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) bytes() []byte {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 || n > uint64(len(d.rest)-size) {
		d.rest, d.bad = nil, true
		return nil
	}
	end := size + int(n)
	b := d.rest[size:end:end]
	d.rest = d.rest[end:]
	return b
}

// count reads how many pairs follow. Each takes two bytes at least, which
// bounds what a false count can allocate.
func (d *decoder) count() int {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 || n > uint64(len(d.rest)-size)/2 {
		d.rest, d.bad = nil, true
		return 0
	}
	d.rest = d.rest[size:]
	return int(n)
}

func (d *decoder) time() int64 {
	t, size := binary.Varint(d.rest)
	if size <= 0 || t < 0 || t > math.MaxUint32<<4 {
		d.rest, d.bad = nil, true
		return 0
	}
	d.rest = d.rest[size:]
	return t
}
