package faulttest_test

import (
	"strings"
	"syscall"
	"testing"
)

// TestTooManyOpenFiles has more clients than a site may have connections.
func TestTooManyOpenFiles(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{faulty: true})
	if a := s.ask(t, get("/")); a.status != 200 {
		t.Fatal(a.status)
	}
	s.limit(t, syscall.RLIMIT_NOFILE, uint64(s.descriptors()+10))
	var clients []*wire
	for range 40 {
		clients = append(clients, s.dial(t))
	}
	s.awaitLog("cannot accept a connection")
	// Those that got in are answered, if only with 503.
	served := 0
	for _, w := range clients[:5] {
		w.send(get("/"))
		if a, err := w.read("GET"); err == nil && (a.status == 200 || a.status == 503) {
			served++
		}
	}
	if served == 0 {
		t.Error("nobody is served")
	}
	for _, w := range clients {
		w.conn.Close()
	}
	await(t, "the site to be well", func() bool { return s.ask(t, get("/")).status == 200 })
	s.answers(t, is(200, 503), is(303, 503))
	if n := strings.Count(s.logged(), "cannot accept a connection"); n > 40 {
		t.Errorf("%d lines in the log say the same", n)
	}
}
