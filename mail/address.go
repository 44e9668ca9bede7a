package mail

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

type address = mail.Address

// maxAddress is the longest address that a server must take, RFC 5321 4.5.3.1.3.
const maxAddress = 254

// domains writes names of domains in ASCII as UTS #46 has it for lookup, and refuses
// those that DNS could not hold.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// ParseAddress reads one address, "ann@example.com" or "Ann <ann@example.com>", as
// RFC 5322 3.4 has it. The domain of the result is ASCII, in lower case. The header
// is named in the error.
func ParseAddress(header, value string) (*mail.Address, error) {
	if err := checkHeader(header, value); err != nil {
		return nil, err
	}
	a, err := mail.ParseAddress(value)
	if err != nil {
		return nil, fmt.Errorf("mail: %s is %q, which is no address such as ann@example.com: %s", header, value, strings.TrimPrefix(err.Error(), "mail: "))
	}
	at := strings.LastIndexByte(a.Address, '@')
	local, domain := a.Address[:at], a.Address[at+1:]
	if strings.HasPrefix(domain, "[") {
		return nil, fmt.Errorf("mail: %s is %q; an address in brackets is not sent to, name a domain", header, value)
	}
	ascii, err := domains.ToASCII(domain)
	if err != nil {
		return nil, fmt.Errorf("mail: %s is %q: %q is no domain", header, value, domain)
	}
	if strings.ContainsFunc(local, func(r rune) bool { return r >= utf8.RuneSelf }) && !utf8.ValidString(local) {
		return nil, fmt.Errorf("mail: %s is not UTF-8", header)
	}
	a.Address = local + "@" + strings.ToLower(ascii)
	if len(a.Address) > maxAddress {
		return nil, fmt.Errorf("mail: %s has an address of %d bytes; %d are allowed", header, len(a.Address), maxAddress)
	}
	if err := checkHeader(header, a.Name+a.Address); err != nil {
		return nil, err
	}
	return a, nil
}
