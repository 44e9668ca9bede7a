//go:build unix

package faulttest_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
)

// The parts of HTTP/2 (RFC 9113, sections 4.1 and 6) that misuse needs.
const (
	http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	headersFrame, resetFrame, settingsFrame, goAwayFrame, continuationFrame = 1, 3, 4, 7, 9

	endStream, endHeaders = 0x1, 0x4
)

// speaker writes HTTP/2 frames as it likes.
type speaker struct {
	*wire
	block   bytes.Buffer
	encoder *hpack.Encoder
	decoder *hpack.Decoder
}

func (s *site) speakHTTP2(t testing.TB) *speaker {
	t.Helper()
	p := &speaker{wire: s.dial(t), decoder: hpack.NewDecoder(4096, nil)}
	p.encoder = hpack.NewEncoder(&p.block)
	p.send(http2Preface)
	p.frame(settingsFrame, 0, 0, nil)
	return p
}

// frame writes one, and reports whether the other side still takes it.
func (p *speaker) frame(kind, flags byte, stream uint32, payload []byte) bool {
	n := len(payload)
	head := binary.BigEndian.AppendUint32([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}, stream)
	_, err := p.conn.Write(append(head, payload...))
	return err == nil
}

// open begins a request of fields, "name: value".
func (p *speaker) open(stream uint32, fields ...string) bool {
	p.block.Reset()
	for _, field := range fields {
		i := strings.LastIndex(field, ": ")
		_ = p.encoder.WriteField(hpack.HeaderField{Name: field[:i], Value: field[i+2:]})
	}
	kind, block := byte(headersFrame), p.block.Bytes()
	const most = 16 << 10 // of a frame, unless settings say more
	for len(block) > most {
		if !p.frame(kind, endStream, stream, block[:most]) {
			return false
		}
		kind, block = continuationFrame, block[most:]
	}
	flags := byte(endHeaders)
	if kind == headersFrame {
		flags |= endStream
	}
	return p.frame(kind, flags, stream, block)
}

// ask sends a request and returns its status, or 0 if the stream or the
// connection is ended without an answer.
func (p *speaker) ask(stream uint32, fields ...string) int {
	p.t.Helper()
	p.open(stream, fields...)
	for {
		var head [9]byte
		if _, err := io.ReadFull(p.in, head[:]); err != nil {
			return 0
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(p.in, payload); err != nil {
			return 0
		}
		switch head[3] {
		case headersFrame:
			answered, err := p.decoder.DecodeFull(payload)
			if err != nil || len(answered) == 0 {
				p.t.Fatalf("%v: %q", err, payload)
			}
			status, _ := strconv.Atoi(answered[0].Value)
			return status
		case resetFrame, goAwayFrame:
			return 0
		}
	}
}

func TestHostileHTTP2(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{env: []string{"RETORT_SERVER_H2C=true", "RETORT_HOSTS=blog.example"}})
	well := []string{":method: GET", ":scheme: http", ":authority: blog.example", ":path: /"}
	if status := s.speakHTTP2(t).ask(1, well...); status != 200 {
		t.Fatalf("a request in order: %d", status)
	}
	but := func(i int, field string) []string {
		fields := append([]string{}, well...)
		fields[i] = field
		return fields
	}
	for name, test := range map[string]struct {
		fields []string
		want   []int
	}{
		"no path":             {append([]string{}, well[:3]...), is(0, 400)},
		"empty path":          {but(3, ":path: "), is(0, 400)},
		"path without slash":  {but(3, ":path: item"), is(0, 400)},
		"path above":          {but(3, ":path: /../../etc/passwd"), is(301, 308, 400, 404)},
		"path with a break":   {but(3, ":path: /\r\nx"), is(0, 400)},
		"no method":           {append([]string{}, well[1:]...), is(0, 400)},
		"method with a space": {but(0, ":method: GET /x"), is(0, 400, 405)},
		"TRACE":               {but(0, ":method: TRACE"), is(0, 405, 501)},
		"unknown authority":   {but(2, ":authority: evil.example"), is(400)},
		"bad authority":       {but(2, ":authority: a,b"), is(0, 400)},
		"authority and user":  {but(2, ":authority: a@blog.example"), is(0, 400)},
		"two hosts":           {append(append([]string{}, well...), "host: evil.example"), is(0, 200, 400)},
		"capital name":        {append(append([]string{}, well...), "X-A: 1"), is(0, 400)},
		"break in a value":    {append(append([]string{}, well...), "x-a: 1\r\nx-b 2"), is(0, 400)},
		"connection":          {append(append([]string{}, well...), "connection: close"), is(0, 400)},
		"encoding":            {append(append([]string{}, well...), "transfer-encoding: chunked"), is(0, 400)},
		"length of no body":   {append(append([]string{}, well...), "content-length: 5"), is(0, 200, 400)},
		"late pseudo field":   {append(append([]string{"x-a: 1"}, well...), ":path: /x"), is(0, 400)},
		"header of 100 kB":    {append(append([]string{}, well...), "x-a: "+strings.Repeat("a", 15_000), "x-b: "+strings.Repeat("b", 100_000)), is(0, 431)},
		"200 header lines":    {append(append([]string{}, well...), strings.Split(strings.TrimSuffix(repeat(200, "x-%d: 1\n"), "\n"), "\n")...), is(0, 431)},
	} {
		p := s.speakHTTP2(t)
		if got := p.ask(1, test.fields...); !slices.Contains(test.want, got) {
			t.Errorf("%s: %d, want %v", name, got, test.want)
		}
	}
	for _, junk := range []string{"\x00", strings.Repeat("\xff", 10_000), strings.Repeat("\x00\x00\x00\x04\x01\x00\x00\x00\x00", 5000), "\xff\xff\xff\x00\x00\x00\x00\x00\x01"} {
		w := s.dial(t)
		w.send(http2Preface + junk)
		w.conn.(interface{ CloseWrite() error }).CloseWrite()
		if _, err := io.Copy(io.Discard, w.in); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("after %.10q: %v", junk, err)
		}
	}
	// Streams that are given up at once, and a header that never ends.
	p := s.speakHTTP2(t)
	go func() { _, _ = io.Copy(io.Discard, p.in) }()
	for stream := uint32(1); stream < 20_000; stream += 2 {
		if !p.open(stream, well...) || !p.frame(resetFrame, 0, stream, []byte{0, 0, 0, 8}) {
			break // it had enough
		}
	}
	p = s.speakHTTP2(t)
	go func() { _, _ = io.Copy(io.Discard, p.in) }()
	p.frame(headersFrame, endStream, 1, []byte{0x82})
	sent := 0
	for sent < 20_000 && p.frame(continuationFrame, 0, 1, bytes.Repeat([]byte{0x82}, 1000)) {
		sent++
	}
	if sent == 20_000 {
		t.Error("20 MB of header are taken")
	}
	if status := s.speakHTTP2(t).ask(1, well...); status != http.StatusOK {
		t.Errorf("afterwards: %d", status)
	}
}
