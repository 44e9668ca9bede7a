package security

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort"
)

// header returns the value of Strict-Transport-Security, or "".
func (h HSTS) header() string {
	if h.MaxAge < 0 {
		return ""
	}
	if h.MaxAge == 0 {
		h.MaxAge = year
	}
	value := "max-age=" + strconv.FormatInt(int64(h.MaxAge/time.Second), 10)
	if !h.ExcludeSubdomains {
		value += "; includeSubDomains"
	}
	if h.Preload {
		value += "; preload"
	}
	return value
}

// plainPaths are asked for over plain http by programs that follow no redirect.
var plainPaths = []string{"/healthz", "/readyz", "/.well-known/acme-challenge/"}

// redirect sends requests over plain http to https.
func (e *Extension) redirect(next retort.Handler) retort.Handler {
	return func(c *retort.Ctx) error {
		if c.Secure() || !e.knowsTLS() || e.isPlain(c.Path()) {
			return next(c)
		}
		target := e.secureAddress(c)
		if target == "" {
			return retort.BadRequest("This site answers over https only.")
		}
		// 308 keeps method and body; what was sent in clear text cannot be helped.
		return c.Status(http.StatusPermanentRedirect).RedirectExternal(target)
	}
}

// knowsTLS reports whether the app can tell that a request came over https.
func (e *Extension) knowsTLS() bool {
	cfg := e.app.Config()
	return !cfg.Debug && (len(cfg.TrustedProxies) > 0 || cfg.TLS.Active(cfg.Server.CertFile, cfg.Server.KeyFile))
}

func (e *Extension) isPlain(path string) bool {
	for _, list := range [][]string{plainPaths, e.options.HTTPPaths} {
		for _, plain := range list {
			if path == plain || strings.HasSuffix(plain, "/") && strings.HasPrefix(path, plain) {
				return true
			}
		}
	}
	return false
}

// secureAddress is the address of the request's page over https: at the port that
// BaseURL has for this host, or the usual one.
func (e *Extension) secureAddress(c *retort.Ctx) string {
	host := c.Host()
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
		if strings.ContainsRune(name, ':') {
			host = "[" + name + "]"
		}
	}
	if base, err := url.Parse(e.app.Config().BaseURL); err == nil && base.Scheme == "https" && strings.EqualFold(base.Hostname(), strings.Trim(host, "[]")) {
		host = base.Host
	}
	if host == "" {
		return ""
	}
	u := c.Request().URL
	address := "https://" + host + c.Root() + u.EscapedPath()
	if u.RawQuery != "" {
		address += "?" + u.RawQuery
	}
	return address
}
