package template

import "strings"

// addressPart is where in an address (a URL) a position stands.
type addressPart uint8

const (
	noAddress      addressPart = iota
	addressStart               // nothing stands before
	addressScheme              // literal text that may be the scheme's begin
	addressPrinted             // a value stands before, which may hold the scheme
	addressPath                // behind the scheme, before ? and #
	addressQuery               // behind ? or #
	addressUnknown
	addressScript // behind javascript: and its like, or a data: that is no medium
)

func joinAddress(a, b addressPart) addressPart {
	early := func(p addressPart) bool { return p >= addressStart && p <= addressPath }
	switch {
	case a == b:
		return a
	case a == addressScript || b == addressScript:
		return addressScript
	case early(a) && early(b):
		return addressPrinted
	}
	return addressUnknown
}

// addressText follows a literal piece of an address.
func (p position) addressText(text string) (position, *misplaced) {
	switch p.address {
	case addressStart, addressScheme, addressPrinted:
		return p.addressBegin(text)
	case addressPath, addressUnknown:
		if strings.ContainsAny(text, "?#") {
			p.address = addressQuery
		}
	}
	return p, nil
}

func (p position) addressBegin(text string) (position, *misplaced) {
	if p.address == addressStart {
		text = strings.TrimLeft(text, " \t\r\n\f")
	}
	end := strings.IndexAny(text, ":/?#")
	switch {
	case text == "":
		return p, nil
	case end < 0:
		if p.address == addressStart {
			p.address = addressScheme
		}
		return p, nil
	case text[end] == '/':
		p.address = addressPath
	case text[end] != ':':
		p.address = addressQuery
		return p, nil
	case p.address == addressPrinted:
		return p, misplace(end, "a value cannot be the scheme of an address, or stand before the first ':' in it; begin the address with literal text, or print all of it as one value: {{ scheme ~ '://' ~ host }}")
	case p.address == addressScheme || !inertScheme(text[:end], text[end+1:]):
		p.address = addressScript
		return p, nil
	default:
		p.address = addressPath
	}
	return p.addressText(text[end+1:])
}

// inertScheme tells whether values may stand behind a scheme that the template
// itself writes.
func inertScheme(scheme, rest string) bool {
	switch strings.ToLower(strings.NewReplacer("\t", "", "\n", "", "\r", "", " ", "").Replace(scheme)) {
	case "javascript", "vbscript", "livescript", "mocha", "view-source":
		return false
	case "data":
		rest = strings.ToLower(rest)
		for _, medium := range [...]string{"image/", "audio/", "video/", "font/", "text/plain"} {
			if strings.HasPrefix(rest, medium) && !strings.HasPrefix(rest, "image/svg") {
				return true
			}
		}
		return false
	}
	return true
}
