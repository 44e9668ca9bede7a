package devserver

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"

	"github.com/retort-web/retort/internal/debugpage"
)

// A failure is why no program serves.
type failure struct {
	title string
	cause error
	build string // output of the go command
	tail  string // output of the program
	crash string // the part of it in which the Go run time reports a panic
	// stopped says that the program had been built and ended by itself. It
	// is started again for the next request, but not for the first, which is
	// to show why it stopped.
	stopped bool
	shown   atomic.Bool
}

// failure describes a process that ended.
func (p *process) failure(title string) *failure {
	if p == nil {
		return &failure{title: title}
	}
	f := &failure{title: title, tail: p.tail.String(), stopped: true, cause: fmt.Errorf("it ended: %s", p.exit())}
	if p.cmd.ProcessState != nil && p.cmd.ProcessState.ExitCode() == crashCode {
		f.crash = lastCrash(f.tail)
	}
	return f
}

// crashCode is the exit code of a Go program that panics.
const crashCode = 2

// summary is one line for the terminal, and the compiler's words below it.
func (f *failure) summary() string {
	switch {
	case f.build != "":
		return strings.ToLower(f.title[:1]) + f.title[1:] + "\n" + strings.TrimRight(f.build, "\n")
	case f.cause != nil:
		return strings.ToLower(f.title[:1]) + f.title[1:] + ": " + f.cause.Error()
	}
	return f.title
}

// page is the failure as an error page.
func (f *failure) page(dir, editor string) *debugpage.Page {
	p := &debugpage.Page{Status: http.StatusInternalServerError, Title: f.title, Dir: dir, Editor: editor, LiveReload: true}
	switch {
	case f.build != "":
		p.BuildOutput = f.build
		p.Error = firstMessage(f.build)
		p.Suggestion = "Save the corrected file; this page reloads itself."
	default:
		p.Output = f.tail
		p.Frames = debugpage.FramesFromStack([]byte(f.crash))
		p.Error = f.reason()
		p.Suggestion = "Reload to start the program again, or change its code; then this page reloads itself."
	}
	return p
}

// reason is the panic's message, or the last line that was printed.
func (f *failure) reason() string {
	if f.crash != "" {
		reason, _, _ := strings.Cut(f.crash, "\n\ngoroutine ")
		return strings.TrimSpace(reason)
	}
	tail := strings.TrimSpace(f.tail)
	if tail == "" && f.cause != nil {
		return f.cause.Error()
	}
	return tail[strings.LastIndexByte(tail, '\n')+1:]
}

// firstMessage is the go command's first complaint.
func firstMessage(output string) string {
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			return line
		}
	}
	return strings.TrimSpace(output)
}

// lastLine is the index of the last line that begins with prefix, or -1.
func lastLine(s, prefix string) int {
	i := strings.LastIndex(s, "\n"+prefix)
	if i >= 0 {
		return i + 1
	}
	if strings.HasPrefix(s, prefix) {
		return 0
	}
	return -1
}

// lastCrash is the run time's report at the end of a program's output.
func lastCrash(tail string) string {
	if i := max(lastLine(tail, "panic: "), lastLine(tail, "fatal error: ")); i >= 0 {
		return tail[i:]
	}
	return ""
}

// showFailure answers a request that no program can answer. Source and output
// are for this machine only; the others learn that there is nothing yet.
func (s *Server) showFailure(w http.ResponseWriter, r *http.Request, f *failure) {
	if !mayDebug(r) {
		http.Error(w, "The program is not running.", http.StatusServiceUnavailable)
		return
	}
	page := f.page(s.project.dir, s.Editor)
	page.LiveReload = !s.NoReload
	page.SetHeaders(w.Header())
	body := []byte(page.Text())
	if wantsHTML(r) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		body = page.HTML()
		if page.LiveReload {
			body = append(body, s.reloader.tag("")...)
		}
	}
	w.WriteHeader(page.Status)
	_, _ = w.Write(body) // a client that went away needs no answer
}

// mayDebug reports whether a request comes from this machine and was meant for
// it: the name in Host is checked too, because a foreign site can point a name
// of its own at the loopback address.
func mayDebug(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() || r.Header.Get("X-Forwarded-For") != "" {
		return false
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func wantsHTML(r *http.Request) bool {
	return strings.Contains(strings.ToLower(r.Header.Get("Accept")), "text/html")
}
