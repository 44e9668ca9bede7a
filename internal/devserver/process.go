package devserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"
)

// A process is one run of the program.
type process struct {
	cmd  *exec.Cmd
	addr string // where it serves
	tail *tail  // the end of what it printed
	done chan struct{}
	err  error // of Wait, once done is closed

	stopping sync.Once
}

// start runs the program and waits until it accepts connections. The process
// it returns with an error has ended; it is there for its output.
func (s *Server) start(ctx context.Context) (*process, error) {
	addr, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	p := &process{addr: addr, tail: &tail{}, done: make(chan struct{})}
	args := append([]string{"serve", "--debug", "--addr", addr}, s.Args...)
	p.cmd = exec.Command(s.builder.binary, args...)
	p.cmd.Dir = s.project.dir
	p.cmd.Env = append(os.Environ(), "RETORT_DEV=1")
	if s.Color {
		p.cmd.Env = append(p.cmd.Env, "CLICOLOR_FORCE=1")
	}
	p.cmd.Stdout = tee(s.Stdout, p.tail)
	p.cmd.Stderr = tee(s.Stderr, p.tail)
	p.cmd.WaitDelay = time.Second // a grandchild may keep the pipes open
	ownGroup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		close(p.done)
		return p, fmt.Errorf("devserver: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if err := p.waitUntilItAccepts(ctx, s.Hold); err != nil {
		p.stop(s.StopTime)
		return p, err
	}
	return p, nil
}

func tee(w io.Writer, t *tail) io.Writer {
	if w == nil {
		return t
	}
	return io.MultiWriter(w, t)
}

// freeAddress picks a port of the loopback interface that nobody uses.
func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("devserver: no free port: %w", err)
	}
	addr := l.Addr().String()
	return addr, l.Close()
}

// waitUntilItAccepts tries to connect, often at first.
func (p *process) waitUntilItAccepts(ctx context.Context, limit time.Duration) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	dialer := net.Dialer{Timeout: time.Second}
	for pause := 2 * time.Millisecond; ; pause = min(pause*5/4, 100*time.Millisecond) {
		if conn, err := dialer.DialContext(ctx, "tcp", p.addr); err == nil {
			_ = conn.Close()
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("it ended before it served: %s", p.exit())
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("it did not listen on %s within %v; does it understand serve --debug --addr?", p.addr, limit)
		case <-time.After(pause):
		}
	}
}

// exit says how a process ended.
func (p *process) exit() string {
	var status *exec.ExitError
	switch {
	case p.err == nil:
		return "exit status 0"
	case errors.As(p.err, &status):
		return status.ProcessState.String()
	}
	return p.err.Error()
}

// runs reports whether the process is alive and was started from a file with
// the same content as binary.
func (p *process) runs(binary string) bool {
	if p == nil || p.isEnding(0) {
		return false
	}
	return sameContent(p.cmd.Path, binary)
}

// isEnding reports whether the process ends within patience.
func (p *process) isEnding(patience time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(patience):
		return false
	}
}

// stop asks the process to end, kills it and its children when the time is
// over, and returns when it has ended. A nil process has ended.
func (p *process) stop(limit time.Duration) {
	p.stopWithin(limit, limit)
}

// stopWithin is stop, but returns after patience at the latest; the process
// then ends by itself or is killed later.
func (p *process) stopWithin(patience, limit time.Duration) {
	if p == nil {
		return
	}
	p.beginStop(limit)
	select {
	case <-p.done:
	case <-time.After(patience):
		if patience == limit {
			<-p.done
		}
	}
}

// beginStop asks the process to end, and sees to it that it has ended after limit.
func (p *process) beginStop(limit time.Duration) {
	if p == nil {
		return
	}
	p.stopping.Do(func() {
		if p.cmd.Process == nil {
			return
		}
		_ = terminateGroup(p.cmd.Process)
		go func() {
			select {
			case <-p.done:
			case <-time.After(limit):
			}
			_ = killGroup(p.cmd.Process)
		}()
	})
}

// tailSize is how much of the program's output is kept for the error page. A
// Go crash begins with its reason and then lists goroutines, so the beginning
// of the last outburst matters; this is enough for both.
const tailSize = 64 << 10

// A tail remembers the end of what was written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	if over := len(t.b) - tailSize; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}
