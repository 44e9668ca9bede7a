//go:build unix

package faulttest_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestDamagedRequests changes a few bytes of requests that are in order, the
// same in each run. Whatever comes out must be answered or refused, and soon.
func TestDamagedRequests(t *testing.T) {
	t.Parallel()
	const clients, each = 4, 600
	blog, lab := start(t, blogProgram, options{}), start(t, labProgram, options{})
	cookie, _ := visitor(t, blog, "/login")
	undamaged := []struct {
		site    *site
		message string
	}{
		{blog, get("/posts/"+anyPost+"?page=2#x", "Accept: text/html;q=0.9, */*", "Cookie: "+cookie, "Accept-Encoding: gzip")},
		{blog, get("/search?q=salt+%26water&page=1")},
		{blog, get("/api/posts?page=2&size=7&tag=bread", "Accept: application/json")},
		{blog, get("/static/blog/style.css", "Range: bytes=0-9, 20-29", `If-Range: "x"`, "If-Modified-Since: Fri, 20 Nov 2026 00:00:00 GMT")},
		{blog, request("POST", "/posts/"+anyPost, "name=a&text=&b%5B0%5D=c", urlencoded, "Origin: http://blog.example", "Cookie: "+cookie)},
		{blog, chunked("5;a=b\r\nname=\r\n6\r\na&text\r\n0\r\nX-Trailer: 1\r\n\r\n")},
		{lab, request("PUT", "/orders/7", `{"name":"a","count":12,"lines":["b","\u00e9"],"x":{"y":[1,2.5e3,null]}}`, asJSON)},
		{lab, multipart("/form", part(`form-data; name="a"`, "b")+part(`form-data; name="c"; filename="d.txt"`, "content")+"--b--\n")},
		{lab, get("/to-name?v=a%22b%0d%0ac") + get("/next?next=/a%2f%2fb")},
	}
	var wg sync.WaitGroup
	for seed := range uint64(clients) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 7))
			for n := range each {
				u := undamaged[n%len(undamaged)]
				message := damaged(r, []byte(u.message))
				w := u.site.dial(t)
				_ = w.conn.SetDeadline(time.Now().Add(patience))
				w.send(string(message))
				_ = w.conn.(*net.TCPConn).CloseWrite()
				answers, err := io.ReadAll(w.in)
				w.conn.Close()
				// A reset is how a refusal ends if more was sent than was read.
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("no end of the answer to %q", message)
				}
				if bytes.Contains(answers, []byte("HTTP/1.1 50")) && !bytes.Contains(answers, []byte("HTTP/1.1 501 ")) || bytes.Contains(answers, []byte("goroutine ")) {
					t.Errorf("%q was answered:\n%.600s", message, answers)
				}
			}
		})
	}
	wg.Wait()
}

// damaged returns a copy of a message with up to three changes.
func damaged(r *rand.Rand, message []byte) []byte {
	message = slices.Clone(message)
	for range 1 + r.IntN(3) {
		at := r.IntN(len(message))
		switch r.IntN(6) {
		case 0:
			message[at] = byte(r.IntN(256))
		case 1:
			message[at] ^= 1 << r.IntN(8)
		case 2:
			message = slices.Delete(message, at, min(len(message), at+1+r.IntN(4)))
		case 3:
			message = slices.Insert(message, at, []byte{0, '%', '\r', '\n', '"', ';', 0xff, '0'}[r.IntN(8)])
		case 4:
			end := min(len(message), at+1+r.IntN(30))
			message = slices.Insert(message, at, slices.Clone(message[at:end])...)
		case 5:
			message = message[:max(at, 1)]
		}
		if len(message) == 0 {
			return []byte{'G'}
		}
	}
	return message
}
