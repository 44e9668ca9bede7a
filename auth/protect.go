package auth

import (
	"crypto/subtle"

	"github.com/retort-web/retort"
)

// Protection says what becomes of a session that is used from elsewhere: with another
// browser, or from another network, than those in which its user logged in. It makes a
// cookie that was copied less useful, and logs people out who travel.
type Protection string

// The kinds of protection.
const (
	// ProtectFresh lets such a session go on, and counts it for no fresh login: see
	// [RequireFresh].
	ProtectFresh Protection = "fresh"
	// ProtectAll ends it.
	ProtectAll Protection = "all"
)

// clientKey is in the session: a digest of the browser and the network of the login.
const clientKey = "auth client"

// clients are digests of where a request comes from, by each of the keys: of the browser
// by its name, and of an IPv4 address, or an IPv6 network of /64.
func (e *Extension) clients(c *retort.Ctx) []string {
	return e.app.Keys().Digests("auth client", []byte(c.Request().UserAgent()+"\x00"+network(addressOf(c))))
}

// elsewhere reports whether the session began elsewhere. One from before there was a
// protection did.
func (e *Extension) elsewhere(c *retort.Ctx) bool {
	begun, _ := c.Session().Get(clientKey).(string)
	for _, client := range e.clients(c) {
		if subtle.ConstantTimeCompare([]byte(client), []byte(begun)) == 1 {
			return false
		}
	}
	return true
}
