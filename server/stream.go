package server

import (
	"io"
	"net/http"
	"time"
)

// A stream is the response of one HTTP/2 request. It limits how long a client may keep a
// handler waiting, as a guard does for HTTP/1: the deadlines of net/http for HTTP/2 are timers
// that also end a stream whose handler is merely busy.
type stream struct {
	http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	timer   *time.Timer // ends a write that waits too long; nil before the first
	own     bool        // the handler set a deadline of its own
}

// newStream also puts the body of the request under its pace.
func newStream(w http.ResponseWriter, r *http.Request, s *service) *stream {
	control := http.NewResponseController(w)
	if s.pace.allowance > 0 && r.Body != nil && r.Body != http.NoBody {
		r.Body = &pacedBody{ReadCloser: r.Body, control: control, pace: s.pace}
	}
	return &stream{ResponseWriter: w, control: control, timeout: s.writeTimeout}
}

func (s *stream) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *stream) SetWriteDeadline(t time.Time) error {
	s.own = true
	return s.control.SetWriteDeadline(t)
}

func (s *stream) Write(p []byte) (int, error) {
	sent := 0
	for {
		step := p[sent:min(len(p), sent+sendStep)]
		s.begin()
		n, err := s.ResponseWriter.Write(step)
		s.pause()
		sent += n
		if err != nil || sent == len(p) {
			return sent, err
		}
	}
}

func (s *stream) WriteString(text string) (int, error) {
	if len(text) > sendStep {
		return s.Write([]byte(text))
	}
	s.begin()
	defer s.pause()
	return io.WriteString(s.ResponseWriter, text)
}

// Flush is here for code that asks for http.Flusher.
func (s *stream) Flush() {
	_ = s.FlushError()
}

// FlushError is what a ResponseController calls.
func (s *stream) FlushError() error {
	s.begin()
	defer s.pause()
	return s.control.Flush()
}

func (s *stream) begin() {
	switch {
	case s.timeout <= 0 || s.own:
	case s.timer == nil:
		s.timer = time.AfterFunc(s.timeout, func() { _ = s.control.SetWriteDeadline(longAgo) })
	default:
		s.timer.Reset(s.timeout)
	}
}

func (s *stream) pause() {
	if s.timer != nil {
		s.timer.Stop()
	}
}

// end limits what net/http has still to send after the handler.
func (s *stream) end() {
	if s.timeout > 0 && !s.own {
		_ = s.control.SetWriteDeadline(time.Now().Add(s.timeout))
	}
}

// pacedBody keeps the body of an HTTP/2 request to its pace.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	pace    pace
	timer   *time.Timer
}

func (b *pacedBody) Read(p []byte) (int, error) {
	if b.timer == nil {
		b.timer = time.AfterFunc(b.pace.allowance, func() { _ = b.control.SetReadDeadline(longAgo) })
	} else {
		b.timer.Reset(b.pace.allowance)
	}
	start := time.Now()
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	b.pace.spend(time.Since(start), n)
	return n, err
}
