package template

// Contextual escaping follows the literal text of a template with a tokenizer
// of HTML, and of the scripts, styles and addresses in it, so that it is known
// when the template is compiled where each printed value will stand. The value
// is then written in the form that place asks for. See [Options.Contextual].

// position is where in a document a piece of a template stands. It is
// comparable: two equal positions escape alike. The zero position is HTML text.
type position struct {
	state   htmlState
	element elementKind // of the tag or content
	attr    attrKind    // of the attribute's name or value
	quote   byte        // around the attribute's value; 0 for none
	inner   innerState  // in a script or style
	slash   slashKind   // what / would mean in a script
	address addressPart // in an address
	lost    lostReason
	// cut is how much of the content's end tag the text before ended with.
	cut   uint8
	flags positionFlags
	// The template literals of a script that are open, each with the number
	// of braces open in its current expression.
	literals uint8
	braces   [maxLiterals]uint8
}

const maxLiterals = 6

type htmlState uint8

const (
	inText        htmlState = iota
	inTagOpen               // behind < or </
	inTagName               // behind a tag's name
	inTag                   // in a tag, between attributes
	inAttrName              // behind a part of an attribute's name
	inPrintedName           // behind a value that stands for an attribute
	inAfterName             // behind an attribute's name and space
	inBeforeValue           // behind =
	inValue                 // in an attribute's value
	inComment
	inDeclaration // <!doctype …>, <?…>, and what browsers take for comments
	inContent     // of script, style, title, textarea and other raw elements
	inNothing     // unreachable, behind break or continue
)

type elementKind uint8

const (
	plainElement elementKind = iota
	scriptElement
	styleElement
	titleElement
	textareaElement
	iframeElement
	xmpElement
	noembedElement
	noframesElement
	plaintextElement
	svgElement
	mathElement
	metaElement
)

var rawElements = [...]string{
	scriptElement: "script", styleElement: "style", titleElement: "title", textareaElement: "textarea",
	iframeElement: "iframe", xmpElement: "xmp", noembedElement: "noembed", noframesElement: "noframes",
	plaintextElement: "plaintext", svgElement: "svg", mathElement: "math", metaElement: "meta",
}

func elementNamed(name string) elementKind {
	for i, n := range rawElements {
		if n != "" && n == name {
			return elementKind(i)
		}
	}
	return plainElement
}

type positionFlags uint16

const (
	closingTag    positionFlags = 1 << iota // the tag is an end tag
	selfClosing                             // the tag ends with a slash so far
	foreign                                 // in svg or math
	embedded                                // in a script element that holds HTML
	dataScript                              // the script element holds HTML, by its type
	opaqueScript                            // the script element's type could not be read
	refreshMeta                             // the meta element is a refresh
	valueFirst                              // an unquoted attribute's value began with a printed one
	scriptComment                           // a script has <!-- in it
)

func (p position) has(f positionFlags) bool { return p.flags&f != 0 }

// tagEnd is the position behind a tag.
func (p position) tagEnd() position {
	next := position{flags: p.flags & (foreign | embedded)}
	switch {
	case p.has(closingTag):
		if p.element == svgElement || p.element == mathElement {
			next.flags &^= foreign
		}
		return next
	case p.element == svgElement || p.element == mathElement:
		if !p.has(selfClosing) {
			next.flags |= foreign
		}
		return next
	case p.has(foreign) && (p.has(selfClosing) || p.element != scriptElement && p.element != styleElement):
		return next
	}
	switch p.element {
	case plainElement, metaElement:
	case scriptElement:
		if p.has(dataScript) {
			next.flags |= embedded
			return next
		}
		next.state, next.element, next.flags = inContent, scriptElement, next.flags|p.flags&opaqueScript
		next.slash = slashRegexp
	default:
		next.state, next.element = inContent, p.element
	}
	return next
}

// mergeable makes two positions comparable that differ in what can be joined.
func (p position) mergeable() position {
	p.slash, p.address, p.cut, p.lost = 0, 0, 0, 0
	p.flags &^= selfClosing | scriptComment | valueFirst
	if p.betweenAttributes() {
		p.state, p.attr = inTag, plainAttr
	}
	if p.attr == typeAttr {
		p.inner, p.flags = inCode, p.flags&^opaqueScript
	}
	return p
}

// betweenAttributes reports whether the position is in a tag and in no
// attribute's value.
func (p position) betweenAttributes() bool {
	switch p.state {
	case inTagName, inTag, inAttrName, inPrintedName, inAfterName:
		return true
	}
	return false
}

// join is the position behind two ways through a template; ok is false if they
// end in different places.
func join(a, b position) (j position, ok bool) {
	switch {
	case a == b || b.state == inNothing:
		return a, true
	case a.state == inNothing:
		return b, true
	case a.mergeable() != b.mergeable():
		return a, false
	}
	j = a
	j.flags = a.flags&^selfClosing | b.flags&(scriptComment|valueFirst) | a.flags&b.flags&selfClosing
	if a.state != b.state || a.attr != b.attr {
		j.state, j.attr = inPrintedName, unknownAttr
	}
	if j.attr == typeAttr {
		j.inner, j.flags = inDoubleQuotes, j.flags|opaqueScript
	}
	if a.slash != b.slash {
		j.slash = slashUnknown
	}
	j.address = joinAddress(a.address, b.address)
	j.lost = max(a.lost, b.lost)
	if a.cut != b.cut {
		j.cut, j.lost = 0, lostCut
	}
	return j, true
}

// widened is the position behind a part that is decided at run time, such as
// an included template, which begins at p and ends in the same place.
func (p position) widened() position {
	if p.slash != slashNone {
		p.slash = slashUnknown
	}
	if p.address != noAddress && p.address != addressQuery {
		p.address = addressUnknown
	}
	if p.betweenAttributes() {
		p.state, p.attr = inPrintedName, unknownAttr
		p.flags &^= selfClosing
	}
	return p
}

// admits reports whether a part that was expected to end at p may end at q.
func (p position) admits(q position) bool {
	j, ok := join(p, q)
	return ok && j == p
}

// describe says where the position is, to follow "in" or "inside".
func (p position) describe() string {
	switch p.state {
	case inText:
		return "text"
	case inTagOpen, inTagName:
		return "the name of a tag"
	case inTag, inAttrName, inPrintedName, inAfterName:
		return "a tag"
	case inBeforeValue, inValue:
		return p.attr.describe()
	case inComment:
		return "a comment"
	case inDeclaration:
		return "a declaration"
	case inNothing:
		return "nothing"
	}
	switch p.element {
	case scriptElement:
		return p.inner.describe("a script")
	case styleElement:
		return p.inner.describe("a style sheet")
	}
	return "a " + rawElements[p.element] + " element"
}

// extent is where a part of a template begins and must end. The zero extent is a
// part in HTML text.
type extent struct{ start, end position }

// partAt is the extent of a part that is decided at run time.
func partAt(p position) extent { return extent{p, p.widened()} }

// misplaced says why a piece of text or a value cannot stand where it does.
type misplaced struct {
	message string
	at      int // offset in the text
}

func misplace(at int, message string) *misplaced { return &misplaced{message, at} }
