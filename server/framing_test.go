package server

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// crlf writes raw messages readably: each line of the literal ends with CR LF.
func crlf(lines ...string) string { return strings.Join(lines, "\r\n") }

var framingCases = []struct {
	name   string
	stream string
	want   violation
	begun  uint32
}{
	{"plain GET", crlf("GET / HTTP/1.1", "Host: a.example", "", ""), "", 1},
	{"two pipelined", strings.Repeat(crlf("GET / HTTP/1.1", "Host: a", "", ""), 2), "", 2},
	{"empty line between requests", crlf("GET / HTTP/1.1", "Host: a", "", "", "GET / HTTP/1.1", "Host: a", "", ""), "", 2},
	{"body by length, then a request", crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 5", "", "helloGET / HTTP/1.1", "Host: a", "", ""), "", 2},
	{"body that looks like a bad request", crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 10", "", "\x00\n\n: a\r\n\r\n"), "", 1},
	{"length zero", crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 0", "", ""), "", 1},
	{"same length twice", crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Content-Length: 1", "", "x"), "", 1},
	{"chunked", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", "5", "hello", "A;x=\"y\"", "0123456789", "0", "", "GET / HTTP/1.1", "Host: a", "", ""), "", 2},
	{"chunked in capitals", crlf("POST / HTTP/1.1", "Host: a", "TRANSFER-ENCODING:Chunked \t", "", "0", "", ""), "", 1},
	{"trailer", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", "1", "x", "000", "Host: b", "X-Sum: 1", "", ""), "", 1},
	{"HTTP/1.0 without Host", crlf("GET / HTTP/1.0", "", ""), "", 1},
	{"HTTP/1.0 with empty Host", crlf("GET / HTTP/1.0", "Host:", "", ""), "", 1},
	{"header with tab and high bytes", crlf("GET / HTTP/1.1", "Host: a", "X: a\tb \xffc", "", ""), "", 1},
	{"empty header", crlf("GET / HTTP/1.1", "Host: a", "X:", "", ""), "", 1},
	{"raw UTF-8 target", crlf("GET /\xc3\xa9 HTTP/1.1", "Host: a", "", ""), "", 1},
	{"same authority", crlf("GET http://A.example:80/x HTTP/1.1", "Host: a.example:80", "", ""), "", 1},
	{"same authority, no path", crlf("GET http://a.example HTTP/1.1", "Host: a.example", "", ""), "", 1},
	{"double slash path is no authority", crlf("GET //b.example/ HTTP/1.1", "Host: a", "", ""), "", 1},
	{"URL in a query is no authority", crlf("GET /?u=http://b.example/ HTTP/1.1", "Host: a", "", ""), "", 1},
	{"asterisk", crlf("OPTIONS * HTTP/1.1", "Host: a", "", ""), "", 1},
	{"CONNECT", crlf("CONNECT a:443 HTTP/1.1", "Host: a:443", "", ""), "", 1},
	{"expect", crlf("PUT / HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 1", "", "x"), "", 1},

	{"length and encoding", crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 5", "Transfer-Encoding: chunked", "", ""), lengthAndEncoding, 1},
	{"encoding and length", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Content-Length: 5", "", ""), lengthAndEncoding, 1},
	{"encoding and length zero", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Content-Length: 0", "", ""), lengthAndEncoding, 1},
	{"encoding in HTTP/1.0", crlf("POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked", "", ""), encodingBefore11, 1},
	{"encoding twice", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", "", ""), badTransferEncoding, 1},
	{"encoding list", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: gzip, chunked", "", ""), badTransferEncoding, 1},
	{"encoding identity", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: identity", "", ""), badTransferEncoding, 1},
	{"encoding empty", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding:", "", ""), badTransferEncoding, 1},
	{"encoding quoted", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: \"chunked\"", "", ""), badTransferEncoding, 1},
	{"encoding with vertical tab", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: \x0bchunked", "", ""), badHeaderValue, 1},
	{"encoding folded", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding:", " chunked", "", ""), badTransferEncoding, 1},
	{"encoding folded after a value", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", " , identity", "", ""), foldedHeader, 1},
	{"any folded header", crlf("GET / HTTP/1.1", "Host: a", "X: a", "\tb", "", ""), foldedHeader, 1},
	{"folded first header", crlf("GET / HTTP/1.1", " Host: a", "", ""), foldedHeader, 1},
	{"encoding with space before colon", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding : chunked", "", ""), badHeaderName, 1},
	{"different lengths", crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 5", "Content-Length: 6", "", ""), unequalLengths, 1},
	{"length list", crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 5, 5", "", ""), badContentLength, 1},
	{"length with plus", crlf("POST / HTTP/1.1", "Host: a", "Content-Length: +5", "", ""), badContentLength, 1},
	{"length negative", crlf("POST / HTTP/1.1", "Host: a", "Content-Length: -1", "", ""), badContentLength, 1},
	{"length hexadecimal", crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 0x5", "", ""), badContentLength, 1},
	{"length empty", crlf("POST / HTTP/1.1", "Host: a", "Content-Length:", "", ""), badContentLength, 1},
	{"length beyond 64 bits", crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 18446744073709551621", "", ""), badContentLength, 1},
	{"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", badRequestLine, 1},
	{"bare LF after a header", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", badLineEnd, 1},
	{"bare LF as the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", badLineEnd, 1},
	{"bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", badLineEnd, 1},
	{"bare CR at a line start", "GET / HTTP/1.1\r\nHost: a\r\n\rX: a\r\n\r\n", badLineEnd, 1},
	{"LF before the request", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", badRequestLine, 1},
	{"NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", badHeaderValue, 1},
	{"DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: 0123456789\x7fb\r\n\r\n", badHeaderValue, 1},
	{"NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\x00: b\r\n\r\n", badHeaderName, 1},
	{"NUL in the target", "GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", badRequestLine, 1},
	{"no colon", crlf("GET / HTTP/1.1", "Host: a", "X", "", ""), badLineEnd, 1},
	{"empty name", crlf("GET / HTTP/1.1", "Host: a", ": x", "", ""), badHeaderName, 1},
	{"odd name", crlf("GET / HTTP/1.1", "Host: a", "X(y): x", "", ""), badHeaderName, 1},
	{"high byte in a name", crlf("GET / HTTP/1.1", "Host: a", "X\xc3\xa9: x", "", ""), badHeaderName, 1},
	{"too many headers", "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: y\r\n", 10) + "\r\n", tooManyHeaders, 1},
	{"too many trailers", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", "0", "") + strings.Repeat("X: y\r\n", 10), tooManyHeaders, 1},
	{"no Host", crlf("GET / HTTP/1.1", "", ""), missingHost, 1},
	{"empty Host", crlf("GET / HTTP/1.1", "Host: ", "", ""), missingHost, 1},
	{"two Hosts", crlf("GET / HTTP/1.1", "Host: a", "Host: a", "", ""), repeatedHost, 1},
	{"two Hosts in HTTP/1.0", crlf("GET / HTTP/1.0", "Host: a", "Host: b", "", ""), repeatedHost, 1},
	{"Host with two ports", crlf("GET / HTTP/1.1", "Host: a:1:2", "", ""), badHost, 1},
	{"Host with letters as port", crlf("GET / HTTP/1.1", "Host: a:http", "", ""), badHost, 1},
	{"Host with an open bracket", crlf("GET / HTTP/1.1", "Host: [::1", "", ""), badHost, 1},
	{"Host with comma", crlf("GET / HTTP/1.1", "Host: a,b", "", ""), badHost, 1},
	{"Host with percent", crlf("GET / HTTP/1.1", "Host: a%2eb", "", ""), badHost, 1},
	{"Host with at sign", crlf("GET / HTTP/1.1", "Host: a@b", "", ""), badHost, 1},
	{"Host with slash", crlf("GET / HTTP/1.1", "Host: a/b", "", ""), badHost, 1},
	{"Host with space inside", crlf("GET / HTTP/1.1", "Host: a b", "", ""), badHost, 1},
	{"Host too long", crlf("GET / HTTP/1.1", "Host: "+strings.Repeat("a", 400), "", ""), badHost, 1},
	{"other authority", crlf("GET http://b.example/ HTTP/1.1", "Host: a.example", "", ""), differentAuthority, 1},
	{"other port in the authority", crlf("GET http://a.example:81/ HTTP/1.1", "Host: a.example", "", ""), differentAuthority, 1},
	{"user in the authority", crlf("GET http://u@a.example/ HTTP/1.1", "Host: a.example", "", ""), differentAuthority, 1},
	{"bad authority in HTTP/1.0", crlf("GET http://a%41/ HTTP/1.0", "", ""), badHost, 1},
	{"other CONNECT authority", crlf("CONNECT b:443 HTTP/1.1", "Host: a:443", "", ""), differentAuthority, 1},
	{"endless authority", crlf("GET http://"+strings.Repeat("a", 400)+"/ HTTP/1.1", "Host: a", "", ""), badHost, 1},
	{"no version", crlf("GET /", "Host: a", "", ""), badRequestLine, 1},
	{"HTTP/0.9", crlf("GET / HTTP/0.9", "", ""), badVersion, 1},
	{"HTTP/2.0 in text", crlf("PRI * HTTP/2.0", "", "SM", "", ""), badVersion, 1},
	{"lower case version", crlf("GET / http/1.1", "Host: a", "", ""), badVersion, 1},
	{"version too long", crlf("GET / HTTP/1.11", "Host: a", "", ""), badRequestLine, 1},
	{"two spaces", crlf("GET  / HTTP/1.1", "Host: a", "", ""), badRequestLine, 1},
	{"space in the target", crlf("GET /a b HTTP/1.1", "Host: a", "", ""), badRequestLine, 1},
	{"space before the method", crlf(" GET / HTTP/1.1", "Host: a", "", ""), badRequestLine, 1},
	{"TLS on a clear port", "\x16\x03\x01\x02\x00\x01", badRequestLine, 1},
	{"chunk without size", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", "", ""), badChunk, 1},
	{"chunk size with sign", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", "+1", "x", ""), badChunk, 1},
	{"chunk size with prefix", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", "0x1", "x", ""), badChunk, 1},
	{"chunk size beyond 60 bits", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", "10000000000000000", ""), badChunk, 1},
	{"bare LF after a chunk size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n", badChunk, 1},
	{"bare LF in a chunk extension", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nx\r\n", badChunk, 1},
	{"chunk longer than its size", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", "1", "xy", ""), badChunk, 1},
	{"bare LF after a chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\n", badChunk, 1},
	{"bad second request", crlf("GET / HTTP/1.1", "Host: a", "", "GET / HTTP/1.1", "Host: a b", "", ""), badHost, 2},
}

// scanAll follows a stream given in pieces of the given size.
func scanAll(f *framing, stream string, size int) (passed int, why violation) {
	for len(stream) > 0 {
		piece := []byte(stream[:min(size, len(stream))])
		for len(piece) > 0 {
			n, why := f.scan(piece)
			passed += n
			if why != "" {
				return passed, why
			}
			piece = piece[n:]
			stream = stream[n:]
		}
	}
	return passed, ""
}

func TestFraming(t *testing.T) {
	t.Parallel()
	for _, c := range framingCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			whole, sum := framing{maxHeaders: 8}, 0
			for size := 1; size <= len(c.stream)+1; size++ {
				f := framing{maxHeaders: 8}
				passed, why := scanAll(&f, c.stream, size)
				if why != c.want || f.begun != c.begun {
					t.Fatalf("in pieces of %d: got %q after %d messages, want %q after %d", size, why, f.begun, c.want, c.begun)
				}
				if why == "" && (passed != len(c.stream) || f.expectsBody()) {
					t.Fatalf("in pieces of %d: passed %d of %d bytes, body expected: %v", size, passed, len(c.stream), f.expectsBody())
				}
				if size == 1 {
					whole, sum = f, passed
				} else if f.at != whole.at || why == "" && passed != sum {
					t.Fatalf("in pieces of %d: passed %d bytes, one by one %d", size, passed, sum)
				}
			}
		})
	}
}

// TestFramingSplitOnce cuts each stream at every byte into two parts.
func TestFramingSplitOnce(t *testing.T) {
	t.Parallel()
	for _, c := range framingCases {
		for cut := range len(c.stream) {
			f := framing{maxHeaders: 8}
			_, why := scanAll(&f, c.stream[:cut], len(c.stream))
			if why == "" {
				_, why = scanAll(&f, c.stream[cut:], len(c.stream))
			}
			if why != c.want {
				t.Errorf("%s, cut at %d: got %q, want %q", c.name, cut, why, c.want)
			}
		}
	}
}

func TestValidHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "a.example": true, "A-1.example:8080": true, "my_service:80": true,
		"127.0.0.1:0": true, "[::1]": true, "[2001:db8::1]:443": true, "xn--bcher-kva.example": true,
		"a.": true, "a:65535": true,
		"": false, ":80": false, "a:": false, "a:65536": false, "a:1:2": false, "a:x": false, "a:-1": false, "[::1": false,
		"::1": false, "[::1]x": false, "[fe80::1%25eth0]": false, "[fe80::1%eth0]": false, "[1.2.3.4]": false, "[]": false,
		"a b": false, "a,b": false, "a%41": false, "a/b": false, "a\\b": false, "a@b": false, "a?b": false, "a#b": false,
		"bücher.example": false, ".a": false, "a\x00": false, "<a>": false,
	} {
		if got := ValidHost(host); got != want {
			t.Errorf("ValidHost(%q) = %v, want %v", host, got, want)
		}
	}
}

func FuzzFraming(f *testing.F) {
	for _, c := range framingCases {
		f.Add(c.stream, 3)
	}
	f.Fuzz(func(t *testing.T, stream string, size int) {
		size = max(1, size)
		whole, cut := framing{maxHeaders: 8}, framing{maxHeaders: 8}
		passedWhole, whyWhole := scanAll(&whole, stream, len(stream)+1)
		passedCut, whyCut := scanAll(&cut, stream, size)
		if whyWhole == "" && passedWhole != passedCut || whyWhole != whyCut || whole.begun != cut.begun || whole.at != cut.at {
			t.Errorf("%q: whole %d %q, in pieces of %d: %d %q", stream, passedWhole, whyWhole, size, passedCut, whyCut)
		}
	})
}

// FuzzAgreesWithNetHTTP: of what is accepted net/http understands the same number of
// messages, for hosts that are well formed, unless it refuses on its own.
func FuzzAgreesWithNetHTTP(f *testing.F) {
	for _, c := range framingCases {
		f.Add(c.stream)
	}
	f.Fuzz(func(t *testing.T, stream string) {
		f := framing{maxHeaders: 1000}
		if _, why := scanAll(&f, stream, len(stream)+1); why != "" {
			return
		}
		r := bufio.NewReader(strings.NewReader(stream))
		for n := uint32(0); ; n++ {
			request, err := http.ReadRequest(r)
			if errors.Is(err, io.EOF) {
				if n != f.begun || f.at != atStart {
					t.Fatalf("%q: net/http sees %d messages, the guard %d", stream, n, f.begun)
				}
				return
			}
			if err != nil {
				return
			}
			if request.Host != "" && !ValidHost(request.Host) {
				t.Fatalf("%q: host %q", stream, request.Host)
			}
			if _, err := io.Copy(io.Discard, request.Body); err != nil {
				return
			}
		}
	})
}

func BenchmarkFraming(b *testing.B) {
	request := []byte(crlf("GET /api/articles/42?page=3 HTTP/1.1", "Host: www.example.com",
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"Accept-Language: en-GB,en;q=0.5", "Accept-Encoding: gzip, deflate, br, zstd",
		"Cookie: session=eyJ1c2VyIjoxMjM0NTY3ODkwfQ.aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789; theme=dark",
		"Connection: keep-alive", "", ""))
	f := framing{maxHeaders: 100}
	b.ReportAllocs()
	b.SetBytes(int64(len(request)))
	for b.Loop() {
		if _, why := f.scan(request); why != "" {
			b.Fatal(why)
		}
	}
}
