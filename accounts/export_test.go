package accounts

import (
	"io"
	"net"
)

// OfferSetup is what happens when the site is served at an address.
func (e *Extension) OfferSetup(addr net.Addr, out io.Writer) {
	e.setup.out = out
	e.offerSetup(addr)
}

// Program is what a user agent is.
func Program(agent string) (browser, system string) { return program(agent) }
