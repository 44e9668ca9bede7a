//go:build unix

package faulttest_test

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// TestFaultsOfTheProgram has handlers fail in every way that Go knows.
func TestFaultsOfTheProgram(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{faulty: true})
	for _, test := range []struct {
		target, log string
		stack       bool
	}{
		{"/panic/handler", "the handler's secret fault", true},
		{"/panic/nil", "nil pointer dereference", true},
		{"/panic/template", "the template's secret fault", true},
		{"/broken/template", "broken.html", false},
		{"/mounted/x", "the guest's secret fault", true},
		{"/panic/typed/1?name=a", "the handler's secret fault", true},
		{"/hook/before", "the hook's secret fault", true},
		{"/hook/after", "the hook's secret fault", true},
		{"/hook/middleware", "the hook's secret fault", true},
		{"/hook/handler-of-errors", "the hook's secret fault", true},
		{"/error", "the handler's secret error", false},
		{"/without-answer", "returned without an answer", false},
	} {
		for _, accept := range []string{"text/html", "application/json", "text/plain"} {
			before := len(s.logged())
			a := s.ask(t, get(test.target, "Accept: "+accept))
			a.proper(t)
			id := a.header.Get("X-Request-Id")
			if a.status != 500 || id == "" && !strings.Contains(a.body, "equest") {
				t.Errorf("%s: %d %v\n%s", test.target, a.status, a.header, a.body)
			}
			if accept == "application/json" && a.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s for a program: %v", test.target, a.header)
			}
			lines := s.errorsSince(before)
			if len(lines) != 1 || !strings.Contains(lines[0], test.log) || strings.Contains(lines[0], `"stack":`) != test.stack {
				t.Errorf("%s logged %d lines: %.900v", test.target, len(lines), lines)
				continue
			}
			if _, logged, _ := strings.Cut(lines[0], `"request_id":"`); logged == "" || !strings.Contains(a.body+id, logged[:strings.IndexByte(logged, '"')]) {
				t.Errorf("%s: the id in the log is not the one on the page:\n%s\n%s", test.target, lines[0], a.body)
			}
		}
	}
	if a := s.ask(t, get("/")); a.status != 200 {
		t.Errorf("afterwards: %d", a.status)
	}
}

// errorsSince returns the lines at error level that were logged after so many bytes.
func (s *site) errorsSince(before int) (lines []string) {
	s.t.Helper()
	await(s.t, "an error in the log", func() bool { return strings.Contains(s.logged()[before:], `"level":"ERROR"`) })
	for line := range strings.Lines(s.logged()[before:]) {
		if strings.Contains(line, `"level":"ERROR"`) {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestPanicAfterTheAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{faulty: true})
	for _, target := range []string{"/hook/teardown", "/hook/deferred"} {
		before := len(s.logged())
		if a := s.ask(t, get(target)); a.status != 200 || a.body != "fine" {
			t.Errorf("%s: %+v", target, a)
		}
		if lines := s.errorsSince(before); len(lines) != 1 || !strings.Contains(lines[0], "the hook's secret fault") {
			t.Errorf("%s logged %v", target, lines)
		}
	}
}

func TestPanicInAGoroutine(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{faulty: true})
	for range 3 {
		before := len(s.logged())
		if a := s.ask(t, get("/panic/goroutine")); a.status != 200 {
			t.Fatalf("%d", a.status)
		}
		lines := s.errorsSince(before)
		if len(lines) != 1 || strings.Count(lines[0], "the goroutine's secret fault") != 1 || !strings.Contains(lines[0], "main.go:") {
			t.Errorf("logged: %v", lines)
		}
	}
}

// TestFaultAfterTheFirstByte wants the client to see that the answer is cut.
func TestFaultAfterTheFirstByte(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{faulty: true})
	for target, fault := range map[string]string{"/panic/late": "the stream's secret fault", "/error/late": "the stream's secret error"} {
		before := len(s.logged())
		w := s.dial(t)
		w.send(get(target) + get("/"))
		a, err := w.read("GET")
		if !errors.Is(err, io.ErrUnexpectedEOF) || a == nil || a.body != "the first part\n" || !w.closed() {
			t.Errorf("%s was read as %+v, %v", target, a, err)
		}
		if lines := s.errorsSince(before); len(lines) != 1 || !strings.Contains(lines[0], fault) {
			t.Errorf("%s logged %v", target, lines)
		}
	}
}
