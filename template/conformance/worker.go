package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort/template/internal/vectors"
)

// pool runs vectors in a second process, which is started again after one
// that did not come to its end.
type pool struct {
	timeout time.Duration
	memory  uint64

	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan string
	stderr  *tail
}

// check gives what is wrong with the vector's outcome; empty if nothing is.
func (p *pool) check(v *vectors.Vector) (string, error) {
	line, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	if p.cmd == nil {
		if err := p.start(); err != nil {
			return "", err
		}
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return p.crashed(), nil
	}
	limit := time.NewTimer(p.timeout)
	defer limit.Stop()
	select {
	case answer, ok := <-p.answers:
		if !ok {
			return p.crashed(), nil
		}
		var wrong string
		return wrong, json.Unmarshal([]byte(answer), &wrong)
	case <-limit.C:
		p.stop()
		return fmt.Sprintf("does not end within %v", p.timeout), nil
	}
}

func (p *pool) crashed() string {
	stderr := p.stderr
	p.stop()
	return "the process crashed: " + stderr.String()
}

func (p *pool) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p.stderr = &tail{}
	p.cmd = exec.Command(self, "-worker", fmt.Sprint("-memory=", p.memory))
	p.cmd.Stderr = p.stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	answers := make(chan string, 1)
	p.answers = answers
	go func() {
		defer close(answers)
		r := bufio.NewReader(out)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			answers <- line
		}
	}()
	return nil
}

// stop ends the second process.
func (p *pool) stop() {
	if p.cmd == nil {
		return
	}
	_ = p.in.Close()
	_ = p.cmd.Process.Kill()
	for range p.answers { // until its output is read whole, as Wait demands
	}
	_ = p.cmd.Wait()
	p.cmd = nil
}

// tail keeps the begin of what a process complains about.
type tail struct{ text strings.Builder }

// Write takes everything and keeps the first part.
func (t *tail) Write(b []byte) (int, error) {
	if room := 400 - t.text.Len(); room > 0 {
		t.text.Write(b[:min(len(b), room)])
	}
	return len(b), nil
}

func (t *tail) String() string { return t.text.String() }

// work is the second process: it answers each line, a vector, with a line.
func work(in io.Reader, out io.Writer, memory uint64) {
	debug.SetMaxStack(512 << 20)
	go guardMemory(memory)
	r := bufio.NewReaderSize(in, 1<<20)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return
		}
		var v vectors.Vector
		wrong := ""
		if err := json.Unmarshal(line, &v); err != nil {
			wrong = "the vector cannot be read: " + err.Error()
		} else {
			wrong = v.Check()
		}
		answer, _ := json.Marshal(wrong) // a string always can be
		if _, err := out.Write(append(answer, '\n')); err != nil {
			return
		}
	}
}

// guardMemory ends the process when its heap grows beyond the limit, before
// the machine suffers.
func guardMemory(limit uint64) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	for range time.Tick(20 * time.Millisecond) {
		metrics.Read(sample)
		if used := sample[0].Value.Uint64(); used > limit {
			fmt.Fprintf(os.Stderr, "the heap grew to %d bytes", used)
			os.Exit(3)
		}
	}
}

func sortedNames(areas map[string]*score) []string { return slices.Sorted(maps.Keys(areas)) }
