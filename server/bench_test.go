//go:build unix

package server

import (
	"bufio"
	"net"
	"testing"
)

// BenchmarkLoopback compares bare net/http, with deadlines for head and idle time, with
// Server: each a process of its own that answers requests over one connection. The metric
// cpu-ns/op is the time of that process.
func BenchmarkLoopback(b *testing.B) {
	requests := map[string]string{
		"small": crlf("GET /plaintext HTTP/1.1", "Host: localhost:8080", "Accept: text/plain", "", ""),
		"browser": crlf("GET /plaintext HTTP/1.1", "Host: localhost:8080", "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
			"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language: en-GB,en;q=0.5",
			"Accept-Encoding: gzip, deflate, br, zstd", "Cookie: session=eyJ1c2VyIjoxMjM0NTY3ODkwfQ.aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789",
			"Connection: keep-alive", "", ""),
	}
	for _, kind := range []string{"small", "browser"} {
		for _, server := range []string{"bare", "server"} {
			b.Run(kind+"/"+server, func(b *testing.B) { benchmarkChild(b, server, requests[kind]) })
		}
	}
}

func benchmarkChild(b *testing.B, kind, request string) {
	cmd, addr := child(b, kind, nil)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	raw := []byte(request)
	for b.Loop() {
		if _, err := conn.Write(raw); err != nil {
			b.Fatal(err)
		}
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				b.Fatal(err)
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := r.Discard(13); err != nil {
			b.Fatal(err)
		}
	}
	cmd.Process.Kill()
	cmd.Wait() // an error, as it was killed
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
}
