package server

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate makes a self-signed certificate for 127.0.0.1 with a serial number.
func writeCertificate(t *testing.T, folder string, serial int64) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func insecure(protocols ...string) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}
}

func describe(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fmt.Fprint(w, r.Proto, " tls=", r.TLS != nil && r.TLS.HandshakeComplete, " body=", len(body), " ", err, " X_A=", r.Header.Get("X_A"))
}

func TestTLS(t *testing.T) {
	t.Parallel()
	certFile, keyFile := writeCertificate(t, t.TempDir(), 1)
	addr, stop := run(t, &Server{TLS: TLSFiles(certFile, keyFile), ReadHeaderTimeout: 500 * time.Millisecond, Handler: http.HandlerFunc(describe)})
	// A client that never shakes hands must not keep others waiting.
	silent := dial(t, addr)
	for protocol, want := range map[string]string{
		"http/1.1": "HTTP/1.1 tls=true body=300000 <nil> X_A=",
		"h2":       "HTTP/2.0 tls=true body=300000 <nil> X_A=",
	} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: insecure(protocol), ForceAttemptHTTP2: protocol == "h2"}}
		request, _ := http.NewRequest("POST", "https://"+addr, strings.NewReader(strings.Repeat("x", 300000)))
		request.Header["x_a"] = []string{"evil"}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(response.Body); string(body) != want {
			t.Errorf("%s: got %q, want %q", protocol, body, want)
		}
	}
	if answer := exchange(t, addr, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); !strings.HasPrefix(answer, "HTTP/1.0 400 ") || !strings.Contains(answer, "https://") {
		t.Errorf("clear text: %q", answer)
	}
	conn, err := tls.Dial("tcp", addr, insecure("http/1.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Transfer-Encoding: chunked", "", ""))
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("refused over TLS: %q, %v", answer, err)
	}
	if _, err := silent.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("handshake that never came: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestHijackOverTLS(t *testing.T) {
	t.Parallel()
	certFile, keyFile := writeCertificate(t, t.TempDir(), 1)
	addr, _ := run(t, &Server{TLS: TLSFiles("", ""), CertFile: certFile, KeyFile: keyFile, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\n")
		io.CopyN(conn, buffered, 4)
	})})
	conn, err := tls.Dial("tcp", addr, insecure("http/1.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, crlf("GET / HTTP/1.1", "Host: a", "Connection: upgrade", "Upgrade: raw", "", "\x00"))
	r := bufio.NewReader(conn)
	if response, err := http.ReadResponse(r, nil); err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", response, err)
	}
	io.WriteString(conn, "\n\xff:")
	if got, err := io.ReadAll(r); string(got) != "\x00\n\xff:" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestTLSNeedsBothFiles(t *testing.T) {
	t.Parallel()
	certFile, keyFile := writeCertificate(t, t.TempDir(), 1)
	for want, s := range map[string]*Server{
		"needs both":      {TLS: TLSFiles(certFile, "")},
		"cannot read":     {TLS: TLSFiles(certFile, keyFile+"x")},
		"cannot use":      {TLS: TLSFiles(certFile, certFile)},
		"TLS certificate": {TLS: NewTLS(nil), CertFile: keyFile, KeyFile: keyFile},
		"without TLS; set Server.TLS to server.TLSFiles": {CertFile: certFile, KeyFile: keyFile},
	} {
		s.Addr, s.IgnoreSignals = "127.0.0.1:0", true
		if err := s.Run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestTLSFilesWithoutNamesIsClearText(t *testing.T) {
	t.Parallel()
	addr, _ := run(t, &Server{TLS: TLSFiles("", ""), Handler: http.HandlerFunc(describe)})
	if answer := exchange(t, addr, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); !strings.Contains(answer, "tls=false") {
		t.Errorf("got %q", answer)
	}
}

func TestNewTLSUsesTheConfiguration(t *testing.T) {
	t.Parallel()
	certFile, keyFile := writeCertificate(t, t.TempDir(), 7)
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}
	addr, _ := run(t, &Server{TLS: NewTLS(config), Handler: http.HandlerFunc(describe)})
	conn, err := tls.Dial("tcp", addr, insecure("h2"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	state := conn.ConnectionState()
	if state.NegotiatedProtocol != "h2" || state.PeerCertificates[0].SerialNumber.Int64() != 7 {
		t.Errorf("%q, serial %v", state.NegotiatedProtocol, state.PeerCertificates[0].SerialNumber)
	}
	if config.NextProtos != nil {
		t.Error("the configuration given was changed")
	}
	old := insecure("http/1.1")
	old.MaxVersion = tls.VersionTLS12
	if conn, err := tls.Dial("tcp", addr, old); err == nil {
		conn.Close()
		t.Error("TLS 1.2 was accepted")
	}
}

func TestCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	certFile, keyFile := writeCertificate(t, folder, 1)
	c, err := loadCertificate(certFile, keyFile, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		c.mu.Lock()
		c.checked = time.Time{}
		c.mu.Unlock()
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.SerialNumber.Int64()
	}
	writeCertificate(t, folder, 2)
	later := time.Now().Add(time.Minute)
	os.Chtimes(certFile, later, later)
	if got := serial(); got != 2 {
		t.Errorf("after a change: serial %d", got)
	}
	os.WriteFile(certFile, []byte("half a fi"), 0o600)
	if got := serial(); got != 2 {
		t.Errorf("after a broken change: serial %d", got)
	}
	os.Remove(keyFile)
	if got := serial(); got != 2 {
		t.Errorf("after a removal: serial %d", got)
	}
	writeCertificate(t, folder, 3)
	os.Chtimes(certFile, later.Add(time.Minute), later.Add(time.Minute))
	if got := serial(); got != 3 {
		t.Errorf("after a repair: serial %d", got)
	}
}
