package autocert

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/retort-web/retort"
)

// keep puts a certificate for a host into the folder, as if it had been got
// earlier, and returns the pool that trusts it.
func keep(t *testing.T, dir, host string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(80 * 24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	if err := os.WriteFile(filepath.Join(dir, host), text, 0o600); err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}

func TestServesKeptCertificateAndRedirectsPlainHTTP(t *testing.T) {
	dir := t.TempDir()
	pool := keep(t, dir, "example.com")
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	redirectAddr := plain.Addr().String()
	if err := plain.Close(); err != nil {
		t.Fatal(err)
	}

	app := retort.New(retort.Config{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	app.Get("/", func(c *retort.Ctx) error { return c.Text(c.Scheme() + " " + c.Host()) })
	app.Install(New(Options{Hosts: []string{"example.com"}, Dir: dir, RedirectAddr: redirectAddr, DirectoryURL: "http://127.0.0.1:1/unreachable"}))
	ready := make(chan net.Addr, 1)
	app.OnReady(func(addr net.Addr) { ready <- addr })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- app.Serve(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	}()
	addr := (<-ready).String()

	get := func(host string) (string, error) {
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: host},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, addr)
			},
		}}
		defer client.CloseIdleConnections()
		res, err := client.Get("https://" + host + "/")
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return string(body), err
	}
	if body, err := get("example.com"); err != nil || body != "https example.com" {
		t.Errorf("%q, %v", body, err)
	}
	if body, err := get("other.example"); err == nil {
		t.Errorf("a host that is not listed was served: %q", body)
	}

	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+redirectAddr+"/page?q=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "example.com"
	res, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusFound || got != "https://example.com/page?q=1" {
		t.Errorf("plain HTTP: %d to %q", res.StatusCode, got)
	}
}

func TestNoHostsIsAnError(t *testing.T) {
	app := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Install(New(Options{}))
	if err := app.Prepare(); err == nil {
		t.Error("an app without hosts was prepared")
	}
}
