package retort

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/retort-web/retort/config"
	"github.com/retort-web/retort/server"
)

// Config is what an app can be told. The zero value is ready for production
// on one machine. [New] fills it, strongest first, from the environment
// (RETORT_ADDR …, DATABASE_URL, SECRET_KEY), a .env file, retort.toml, and the
// values given in code. The command `config` prints the result with the
// source of each value.
type Config struct {
	// Name of the program in its command line and logs. Default: "app".
	Name string `config:"name" help:"name of the program"`

	// Addr to serve on: "127.0.0.1:8000", ":80", "unix:/run/app.sock".
	// Default: 127.0.0.1:8000, or all interfaces on $PORT where that is set.
	Addr string `config:"addr" help:"address to serve on: host:port, :port, or unix:/path"`

	// Debug turns on development mode: the error page with source excerpts,
	// templates and static files read from disk at each request. It is
	// reachable from loopback only. Default: false.
	Debug bool `config:"debug" help:"development mode; never in production"`

	// SecretKey signs and encrypts sessions and tokens; at least 32 random
	// characters. Without one a random key is made at start, and sessions end
	// when the program does.
	SecretKey string `config:"secret_key" env:"SECRET_KEY" secret:"true" help:"signs and encrypts sessions and tokens"`

	// SecretKeyFallbacks are older keys that still verify but no longer sign.
	SecretKeyFallbacks []string `config:"secret_key_fallbacks" env:"SECRET_KEY_FALLBACKS" secret:"true" help:"older keys, still accepted"`

	// DatabaseURL is where package db connects when db.Open is given no URL.
	DatabaseURL string `config:"database_url" env:"DATABASE_URL" secret:"true" help:"sqlite:, postgres:// or mysql:// URL"`

	// Hosts this site answers for: "example.com", ".example.com" for it and its
	// subdomains. Default: any well-formed host; in debug mode loopback names.
	Hosts []string `config:"hosts" help:"host names answered; .example.com includes subdomains"`

	// BaseURL is the site's public address, for absolute URLs made outside a
	// request: "https://example.com/shop".
	BaseURL string `config:"base_url" help:"public address of the site"`

	// Root is the path the site is mounted under, such as "/shop": all addresses
	// it makes begin with it. A proxy may pass it on or take it off. Default: a
	// trusted proxy's X-Forwarded-Prefix, else none.
	Root string `config:"root" help:"path the site is mounted under, such as /shop"`

	// TrustedProxies are the addresses, as IPs or CIDR prefixes, "loopback",
	// "private" or "unix", of proxies whose X-Forwarded-For, -Proto, -Host
	// and -Prefix are believed. Default: none.
	TrustedProxies []string `config:"trusted_proxies" help:"proxies whose X-Forwarded-* headers count"`

	// ProxyHops is how many proxies stand in front, when their addresses do
	// not tell: the client is that many entries from the right. TrustedProxies
	// still says who may connect as one. Default: 0, every trusted address from
	// the right is a proxy.
	ProxyHops int `config:"proxy_hops" min:"0" max:"20" help:"number of proxies in front"`

	// TrustedOrigins may send cross-site unsafe requests: "https://app.example.com".
	TrustedOrigins []string `config:"trusted_origins" help:"origins allowed to send cross-site unsafe requests"`

	// DisableCSRF turns the check of forged cross-site requests off for the
	// whole app; see [Route.DisableCSRF] for a single route.
	DisableCSRF bool `config:"disable_csrf" help:"turn the cross-site request check off"`

	// DisableSecurityHeaders leaves out the headers that answers get unless they
	// set them themselves: X-Content-Type-Options, and for pages also
	// Referrer-Policy, X-Frame-Options and Cross-Origin-Opener-Policy.
	DisableSecurityHeaders bool `config:"disable_security_headers" help:"leave the security headers to the handlers"`

	// AccessLog logs each request, which debug mode always does. Default: false.
	AccessLog bool `config:"access_log" help:"log every request"`

	// LogFormat is "text" or "json". Default: text on a terminal and in debug
	// mode, else json.
	LogFormat string `config:"log_format" oneof:"text json" help:"text or json"`

	// LogLevel is the least severe level logged. Default: info; debug in debug mode.
	LogLevel string `config:"log_level" oneof:"debug info warn error" help:"debug, info, warn or error"`

	// SilencedChecks are ids of findings, such as retort.base_url, that the
	// command `check` leaves out.
	SilencedChecks []string `config:"silenced_checks" help:"ids of check findings to leave out"`

	Limits  Limits        `config:"limits"`
	Session SessionConfig `config:"session"`
	Server  ServerConfig  `config:"server"`

	// TLS makes the site speak TLS: server.TLSFiles("", "") with the files that
	// Server.CertFile and KeyFile name, and clear text while they name none; or
	// server.NewTLS. Default: clear text. A program that sets none does not
	// carry the code.
	TLS *server.TLS `config:"-"`

	// Assets are the app's own templates and static files, see [Embed].
	// Default: the folders templates and static beside the program's source or
	// beside the built program, when they exist.
	Assets *Assets `config:"-"`

	// Logger gets every log line. Default: made from LogFormat and LogLevel,
	// on standard error.
	Logger *slog.Logger `config:"-"`
}

// Limits bound what one request may bring. A request over one is answered
// with 413; sizes are in bytes really read, not as announced.
type Limits struct {
	Body       config.Size `config:"body" default:"10MB" help:"bytes of a request body"`
	FormFields int         `config:"form_fields" default:"1000" min:"1" help:"fields of a form or query"`
	FormMemory config.Size `config:"form_memory" default:"500KB" help:"bytes of a form's fields, files apart"`
	Parts      int         `config:"parts" default:"1000" min:"1" help:"parts of a multipart body"`
	Files      int         `config:"files" default:"100" min:"0" help:"files of a multipart body"`
	JSONDepth  int         `config:"json_depth" default:"100" min:"1" help:"nesting of a JSON body"`
}

// SessionConfig says how the session cookie is made.
type SessionConfig struct {
	Name     string        `config:"name" default:"session" help:"cookie name; __Host- is put before it under TLS"`
	Lifetime time.Duration `config:"lifetime" default:"744h" min:"1m" help:"how long a session is valid that is not used"`
	// AbsoluteLifetime ends a session this long after its login, however much it
	// is used. Default: 0, no such limit.
	AbsoluteLifetime time.Duration `config:"absolute_lifetime" help:"how long after the login a session ends, even in use"`
	// Away says what becomes of pages that use the session while its store does
	// not answer: "anonymous" shows them as to a visitor without one, "fail"
	// answers 503. Default: anonymous.
	Away string `config:"away" default:"anonymous" oneof:"anonymous fail" help:"pages while the session store is away: anonymous or fail"`
	// Refresh sends the cookie again with every response, so that the lifetime
	// counts from the last visit.
	Refresh     bool   `config:"refresh" help:"renew the cookie with every response"`
	Path        string `config:"path" default:"/" help:"cookie path"`
	Domain      string `config:"domain" help:"cookie domain; empty is this host only"`
	SameSite    string `config:"same_site" default:"lax" oneof:"lax strict none" help:"lax, strict or none"`
	Partitioned bool   `config:"partitioned" help:"partition the cookie by top-level site"`
}

// ServerConfig bounds connections and names certificate files, which take
// [Config].TLS.
type ServerConfig struct {
	CertFile          string        `config:"cert_file" help:"TLS certificate chain, PEM"`
	KeyFile           string        `config:"key_file" help:"TLS private key, PEM"`
	ReadHeaderTimeout time.Duration `config:"read_header_timeout" default:"5s" help:"to receive a request's header"`
	ReadTimeout       time.Duration `config:"read_timeout" default:"60s" help:"how far behind the sender of a body may be"`
	WriteTimeout      time.Duration `config:"write_timeout" default:"60s" help:"how long a client may take nothing"`
	IdleTimeout       time.Duration `config:"idle_timeout" default:"60s" help:"between requests of a connection"`
	MaxHeaderBytes    config.Size   `config:"max_header_bytes" default:"64KB" help:"bytes of a request's header"`
	MaxHeaders        int           `config:"max_headers" default:"100" min:"1" help:"lines of a request's header"`
	H2C               bool          `config:"h2c" help:"HTTP/2 without TLS, for a proxy that speaks it"`
	DrainDelay        time.Duration `config:"drain_delay" default:"0s" help:"between not ready and not accepting, on SIGTERM"`
	ShutdownTimeout   time.Duration `config:"shutdown_timeout" default:"30s" help:"for requests to end, on SIGTERM"`
}

// load fills the config from its sources and checks what spans fields.
func (cfg *Config) load() (*config.Report, error) {
	report, err := config.Load(cfg, config.Options{Allow: []string{"*"}})
	if err != nil {
		return report, err
	}
	var errs []error
	if cfg.Name == "" {
		cfg.Name = "app"
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:8000"
		if port := os.Getenv("PORT"); port != "" {
			cfg.Addr = ":" + port
		}
	}
	if cfg.BaseURL != "" {
		if u, err := url.Parse(cfg.BaseURL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			errs = append(errs, fmt.Errorf("config: base_url is %q; give an absolute address such as https://example.com", cfg.BaseURL))
		}
	}
	errs = append(errs, cfg.checkRoot())
	for _, h := range cfg.Hosts {
		name := strings.TrimPrefix(h, ".")
		if _, err := netip.ParseAddr(h); h != "*" && err != nil && (!validHost(name) || hostname(name) != name) {
			errs = append(errs, fmt.Errorf("config: hosts has %q; give a name such as example.com or .example.com, without scheme and port", h))
		}
	}
	for _, o := range cfg.TrustedOrigins {
		if u, err := url.Parse(o); err != nil || u.Host == "" || u.Scheme == "" || u.Path != "" {
			errs = append(errs, fmt.Errorf("config: trusted_origins has %q; give scheme and host such as https://app.example.com", o))
		}
	}
	if _, err := parseProxies(cfg.TrustedProxies); err != nil {
		errs = append(errs, err)
	}
	if cfg.ProxyHops > 0 && len(cfg.TrustedProxies) == 0 {
		errs = append(errs, errors.New("config: proxy_hops has no effect without trusted_proxies; name the proxies, or 0.0.0.0/0 and ::/0 where only proxies can connect"))
	}
	if (cfg.Server.CertFile == "") != (cfg.Server.KeyFile == "") {
		errs = append(errs, errors.New("config: server.cert_file and server.key_file go together; set both or neither"))
	}
	return report, errors.Join(errs...)
}

// parseProxies turns the configured names and addresses into prefixes. The
// name "unix" stands for a peer on a Unix socket, which has no address.
func parseProxies(list []string) (proxies trustedProxies, err error) {
	for _, s := range list {
		switch s = strings.TrimSpace(s); s {
		case "unix":
			proxies.unix = true
		case "loopback":
			proxies.add("127.0.0.0/8", "::1/128")
		case "private":
			proxies.add("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "127.0.0.0/8", "::1/128")
		default:
			prefix, err := netip.ParsePrefix(s)
			if err != nil {
				addr, err := netip.ParseAddr(s)
				if err != nil {
					return proxies, fmt.Errorf("config: trusted_proxies has %q; give an address, a prefix such as 10.0.0.0/8, loopback, private or unix", s)
				}
				prefix = netip.PrefixFrom(addr, addr.BitLen())
			}
			if mapped := prefix.Addr(); mapped.Is4In6() && prefix.Bits() >= 96 {
				prefix = netip.PrefixFrom(mapped.Unmap(), prefix.Bits()-96)
			}
			proxies.prefixes = append(proxies.prefixes, prefix.Masked())
		}
	}
	return proxies, nil
}
