package retort

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// pending is an answer that is decided but not sent.
type pending struct {
	set         bool
	problem     bool // made by the error handling
	contentType *[1]string
	text        string // one of text and data is the body
	data        []byte
	buffer      buffer // that data lies in, or nil
}

func (p *pending) size() int { return len(p.text) + len(p.data) }

// Content types as header values, shared by all responses: net/http copies
// the header before a handler could change them in place.
var (
	typeText = &[1]string{"text/plain; charset=utf-8"}
	typeHTML = &[1]string{"text/html; charset=utf-8"}
	typeJSON = &[1]string{"application/json"}
)

// Header returns the header of the response being made.
func (c *Ctx) Header() http.Header { return c.writer.Header() }

// SetHeader sets one header of the response. A value with a line break, which
// would start a header of its own, is refused by replacing the break with a
// space.
func (c *Ctx) SetHeader(name, value string) { c.writer.Header().Set(name, headerValue(value)) }

// headerValue makes text safe to be a header's value.
func headerValue(s string) string {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			clean := []byte(s)
			for j, b := range clean {
				if b < ' ' && b != '\t' || b == 0x7f {
					clean[j] = ' '
				}
			}
			return string(clean)
		}
	}
	return s
}

// Status sets the status of the answer that follows:
//
//	return c.Status(http.StatusCreated).JSON(post)
func (c *Ctx) Status(status int) *Ctx {
	if status < 200 || status > 999 {
		panic(fmt.Sprintf("retort: Status(%d) is not a final HTTP status", status))
	}
	c.status = status
	return c
}

// answer decides the response. A later answer replaces it.
func (c *Ctx) answer(contentType *[1]string, text string, data []byte) error {
	if c.begun {
		return ErrResponseSent
	}
	c.pending = pending{set: true, contentType: contentType, text: text, data: data}
	return nil
}

// Text answers with plain text.
func (c *Ctx) Text(s string) error { return c.answer(typeText, s, nil) }

// HTML answers with HTML made elsewhere; it is sent as it is, so what it
// contains must be escaped already. See [Ctx.Render] for templates.
func (c *Ctx) HTML(s string) error { return c.answer(typeHTML, s, nil) }

// JSON answers with v as JSON, with &, < and > escaped so that it is harmless
// wherever it ends up, and a newline at the end.
func (c *Ctx) JSON(v any) error {
	b := jsonBuffers.Get().(*jsonBuffer)
	if err := b.encoder.Encode(v); err != nil {
		b.release()
		return fmt.Errorf("retort: JSON answer: %w", err)
	}
	if err := c.answer(typeJSON, "", b.Bytes()); err != nil {
		b.release()
		return err
	}
	c.pending.buffer = b
	return nil
}

// buffer is memory that an answer lies in until it is sent, and that is then
// used again.
type buffer interface {
	// release must come last. It is not deferred: what a panic leaves behind is
	// for the garbage collector.
	release()
}

// jsonBuffer holds a JSON answer until it is sent, and is then used again.
type jsonBuffer struct {
	bytes.Buffer
	encoder *json.Encoder
}

var jsonBuffers = sync.Pool{New: func() any {
	b := new(jsonBuffer)
	b.encoder = json.NewEncoder(b)
	return b
}}

// maxKept keeps one large answer from holding its memory for ever.
const maxKept = 64 << 10

func (b *jsonBuffer) release() {
	if b.Cap() <= maxKept {
		b.Reset()
		jsonBuffers.Put(b)
	}
}

// Bytes answers with data of the given content type.
func (c *Ctx) Bytes(contentType string, data []byte) error {
	return c.answer(&[1]string{headerValue(contentType)}, "", data)
}

// NoContent answers 204, or the given [Ctx.Status], without a body.
func (c *Ctx) NoContent() error {
	if c.status == 0 {
		c.status = http.StatusNoContent
	}
	return c.answer(nil, "", nil)
}

// Answered reports whether the response is decided: an answer is waiting to be
// sent, or its first byte has gone.
func (c *Ctx) Answered() bool { return c.pending.set || c.begun }

// ResponseStatus returns the status decided or sent, 0 if there is none.
func (c *Ctx) ResponseStatus() int {
	switch {
	case c.begun:
		return c.response.status
	case c.pending.set && c.status != 0:
		return c.status
	case c.pending.set:
		return http.StatusOK
	}
	return 0
}

// ResponseBody returns the body that is waiting to be sent, for an After hook
// that changes it by answering again. It is nil when the response streams and
// once it has been sent. The caller may keep it.
func (c *Ctx) ResponseBody() []byte {
	c.pending.buffer = nil // it is the caller's now
	if c.pending.text != "" {
		return []byte(c.pending.text)
	}
	return c.pending.data
}

// send sends the pending answer.
func (c *Ctx) send() error {
	if !c.pending.set || c.begun {
		return nil
	}
	// The hooks may change status, header and body, so they come first.
	c.beforeHeader(c.ResponseStatus())
	h := c.writer.Header()
	if p := &c.pending; p.contentType != nil {
		if _, ok := h["Content-Type"]; !ok || p.problem {
			h["Content-Type"] = p.contentType[:]
		}
		if !c.app.config.DisableSecurityHeaders {
			addSecurityHeaders(h)
		}
	}
	status := c.ResponseStatus()
	size := c.pending.size()
	// net/http counts small bodies itself; a longer one would be chunked, and
	// a HEAD response would not tell its length.
	if (size > 2048 || c.request.Method == http.MethodHead || size == 0) && bodyAllowed(status) {
		if _, ok := h["Content-Length"]; !ok && h.Get("Content-Encoding") == "" {
			h["Content-Length"] = []string{strconv.Itoa(size)}
		}
	}
	if status != http.StatusOK {
		c.writer.WriteHeader(status)
	}
	if !bodyAllowed(status) {
		return nil
	}
	var err error
	if c.pending.text != "" {
		_, err = io.WriteString(c.writer, c.pending.text)
	} else {
		_, err = c.writer.Write(c.pending.data)
	}
	if b := c.pending.buffer; b != nil && err == nil { // HTTP/2 may yet read what it failed to send
		c.pending.buffer, c.pending.data = nil, nil
		b.release()
	}
	return err
}

// bodyAllowed tells whether a response of that status has a body (RFC 9110,
// section 6.4.1).
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// beforeHeader runs, once, what must happen before the header leaves: the
// After hooks, the one-time functions of the request and the session's commit.
func (c *Ctx) beforeHeader(status int) {
	if c.closed {
		return
	}
	c.closed = true
	if scope := c.scope(); scope.hasAfter {
		c.runAfter(scope)
	}
	if c.session != nil {
		if err := c.commitSession(status); err != nil && !c.begun {
			c.app.handleError(c, err)
		}
	}
	if id := c.seldom.id; id != "" {
		c.writer.Header()["X-Request-Id"] = []string{id}
	}
}
