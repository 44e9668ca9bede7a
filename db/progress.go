package db

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/migrate"
)

// progress writes a line for each migration: its name when it begins, how long it took
// when it has ended. On a terminal it counts the seconds in between.
type progress struct {
	out  io.Writer
	live bool // out is a terminal

	mu    sync.Mutex
	line  string // that is not finished; empty for none
	start time.Time
	stop  chan struct{}
}

func newProgress(in *retort.Invocation) *progress {
	return &progress{out: in.Out, live: isTerminal(in.Out)}
}

// event is for migrate.Options.Progress.
func (p *progress) event(e migrate.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !e.Done:
		verb := "Apply"
		if e.Step.Backward {
			verb = "Undo"
		}
		p.line, p.start = verb+" "+e.Step.ID()+" … ", time.Now()
		fmt.Fprint(p.out, p.line)
		if p.live {
			p.stop = make(chan struct{})
			go p.count(p.stop)
		}
	case e.Skipped:
		p.finish("done by another process")
	default:
		p.finish(fmt.Sprintf("done in %v", e.Elapsed.Round(time.Millisecond/10)))
	}
}

// count shows each second how long it has taken so far.
func (p *progress) count(stop chan struct{}) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			p.show(stop)
		}
	}
}

func (p *progress) show(stop chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop == stop && p.line != "" {
		fmt.Fprintf(p.out, "\r%s%v", p.line, time.Since(p.start).Round(time.Second))
	}
}

// finish ends the line.
func (p *progress) finish(text string) {
	if p.stop != nil {
		close(p.stop)
		p.stop = nil
	}
	if p.live && p.line != "" {
		const clear = "\x1b[K" // to the end of the line
		text = "\r" + p.line + text + clear
	}
	fmt.Fprintln(p.out, text)
	p.line = ""
}

// note writes a line of its own, in the middle of a migration.
func (p *progress) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.line
	if line != "" {
		p.breakLine()
	}
	fmt.Fprintf(p.out, format+"\n", args...)
	if line != "" && p.live {
		fmt.Fprint(p.out, line)
	}
}

func (p *progress) breakLine() {
	fmt.Fprintln(p.out)
	if !p.live {
		p.line = ""
	}
}

// blocked is for migrate.Options.Blocked.
func (p *progress) blocked(b migrate.Blocked) {
	who := "others"
	if len(b.By) > 0 {
		who = strings.Join(b.By, "\n        ")
	}
	p.note("    gave way (attempt %d of %d, the next in %v), for its tables are held by\n        %s", b.Attempt, b.Of, b.Pause.Round(100*time.Millisecond), who)
}

// failed ends what an error has broken off.
func (p *progress) failed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != "" {
		p.finish("failed")
	}
}
