package ldap_test

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/contrib/ldap"
	"github.com/retort-web/retort/internal/testdb"
)

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	return address
}

func (s *site) away(login, secret string) {
	s.T.Helper()
	user, err := s.Auth.Authenticate(s.Ctx, login, secret)
	answer, ok := errors.AsType[*retort.HTTPError](err)
	if !ok || answer.Status != 503 {
		s.T.Errorf("login of %s: %v, %v", login, user, err)
	}
}

func TestTheNextServerIsAsked(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	o := d.options()
	o.Servers = []string{"ldaps://" + closedPort(t), d.url()}
	s := newSite(t, o)
	for range 5 {
		s.in("ann", "ann's own")
	}
	if n := s.logged("does not answer"); n != 1 {
		t.Errorf("%d lines\n%s", n, s.Log)
	}
}

func TestDirectoryAway(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	s := newSite(t, d.options())
	s.local("bob@example.com", "bob's own words")
	s.in("ann", "ann's own")
	s.in("bob@example.com", "bob's own words")
	d.stop()
	for range 20 {
		s.away("ann", "ann's own")
	}
	// Only this directory can tell, so nobody else is asked.
	s.away("bob@example.com", "bob's own words")
	s.PostForm("/login", map[string][]string{"email": {"ann@example.com"}, "password": {"ann's own"}}).Status(503)
	s.Get("/login").Status(200)
	if n := s.logged("does not answer"); n != 1 {
		t.Errorf("%d lines\n%s", n, s.Log)
	}
	d.start()
	s.in("ann", "ann's own")
	if n := s.logged("answers again"); n != 1 {
		t.Errorf("%d lines\n%s", n, s.Log)
	}
}

func TestNextBackendWhileAway(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	o := d.options()
	o.Servers, o.WhenAway = []string{"ldaps://" + closedPort(t)}, ldap.Next
	s := newSite(t, o)
	s.local("bob@example.com", "bob's own words")
	s.in("bob@example.com", "bob's own words")
	// Nobody can say that this is wrong.
	if _, err := s.Auth.Authenticate(s.Ctx, "ann", "ann's own"); !errors.Is(err, auth.ErrUnavailable) {
		t.Error(err)
	}
	s.PostForm("/login", map[string][]string{"email": {"ann@example.com"}, "password": {"ann's own"}}).Status(503)
}

// A server that takes connections and says nothing costs a bounded time.
func TestSilentServers(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	silent := newDirectory(t)
	silent.hang = make(chan struct{})
	silent.start()
	t.Cleanup(func() { close(silent.hang) }) // before it is stopped
	for _, server := range []string{"ldap://" + l.Addr().String(), "ldaps://" + l.Addr().String(), silent.url()} {
		o := silent.options()
		o.Servers, o.ConnectTimeout, o.Timeout = []string{server}, 200*time.Millisecond, 400*time.Millisecond
		s := newSite(t, o)
		s.away("ann", "ann's own")
	}
}

func TestReferralsAreNotFollowed(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	d.refer = true
	s := newSite(t, d.start().options())
	for range 3 {
		s.away("ann", "ann's own")
	}
	if s.logged("referrals are not followed") != 1 {
		t.Error(s.Log)
	}
}

func TestAnswersWithoutEnd(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	d.huge = true
	s := newSite(t, d.start().options())
	s.away("ann", "ann's own")
}

func TestReaderIsRefused(t *testing.T) {
	t.Parallel()
	d := newDirectory(t).start()
	o := d.options()
	o.BindPassword = "not the reader's"
	s := newSite(t, o)
	s.away("ann", "ann's own")
	s.away("ann", "ann's own")
	if s.logged("bind as "+reader) != 1 {
		t.Error(s.Log)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	d.ldaps = true
	d.start()
	var open, most atomic.Int64
	front := forward(t, d.address, func(n int64) {
		if now := open.Add(n); now > most.Load() {
			most.Store(now)
		}
	})
	o := d.options()
	o.Servers, o.MaxConnections = []string{"ldaps://" + front}, 2
	s := newSite(t, o)
	s.in("ann", "ann's own")
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if _, err := s.Auth.Authenticate(s.Ctx, "ann", "ann's own"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if most.Load() > 3 { // one may be closing
		t.Errorf("%d connections at once", most.Load())
	}
}

// forward passes connections on, and tells how many there are.
func forward(t *testing.T, to string, count func(n int64)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer in.Close()
				out, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				count(1)
				go func() { // what is copied back ends when the client has closed
					_, _ = out.(*net.TCPConn).WriteTo(in)
					_ = in.Close()
				}()
				_, _ = out.(*net.TCPConn).ReadFrom(in)
				count(-1)
				_ = out.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// Of many first logins at once one makes the user.
func TestFirstLoginsAtOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		d := newDirectory(t).start()
		d.records[1].set("memberOf", "cn=editors,"+byUID)
		o := d.options()
		o.MirrorGroups = true
		s := newSiteOn(t, kind, o)
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				if _, err := s.Auth.Authenticate(s.Ctx, "ann", "ann's own"); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if n := s.users(); n != 1 {
			t.Errorf("%d users", n)
		}
	})
}
