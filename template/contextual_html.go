package template

import "strings"

// literal follows a piece of literal text. The error is about text that would
// make what was printed before it mean something else.
func (p position) literal(text string) (position, *misplaced) {
	var err *misplaced
	for i := 0; i < len(text); {
		end := len(text)
		closes := false
		if p.has(embedded) {
			// Whatever HTML such a script holds, its end tag ends it.
			if n := indexFold(text[i:], "</script"); n >= 0 {
				end, closes = i+n, true
			}
		}
		for i < end {
			if p, i, err = p.htmlStep(text[:end], i); err != nil {
				return p, err
			}
		}
		if closes {
			p, i = position{state: inTag, element: scriptElement, flags: p.flags&foreign | closingTag}, end+len("</script")
		}
	}
	return p, nil
}

func (p position) htmlStep(text string, i int) (position, int, *misplaced) {
	switch p.state {
	case inText:
		p, i = p.textStep(text, i)
	case inTagOpen:
		p, i = p.tagOpenStep(text, i)
	case inTagName:
		return p.tagNameStep(text, i)
	case inTag:
		return p.tagStep(text, i)
	case inAttrName:
		return p.attrNameStep(text, i)
	case inPrintedName:
		return p.printedNameStep(text, i)
	case inAfterName:
		return p.afterNameStep(text, i)
	case inBeforeValue:
		p, i = p.beforeValueStep(text, i)
	case inValue:
		return p.valueStep(text, i)
	case inComment:
		p, i = p.until(text, i, "-->")
	case inDeclaration:
		p, i = p.until(text, i, ">")
	case inContent:
		return p.contentStep(text, i)
	default:
		i = len(text)
	}
	return p, i, nil
}

// text0 is the position in text that lies in the same surroundings.
func (p position) text0() position { return position{flags: p.flags & (foreign | embedded)} }

func (p position) until(text string, i int, end string) (position, int) {
	n := strings.Index(text[i:], end)
	if n < 0 {
		return p, len(text)
	}
	return p.text0(), i + n + len(end)
}

func (p position) textStep(text string, i int) (position, int) {
	n := strings.IndexByte(text[i:], '<')
	if n < 0 {
		return p, len(text)
	}
	i += n + 1
	p = p.text0()
	p.state = inTagOpen
	return p, i
}

// tagOpenStep goes on behind < or </.
func (p position) tagOpenStep(text string, i int) (position, int) {
	rest := text[i:]
	switch c := rest[0]; {
	case isLetter(c):
		n := strings.IndexAny(rest, " \t\r\n\f/>")
		state := inTag
		if n < 0 {
			n, state = len(rest), inTagName
		}
		p.state, p.element = state, elementNamed(strings.ToLower(rest[:n]))
		return p, i + n
	case p.has(closingTag):
		p.flags &^= closingTag
		p.state = inDeclaration
		if c == '>' {
			return p.text0(), i + 1
		}
		return p, i
	case c == '/':
		p.flags |= closingTag
		return p, i + 1
	case strings.HasPrefix(rest, "!-->"):
		return p.text0(), i + 4
	case strings.HasPrefix(rest, "!--->"):
		return p.text0(), i + 5
	case strings.HasPrefix(rest, "!--"):
		p.state = inComment
		return p, i + 3
	case c == '!', c == '?':
		p.state = inDeclaration
		return p, i + 1
	}
	return p.text0(), i
}

func isLetter(c byte) bool { return digitValue(c) >= 10 && digitValue(c) < 36 }

const (
	cutName       = "a tag of the template stands in the middle of this name; put the whole name into it"
	joinedToName  = "letters directly behind a printed value in a tag would be one name with it; put a space between them"
	dependentName = "which attribute this is the value of depends on the tags of the template before it; write name and value together"
	cutAddress    = "put quotes around the attribute's value: text directly behind a printed value without them can end up outside of it"
)

func (p position) tagNameStep(text string, i int) (position, int, *misplaced) {
	if strings.IndexByte(" \t\r\n\f/>", text[i]) < 0 {
		return p, i, misplace(i, cutName)
	}
	p.state = inTag
	return p, i, nil
}

func (p position) tagStep(text string, i int) (position, int, *misplaced) {
	switch c := text[i]; c {
	case ' ', '\t', '\r', '\n', '\f':
		return p, i + 1, nil
	case '/':
		p.flags |= selfClosing
		return p, i + 1, nil
	case '>':
		return p.tagEnd(), i + 1, nil
	case '=':
		return p, i, misplace(i, "an = without the name of an attribute before it")
	}
	p.flags &^= selfClosing
	rest := text[i:]
	n := strings.IndexAny(rest[1:], " \t\r\n\f/>=") + 1
	if n == 0 {
		name := strings.ToLower(rest)
		p.state, p.attr = inAttrName, attrNamed(rest, p.element)
		if p.attr == plainAttr && (strings.HasPrefix(name, "data-") || strings.HasPrefix(name, "aria-")) {
			p.attr = prefixedAttr
		}
		return p, len(text), nil
	}
	p.state, p.attr = inAfterName, attrNamed(rest[:n], p.element)
	return p, i + n, nil
}

// attrNameStep goes on behind a name that ended with the text before it.
func (p position) attrNameStep(text string, i int) (position, int, *misplaced) {
	if strings.IndexByte(" \t\r\n\f/>=", text[i]) < 0 {
		return p, i, misplace(i, cutName)
	}
	if p.attr == prefixedAttr {
		p.attr = plainAttr
	}
	p.state = inAfterName
	return p, i, nil
}

func (p position) printedNameStep(text string, i int) (position, int, *misplaced) {
	switch text[i] {
	case ' ', '\t', '\r', '\n', '\f', '/', '>':
		p.state, p.attr = inTag, plainAttr
	case '=':
		if p.attr != prefixedAttr {
			return p, i, misplace(i, dependentName)
		}
		p.state = inAfterName
	default:
		if p.attr == prefixedAttr {
			// data-{{ a }}-{{ b }}: the name is of that kind in any case.
			n := strings.IndexAny(text[i:], " \t\r\n\f/>=")
			if n < 0 {
				return p, len(text), nil
			}
			return p, i + n, nil
		}
		return p, i, misplace(i, joinedToName)
	}
	return p, i, nil
}

func (p position) afterNameStep(text string, i int) (position, int, *misplaced) {
	switch text[i] {
	case ' ', '\t', '\r', '\n', '\f':
		return p, i + 1, nil
	case '=':
		if p.attr == unknownAttr {
			return p, i, misplace(i, dependentName)
		}
		if p.attr == prefixedAttr {
			p.attr = plainAttr
		}
		p.state = inBeforeValue
		return p, i + 1, nil
	}
	p.state, p.attr = inTag, plainAttr
	return p, i, nil
}

func (p position) beforeValueStep(text string, i int) (position, int) {
	switch c := text[i]; c {
	case ' ', '\t', '\r', '\n', '\f':
		return p, i + 1
	case '>':
		p.state, p.attr = inTag, plainAttr
		return p, i
	case '"', '\'':
		return p.valueStart(c), i + 1
	}
	return p.valueStart(0), i
}

// valueStart is the position at the begin of the attribute's value.
func (p position) valueStart(quote byte) position {
	p.state, p.quote, p.inner, p.slash, p.address = inValue, quote, inCode, slashNone, noAddress
	switch p.attr {
	case addressAttr:
		p.address = addressStart
	case scriptAttr:
		p.slash = slashRegexp
	}
	return p
}

// valueStep reads the part of an attribute's value that the text has.
func (p position) valueStep(text string, i int) (position, int, *misplaced) {
	rest := text[i:]
	var n int
	if p.quote != 0 {
		n = strings.IndexByte(rest, p.quote)
	} else {
		n = strings.IndexAny(rest, " \t\r\n\f>")
		if p.has(valueFirst) && n != 0 {
			return p, i, misplace(i, cutAddress)
		}
	}
	closed := n >= 0
	if !closed {
		n = len(rest)
	}
	p, err := p.valueText(unescape(rest[:n]), closed)
	if err != nil {
		return p, i, misplace(i, err.message)
	}
	i += n
	if closed {
		if p.quote != 0 {
			i++
		}
		p = position{state: inTag, element: p.element, flags: p.flags &^ valueFirst}
	}
	return p, i, nil
}

// valueText follows a piece of an attribute's value; whole says that the value
// ends with it.
func (p position) valueText(text string, whole bool) (position, *misplaced) {
	switch p.attr {
	case addressAttr:
		return p.addressText(text)
	case scriptAttr:
		return p.script(text), nil
	case styleAttr:
		return p.style(text), nil
	case equivAttr:
		if strings.EqualFold(strings.TrimSpace(text), "refresh") {
			p.flags |= refreshMeta
		}
	case contentAttr:
		return p.refreshText(text)
	case typeAttr:
		p.flags &^= dataScript | opaqueScript
		switch {
		case !whole || p.inner != inCode:
			// The value is cut by a tag of the template. Which kind of content
			// follows cannot be told.
			p.inner = inDoubleQuotes
			p.flags |= opaqueScript
		case !scriptHolds(text):
			p.flags |= dataScript
		}
	case documentAttr:
		if strings.Contains(text, "<") {
			p.inner = inBlockComment
		}
	}
	return p, nil
}

// refreshText follows the content of a meta element, where a refresh has its
// address behind the seconds: "5; url=/next".
func (p position) refreshText(text string) (position, *misplaced) {
	if p.address != noAddress {
		return p.addressText(text)
	}
	at := indexFold(text, "url=")
	switch {
	case at >= 0:
		text = strings.TrimLeft(text[at+len("url="):], " '\"")
	case p.has(refreshMeta) && strings.ContainsAny(text, ";,"):
		text = strings.TrimLeft(text[strings.IndexAny(text, ";,")+1:], " '\"")
	default:
		return p, nil
	}
	p.address = addressStart
	return p.addressText(text)
}

// contentStep reads the content of an element that holds no elements.
func (p position) contentStep(text string, i int) (position, int, *misplaced) {
	tag := "</" + rawElements[p.element]
	held := tag[:p.cut] // the end of the text before
	rest := held + text[i:]
	n, tail := endTag(rest, tag)
	inside := rest[:n]
	p.cut = tail
	fresh := inside[min(len(held), len(inside)):]
	var err *misplaced
	if p, err = p.contentText(fresh); err != nil {
		return p, i, misplace(i+err.at, err.message)
	}
	if n == len(rest) {
		return p, len(text), nil
	}
	p = position{state: inTag, element: p.element, flags: p.flags&(foreign|embedded) | closingTag}
	return p, i + n + len(tag) - len(held), nil
}

// endTag finds the end tag in content; without one n is the length of the
// content, and tail says how much of the tag it ends with.
func endTag(content, tag string) (n int, tail uint8) {
	for from := 0; ; {
		at := indexFold(content[from:], tag)
		if at < 0 {
			break
		}
		at += from
		after := at + len(tag)
		if after == len(content) {
			return len(content), uint8(len(tag))
		}
		if strings.IndexByte(" \t\r\n\f/>", content[after]) >= 0 {
			return at, 0
		}
		from = after
	}
	for k := min(len(tag), len(content)); k > 0; k-- {
		if strings.EqualFold(content[len(content)-k:], tag[:k]) {
			return len(content), uint8(k)
		}
	}
	return len(content), 0
}

func (p position) contentText(text string) (position, *misplaced) {
	switch p.element {
	case styleElement:
		return p.style(text), nil
	case scriptElement:
		at := strings.Index(text, "<!--")
		if at >= 0 {
			p.flags |= scriptComment
		}
		if script := indexFold(text, "<script"); script >= 0 && p.has(scriptComment) {
			return p, misplace(script, "browsers do not see the end of a script that has both <!-- and <script in it; write \\x3Cscript in strings")
		}
		if at < 0 && strings.Contains(text, "-->") {
			p.flags &^= scriptComment
		}
		return p.script(text), nil
	}
	return p, nil
}

// indexFold is strings.Index without regard to the case of ASCII letters; what
// is looked for is in lower case.
func indexFold(s, lower string) int {
	first := lower[0]
	for i := 0; i+len(lower) <= len(s); i++ {
		if first == '<' {
			n := strings.IndexByte(s[i:], '<')
			if n < 0 {
				return -1
			}
			i += n
			if i+len(lower) > len(s) {
				return -1
			}
		}
		if strings.EqualFold(s[i:i+len(lower)], lower) {
			return i
		}
	}
	return -1
}
