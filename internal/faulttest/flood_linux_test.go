package faulttest_test

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestFloodsAreRefusedEarly sends bodies that never seem to end. Each is refused
// by its first part, and none is kept.
func TestFloodsAreRefusedEarly(t *testing.T) {
	t.Parallel()
	const growth = 160 << 20 // a few bodies of the 10 MB that a body may have
	s := start(t, labProgram, options{})
	if a := s.ask(t, get("/")); a.status != 200 {
		t.Fatal(a.status)
	}
	before := s.resident(t)
	const chunked = "Host: blog.example\r\nSec-Fetch-Site: same-origin\r\nTransfer-Encoding: chunked\r\n"
	announced := "Host: blog.example\r\nSec-Fetch-Site: same-origin\r\nContent-Length: " + strconv.Itoa(400<<20) + "\r\n"
	const parts = "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
	onePart := "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n"
	for _, tt := range []struct {
		name, head, piece string
		pieces            int
		want              []int
	}{
		{"400 MB announced", "POST /form HTTP/1.1\r\n" + announced + urlencoded + "\r\n\r\n", strings.Repeat("a", 1<<20), 400, []int{413}},
		{"400 MB in chunks", "POST /form HTTP/1.1\r\n" + chunked + urlencoded + "\r\n\r\n", chunk(strings.Repeat("a", 1<<20)), 400, []int{413}},
		{"400 MB of fields", "POST /form HTTP/1.1\r\n" + chunked + urlencoded + "\r\n\r\n", chunk(strings.Repeat("a=1&", 1<<18)), 400, []int{413}},
		{"400 MB of JSON", "PUT /orders/7 HTTP/1.1\r\n" + chunked + asJSON + "\r\n\r\n", chunk(`"` + strings.Repeat("a", 1<<20)), 400, []int{400, 413}},
		{"a million parts", "POST /upload HTTP/1.1\r\n" + chunked + parts, chunk(strings.Repeat(onePart, 1000)), 1000, []int{413}},
		{"a million parts announced", "POST /upload HTTP/1.1\r\n" + announced + parts, strings.Repeat(onePart, 1000), 1000, []int{413}},
		{"a file of 400 MB", "POST /upload HTTP/1.1\r\n" + chunked + parts + chunk("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"), chunk(strings.Repeat("u", 1<<20)), 400, []int{413}},
		{"400 MB of brackets", "PUT /orders/7 HTTP/1.1\r\n" + chunked + asJSON + "\r\n\r\n", chunk(strings.Repeat("[", 1<<20)), 400, []int{400, 413}},
		{"10,000 brackets", request("PUT", "/orders/7", strings.Repeat("[", 10_000), asJSON), "", 0, []int{400}},
		{"an index of a thousand millions", request("POST", "/form", "a[999999999]=1&a.999999999=1", urlencoded), "", 0, []int{200, 400, 413, 422}},
		{"a bomb", request("POST", "/form", zipped(400<<20), urlencoded, "Content-Encoding: gzip"), "", 0, []int{400, 413, 415}},
		{"a bomb of JSON", request("PUT", "/orders/7", zipped(400<<20), asJSON, "Content-Encoding: gzip"), "", 0, []int{400, 413, 415}},
		{"a header that does not end", "GET / HTTP/1.1\r\nHost: blog.example\r\nX: ", strings.Repeat("x", 1<<16), 1000, []int{431}},
		{"headers that do not end", "GET / HTTP/1.1\r\nHost: blog.example\r\n", strings.Repeat("X: x\r\n", 1000), 1000, []int{431}},
	} {
		w := s.dial(t)
		_ = w.conn.SetDeadline(time.Now().Add(patience))
		go func() {
			_, err := io.WriteString(w.conn, tt.head)
			for range tt.pieces {
				if err != nil {
					return
				}
				_, err = io.WriteString(w.conn, tt.piece)
			}
		}()
		a, err := w.read("POST")
		w.conn.Close()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if !slices.Contains(tt.want, a.status) {
			t.Errorf("%s: status %d, want %v", tt.name, a.status, tt.want)
		}
	}
	grown := s.resident(t) - before
	t.Logf("%d bytes at first, %d more after the floods", before, grown)
	if grown > growth {
		t.Errorf("memory grew by %d bytes, more than %d", grown, growth)
	}
	if a := s.ask(t, get("/")); a.status != 200 {
		t.Errorf("afterwards: %d", a.status)
	}
}

// chunk is a chunk of a body.
func chunk(data string) string {
	return strconv.FormatInt(int64(len(data)), 16) + "\r\n" + data + "\r\n"
}

// TestManyDrippingClientsAreNotInTheWay has two hundred clients that send a byte
// now and then, and one that is served all the same.
func TestManyDrippingClientsAreNotInTheWay(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	for i := range 200 {
		w := s.dial(t)
		w.send([]string{
			"GET / HTTP/1.1\r\nHost: blog.example\r\nX-Slow: ",
			"POST /form HTTP/1.1\r\nHost: blog.example\r\n" + urlencoded + "\r\nContent-Length: 100000\r\n\r\n",
			"POST /upload HTTP/1.1\r\nHost: blog.example\r\nTransfer-Encoding: chunked\r\n\r\n",
		}[i%3])
		go w.trickle(50 * time.Millisecond) // until the test ends the server
	}
	for i := range 100 {
		if a := s.ask(t, get("/")); a.status != 200 {
			t.Fatalf("request %d beside them: %d", i, a.status)
		}
	}
}
