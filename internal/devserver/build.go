package devserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// A builder compiles the program into a temporary directory.
type builder struct {
	project *project
	direct  direct
	temp    string
	number  int
	binary  string // the last that was built, "" before
}

func newBuilder(p *project, temp string) *builder {
	return &builder{project: p, direct: direct{project: p}, temp: temp}
}

// build makes the program, without the go command if that is certain to come to
// the same. On failure it returns what the go command printed. It calls linking, unless
// that is nil, as soon as it knows that there will be another program than before: all is
// compiled, and the linker begins.
func (b *builder) build(ctx context.Context, linking func()) (output string, err error) {
	// Each build has a name of its own: a running program's file cannot be
	// replaced on every system, and is compared with the next.
	b.number++
	binary := filepath.Join(b.temp, fmt.Sprintf("program-%d", b.number))
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	taken, err := b.project.take()
	if err == nil {
		if units, ok := b.direct.plan(taken); ok && b.direct.build(ctx, units, taken, binary, linking) == nil {
			b.binary = binary
			return "", nil
		}
	}
	b.project.outdate()
	events, output, temp, err := b.goBuild(ctx, binary)
	if err != nil {
		_ = os.RemoveAll(temp)
		return output, err
	}
	b.binary = binary
	b.direct.learn(ctx, events, taken, temp)
	return "", nil
}

// goBuild runs go build, and returns what it did. Its temporary directory stays.
//
// The linker leaves out debugging information and symbols (-s), unless GOFLAGS has
// linker flags of its own; stack traces need neither. It leaves out the build's
// identity too, which is another when the same program was linked without the go
// command before. The program's own module is
// compiled without inlining. The version control system is not asked what is
// committed. Tags and the like are set with GOFLAGS.
func (b *builder) goBuild(ctx context.Context, binary string) (events []buildEvent, output, temp string, err error) {
	temp = filepath.Join(b.temp, fmt.Sprintf("build-%d", b.number))
	if err := os.Mkdir(temp, 0o700); err != nil {
		return nil, "", temp, err
	}
	args := []string{"build", "-json", "-x", "-work", "-buildvcs=false", "-o", binary}
	flags := os.Getenv("GOFLAGS")
	own := "-l"
	if !strings.Contains(flags, "-ldflags") {
		args = append(args, "-ldflags=-s -buildid=")
		own += " -dwarf=false"
	}
	if b.project.own != "" && !strings.Contains(flags, "-gcflags") {
		// Without inlining, the packages that are edited compile in half the
		// time, and stack traces have all their calls.
		args = append(args, "-gcflags="+b.project.own+"/...="+own)
	}
	var printed, said bytes.Buffer
	cmd := goCommand(ctx, b.project.dir, append(args, "--", b.project.pkg)...)
	cmd.Stdout, cmd.Stderr = &printed, &said
	cmd.Env = append(cmd.Environ(), "GOTMPDIR="+temp)
	err = runTool(cmd)
	events, faults := readEvents(printed.Bytes())
	return events, said.String() + faults, temp, err
}

// runTool runs the go command, or one of its tools, in a group of its own that
// ends with the context.
func runTool(cmd *exec.Cmd) error {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		// Compiler and linker are short-lived: without collecting garbage they
		// take a third less processor time, and the limit bounds their memory.
		cmd.Env = append(cmd.Environ(), "GOGC=off", "GOMEMLIMIT=1GiB")
	}
	ownGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	cmd.WaitDelay = time.Second
	return cmd.Run()
}

// keep makes binary the last that was built and removes the others. One that
// still runs cannot be removed on every system; a later call does it.
func (b *builder) keep(binary string) {
	b.binary = binary
	built, _ := filepath.Glob(filepath.Join(b.temp, "program-*"))
	for _, path := range built {
		if path != binary {
			_ = os.Remove(path)
		}
	}
}

// sameContent compares two files.
func sameContent(a, b string) bool {
	if a == b {
		return true
	}
	f, err := os.Open(a)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	g, err := os.Open(b)
	if err != nil {
		return false
	}
	defer func() { _ = g.Close() }()
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, errF := io.ReadFull(f, x)
		m, errG := io.ReadFull(g, y)
		if n != m || !bytes.Equal(x[:n], y[:m]) {
			return false
		}
		if errF != nil || errG != nil {
			return isEnd(errF) && isEnd(errG)
		}
	}
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
