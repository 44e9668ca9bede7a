// Package debugpage draws the error page of development: what failed, where in
// the user's own code, how the request looked, and what to do about it.
//
// A [Page] is a plain value that its caller fills and then asks for one of
// three renderings:
//
//	page := debugpage.New(http.StatusInternalServerError, err, r)
//	page.Frames = debugpage.FramesFromStack(stack)
//	page.SetHeaders(w.Header())
//	page.HTML()                // a browser
//	page.Text()                // curl, a log, a bug report
//	page.Markdown()            // a chat or an issue
//
// The frames come from a trace ([FramesFromStack]) where there is one, as after
// a panic; an error that a handler returned has none, so the handler stands for
// it ([FunctionFrame]).
//
// # Danger
//
// The page shows source code and request data. Whoever serves it must be in
// debug mode and must have checked that the client is on the loopback
// interface; the package cannot know either. What it does itself: values whose
// names look secret ([IsSecretName]) are masked in headers, cookies, queries
// and sections, passwords in URLs and connection strings are masked in every
// text, the environment is never read, everything is escaped, and the page's
// Content-Security-Policy permits nothing but its own style and script.
package debugpage

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// A Page is one error, described for the person who is writing the program.
// Only Status is required; empty parts are left out of the page.
type Page struct {
	// Status is the HTTP status of the answer that carries the page.
	Status int
	// Title heads the page. Default: the status and its standard text, such
	// as "500 Internal Server Error".
	Title string
	// Error is the error's message, ErrorType its Go type, or panic(T) after a
	// panic with a T.
	Error     string
	ErrorType string
	// Causes are the errors that Error wraps, outermost first. [Causes] lists
	// them.
	Causes []Cause
	// Suggestion says what to do, in a sentence or two. Default: advice for
	// the commonest run-time panics, else none.
	Suggestion string
	// Location is a place outside Go code, such as a line of a template. It
	// is shown before the frames.
	Location *Location
	// Frames is the stack, innermost call first.
	Frames []Frame
	// Request is described with secrets masked; its body is never read.
	Request *http.Request
	// Routes are the routes that were tried before a 404 or 405.
	Routes []Tried
	// Sections follow the request in the order given: route parameters, late
	// values, SQL statements, log lines.
	Sections []Section
	// BuildOutput is what the Go command printed when it could not build.
	// Lines of the form file:line:column: message become links and excerpts.
	BuildOutput string
	// Output is what a program printed before it ended. The end of it is
	// shown.
	Output string

	// Dir is the directory that relative paths of BuildOutput start from and
	// that is left out of displayed paths. Default: the working directory.
	Dir string
	// Editor makes the links that open a file: a name of [Editors], or a URL
	// with {file} and {line} in it, or "none". Default: "vscode".
	Editor string
	// Secrets are values that must not be shown wherever they occur, such as
	// the program's secret key. Values under 4 bytes are ignored.
	Secrets []string
	// LiveReload permits a script from the page's own origin, so that the
	// development server can make the page reload itself.
	LiveReload bool
}

// A Cause is one error of a chain.
type Cause struct {
	Type    string
	Message string
	// Depth is how many errors wrap this one, counted from 1.
	Depth int
}

// A Location is a line in a file that is no Go code.
type Location struct {
	// Name is what the user calls it, such as the template's name.
	Name string
	// Path is the file on disk, if there is one.
	Path string
	// Line and Column count from 1; 0 is unknown.
	Line, Column int
	// Source is the whole text. Default: what Path holds.
	Source string
}

// A Section is a titled table of names and values. A value whose name
// [IsSecretName] is masked.
type Section struct {
	Title string
	Rows  [][2]string
}

// Tried is a route that was considered and not taken.
type Tried struct {
	Pattern string
	Methods []string
	// Why says what did not match, such as "id is not an int".
	Why string
}

// The limits keep a page readable, and bounded whatever went into it.
const (
	maxCauses   = 32
	maxText     = 16 << 10 // of one message
	maxValue    = 2 << 10  // of one value in a table
	maxRows     = 300      // of one table
	maxExcerpts = 8        // of one build
	openFrames  = 8        // own frames that start opened
)

// New describes err, with its type and its causes, as the answer to r. Either
// may be nil. Frames are the caller's to add, because only it knows where the
// error came from.
func New(status int, err error, r *http.Request) *Page {
	p := &Page{Status: status, Request: r}
	if err != nil {
		p.Error = message(err)
		p.ErrorType = typeName(err)
		p.Causes = Causes(err)
	}
	return p
}

// Causes lists the errors that err wraps, through both forms of Unwrap, depth
// first. It stops after 32, so a chain that loops does no harm.
func Causes(err error) []Cause {
	var list []Cause
	var walk func(err error, depth int)
	walk = func(err error, depth int) {
		switch e := any(err).(type) {
		case interface{ Unwrap() error }:
			next := e.Unwrap()
			if next == nil || len(list) == maxCauses {
				return
			}
			list = append(list, Cause{typeName(next), message(next), depth})
			walk(next, depth+1)
		case interface{ Unwrap() []error }:
			for _, next := range e.Unwrap() {
				if next == nil || len(list) == maxCauses {
					continue
				}
				list = append(list, Cause{typeName(next), message(next), depth})
				walk(next, depth+1)
			}
		}
	}
	if err != nil {
		walk(err, 1)
	}
	return list
}

// message is err.Error(), also when that panics, as the methods of a nil
// pointer inside an error interface do.
func message(err error) (s string) {
	defer func() {
		if v := recover(); v != nil {
			s = fmt.Sprintf("(the Error method panicked: %v)", v)
		}
	}()
	return err.Error()
}

func typeName(err error) string { return fmt.Sprintf("%T", err) }

// title is p.Title or its default.
func (p *Page) title() string {
	if p.Title != "" {
		return p.Title
	}
	if text := http.StatusText(p.Status); text != "" {
		return strconv.Itoa(p.Status) + " " + text
	}
	return strconv.Itoa(p.Status)
}

// suggestion is p.Suggestion, or advice for the panics of the Go run time that
// beginners meet first.
func (p *Page) suggestion() string {
	if p.Suggestion != "" {
		return p.Suggestion
	}
	for _, known := range [...]struct{ message, advice string }{
		{"nil pointer dereference", "Something in the marked line is nil: a pointer that was never set, a call whose error was not checked, or a struct that was not made with its constructor."},
		{"assignment to entry in nil map", "The map was declared but never made. Make it first, with make(map[K]V) or a literal."},
		{"index out of range", "Check the length before indexing; an empty result is the usual reason."},
		{"slice bounds out of range", "Check the length before slicing."},
		{"interface conversion:", "Use the form v, ok := x.(T), which reports the other type instead of panicking."},
		{"all goroutines are asleep", "Every goroutine waits for another one."},
	} {
		if strings.Contains(p.Error, known.message) && strings.HasPrefix(p.ErrorType, "panic(") {
			return known.advice
		}
	}
	return ""
}

// firstOwn is the innermost frame of the user's code, or nil.
func (p *Page) firstOwn() *Frame {
	for i := range p.Frames {
		if p.Frames[i].Own {
			return &p.Frames[i]
		}
	}
	return nil
}

// SetHeaders sets the headers of an answer that carries the page, and removes
// those of a body that the failed handler may have described. Content-Type is
// that of Text; an answer with HTML changes it to text/html; charset=utf-8.
func (p *Page) SetHeaders(h http.Header) {
	for _, name := range [...]string{"Content-Encoding", "Content-Length", "Content-Range", "Content-Disposition", "Etag", "Last-Modified", "Expires"} {
		h.Del(name)
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Security-Policy", p.ContentSecurityPolicy())
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}
