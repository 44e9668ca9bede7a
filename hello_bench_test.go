package retort_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkHelloFirstResponse starts examples/hello and measures from there to
// its first answer. The metric to look at is the median:
//
//	go test -run '^$' -bench HelloFirstResponse -benchtime 20x .
func BenchmarkHelloFirstResponse(b *testing.B) {
	dir := b.TempDir()
	program := filepath.Join(dir, "hello")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./examples/hello")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		b.Fatal(err)
	}
	var all []time.Duration
	for b.Loop() {
		start := time.Now()
		hello := exec.Command(program)
		hello.Dir, hello.Env = dir, append(os.Environ(), "RETORT_ADDR="+addr)
		if err := hello.Start(); err != nil {
			b.Fatal(err)
		}
		if line := firstLine(b, addr); line != "HTTP/1.1 200 OK\r\n" {
			b.Errorf("got %q", line)
		}
		all = append(all, time.Since(start))
		if err := hello.Process.Kill(); err != nil {
			b.Fatal(err)
		}
		_ = hello.Wait() // it was killed
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2])/1e6, "median-ms")
}

// firstLine asks until somebody answers.
func firstLine(b *testing.B, addr string) string {
	for late := time.Now().Add(10 * time.Second); ; {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			if time.Now().After(late) {
				b.Fatal(err)
			}
			time.Sleep(100 * time.Microsecond)
			continue
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /hello/ada HTTP/1.1\r\nHost: "+addr+"\r\nConnection: close\r\n\r\n"); err != nil {
			b.Fatal(err)
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		return line
	}
}
