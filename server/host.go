package server

import "net/netip"

// ValidHost reports whether host may stand in a Host header: a name of letters, digits,
// dots, hyphens and underscores, or an IP address (version 6 in brackets, without a zone),
// with or without a port of at most five digits. It says nothing about whether that host
// exists or is ours.
//
// This is narrower than RFC 3986, which also allows percent escapes, commas and empty
// ports: those serve only to make two programs disagree about the host.
func ValidHost(host string) bool { return validHost(host) }

func validHost[T string | []byte](host T) bool {
	n := 0
	if len(host) > 0 && host[0] == '[' {
		for n < len(host) && host[n] != ']' {
			n++
		}
		if n == len(host) || n > 46 || !validIPv6(string(host[1:n])) {
			return false
		}
		n++
	} else {
		for n < len(host) && host[n] != ':' {
			c := host[n]
			if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
				return false
			}
			n++
		}
		if n == 0 || n > 255 || host[0] == '.' {
			return false
		}
	}
	if n == len(host) {
		return true
	}
	if host[n] != ':' {
		return false
	}
	port := host[n+1:]
	if len(port) == 0 || len(port) > 5 {
		return false
	}
	number := 0
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' {
			return false
		}
		number = number*10 + int(port[i]-'0')
	}
	return number < 1<<16
}

func validIPv6(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && a.Is6() && a.Zone() == ""
}
