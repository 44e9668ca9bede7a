package accounts

import (
	"slices"
	"strings"

	"github.com/retort-web/retort/session"
)

// openSession is a session as its page shows it.
type openSession struct {
	session.Info
	Browser string // "Firefox"; "" if nothing is known
	System  string // "Linux", or ""
}

// openSessions are sessions with the programs that they are of.
func openSessions(list []session.Info) []openSession {
	all := make([]openSession, len(list))
	for i, s := range list {
		s.LoggedIn, s.LastSeen = s.LoggedIn.UTC(), s.LastSeen.UTC()
		all[i] = openSession{Info: s}
		all[i].Browser, all[i].System = program(s.Agent)
	}
	return all
}

// known is a word of user agents, and what people call that.
type known struct{ word, name string }

// browsers are the products of user agents. Nearly all say that they are Chrome or
// Safari as well, so the first in this order counts.
var browsers = []known{
	{"Edg", "Edge"},
	{"EdgA", "Edge"},
	{"EdgiOS", "Edge"},
	{"Edge", "Edge"},
	{"OPR", "Opera"},
	{"OPT", "Opera"},
	{"OPX", "Opera"},
	{"Opera", "Opera"},
	{"Vivaldi", "Vivaldi"},
	{"SamsungBrowser", "Samsung Internet"},
	{"HuaweiBrowser", "Huawei Browser"},
	{"MiuiBrowser", "Mi Browser"},
	{"UCBrowser", "UC Browser"},
	{"YaBrowser", "Yandex Browser"},
	{"DuckDuckGo", "DuckDuckGo"},
	{"Ddg", "DuckDuckGo"},
	{"Epiphany", "GNOME Web"},
	{"SeaMonkey", "SeaMonkey"},
	{"Focus", "Firefox Focus"},
	{"Klar", "Firefox Klar"},
	{"FxiOS", "Firefox"},
	{"Firefox", "Firefox"},
	{"CriOS", "Chrome"},
	{"HeadlessChrome", "Headless Chrome"},
	{"Chromium", "Chromium"},
	{"Chrome", "Chrome"},
	{"Safari", "Safari"},
}

// systems are parts of the comments of user agents. Those that contain the words of
// others, as Android says Linux and an iPhone Mac OS X, come first.
var systems = []known{
	{"Windows", "Windows"},
	{"Android", "Android"},
	{"HarmonyOS", "HarmonyOS"},
	{"iPhone", "iPhone"},
	{"iPad", "iPad"},
	{"CrOS", "ChromeOS"},
	{"Macintosh", "macOS"},
	{"Mac OS X", "macOS"},
	{"FreeBSD", "FreeBSD"},
	{"OpenBSD", "OpenBSD"},
	{"NetBSD", "NetBSD"},
	{"Linux", "Linux"},
	{"linux", "Linux"}, // as in the names of targets: x86_64-pc-linux-gnu
}

// history are the products that browsers name only because others did.
var history = []string{"Mozilla", "AppleWebKit", "Gecko", "KHTML", "like", "Version", "Mobile"}

// program says what a user agent is, as far as it tells: what people call the browser
// and the system that it runs on. One that is not known has its first product, and both
// are "" where there is none. Anybody can send anything: it is for people to recognise
// what is theirs, and nothing may depend on it.
func program(agent string) (browser, system string) {
	products, comments := partsOf(agent)
	for _, s := range systems {
		if strings.Contains(comments, s.word) {
			system = s.name
			break
		}
	}
	for _, b := range browsers {
		if slices.Contains(products, b.word) {
			return b.name, system
		}
	}
	if strings.Contains(comments, "Trident/") || strings.Contains(comments, "MSIE ") {
		return "Internet Explorer", system
	}
	for _, p := range products {
		if !slices.Contains(history, p) {
			return p, system
		}
	}
	if len(products) > 0 {
		return products[0], system
	}
	return "", system
}

// partsOf are the products of a user agent without their versions, and its comments,
// which stand in parentheses and may have others within.
func partsOf(agent string) (products []string, comments string) {
	depth, outside := 0, []byte{}
	var inside strings.Builder
	for i := range len(agent) {
		switch c := agent[i]; {
		case c == '(':
			depth++
			outside = append(outside, ' ')
			inside.WriteByte(' ')
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
			inside.WriteByte(c)
		default:
			outside = append(outside, c)
		}
	}
	for word := range strings.FieldsSeq(string(outside)) {
		if name, _, _ := strings.Cut(word, "/"); name != "" {
			products = append(products, name)
		}
	}
	return products, inside.String()
}
