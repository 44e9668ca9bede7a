//go:build unix

package faulttest_test

import (
	"io"
	"strings"
	"testing"
)

// TestSmuggledRequests hides a request in what a laxer reader takes for a body,
// or the other way round: nothing after a refusal may be answered.
func TestSmuggledRequests(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	const hidden = "GET /item/666 HTTP/1.1\r\nHost: blog.example\r\n\r\n"
	for name, first := range map[string]string{
		"both lengths":         get("/", "Content-Length: 6", "Transfer-Encoding: chunked") + "0\r\n\r\n",
		"encoding disguised":   get("/", "Content-Length: 3", "Transfer-Encoding : chunked") + "0\r\n\r\n",
		"encoding folded":      get("/", "Transfer-Encoding:\r\n chunked") + "0\r\n\r\n",
		"encoding in HTTP/1.0": "GET / HTTP/1.0\r\nHost: blog.example\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunk ended by LF":    get("/", "Transfer-Encoding: chunked") + "2;\nxx\r\n31\r\n0\r\n\r\n",
		"two lengths":          get("/", "Content-Length: 0", "Content-Length: 47"),
		"line ended by LF":     "GET / HTTP/1.1\nHost: blog.example\nContent-Length: 47\n\n",
		"chunk size with 0x":   get("/", "Transfer-Encoding: chunked") + "0x31\r\n",
		"too many headers":     get("/", strings.TrimSuffix(repeat(200, "X-%d: 1\r\n"), "\r\n")),
		"body over the limit":  "POST /form HTTP/1.1\r\nHost: blog.example\r\n" + urlencoded + "\r\nContent-Length: 20000000\r\n\r\n" + strings.Repeat("a", 1000),
	} {
		w := s.dial(t)
		w.send(first + hidden)
		all, _ := io.ReadAll(w.in)
		if strings.Contains(string(all), "666") || strings.Count(string(all), "HTTP/1.1 ") > 1 {
			t.Errorf("%s: the hidden request was answered:\n%.600s", name, all)
		}
	}
}

func TestPipelines(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	w := s.dial(t)
	w.send(strings.Repeat(get("/item/1")+request("POST", "/form", "a=1&b=2", urlencoded)+"PUT /orders/3 HTTP/1.1\r\nHost: blog.example\r\n"+
		asJSON+"\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\n{\"n\r\n9\r\name\":\"a\"}\r\n0\r\nX-Trailer: 1\r\n\r\n", 50) + "rubbish\r\n\r\n")
	for i := range 50 {
		for _, want := range []string{"1", "2", `"name":"a"`} {
			a, err := w.read("GET")
			if err != nil || a.status != 200 || !strings.Contains(a.body, want) {
				t.Fatalf("round %d: %+v %v", i, a, err)
			}
		}
	}
	if a, err := w.read("GET"); err != nil || a.status != 400 || !w.closed() {
		t.Errorf("rubbish at the end of a pipeline: %+v %v", a, err)
	}
}

// TestBodiesNobodyReads sends them where no handler wants one.
func TestBodiesNobodyReads(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	for name, test := range map[string]struct {
		request string
		status  int
	}{
		"page":         {request("GET", "/", strings.Repeat("x", 100_000)), 200},
		"missing page": {request("POST", "/nothing", strings.Repeat("x", 1<<20)), 404},
		"wrong method": {request("POST", "/item/1", strings.Repeat("x", 1<<20)), 405},
		"forged":       {request("POST", "/change", strings.Repeat("x", 1<<20), "Origin: http://evil.example"), 403},
		"wrong type":   {request("PUT", "/orders/1", strings.Repeat("x", 1<<20), "Content-Type: text/plain"), 415},
		"too large":    {request("PUT", "/orders/1", strings.Repeat("x", 30<<20), asJSON), 413},
		"expected":     {"PUT /nothing HTTP/1.1\r\nHost: blog.example\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n", 404},
	} {
		if a := s.ask(t, test.request); a.status != test.status {
			t.Errorf("%s: %d, want %d", name, a.status, test.status)
		}
	}
}
