package template

import "strings"

// hole is a printed value, or something else that is decided at run time.
type hole struct {
	value expression
	next  string // the literal text that follows it at once
}

// print gives the escaper for a value printed at p, and the position behind it.
func (p position) print(h hole) (escaper, position, *misplaced) {
	if why := p.refuses(h); why != "" {
		return nil, p.behind(), misplace(0, why)
	}
	switch {
	case p.state == inAttrName, p.state == inPrintedName && p.attr == prefixedAttr:
		p.state = inPrintedName
		return escapeNamePart, p, nil
	case p.betweenAttributes():
		if p.state != inPrintedName && strings.HasPrefix(strings.TrimLeft(h.next, " \t\r\n\f"), "=") {
			p.state, p.attr = inAfterName, plainAttr
			return escapeName(p.element), p, nil
		}
		spaced := p.state == inTagName || p.state == inPrintedName
		p.state, p.attr = inPrintedName, unknownAttr
		return escapeAttributes(p.element, spaced), p, nil
	}
	at, first := p, p.state == inBeforeValue
	if first {
		at = p.valueStart(0)
	}
	return at.escaper(first), p.behind(), nil
}

// behind is the position behind a value that is printed at p.
func (p position) behind() position {
	switch p.state {
	case inBeforeValue:
		p = p.valueStart(0)
		p.flags |= valueFirst
	case inTagName, inTag, inAttrName, inPrintedName, inAfterName:
		p.state, p.attr = inPrintedName, unknownAttr
		return p
	}
	switch p.address {
	case addressStart, addressScheme:
		p.address = addressPrinted
	}
	if p.inner == inLineComment || p.inner == inBlockComment {
		return p
	}
	if p.slash != slashNone {
		p = p.code(slashDivision)
	}
	if p.inner == inTemplateLiteral {
		p.slash = slashNone
	}
	return p
}

// refuses says why a value cannot be printed at p, and what to write instead;
// empty if it can.
func (p position) refuses(h hole) string {
	switch {
	case p.lost != notLost && (p.state == inContent || p.state == inValue):
		return "it cannot be told where in " + p.place() + " this value stands: " + p.lost.explain()
	case p.has(valueFirst):
		return cutAddress
	}
	switch p.state {
	case inTagOpen:
		return "a value cannot be the name of a tag; choose between whole tags with if"
	case inTagName, inPrintedName:
		if p.attr != prefixedAttr && !startsWithSpace(h.value) {
			return "a value cannot stand directly behind a name in a tag, which it would become a part of; put a space before it, or choose between whole tags with if"
		}
	case inAttrName:
		if p.attr != prefixedAttr {
			return "a value cannot be the end of an attribute's name, unless that begins with data- or aria-; write the whole name"
		}
	case inContent:
		return p.contentRefuses()
	case inValue, inBeforeValue:
		return p.valueRefuses()
	}
	return ""
}

func (p position) place() string {
	if p.state == inContent && p.element == scriptElement || p.attr == scriptAttr {
		return "the script"
	}
	return "the style sheet"
}

func (p position) contentRefuses() string {
	switch {
	case p.cut > 1, p.cut == 1 && p.element != scriptElement:
		return "a value cannot stand directly behind text that may begin an end tag"
	case p.has(opaqueScript):
		return "the type of the script decides how this value is escaped, so it must be written as text, not printed or chosen by tags"
	}
	return p.addressRefuses()
}

func (p position) valueRefuses() string {
	switch p.attr {
	case typeAttr:
		return "the type of a script decides how its content is escaped, so it cannot be printed; choose between whole scripts with if"
	case equivAttr:
		return "http-equiv decides what the content means, so it cannot be printed; choose between whole tags with if"
	case documentAttr:
		if p.inner == inBlockComment {
			return "a value cannot stand inside the HTML of a srcdoc attribute; make the document with a macro or {% set document %}…{% endset %} and print that"
		}
	case unknownAttr:
		return dependentName
	}
	return p.addressRefuses()
}

func (p position) addressRefuses() string {
	switch p.address {
	case addressUnknown:
		return "it depends on the tags before it whether this value stands in the path or in the query of an address; build the address as one value first"
	case addressScript:
		return "a value cannot be printed into an address that begins with javascript:, data: or a scheme that is written in pieces; use an event handler with data attributes, or mark the whole address with safe_url"
	}
	return ""
}

// startsWithSpace reports whether what an expression prints begins with a space
// or is empty, as xmlattr's result does.
func startsWithSpace(e expression) bool {
	switch n := e.(type) {
	case constant:
		return n.v.isString() && (n.v.str() == "" || n.v.str()[0] == ' ')
	case dataText:
		return strings.HasPrefix(n.text, " ")
	case *filterExpr:
		return n.name == "xmlattr" && len(n.args.pos)+len(n.args.kw) == 0
	case *condExpr:
		return startsWithSpace(n.yes) && (n.no == nil || startsWithSpace(n.no))
	case *concatExpr:
		return len(n.items) > 0 && startsWithSpace(n.items[0])
	case *binaryExpr:
		return n.op == "+" && startsWithSpace(n.a)
	}
	return false
}
