package ldap_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	client "github.com/go-ldap/ldap/v3"

	"github.com/retort-web/retort/contrib/ldap"
	"github.com/retort-web/retort/internal/testserver"
)

// schemas is where OpenLDAP's packages put the schemas.
const schemas = "/etc/ldap/schema"

// slapdProgram returns OpenLDAP's server, where it is installed.
func slapdProgram(t *testing.T) string {
	t.Helper()
	program := testserver.Program(t, "slapd", "slapd", "/usr/sbin/slapd")
	if _, err := os.Stat(schemas); err != nil {
		testserver.Missing(t, "slapd is installed without its schemas: "+err.Error())
	}
	return program
}

const (
	slapdRoot   = "cn=root,dc=example,dc=com"
	slapdRootPW = "the root of this test"
)

// startSlapd runs OpenLDAP on a free port, with StartTLS, and returns its port and the
// file of its authority.
func startSlapd(t *testing.T) (address, ca string) {
	t.Helper()
	program := slapdProgram(t)
	a := newAuthority(t)
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	cert := a.right.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// It takes a bind without a password for one as nobody, and passwords over TLS only.
	settings := strings.NewReplacer("SCHEMAS", schemas, "DIR", dir, "READER", reader, "ROOTPW", slapdRootPW, "ROOT", slapdRoot).Replace(`
include SCHEMAS/core.schema
include SCHEMAS/cosine.schema
include SCHEMAS/inetorgperson.schema
include SCHEMAS/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile DIR/slapd.pid
allow bind_anon_cred
security simple_bind=128
TLSCACertificateFile ` + a.file + `
TLSCertificateFile DIR/cert.pem
TLSCertificateKeyFile DIR/key.pem
database mdb
maxsize 16777216
suffix "dc=example,dc=com"
rootdn "ROOT"
rootpw "ROOTPW"
directory DIR/data
dbnosync
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="READER" read by self read by anonymous auth
`)
	file := filepath.Join(dir, "slapd.conf")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		address = closedPort(t)
		var out strings.Builder
		cmd := exec.Command(program, "-f", file, "-h", "ldap://"+address, "-d", "0")
		cmd.Stdout, cmd.Stderr = &out, &out
		ended, err := testserver.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		if reached(address, ended) {
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				<-ended
			})
			return address, a.file
		}
		_ = cmd.Process.Kill()
		<-ended
		t.Logf("slapd: %s", &out) // perhaps another took the port
	}
	t.Fatal("slapd does not start")
	return "", ""
}

// reached waits until a program listens.
func reached(address string, ended <-chan struct{}) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		select {
		case <-ended:
			return false
		default:
		}
		if conn, err := net.DialTimeout("tcp", address, patience); err == nil {
			_ = conn.Close()
			return true
		}
	}
	return false
}

// fill puts entries into the directory.
func fill(t *testing.T, address string) {
	t.Helper()
	conn, err := client.DialURL("ldap://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.StartTLS(newTrust(t)); err != nil {
		t.Fatal(err)
	}
	if err := conn.Bind(slapdRoot, slapdRootPW); err != nil {
		t.Fatal(err)
	}
	add := func(dn string, pairs ...string) {
		t.Helper()
		request := client.NewAddRequest(dn, nil)
		values := map[string][]string{}
		for i := 0; i < len(pairs); i += 2 {
			values[pairs[i]] = append(values[pairs[i]], pairs[i+1])
		}
		for name, list := range values {
			request.Attribute(name, list)
		}
		if err := conn.Add(request); err != nil {
			t.Fatalf("%s: %v", dn, err)
		}
	}
	add("dc=example,dc=com", "objectClass", "dcObject", "objectClass", "organization", "o", "Example", "dc", "example")
	add(people, "objectClass", "organizationalUnit", "ou", "people")
	add(byUID, "objectClass", "organizationalUnit", "ou", "groups")
	add(reader, "objectClass", "person", "cn", "site", "sn", "site", "userPassword", readerPW)
	for _, name := range []string{"ann", "bo", `odd, "name" + (x)*\`} {
		add("uid="+client.EscapeDN(name)+","+people, "objectClass", "inetOrgPerson", "uid", name, "cn", "Person "+name, "sn", name,
			"mail", fmt.Sprintf("person%d@example.com", len(name)), "userPassword", "own words of "+name)
	}
	add(writers, "objectClass", "groupOfNames", "cn", "writers", "member", "uid=ann,"+people)
	add(editors, "objectClass", "groupOfNames", "cn", "editors", "member", writers)
	add("cn=posix,"+byUID, "objectClass", "posixGroup", "cn", "posix", "gidNumber", "5", "memberUid", "ann")
}

// TestOpenLDAP logs in by a real server.
func TestOpenLDAP(t *testing.T) {
	t.Parallel()
	address, ca := startSlapd(t)
	fill(t, address)
	search := ldap.Options{
		Servers: []string{"ldap://" + address}, CAFile: ca, BindDN: reader, BindPassword: readerPW, Base: people, MirrorGroups: true, NestedGroups: true,
		ConnectTimeout: patience, Timeout: patience,
	}
	groups := search
	groups.GroupBase = byUID
	direct := search
	direct.BindDN, direct.BindPassword, direct.UserDN = "", "", "uid={login},"+people
	for _, c := range []struct {
		name   string
		o      ldap.Options
		groups string
	}{
		{"search, memberOf", search, "editors writers"},
		{"search, search for groups", groups, "editors posix writers"},
		// Who logs in may read the own entry alone here.
		{"direct bind", direct, "writers"},
	} {
		s := newSite(t, c.o)
		for _, name := range []string{"ann", "bo", `odd, "name" + (x)*\`} {
			user := s.in(name, "own words of "+name)
			if user.Name != "Person "+name {
				t.Errorf("%s: %+v", c.name, user)
			}
			if got := strings.Join(s.groups(user), " "); name == "ann" && got != c.groups || name != "ann" && got != "" {
				t.Errorf("%s: %s is in %q", c.name, name, got)
			}
			if again := s.in(name, "own words of "+name); again.ID != user.ID {
				t.Errorf("%s: %s came anew", c.name, name)
			}
			s.out(name, "other words")
			s.out(name, "")
		}
		for _, login := range []string{"*", "ann)(uid=*", "a*", "nobody", "ann,ou=people", "ann\x00"} {
			s.out(login, "own words of ann")
			s.out(login, "")
		}
		if c.o.BindDN != "" {
			link, err := ldap.Links.Where().All(s.Ctx)
			if err != nil || len(link) != 3 || len(link[0].Entry) != 36 { // an entryUUID
				t.Errorf("%s: %v, %v", c.name, link, err)
			}
		}
	}
	// Without TLS the server takes no password, and none is sent.
	wrong := search
	wrong.CAFile = ""
	newSite(t, wrong).away("ann", "own words of ann")
}
