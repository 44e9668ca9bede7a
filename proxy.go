package retort

import (
	"crypto/rand"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/retort-web/retort/server"
)

// trustedProxies are the peers whose forwarded headers count.
type trustedProxies struct {
	prefixes []netip.Prefix
	unix     bool
	hops     int
}

func (p *trustedProxies) add(prefixes ...string) {
	for _, s := range prefixes {
		p.prefixes = append(p.prefixes, netip.MustParsePrefix(s))
	}
}

func (p *trustedProxies) contains(a netip.Addr) bool {
	a = a.Unmap()
	for _, prefix := range p.prefixes {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// peerTrusted reports whether the connection comes from a trusted proxy.
func (p *trustedProxies) peerTrusted(r *http.Request) bool {
	if len(p.prefixes) == 0 && !p.unix {
		return false
	}
	peer, ok := peerAddr(r)
	if !ok {
		return p.unix
	}
	return p.contains(peer)
}

// peerAddr returns the address of the connection, none on a Unix socket.
func peerAddr(r *http.Request) (netip.Addr, bool) {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		a, err := netip.ParseAddr(r.RemoteAddr)
		return a.Unmap(), err == nil
	}
	return ap.Addr().Unmap(), true
}

// forwarded returns the entry of a forwarded list that the trusted proxy
// nearest to the client added, counted from the right: what stands further
// left was sent by the client and may be a lie.
func (p *trustedProxies) forwarded(r *http.Request, header string) string {
	list := r.Header.Values(header)
	if len(list) == 0 {
		return ""
	}
	entries := strings.Split(strings.Join(list, ","), ",")
	hops := max(p.hops, 1)
	if len(entries) < hops {
		return ""
	}
	return strings.TrimSpace(entries[len(entries)-hops])
}

// FromProxy reports whether the request comes from one of the app's trusted proxies, whose
// headers say what is so.
func (c *Ctx) FromProxy() bool { return c.app.proxies.peerTrusted(c.request) }

// IP returns the client's address: the peer's or, behind trusted proxies, the
// first from the right in X-Forwarded-For that is not one of them. It is
// invalid for a client on a Unix socket without a proxy.
func (c *Ctx) IP() netip.Addr { return c.app.proxies.client(c.request) }

// client returns the address of the client that sent a request.
func (p *trustedProxies) client(r *http.Request) netip.Addr {
	peer, _ := peerAddr(r)
	if !p.peerTrusted(r) {
		return peer
	}
	entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	client := peer
	for i := len(entries) - 1; i >= 0; i-- {
		a, ok := parseForwardedAddr(entries[i])
		if !ok {
			// What is left of a broken entry cannot be trusted either.
			return client
		}
		client = a
		if p.hops > 0 {
			if len(entries)-i == p.hops {
				return client
			}
			continue
		}
		if !p.contains(a) {
			return client
		}
	}
	if p.hops > len(entries) {
		return peer
	}
	return client
}

// parseForwardedAddr reads "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80" or
// "2001:db8::1".
func parseForwardedAddr(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

// Scheme returns "https" or "http", as the client sees it.
func (c *Ctx) Scheme() string {
	if c.app.secure(c.request) {
		return "https"
	}
	return "http"
}

// Secure reports whether the client's connection is encrypted.
func (c *Ctx) Secure() bool { return c.app.secure(c.request) }

func (a *App) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	return a.proxies.peerTrusted(r) && strings.EqualFold(a.proxies.forwarded(r, "X-Forwarded-Proto"), "https")
}

// Host returns the host the client asked for, with a port that is not the
// scheme's own. It has been checked against [Config].Hosts.
func (c *Ctx) Host() string { return c.app.host(c.request) }

func (a *App) host(r *http.Request) string {
	if a.proxies.peerTrusted(r) {
		if h := a.proxies.forwarded(r, "X-Forwarded-Host"); h != "" && validHost(h) {
			return h
		}
	}
	return r.Host
}

// checkHost refuses a request for a host that is malformed or not ours.
func (a *App) checkHost(r *http.Request) error {
	host := a.host(r)
	hosts := a.config.Hosts
	if !validHost(host) && (host != "" || r.ProtoMajor != 1 || r.ProtoMinor != 0) {
		return errBadHost
	}
	if len(hosts) == 0 && !a.config.Debug || a.life.healthRoutes && isHealthPath(r.URL.Path) {
		return nil
	}
	name := strings.TrimSuffix(strings.ToLower(hostname(host)), ".")
	for _, allowed := range hosts {
		allowed = strings.ToLower(allowed)
		if allowed == "" {
			continue
		}
		if allowed == "*" || name == allowed ||
			allowed[0] == '.' && (name == allowed[1:] || strings.HasSuffix(name, allowed)) {
			return nil
		}
	}
	if a.config.Debug && len(hosts) == 0 && loopbackName(name) {
		return nil
	}
	return errUnknownHost
}

var (
	errBadHost     = &HTTPError{Status: http.StatusBadRequest, Detail: "The Host header is not valid."}
	errUnknownHost = &HTTPError{Status: http.StatusBadRequest, Detail: "This site does not answer for that host."}
)

// loopbackName reports whether a host name means this machine, as browsers
// see it.
func loopbackName(name string) bool {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && a.IsLoopback()
}

// validHost reports whether s is a host with an optional port, in the narrow
// form that browsers send.
func validHost(s string) bool { return len(s) <= 255 && server.ValidHost(s) }

// hostname returns a host without its port.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return strings.Trim(host, "[]")
}

// RequestID returns an id that log lines and the error page of this request
// share: the X-Request-Id of a trusted proxy, or a random one.
func (c *Ctx) RequestID() string {
	s := c.rarely()
	if s.id == "" {
		if c.app.proxies.peerTrusted(c.request) {
			s.id = cleanRequestID(c.request.Header.Get("X-Request-Id"))
		}
		if s.id == "" {
			s.id = rand.Text()[:16]
		}
	}
	return s.id
}

// cleanRequestID returns the id if it is short and plain, else "".
func cleanRequestID(s string) string {
	if len(s) > 64 {
		return ""
	}
	for i := range len(s) {
		if b := s[i]; (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '-' && b != '_' && b != '.' {
			return ""
		}
	}
	return s
}
