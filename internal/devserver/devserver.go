// Package devserver is what `retort dev` runs: it builds a program, serves it
// behind a stable address, and builds and restarts it whenever its source
// changes.
//
//	server := &devserver.Server{Package: ".", Addr: "127.0.0.1:5000"}
//	err := server.Run(ctx)
//
// The parts, each in a file of its own:
//
//   - project.go asks the go command which directories belong to the program;
//   - watch.go turns their file events into a [change]: build, restart or only
//     new assets;
//   - build.go runs go build, process.go the program;
//   - direct.go compiles and links without the go command where it can, by the
//     recipe (recipe.go) of the last build and what has changed (sources.go);
//   - gate.go makes requests wait while neither is done;
//   - proxy.go passes them on, and inject.go adds the script of reload.go to
//     pages, if their Content-Security-Policy (csp.go) permits it;
//   - pages.go shows in the browser what did not build or start.
//
// The program is started as `prog serve --debug --addr 127.0.0.1:PORT ARGS…`
// with RETORT_DEV=1 in its environment, so any program that understands these
// three words can be served, whatever it is written with.
package devserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Server develops one program. The zero value serves the package of the
// working directory on 127.0.0.1:5000.
type Server struct {
	// Package is what is built, as the go command names it. Default: ".".
	Package string
	// Args are added to the program's command line.
	Args []string
	// Dir is the working directory of the go command and of the program.
	// Default: that of this process.
	Dir string
	// Addr is the stable address. Without a host, as in ":5000", it is on the
	// loopback interface; to be reached from other machines, say so with
	// "0.0.0.0:5000". Default: "127.0.0.1:5000".
	Addr string
	// NoReload leaves pages as they are: no script is added to them.
	NoReload bool
	// Editor makes the links of error pages, as debugpage.Page.Editor does.
	Editor string
	// Log gets the server's own messages. Default: none are written.
	Log io.Writer
	// Stdout and Stderr get the program's output. Default: it is dropped.
	Stdout, Stderr io.Writer
	// Color asks the program for colours by CLICOLOR_FORCE=1, because it does
	// not see the terminal itself.
	Color bool
	// OnReady is called once with the address that accepts connections.
	OnReady func(net.Addr)

	// Hold is how long a request waits for a build. Default: 60 s.
	Hold time.Duration
	// Quiet is how long files must rest before a build. Default: 10 ms.
	Quiet time.Duration
	// StopTime is how long the program may take to stop. Default: 5 s.
	StopTime time.Duration

	project  *project
	builder  *builder
	gate     *gate
	reloader *reloader
	broken   bool // the last attempt failed; for settle only
	logMu    sync.Mutex
}

// The defaults of a Server's durations.
const (
	defaultHold     = 60 * time.Second
	defaultQuiet    = 10 * time.Millisecond
	defaultStopTime = 5 * time.Second
)

// Run serves until ctx ends, and then stops the program and removes what it
// built. It returns an error only if it could not begin: no module, address in
// use. A program that does not build is no such error; it is shown in the
// browser.
func (s *Server) Run(ctx context.Context) error {
	if err := s.prepare(); err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "retort-dev-")
	if err != nil {
		return fmt.Errorf("devserver: no directory for the program: %w", err)
	}
	defer func() {
		if err := os.RemoveAll(temp); err != nil {
			s.logf("%v", err)
		}
	}()
	s.builder = newBuilder(s.project, temp)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Addr)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("devserver: %s is in use: stop the other program or choose another address with --addr: %w", s.Addr, err)
		}
		return fmt.Errorf("devserver: cannot listen on %s: %w", s.Addr, err)
	}
	watcher, err := newWatcher(s.project, s.Quiet)
	if err != nil {
		_ = listener.Close()
		return err
	}
	s.gate = newGate()
	s.reloader = newReloader()

	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { watcher.run(ctx) })
	running.Go(func() { s.develop(ctx, watcher, &running) })
	web := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 30 * time.Second}
	running.Go(func() {
		<-ctx.Done()
		s.shutdown(web)
	})
	s.logf("http://%s (requests wait while %s is built; Ctrl-C stops)", listener.Addr(), s.project.pkg)
	if s.OnReady != nil {
		s.OnReady(listener.Addr())
	}
	err = web.Serve(listener)
	cancel()
	running.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("devserver: %w", err)
}

// shutdown lets the requests end that the program is answering, while the
// program itself is told to stop.
func (s *Server) shutdown(web *http.Server) {
	s.gate.fail(&failure{title: "The development server is stopping"})
	s.gate.drain()
	s.reloader.close()
	ctx, cancel := context.WithTimeout(context.Background(), s.StopTime)
	defer cancel()
	_ = web.Shutdown(ctx) // what did not end in time is closed
	_ = web.Close()
}

// prepare fills in the defaults and finds the program.
func (s *Server) prepare() error {
	if s.Package == "" {
		s.Package = "."
	}
	if s.Hold == 0 {
		s.Hold = defaultHold
	}
	if s.Quiet == 0 {
		s.Quiet = defaultQuiet
	}
	if s.StopTime == 0 {
		s.StopTime = defaultStopTime
	}
	if s.Log == nil {
		s.Log = io.Discard
	}
	if s.Addr == "" {
		s.Addr = ":5000"
	}
	if strings.HasPrefix(s.Addr, ":") {
		s.Addr = "127.0.0.1" + s.Addr
	}
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return fmt.Errorf("devserver: %w", err)
	}
	s.project, err = findProject(dir, s.Package)
	return err
}

// logf writes one line for the person at the terminal.
func (s *Server) logf(format string, args ...any) {
	s.logMu.Lock()
	defer s.logMu.Unlock()
	fmt.Fprintf(s.Log, "retort: "+format+"\n", args...)
}

// An outcome is what came of one attempt to bring the program up to date.
type outcome struct {
	process *process // nil if it does not run
	same    bool     // the build made the program that runs already
	failure *failure
	change  change
	took    time.Duration
}

// develop is the loop that everything else serves: a change comes, the
// program is built and started, its requests flow again. One attempt runs at a
// time; a change during an attempt cancels it and begins a new one.
func (s *Server) develop(ctx context.Context, w *watcher, running *sync.WaitGroup) {
	var (
		current *process
		done    = make(chan outcome)
		cancel  context.CancelFunc
		trying  change // what the running attempt is about
		next    change // what came since
	)
	begin := func(c change) {
		s.gate.hold()
		var attempt context.Context
		attempt, cancel = context.WithCancel(ctx)
		trying = c
		old := current
		go func() { done <- s.attempt(attempt, c, old) }()
	}
	begin(change{build: true, initial: true})
	for {
		var exited <-chan struct{}
		if current != nil && cancel == nil {
			exited = current.done
		}
		select {
		case <-ctx.Done():
			if cancel != nil {
				cancel()
				if out := <-done; out.process != nil {
					current = out.process
				}
			}
			current.stop(s.StopTime)
			return

		case c := <-w.changes:
			switch {
			case cancel != nil && c.onlyAssets():
				trying = trying.merge(c)
			case cancel != nil:
				cancel()
				next = next.merge(c)
			case c.onlyAssets():
				s.logf("%s changed", c.name())
				s.reloader.assets(c.assets)
			default:
				begin(c)
			}

		case <-s.gate.wake:
			if cancel == nil && current == nil {
				begin(change{restart: true, wanted: true})
			}

		case <-exited:
			s.logf("the program stopped: %s", current.exit())
			if s.gate.serves(current) {
				s.gate.fail(current.failure("The program stopped"))
			}
			current = nil

		case out := <-done:
			cancel()
			cancel = nil
			if out.process != nil || out.change.stopped {
				current = out.process
			}
			if ctx.Err() != nil {
				continue
			}
			if next.any() {
				c := trying.merge(next)
				next = change{}
				begin(c)
				continue
			}
			s.settle(out)
			if !s.project.isListed() {
				running.Go(func() { s.project.refresh(ctx) })
			}
		}
	}
}

// attempt builds if that is needed, and replaces the old process by a new one.
func (s *Server) attempt(ctx context.Context, c change, old *process) outcome {
	start := time.Now()
	if c.build {
		// While the linker works, for as long as all else, the old process can end.
		if out, err := s.builder.build(ctx, func() {
			s.gate.drain()
			old.beginStop(s.StopTime)
			c.stopped = true
		}); err != nil {
			return outcome{change: c, failure: &failure{title: "The program does not build", build: out, cause: err}, took: time.Since(start)}
		}
	}
	if s.builder.binary == "" || ctx.Err() != nil {
		return outcome{change: c, failure: &failure{title: "The program has not been built"}}
	}
	if !c.restart && !c.stopped && old.runs(s.builder.binary) {
		s.builder.keep(old.cmd.Path)
		return outcome{change: c, process: old, same: true, took: time.Since(start)}
	}
	s.gate.drain()
	old.stopWithin(handover, s.StopTime)
	c.stopped = true
	p, err := s.start(ctx)
	if err != nil {
		f := p.failure("The program did not start")
		f.cause = err
		return outcome{change: c, failure: f, took: time.Since(start)}
	}
	s.builder.keep(s.builder.binary)
	return outcome{change: c, process: p, took: time.Since(start)}
}

// handover is how long a new process waits for the old one to end. It should
// have ended, because it may hold a port or a lock; but one that finishes a
// slow request must not delay the page that the developer waits for.
const handover = 500 * time.Millisecond

// settle tells the terminal, the held requests and the open pages.
func (s *Server) settle(out outcome) {
	why := out.change.name()
	repaired := s.broken
	s.broken = out.failure != nil
	switch {
	case s.broken:
		s.logf("%s: %s", why, out.failure.summary())
		s.gate.fail(out.failure)
	case out.same:
		s.logf("%s: the program is the same", why)
		s.gate.open(out.process)
		if !repaired && len(out.change.assets) == 0 {
			return
		}
	default:
		s.logf("%s: ready in %.2f s", why, out.took.Seconds())
		s.gate.open(out.process)
	}
	if !out.change.wanted { // else a page that makes the program stop would load for ever
		s.reloader.reload()
	}
}

// goCommand runs the go command in the project's directory.
func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	return cmd
}
