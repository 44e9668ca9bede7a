package template

import "reflect"

// The Safe types mark strings that a program vouches for in one place of a
// document each, as [Safe] does for HTML text. Contextual escaping writes them
// there as they are; anywhere else they are strings like others. In a template
// the filters safe_url, safe_js, safe_css and safe_attr make them. Their
// namesakes in html/template count as well.
type (
	// SafeURL is an address whose scheme needs no check, such as a data: or
	// sms: address made by the program.
	SafeURL string
	// SafeJS is an expression of JavaScript.
	SafeJS string
	// SafeCSS is a value, a declaration or a rule of a style sheet.
	SafeCSS string
	// SafeAttr is one or more attributes of a tag: name="value".
	SafeAttr string
)

// The marks are what a value's typ says when it is a string of one of these
// types. The result of tojson is marked as a script too.
var (
	markURL  = &goType{}
	markJS   = &goType{}
	markCSS  = &goType{}
	markAttr = &goType{}
)

// trustOf gives the mark of a string type, or nil. The types of html/template
// go by their name, since importing that package would make every program
// larger.
func trustOf(rt reflect.Type) *goType {
	switch rt {
	case reflect.TypeFor[SafeURL]():
		return markURL
	case reflect.TypeFor[SafeJS]():
		return markJS
	case reflect.TypeFor[SafeCSS]():
		return markCSS
	case reflect.TypeFor[SafeAttr]():
		return markAttr
	}
	if rt.PkgPath() == "html/template" {
		switch rt.Name() {
		case "URL":
			return markURL
		case "JS":
			return markJS
		case "CSS":
			return markCSS
		case "HTMLAttr":
			return markAttr
		}
	}
	return nil
}

func marked(s string, mark *goType) value {
	v := stringValue(s)
	v.typ = mark
	return v
}

// isTrusted reports whether a value carries a mark.
func (v value) isTrusted(mark *goType) bool { return v.isString() && v.typ == mark }

// trustFilters are the filters that make such strings, in engines that escape
// by context.
var trustFilters = [...]filterDef{
	{name: "safe_url", fn: filterSafeURL},
	{name: "safe_js", fn: filterSafeJS},
	{name: "safe_css", fn: filterSafeCSS},
	{name: "safe_attr", fn: filterSafeAttr},
}

func filterSafeURL(_ *frame, in value, _ []value) value { return marked(in.text(), markURL) }

func filterSafeJS(_ *frame, in value, _ []value) value { return marked(in.text(), markJS) }

func filterSafeCSS(_ *frame, in value, _ []value) value { return marked(in.text(), markCSS) }

func filterSafeAttr(_ *frame, in value, _ []value) value { return marked(in.text(), markAttr) }

// isSafe reports whether a string type is HTML.
func isSafe(rt reflect.Type) bool {
	return rt == reflect.TypeFor[Safe]() || rt.PkgPath() == "html/template" && rt.Name() == "HTML"
}

// stringOf is a string of the program with the trust its type stands for.
func (t *goType) stringOf(s string) value {
	if t.mark != nil {
		return marked(s, t.mark)
	}
	return textValue(s, t.safe)
}
