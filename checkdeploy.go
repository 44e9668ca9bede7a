package retort

import (
	"fmt"
	"slices"
	"strings"
)

// checkDeploy looks at the settings that differ between a laptop and the web.
// Package security looks at more of them.
func (a *App) checkDeploy() []Finding {
	var found findings
	cfg := &a.config
	const setKey = "set SECRET_KEY to 32 or more random characters; `retort secret` makes one"
	if cfg.Debug {
		found.add(LevelError, "debug", "debug mode is on", "unset RETORT_DEBUG")
	}
	if cfg.SecretKey == "" {
		found.add(LevelError, "secret_key", "no secret key is set: sessions end with the process and differ between processes", setKey)
	}
	for i, key := range append([]string{cfg.SecretKey}, cfg.SecretKeyFallbacks...) {
		switch {
		case key != "" && weakKey(key):
			found.add(LevelError, "secret_key_weak", "a secret key, or a fallback of it, is short or looks like one from an example", setKey)
		case i > 0 && key == cfg.SecretKey:
			found.add(LevelError, "secret_key_fallbacks", "a fallback of the secret key is the key itself", "put the key before it into SECRET_KEY_FALLBACKS, or none")
		}
	}
	if len(cfg.Hosts) == 0 || slices.Contains(cfg.Hosts, "*") {
		found.add(LevelError, "hosts", "any host name is answered, so links in pages and mail can be made to lead elsewhere", "set RETORT_HOSTS to the names of the site")
	}
	if cfg.BaseURL == "" {
		found.add(LevelWarning, "base_url", "links in mail cannot be made", "set RETORT_BASE_URL to the public address")
	}
	if strings.HasPrefix(cfg.BaseURL, "http:") {
		found.add(LevelError, "base_url_scheme", fmt.Sprintf("base_url %s is not https", cfg.BaseURL), "use https")
	}
	if cfg.DisableCSRF {
		found.add(LevelError, "csrf", "the check of cross-site requests is off", "unset disable_csrf, or use Route.DisableCSRF for single routes")
	}
	if !cfg.usesTLS() && len(cfg.TrustedProxies) == 0 {
		found.add(LevelError, "tls", "neither a certificate nor a trusted proxy is set, so connections are not encrypted, or the site does not know that they are",
			"set retort.Config.TLS, or trusted_proxies")
	}
	if a.Extension("security") == nil {
		found.add(LevelWarning, "security", "package security is not installed: no Content-Security-Policy, no redirect to https and no HSTS, unless a proxy sees to them",
			"app.Install(security.New()), which also checks more settings")
	}
	return found
}

type findings []Finding

// add is not inlined, as every program carries what checkDeploy knows.
//
//go:noinline
func (f *findings) add(level Level, id, message, hint string) {
	*f = append(*f, Finding{ID: "retort." + id, Level: level, Message: message, Hint: hint})
}

// weakKey reports whether a key is too easy to guess for the web. What nobody
// should use even at home package signing refuses.
func weakKey(key string) bool {
	if len(key) < 32 {
		return true
	}
	lower := strings.ToLower(key)
	for _, word := range [...]string{"change", "insecure", "mysecret", "my-secret", "password", "12345"} {
		if len(key) < 64 && strings.Contains(lower, word) {
			return true
		}
	}
	return false
}
