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
	"sync"
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
	addr, stop := run(t, &Server{CertFile: certFile, KeyFile: keyFile, ReadHeaderTimeout: 500 * time.Millisecond, Handler: http.HandlerFunc(describe)})
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

func TestTLSNeedsBothFiles(t *testing.T) {
	t.Parallel()
	certFile, keyFile := writeCertificate(t, t.TempDir(), 1)
	for want, s := range map[string]*Server{
		"needs both":      {CertFile: certFile},
		"cannot read":     {CertFile: certFile, KeyFile: keyFile + "x"},
		"cannot use":      {CertFile: certFile, KeyFile: certFile},
		"TLS certificate": {CertFile: keyFile, KeyFile: keyFile},
	} {
		s.Addr, s.IgnoreSignals = "127.0.0.1:0", true
		if err := s.Run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
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

func TestH2C(t *testing.T) {
	t.Parallel()
	addr, stop := run(t, &Server{H2C: true, Handler: http.HandlerFunc(describe)})
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	for range 3 {
		response, err := client.Post("http://"+addr, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(response.Body); string(body) != "HTTP/2.0 tls=false body=1 <nil> X_A=" {
			t.Errorf("got %q", body)
		}
	}
	for cut := range 8 { // HTTP/1 beside it, also if the first bytes look like the other
		conn := dial(t, addr)
		raw := crlf("PRI / HTTP/1.1", "Host: a", "Connection: close", "", "")
		io.WriteString(conn, raw[:cut])
		time.Sleep(2 * time.Millisecond)
		io.WriteString(conn, raw[cut:])
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(response.Body); !strings.HasPrefix(string(body), "HTTP/1.1 ") {
			t.Errorf("got %q", body)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	off, _ := run(t, &Server{Handler: http.HandlerFunc(describe)})
	if answer := exchange(t, off, preface); !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
		t.Errorf("H2C not asked for: %q", answer)
	}
}

func TestSlowHTTP2BodyIsCut(t *testing.T) {
	t.Parallel()
	result := make(chan error, 1)
	addr, _ := run(t, &Server{H2C: true, ReadTimeout: 150 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		result <- err
	})})
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	r, w := io.Pipe()
	defer w.Close()
	go func() {
		request, _ := http.NewRequest("POST", "http://"+addr, r)
		if response, err := client.Do(request); err == nil {
			response.Body.Close()
		}
	}()
	io.WriteString(w, "x")
	select {
	case err := <-result:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("not cut")
	}
}

func TestHTTP2DrainsUnderLoad(t *testing.T) {
	t.Parallel()
	addr, stop := run(t, &Server{H2C: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		time.Sleep(10 * time.Millisecond)
		io.WriteString(w, "done")
	})})
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for {
				response, err := client.Post("http://"+addr, "text/plain", strings.NewReader("x"))
				if err != nil {
					if !strings.Contains(err.Error(), "connection refused") {
						t.Errorf("lost a request: %v", err)
					}
					return
				}
				if body, err := io.ReadAll(response.Body); err != nil || string(body) != "done" {
					t.Errorf("got %q, %v", body, err)
				}
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	if err := stop(); err != nil {
		t.Error(err)
	}
	wait.Wait()
}
