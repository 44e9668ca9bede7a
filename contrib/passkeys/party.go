package passkeys

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/retort-web/retort"
)

// configured returns the site that passkeys belong to by the settings, or nil in
// debug mode without them.
func (e *Extension) configured(cfg retort.Config) (*webauthn.WebAuthn, error) {
	o := &e.options
	if len(o.Origins) == 0 && cfg.BaseURL != "" {
		u, err := url.Parse(cfg.BaseURL)
		if err != nil {
			return nil, fmt.Errorf("passkeys: base_url: %w", err)
		}
		o.Origins = []string{u.Scheme + "://" + u.Host}
		if o.Domain == "" {
			o.Domain = u.Hostname()
		}
	}
	if o.Domain == "" || len(o.Origins) == 0 {
		if cfg.Debug {
			return nil, nil
		}
		return nil, fmt.Errorf("passkeys: which domain do passkeys belong to? set base_url (RETORT_BASE_URL), or Options.Domain and Origins")
	}
	o.Domain = strings.ToLower(o.Domain)
	if _, err := netip.ParseAddr(o.Domain); err == nil {
		return nil, fmt.Errorf("passkeys: %s is an address, and browsers have passkeys for names alone; for a try on this machine use localhost", o.Domain)
	}
	for _, origin := range o.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return nil, fmt.Errorf("passkeys: Options.Origins: %q is no origin, such as https://www.example.com", origin)
		}
		host := strings.ToLower(u.Hostname())
		if u.Scheme != "https" && !(u.Scheme == "http" && local(host)) {
			return nil, fmt.Errorf("passkeys: %s: browsers have passkeys over https alone, and on http://localhost", origin)
		}
		if host != o.Domain && !strings.HasSuffix(host, "."+o.Domain) {
			return nil, fmt.Errorf("passkeys: %s is not on %s, nor below it; set Options.Domain", origin, o.Domain)
		}
	}
	return e.site(o.Domain, o.Origins)
}

// local reports whether a host is this machine by name.
func local(host string) bool { return host == "localhost" || strings.HasSuffix(host, ".localhost") }

// site makes what checks passkeys of a domain.
func (e *Extension) site(domain string, origins []string) (*webauthn.WebAuthn, error) {
	name := e.options.SiteName
	if name == "" {
		name = domain
	}
	w, err := webauthn.New(&webauthn.Config{
		RPID: domain, RPDisplayName: name, RPOrigins: origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return w, nil
}

// partyOf returns the site of a request: the configured one, whatever the request
// says, but for localhost in debug mode.
func (e *Extension) partyOf(c *retort.Ctx) (*webauthn.WebAuthn, error) {
	if !e.app.Config().Debug {
		return e.party, nil
	}
	host, _, err := net.SplitHostPort(c.Host())
	if err != nil {
		host = c.Host()
	}
	switch {
	case local(host):
		return e.site(host, []string{c.Scheme() + "://" + c.Host()})
	case e.party == nil:
		return nil, retort.NewError(400, "Browsers have no passkeys for this address. In debug mode open the site as http://localhost with its port, or set base_url.")
	}
	return e.party, nil
}
