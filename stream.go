package retort

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort/server"
	"github.com/retort-web/retort/static"
)

// File answers with a file of fsys: its type by its name, with a validator for
// caches, conditional and range requests answered (RFC 9110, sections 13 and
// 14). A name that is not there, or that leaves fsys, is a 404.
func (c *Ctx) File(fsys fs.FS, name string) error {
	return c.serveFile(static.FileOptions{FS: fsys, Name: name})
}

// Attachment is File for a download: the browser saves it under the name
// given (RFC 6266), or its own when that is empty.
func (c *Ctx) Attachment(fsys fs.FS, name, as string) error {
	if as == "" {
		as = name[strings.LastIndexByte(name, '/')+1:]
	}
	return c.serveFile(static.FileOptions{FS: fsys, Name: name, AttachmentName: as})
}

// Download sends what a reader holds as a download of that name.
func (c *Ctx) Download(content io.ReadSeeker, as string) error {
	return c.serveFile(static.FileOptions{Content: content, Name: as, AttachmentName: as})
}

func (c *Ctx) serveFile(o static.FileOptions) error {
	err := static.ServeFile(c.writer, c.request, o)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return NotFound("").Wrap(err)
	}
	return err
}

// Stream sends a body of unknown length as it is written, each Write at once.
// An error cuts the response, so that the client sees it is incomplete. The
// server's write timeout counts from the last Write.
//
// On shutdown the server waits for the stream as for any other answer; one
// without an end watches [server.Draining] and returns.
func (c *Ctx) Stream(contentType string, write func(w io.Writer) error) error {
	s, err := c.startStream(contentType)
	if err != nil || c.request.Method == http.MethodHead {
		return err
	}
	return write(s)
}

// streamWriter sends each write at once and extends the time to write.
type streamWriter struct {
	c       *Ctx
	control *http.ResponseController
	timeout time.Duration
}

func (c *Ctx) startStream(contentType string) (*streamWriter, error) {
	if c.begun {
		return nil, ErrResponseSent
	}
	c.writer.Header()["Content-Type"] = []string{headerValue(contentType)}
	status := c.status
	if status == 0 {
		status = http.StatusOK
	}
	s := &streamWriter{c: c, control: http.NewResponseController(c.writer), timeout: c.app.config.Server.WriteTimeout}
	s.extend()
	c.writer.WriteHeader(status)
	return s, nil
}

func (s *streamWriter) extend() {
	if s.timeout > 0 {
		// Not every writer has deadlines: a test's recorder has none.
		_ = s.control.SetWriteDeadline(time.Now().Add(s.timeout))
	}
}

func (s *streamWriter) Write(p []byte) (int, error) {
	if err := s.c.Err(); err != nil {
		return 0, err
	}
	s.extend()
	n, err := s.c.writer.Write(p)
	if err == nil {
		err = s.control.Flush()
		if errors.Is(err, http.ErrNotSupported) {
			err = nil
		}
	}
	return n, err
}

// SSE answers with server-sent events, until send returns, the client goes or
// the server shuts down: then the Ctx ends and Send fails. The client connects
// again, to the next server.
//
//	return c.SSE(func(s *retort.EventStream) error {
//		for range ticker.C {
//			if err := s.Send(retort.Event{Data: "tick"}); err != nil {
//				return err
//			}
//		}
//		return nil
//	})
//
// The format is that of the HTML standard, section 9.2.
func (c *Ctx) SSE(send func(s *EventStream) error) error {
	h := c.writer.Header()
	h["Cache-Control"] = []string{"no-store"}
	// nginx would hold the events back.
	h["X-Accel-Buffering"] = []string{"no"}
	w, err := c.startStream("text/event-stream")
	if err != nil || c.request.Method == http.MethodHead {
		return err
	}
	if err := w.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if draining := server.Draining(c); draining != nil {
		// The Ctx itself ends, as the function watches that. It stays so: the
		// context that someone has got from it must not come to life again.
		ctx, cancel := context.WithCancel(c.context())
		c.within.Store(&ctx)
		sent := make(chan struct{})
		defer close(sent)
		go func() {
			select {
			case <-draining:
				cancel()
			case <-ctx.Done():
			case <-sent:
			}
		}()
	}
	err = send(&EventStream{w: w, c: c})
	if c.Err() != nil {
		return nil // as every stream of events ends
	}
	return err
}

// Event is one server-sent event; empty fields are left out.
type Event struct {
	ID    string
	Name  string
	Data  string
	Retry time.Duration
}

// EventStream sends events to one client.
type EventStream struct {
	w   io.Writer
	c   *Ctx
	buf bytes.Buffer
}

// LastEventID returns the id of the last event the client has got, when it
// comes back after a break.
func (s *EventStream) LastEventID() string { return s.c.request.Header.Get("Last-Event-Id") }

// Send sends an event. It fails when the client has gone or the server shuts
// down.
func (s *EventStream) Send(e Event) error {
	for _, field := range []string{e.ID, e.Name} {
		if strings.ContainsAny(field, "\r\n\x00") {
			return fmt.Errorf("retort: the id or name of an event holds a line break: %q", field)
		}
	}
	s.buf.Reset()
	if e.ID != "" {
		s.buf.WriteString("id: " + e.ID + "\n")
	}
	if e.Name != "" {
		s.buf.WriteString("event: " + e.Name + "\n")
	}
	if e.Retry > 0 {
		s.buf.WriteString("retry: " + strconv.FormatInt(e.Retry.Milliseconds(), 10) + "\n")
	}
	data := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(e.Data)
	for line := range strings.SplitSeq(data, "\n") {
		s.buf.WriteString("data: " + line + "\n")
	}
	s.buf.WriteByte('\n')
	_, err := s.w.Write(s.buf.Bytes())
	return err
}

// Comment sends a line that clients ignore, to keep the connection open.
func (s *EventStream) Comment(text string) error {
	_, err := io.WriteString(s.w, ": "+headerValue(text)+"\n\n")
	return err
}
