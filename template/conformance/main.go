// Command conformance runs sets of template vectors, whose outcomes were
// computed with Jinja2, against the engine:
//
//	go run ./template/conformance FILE.json…
//
// It prints one line per failure, a table by area, and closes with the number
// of passed and failed vectors; it exits 1 if one failed. Vectors run in a
// process of their own, so that one which hangs, eats the memory or crashes
// fails alone.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/retort-web/retort/template/internal/vectors"
)

func main() {
	timeout := flag.Duration("timeout", 10*time.Second, "how long a single vector may take")
	memory := flag.Uint64("memory", 2<<30, "how many bytes of heap a single vector may use")
	worker := flag.Bool("worker", false, "run vectors given on standard input (for the command's own use)")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: conformance [-timeout 10s] [-memory bytes] FILE.json…")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *worker {
		work(os.Stdin, os.Stdout, *memory)
		return
	}
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	failed, err := run(os.Stdout, flag.Args(), *timeout, *memory)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(2)
	case failed > 0:
		os.Exit(1)
	}
}

// score counts the vectors of one area.
type score struct{ passed, failed int }

// run checks the vectors of the files and reports to w.
func run(w io.Writer, files []string, timeout time.Duration, memory uint64) (failed int, err error) {
	p := &pool{timeout: timeout, memory: memory}
	defer p.stop()
	areas, total := map[string]*score{}, score{}
	for _, file := range files {
		list, err := read(file)
		if err != nil {
			return 0, err
		}
		for _, v := range list {
			s := areas[v.Area]
			if s == nil {
				s = &score{}
				areas[v.Area] = s
			}
			wrong, err := p.check(v)
			if err != nil {
				return 0, err
			}
			if wrong == "" {
				s.passed++
				total.passed++
				continue
			}
			s.failed++
			total.failed++
			fmt.Fprintf(w, "FAIL %s: %s\n", v.ID, oneLine(wrong))
		}
	}
	if err := table(w, areas); err != nil {
		return 0, err
	}
	_, err = fmt.Fprintf(w, "%d passed, %d failed\n", total.passed, total.failed)
	return total.failed, err
}

func read(file string) ([]*vectors.Vector, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := vectors.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return list, nil
}

func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ⏎ ")
}

func table(w io.Writer, areas map[string]*score) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "passed\tfailed\t area")
	for _, name := range sortedNames(areas) {
		fmt.Fprintf(t, "%d\t%d\t %s\n", areas[name].passed, areas[name].failed, name)
	}
	return t.Flush()
}
