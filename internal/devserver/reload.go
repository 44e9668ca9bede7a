package devserver

import (
	"crypto/rand"
	_ "embed" // the script that pages load
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The two addresses that the development server answers itself.
const (
	reloadScriptPath = "/-/retort/reload.js"
	reloadEventsPath = "/-/retort/reload"
)

//go:embed reload.js
var reloadScript string

// A reloader tells open pages to reload. Each page carries the state of the
// program it was made with; one that connects with an older state is told at
// once, so no change is lost between a page's answer and its first connection.
type reloader struct {
	run string // tells this server's states from those of the one before

	mu    sync.Mutex
	state int
	pages map[chan event]struct{}

	closed    chan struct{}
	closeOnce sync.Once
}

// An event is one server-sent event.
type event struct{ name, data string }

func newReloader() *reloader {
	return &reloader{run: rand.Text()[:8], pages: map[chan event]struct{}{}, closed: make(chan struct{})}
}

// close ends the connections of all pages.
func (l *reloader) close() { l.closeOnce.Do(func() { close(l.closed) }) }

// tag is the script element of a page that is sent now.
func (l *reloader) tag(nonce string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	attribute := ""
	if nonce != "" {
		attribute = ` nonce="` + nonce + `"`
	}
	return `<script src="` + reloadScriptPath + `" data-since="` + l.current() + `"` + attribute + `></script>`
}

func (l *reloader) current() string { return l.run + "-" + strconv.Itoa(l.state) }

// reload tells every page to load itself again.
func (l *reloader) reload() { l.send(event{"reload", l.next()}) }

func (l *reloader) next() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state++
	return l.current()
}

// assets tells the pages which files changed: if they are all styles, the
// pages take those alone.
func (l *reloader) assets(paths []string) {
	names := []string{}
	for _, path := range paths {
		if !strings.EqualFold(filepath.Ext(path), ".css") {
			l.reload()
			return
		}
		names = append(names, filepath.Base(path))
	}
	l.next()
	data, err := json.Marshal(names)
	if err != nil {
		l.reload()
		return
	}
	l.send(event{"styles", string(data)})
}

// send drops the event for a page that does not listen; it reconnects with an
// old state and reloads then.
func (l *reloader) send(e event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for page := range l.pages {
		select {
		case page <- e:
		default:
		}
	}
}

func (l *reloader) serveScript(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write([]byte(reloadScript)) // the client went away
}

// serveEvents keeps a page's connection (text/event-stream, WHATWG HTML
// section 9.2).
func (l *reloader) serveEvents(w http.ResponseWriter, r *http.Request) {
	page := make(chan event, 8)
	l.mu.Lock()
	l.pages[page] = struct{}{}
	stale := r.URL.Query().Get("since") != l.current()
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.pages, page)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flusher := http.NewResponseController(w)
	if _, err := fmt.Fprint(w, "retry: 300\n\n"); err != nil {
		return
	}
	if stale {
		page <- event{"reload", ""}
	}
	beat := time.NewTicker(25 * time.Second)
	defer beat.Stop()
	for {
		if flusher.Flush() != nil {
			return
		}
		var err error
		select {
		case e := <-page:
			_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.name, e.data)
		case <-beat.C:
			_, err = fmt.Fprint(w, ":\n\n")
		case <-r.Context().Done():
			return
		case <-l.closed:
			return
		}
		if err != nil {
			return
		}
	}
}
