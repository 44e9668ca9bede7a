package site_test

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
)

// markup reads a page as a browser does and returns what in it could run: handlers of
// events, addresses that are programs, elements of scripts that the page has not vouched
// for.
func markup(t *testing.T, page string) (runs []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attributes := map[string]string{}
		for _, a := range n.Attr {
			name := strings.ToLower(a.Key)
			attributes[name] = a.Val
			switch {
			case strings.HasPrefix(name, "on"), name == "srcdoc":
				runs = append(runs, name+" of "+n.Data)
			case name == "style" && strings.ContainsAny(a.Val, "({}\\"):
				runs = append(runs, "style "+a.Val)
			}
			switch name {
			case "href", "src", "srcset", "action", "formaction", "data", "poster", "xlink:href", "content":
				if scheme := schemeOf(a.Val); scheme == "javascript" || scheme == "vbscript" || scheme == "data" && !strings.HasPrefix(a.Val, "data:image/png;base64,") {
					runs = append(runs, name+" "+a.Val)
				}
			}
		}
		switch n.Data {
		case "script":
			if attributes["nonce"] == "" && attributes["type"] != "application/json" {
				runs = append(runs, n.Data+" without a nonce")
			}
		case "iframe", "object", "embed", "base", "svg", "math", "applet", "frame":
			runs = append(runs, n.Data)
		}
	}
	return runs
}

// schemeOf is the scheme of an address as a browser finds it.
func schemeOf(address string) string {
	address = strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' {
			return -1
		}
		return r
	}, strings.TrimLeftFunc(address, func(r rune) bool { return r <= ' ' || unicode.IsSpace(r) }))
	scheme, _, ok := strings.Cut(address, ":")
	if !ok {
		return ""
	}
	return strings.ToLower(scheme)
}

// element returns the text within the first element of a name.
func element(t *testing.T, page, name string) (text string, found bool) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			if n.FirstChild != nil {
				text = n.FirstChild.Data
			}
			return text, true
		}
	}
	return "", false
}
