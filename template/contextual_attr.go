package template

import "strings"

// attrKind sorts attributes by what their value is.
type attrKind uint8

const (
	plainAttr    attrKind = iota
	addressAttr           // one address, or several with space between them
	srcsetAttr            // addresses of images
	scriptAttr            // an event handler, or an expression of a client library
	styleAttr             // declarations of a style sheet
	documentAttr          // srcdoc: a document
	contentAttr           // of meta, where a refresh has an address in it
	equivAttr             // http-equiv of meta
	typeAttr              // type of script, which says what the content is
	prefixedAttr          // a name that begins with data- or aria-, not ended yet
	unknownAttr           // a name that depends on the way through the template
)

func (k attrKind) describe() string {
	switch k {
	case addressAttr, srcsetAttr:
		return "an attribute that holds an address"
	case scriptAttr:
		return "an attribute that holds a script"
	case styleAttr:
		return "a style attribute"
	case documentAttr:
		return "a srcdoc attribute"
	}
	return "an attribute"
}

// addressNames are the attributes that browsers, or htmx, read as addresses.
var addressNames = map[string]bool{
	"action": true, "archive": true, "background": true, "cite": true, "classid": true, "codebase": true,
	"data": true, "dynsrc": true, "formaction": true, "href": true, "icon": true, "longdesc": true,
	"lowsrc": true, "manifest": true, "ping": true, "poster": true, "profile": true, "src": true,
	"usemap": true, "xmlns": true,
	"hx-get": true, "hx-post": true, "hx-put": true, "hx-patch": true, "hx-delete": true,
}

// scriptNames are the attributes, besides on…, that hold expressions: browsers
// do not run them, but the libraries they are meant for do.
var scriptNames = map[string]bool{
	"x-data": true, "x-init": true, "x-show": true, "x-if": true, "x-for": true, "x-text": true, "x-html": true,
	"x-effect": true, "x-model": true,
}

var scriptPrefixes = [...]string{"on", "@", ":", "x-on:", "x-bind:", "v-", "hx-on"}

// attrNamed gives the kind of an attribute by its whole name.
func attrNamed(name string, element elementKind) attrKind {
	name = strings.ToLower(name)
	if _, local, ok := strings.Cut(name, "xlink:"); ok {
		name = local
	}
	switch {
	case name == "style":
		return styleAttr
	case name == "srcset" || name == "imagesrcset":
		return srcsetAttr
	case name == "srcdoc":
		return documentAttr
	case addressNames[name], strings.HasPrefix(name, "xmlns:"):
		return addressAttr
	case element == metaElement && name == "content":
		return contentAttr
	case element == metaElement && name == "http-equiv":
		return equivAttr
	case element == scriptElement && name == "type":
		return typeAttr
	case scriptNames[name]:
		return scriptAttr
	}
	for _, prefix := range scriptPrefixes {
		if strings.HasPrefix(name, prefix) {
			return scriptAttr
		}
	}
	// What libraries and pages of one's own call an address.
	for _, suffix := range [...]string{"src", "href", "url", "uri"} {
		if before, ok := strings.CutSuffix(name, suffix); ok && (before == "" || strings.HasSuffix(before, "-") || !strings.Contains(name, "-")) {
			return addressAttr
		}
	}
	return plainAttr
}

// plainName reports whether a printed value may stand as the name of an
// attribute: letters, digits, - and _, and no attribute whose value a browser
// treats as anything but text.
func plainName(name string, element elementKind) bool {
	return name != "" && nameLetters(name) && attrNamed(name, element) == plainAttr
}

func nameLetters(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '-' && c != '_' && digitValue(c) >= 36 {
			return false
		}
	}
	return true
}

// scriptHolds tells by the type attribute whether a script element's content
// is a script or data in its syntax, or else HTML.
func scriptHolds(mime string) (script bool) {
	mime = strings.ToLower(strings.TrimSpace(mime))
	mime, _, _ = strings.Cut(mime, ";")
	mime = strings.TrimSpace(mime)
	switch mime {
	case "", "module", "importmap", "speculationrules", "text/javascript", "application/javascript",
		"text/ecmascript", "application/ecmascript", "application/x-javascript", "application/x-ecmascript",
		"text/x-javascript", "text/x-ecmascript", "text/jscript", "text/livescript",
		"application/json", "text/json", "text/babel", "text/typescript", "text/partytown", "text/x-hyperscript":
		return true
	}
	return strings.HasPrefix(mime, "text/javascript1.") || strings.HasSuffix(mime, "+json")
}
