package ldap_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/hashicorp/go-hclog"
	"github.com/jimlambrt/gldap"
)

// patience is how long what should happen may take on a busy machine.
const patience = 60 * time.Second

const (
	people   = "ou=people,dc=example,dc=com"
	byUID    = "ou=groups,dc=example,dc=com"
	reader   = "cn=site,dc=example,dc=com"
	readerPW = "the reader's own"
)

// authority is the certificate authority of the tests, with a certificate for
// 127.0.0.1 and one for elsewhere.
type authority struct {
	file            string
	right, mistaken *tls.Config
}

var authorityOnce = sync.OnceValue(func() (a struct {
	ca              []byte
	right, mistaken tls.Certificate
},
) {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of the tests"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	must(err)
	a.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	issue := func(c *x509.Certificate) tls.Certificate {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(2), ca.NotBefore, ca.NotAfter
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		der, err := x509.CreateCertificate(rand.Reader, c, ca, key.Public(), caKey)
		must(err)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	a.right = issue(&x509.Certificate{Subject: pkix.Name{CommonName: "directory"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"directory.example.com"}})
	a.mistaken = issue(&x509.Certificate{Subject: pkix.Name{CommonName: "elsewhere"}, DNSNames: []string{"elsewhere.example.com"}})
	return a
})

func newAuthority(t *testing.T) *authority {
	t.Helper()
	made := authorityOnce()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, made.ca, 0o600); err != nil {
		t.Fatal(err)
	}
	return &authority{file, &tls.Config{Certificates: []tls.Certificate{made.right}}, &tls.Config{Certificates: []tls.Certificate{made.mistaken}}}
}

// record is an entry of the directory; its password is userPassword.
type record struct {
	dn     string
	values map[string][]string
}

// directory is an LDAP server in this process. It speaks the protocol over TCP.
type directory struct {
	t         *testing.T
	address   string
	authority *authority
	server    *gldap.Server
	ended     chan struct{}

	ldaps, noStartTLS, mistaken bool          // how it speaks TLS
	hang                        chan struct{} // searches wait until it is closed
	refer                       bool          // searches are referred elsewhere
	huge                        bool          // searches answer without end

	mu      sync.Mutex
	records []*record
	names   map[string]string // other names to bind by, and whose they are
	bound   map[int]string    // by connection
	secured map[int]bool
	binds   []string // names that were tried
	clear   int      // binds that came in clear text
}

func (d *directory) add(dn string, pairs ...string) *record {
	r := &record{dn, map[string][]string{"entryUUID": {"id of " + dn}}}
	r.set(pairs...)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.records = append(d.records, r)
	return r
}

// set takes pairs of an attribute and a value; attributes that come again have several.
func (r *record) set(pairs ...string) {
	fresh := map[string]bool{}
	for i := 0; i < len(pairs); i += 2 {
		if !fresh[pairs[i]] {
			r.values[pairs[i]], fresh[pairs[i]] = nil, true
		}
		r.values[pairs[i]] = append(r.values[pairs[i]], pairs[i+1])
	}
}

func (r *record) all(attribute string) []string {
	for name, values := range r.values {
		if strings.EqualFold(name, attribute) {
			return values
		}
	}
	return nil
}

// newDirectory makes a server with a reader and ann, whose password is "ann's own".
func newDirectory(t *testing.T) *directory {
	d := &directory{t: t, authority: newAuthority(t), names: map[string]string{}}
	d.add(reader, "userPassword", readerPW)
	d.add("uid=ann,"+people, "objectClass", "person", "uid", "ann", "cn", "Ann Archer", "mail", "Ann@example.com", "userPassword", "ann's own")
	return d
}

// start serves on a free port, or again on its own.
func (d *directory) start() *directory {
	d.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		address := d.address
		if address == "" {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				d.t.Fatal(err)
			}
			address = l.Addr().String()
			_ = l.Close()
		}
		server, err := gldap.NewServer(gldap.WithLogger(hclog.NewNullLogger()))
		if err != nil {
			d.t.Fatal(err)
		}
		if err := server.Router(d.mux()); err != nil {
			d.t.Fatal(err)
		}
		d.bound, d.secured = map[int]string{}, map[int]bool{}
		failed, ended := make(chan error, 1), make(chan struct{})
		go func() {
			defer close(ended)
			var options []gldap.Option
			if d.ldaps {
				options = append(options, gldap.WithTLSConfig(d.certificate()))
			}
			if err := server.Run(address, options...); err != nil {
				failed <- err
			}
		}()
		if d.answers(address, failed) {
			d.address, d.server, d.ended = address, server, ended
			d.t.Cleanup(d.stop)
			return d
		}
		if time.Now().After(deadline) {
			d.t.Fatal("the directory does not start")
		}
	}
}

func (d *directory) answers(address string, failed <-chan error) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		select {
		case <-failed:
			return false
		default:
		}
		if conn, err := net.DialTimeout("tcp", address, patience); err == nil {
			_ = conn.Close()
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

func (d *directory) stop() {
	if d.server != nil {
		_ = d.server.Stop()
		<-d.ended
		d.server = nil
	}
}

func (d *directory) url() string {
	if d.ldaps {
		return "ldaps://" + d.address
	}
	return "ldap://" + d.address
}

func (d *directory) certificate() *tls.Config {
	if d.mistaken {
		return d.authority.mistaken
	}
	return d.authority.right
}

// tried returns the names that were bound by, other than the reader's.
func (d *directory) tried() (names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range d.binds {
		if name != reader {
			names = append(names, name)
		}
	}
	return names
}

func (d *directory) mux() *gldap.Mux {
	mux, err := gldap.NewMux()
	if err == nil {
		err = mux.Bind(d.bind)
	}
	if err == nil {
		err = mux.Search(d.search)
	}
	if err == nil && !d.noStartTLS {
		err = mux.ExtendedOperation(d.startTLS, gldap.ExtendedOperationStartTLS)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return mux
}

func (d *directory) startTLS(w *gldap.ResponseWriter, r *gldap.Request) {
	answer := r.NewExtendedResponse(gldap.WithResponseCode(gldap.ResultSuccess))
	answer.SetResponseName(gldap.ExtendedOperationStartTLS)
	if w.Write(answer) == nil && r.StartTLS(d.certificate()) == nil {
		d.mu.Lock()
		d.secured[r.ConnectionID()] = true
		d.mu.Unlock()
	}
}

func (d *directory) bind(w *gldap.ResponseWriter, r *gldap.Request) {
	code := gldap.ResultInvalidCredentials
	defer func() { _ = w.Write(r.NewBindResponse(gldap.WithResponseCode(code))) }()
	m, err := r.GetSimpleBindMessage()
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.binds = append(d.binds, m.UserName)
	if !d.ldaps && !d.secured[r.ConnectionID()] {
		d.clear++
	}
	d.bound[r.ConnectionID()] = ""
	if m.Password == "" { // as many servers do
		code = gldap.ResultSuccess
		return
	}
	name := m.UserName
	if other, ok := d.names[name]; ok {
		name = other
	}
	for _, rec := range d.records {
		if sameDN(rec.dn, name) && slices.Contains(rec.values["userPassword"], string(m.Password)) {
			d.bound[r.ConnectionID()], code = rec.dn, gldap.ResultSuccess
		}
	}
}

func (d *directory) search(w *gldap.ResponseWriter, r *gldap.Request) {
	code := gldap.ResultSuccess
	defer func() { _ = w.Write(r.NewSearchDoneResponse(gldap.WithResponseCode(code))) }()
	if d.hang != nil {
		<-d.hang
	}
	if d.refer {
		code = gldap.ResultReferral
		return
	}
	m, err := r.GetSearchMessage()
	if err != nil {
		code = gldap.ResultProtocolError
		return
	}
	filter, err := ldap.CompileFilter(m.Filter)
	if err != nil {
		code = gldap.ResultProtocolError
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.huge {
		pad := strings.Repeat("x", 1<<20)
		for w.Write(r.NewSearchResponseEntry("uid=ann,"+people, gldap.WithAttributes(map[string][]string{"cn": {pad}}))) == nil {
		}
		return
	}
	if d.bound[r.ConnectionID()] == "" {
		code = gldap.ResultInsufficientAccessRights
		return
	}
	sent := int64(0)
	for _, rec := range d.records {
		inside := sameDN(rec.dn, m.BaseDN)
		if m.Scope == gldap.WholeSubtree {
			inside = inside || strings.HasSuffix(strings.ToLower(rec.dn), ","+strings.ToLower(m.BaseDN))
		}
		if !inside || !d.matches(filter, rec) {
			continue
		}
		if sent++; m.SizeLimit > 0 && sent > m.SizeLimit {
			code = gldap.ResultSizeLimitExceeded
			return
		}
		values := map[string][]string{}
		for _, a := range m.Attributes {
			if found := rec.all(a); found != nil {
				values[a] = found
			}
		}
		if w.Write(r.NewSearchResponseEntry(rec.dn, gldap.WithAttributes(values))) != nil {
			return
		}
	}
}

// matches evaluates the parts of filters that are used here.
func (d *directory) matches(f *ber.Packet, rec *record) bool {
	pair := func() (string, string) {
		return f.Children[0].Data.String(), f.Children[1].Data.String()
	}
	switch f.Tag {
	case ldap.FilterAnd:
		return !slices.ContainsFunc(f.Children, func(c *ber.Packet) bool { return !d.matches(c, rec) })
	case ldap.FilterOr:
		return slices.ContainsFunc(f.Children, func(c *ber.Packet) bool { return d.matches(c, rec) })
	case ldap.FilterNot:
		return !d.matches(f.Children[0], rec)
	case ldap.FilterPresent:
		return strings.EqualFold(f.Data.String(), "objectClass") || rec.all(f.Data.String()) != nil
	case ldap.FilterEqualityMatch:
		attribute, value := pair()
		return slices.ContainsFunc(rec.all(attribute), func(v string) bool { return strings.EqualFold(v, value) })
	case ldap.FilterSubstrings:
		return rec.all(f.Children[0].Data.String()) != nil
	case ldap.FilterExtensibleMatch: // Active Directory's, of member
		return d.chained(rec, f.Children[2].Data.String(), 0)
	}
	return false
}

// chained reports whether an entry is in a group, or in a group of it.
func (d *directory) chained(rec *record, dn string, depth int) bool {
	return slices.ContainsFunc(rec.values["member"], func(member string) bool {
		if sameDN(member, dn) {
			return true
		}
		return depth < 5 && slices.ContainsFunc(d.records, func(other *record) bool {
			return sameDN(other.dn, member) && d.chained(other, dn, depth+1)
		})
	})
}

func sameDN(a, b string) bool {
	first, err := ldap.ParseDN(a)
	if err != nil {
		return false
	}
	second, err := ldap.ParseDN(b)
	return err == nil && first.EqualFold(second)
}

// newTrust is for a client of the tests' own.
func newTrust(t *testing.T) *tls.Config {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authorityOnce().ca)
	return &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
}
