package template

import (
	"fmt"
	"strings"
)

// plan says for each place of a template that prints how it escapes, and for
// each part that is decided at run time where it stands.
type plan struct {
	escapers map[*outputNode][]escaper // by part; nil for HTML text
	blocks   map[*blockNode]extent
	includes map[*includeNode]extent
	captured map[statement]escaper // of call and filter blocks
	inline   map[*callExpr]extent  // blocks and recursive loops that are printed
}

func (p *plan) escaper(n *outputNode, part int) escaper {
	if p == nil {
		return nil
	}
	if list := p.escapers[n]; list != nil {
		return list[part]
	}
	return nil
}

// planner walks the tree of a template and keeps track of the position.
type planner struct {
	plan   *plan
	source string
	begin  position
	pos    position
	at     spot // of the tag or value at hand

	text   strings.Builder // literal text that was not followed yet
	textAt spot
	opened spot // where what is not text began, more or less

	loops []*openLoop
	// nested counts the tags around, extended says that the template extends
	// another in any case, so that its top level prints nothing.
	nested   int
	extended bool
	// escape is the setting of autoescape in force.
	escape escapeMode
}

type openLoop struct {
	recursive     bool
	start         position
	stops, rounds position // joined positions of break and continue
}

func newPlan() *plan {
	return &plan{
		escapers: map[*outputNode][]escaper{}, blocks: map[*blockNode]extent{},
		includes: map[*includeNode]extent{}, captured: map[statement]escaper{}, inline: map[*callExpr]extent{},
	}
}

// add plans statements of a template that begin and end in the given extent;
// from is the tag they stand in.
func (p *plan) add(t *Template, body []statement, in extent, what string, from spot) (failure *Error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			e.locate(t.name, t.path, t.source)
			failure = e
		}
	}()
	w := &planner{source: t.source, escape: escapeOn, plan: p, begin: in.start, pos: in.start, at: from}
	w.list(body)
	w.flush()
	w.end(in, what)
	return nil
}

func (w *planner) end(at extent, where string) {
	if w.extended || at.end.admits(w.pos) || w.pos.state == inNothing {
		return
	}
	if w.opened > 0 && w.pos.state != inText {
		w.at = w.opened
	}
	if at.end == (position{}) {
		w.fail("%s ends inside %s; close it", where, w.pos.describe())
	}
	w.fail("%s begins in %s, so it must end there too, but ends in %s", where, at.start.describe(), w.pos.describe())
}

func (w *planner) fail(format string, args ...any) {
	panic(&Error{Kind: Syntax, at: w.at, Message: fmt.Sprintf(format, args...)})
}

func (w *planner) misplaced(err *misplaced) {
	if err != nil {
		w.fail("%s", err.message)
	}
}

// flush follows the literal text met since the last time.
func (w *planner) flush() {
	if w.text.Len() == 0 {
		return
	}
	text := w.text.String()
	w.text.Reset()
	if w.pos.state == inNothing {
		return
	}
	next, err := w.pos.literal(text)
	if err != nil {
		w.at = w.textAt + spot(err.at)
		w.misplaced(err)
	}
	if tag := strings.LastIndexByte(text, '<'); tag >= 0 && next.state != inText {
		w.opened = w.textAt + spot(tag)
	}
	w.pos = next
}

func (w *planner) list(body []statement) {
	for i, s := range body {
		w.statement(s, body[i+1:])
	}
}

func (w *planner) statement(s statement, after []statement) {
	switch n := s.(type) {
	case *outputNode:
		if !w.extended {
			w.output(n, after)
		}
	case *ifNode:
		w.ifElse(n)
	case *forNode:
		w.loop(n)
	case *setBlockNode:
		w.at = n.at
		w.fragment(n.body, "the block of set")
	case *macroNode:
		w.at = n.at
		w.fragment(n.body, "the macro")
	case *callNode:
		w.at = n.at
		w.fragment(n.macro.body, "the call block")
		w.capture(n, n.at, after)
	case *filterNode:
		w.filterBlock(n, after)
	case *withNode:
		w.inside(n.body)
	case *settingNode:
		w.inside(n.body)
	case *autoescapeNode:
		w.autoescape(n)
	case *blockNode:
		w.block(n)
	case *includeNode:
		w.flush()
		w.at = n.at
		at := partAt(w.pos)
		w.plan.includes[n] = at
		w.pos = at.end
	case *extendsNode:
		w.extendsTag(n)
	case *loopControlNode:
		w.loopControl(n)
	case *debugNode:
		w.flush()
	}
}

func (w *planner) inside(body []statement) {
	w.nested++
	w.list(body)
	w.nested--
}

// output follows text and printed values.
func (w *planner) output(n *outputNode, after []statement) {
	escapers := make([]escaper, len(n.parts))
	special := false
	for i, part := range n.parts {
		if text, ok := part.(dataText); ok {
			if w.text.Len() == 0 {
				w.textAt = n.at
			}
			w.text.WriteString(text.text)
			continue
		}
		w.flush()
		w.at = n.at
		escapers[i] = w.printed(hole{part, nextText(n.parts[i+1:], after)})
		special = special || escapers[i] != nil
	}
	if special {
		w.plan.escapers[n] = escapers
	} else {
		delete(w.plan.escapers, n)
	}
}

// nextText is the literal text that follows at once.
func nextText(parts []expression, after []statement) string {
	if len(parts) == 0 {
		if len(after) == 0 {
			return ""
		}
		n, ok := after[0].(*outputNode)
		if !ok || len(n.parts) == 0 {
			return ""
		}
		parts = n.parts
	}
	text, _ := parts[0].(dataText)
	return text.text
}

// printed plans one value.
func (w *planner) printed(h hole) escaper {
	if w.pos.state == inNothing {
		return nil
	}
	if call, ok := h.value.(*callExpr); ok && w.escape == escapeOn && w.pos.mergeable() != (position{flags: w.pos.mergeable().flags}) && w.inline(call) {
		return nil
	}
	escape, next, err := w.pos.print(h)
	w.pos = next
	if w.escape == escapeOff {
		return nil
	}
	w.misplaced(err)
	return escape
}

// inline plans {{ super() }}, {{ self.name() }} and {{ loop(…) }} in a place
// other than text: what they print is made for that place, not escaped for it.
func (w *planner) inline(call *callExpr) bool {
	switch fn := call.fn.(type) {
	case *nameExpr:
		if fn.name == "loop" && len(w.loops) > 0 {
			l := w.loops[len(w.loops)-1]
			if !l.recursive {
				return false
			}
			if !l.start.widened().admits(w.pos) {
				w.fail("the loop begins in %s, but its next level is printed in %s; print it in the same place", l.start.describe(), w.pos.describe())
			}
			break
		}
		if fn.name != "super" || len(call.args.pos)+len(call.args.kw) > 0 {
			return false
		}
	case *attrExpr:
		if name, ok := fn.obj.(*nameExpr); !ok || name.name != "self" && name.name != "super" {
			return false
		}
	default:
		return false
	}
	at := partAt(w.pos)
	w.plan.inline[call] = at
	w.pos = at.end
	return true
}

// capture plans a value that a tag has made.
func (w *planner) capture(n statement, at spot, after []statement) {
	if w.extended && w.nested == 0 {
		return
	}
	w.flush()
	w.at = at
	if e := w.printed(hole{next: nextText(nil, after)}); e != nil {
		w.plan.captured[n] = e
	} else {
		delete(w.plan.captured, n)
	}
}

func (w *planner) filterBlock(n *filterNode, after []statement) {
	w.flush()
	w.at = n.at
	p := w.pos
	if p.state == inContent && (p.element == scriptElement || p.element == styleElement) || p.state == inValue && p.attr != plainAttr {
		w.fail("a filter block cannot stand in %s, because its text would be filtered after it was escaped; filter the values, or put the element into the block", p.describe())
	}
	w.fragment(n.body, "the filter block")
	w.capture(n, n.at, after)
}

// fragment plans what is HTML text of its own wherever its result is printed.
func (w *planner) fragment(body []statement, what string) {
	in := &planner{source: w.source, plan: w.plan, escape: w.escape, at: w.at, nested: 1}
	in.list(body)
	in.flush()
	if end := in.pos; end.mergeable() != (position{}) && end.state != inNothing {
		if in.opened > 0 && end.state != inText {
			w.at = in.opened
		}
		w.fail("%s ends inside %s; it must be whole HTML, because what it gives is printed in other places", what, end.describe())
	}
}

func (w *planner) ifElse(n *ifNode) {
	w.flush()
	start := w.pos
	branches := []*ifNode{n}
	branches = append(branches, n.elifs...)
	joined := position{state: inNothing}
	var first func() string // names are made for messages only
	w.nested++
	way := func(body []statement, at spot, name func() string) {
		w.pos, w.at = start, at
		w.list(body)
		w.flush()
		j, ok := join(joined, w.pos)
		if !ok {
			w.at = at
			w.fail("the ways through this if end in different places: %s ends in %s, %s ends in %s; put the if around whole elements or whole attributes", first(), joined.describe(), name(), w.pos.describe())
		}
		if first == nil {
			first = name
		}
		joined = j
	}
	for i, b := range branches {
		kind := "elif"
		if i == 0 {
			kind = "if"
		}
		way(b.body, b.at, func() string { return fmt.Sprintf("the %s of line %d", kind, b.at.line(w.source)) })
	}
	if len(n.orElse) > 0 {
		way(n.orElse, n.at, func() string { return "the else" })
	} else {
		way(nil, n.at, func() string { return "leaving it out" })
	}
	w.nested--
	w.pos = joined
}

func (w *planner) loop(n *forNode) {
	w.flush()
	start := w.pos
	l := &openLoop{recursive: n.recursive, start: start, stops: position{state: inNothing}, rounds: position{state: inNothing}}
	w.loops = append(w.loops, l)
	w.nested++
	end := w.rounds(n, l)
	w.loops = w.loops[:len(w.loops)-1]
	// With no round at all it goes on from the start, or through else.
	w.pos = start
	w.list(n.orElse)
	w.flush()
	w.nested--
	for _, p := range [...]position{end, l.stops} {
		j, ok := join(w.pos, p)
		if !ok {
			w.at = n.at
			w.fail("this loop ends in different places: in %s after a round, in %s without one; put it around whole elements or whole attributes", p.describe(), w.pos.describe())
		}
		w.pos = j
	}
}

// rounds plans the body until the position at its begin is one that all rounds
// share, and gives the position at its end.
func (w *planner) rounds(n *forNode, l *openLoop) position {
	for range 4 {
		w.pos, w.at = l.start, n.at
		w.list(n.body)
		w.flush()
		w.at = n.at
		end, ok := join(w.pos, l.rounds)
		if !ok {
			w.fail("the rounds of this loop end in different places: in %s and in %s", w.pos.describe(), l.rounds.describe())
		}
		again, ok := join(l.start, end)
		if !ok {
			w.fail("a round of this loop begins in %s and ends in %s; put the loop around whole elements or whole attributes", l.start.describe(), end.describe())
		}
		if again == l.start {
			return end
		}
		l.start = again
	}
	w.fail("the rounds of this loop end in different places")
	return position{}
}

func (w *planner) loopControl(n *loopControlNode) {
	w.flush()
	w.at = n.at
	if len(w.loops) > 0 {
		l := w.loops[len(w.loops)-1]
		to := &l.rounds
		if n.stop {
			to = &l.stops
		}
		j, ok := join(*to, w.pos)
		if !ok {
			w.fail("the ways out of this loop end in different places: in %s and in %s", to.describe(), w.pos.describe())
		}
		*to = j
	}
	w.pos = position{state: inNothing}
}

func (w *planner) autoescape(n *autoescapeNode) {
	before := w.escape
	if k, ok := n.e.(constant); ok {
		w.escape = escapeOff
		if k.v.truth() {
			w.escape = escapeOn
		}
	} else {
		w.escape = escapeAsked
	}
	w.inside(n.body)
	w.flush()
	w.escape = before
}

func (w *planner) block(n *blockNode) {
	w.flush()
	w.at = n.at
	if w.extended && w.nested == 0 {
		// Where it stands is for the parent to say; see [block.in].
		return
	}
	if n.partial == partialApart {
		w.fragment(n.body, "the partial")
		w.plan.blocks[n] = extent{}
		return
	}
	start := w.pos
	loops := w.loops
	w.loops = nil
	w.inside(n.body)
	w.flush()
	w.loops = loops
	at := extent{start, w.pos.widened()}
	w.plan.blocks[n] = at
	w.pos = at.end
}

func (w *planner) extendsTag(n *extendsNode) {
	w.flush()
	w.at = n.at
	if !w.begin.widened().admits(w.pos) {
		w.fail("extends stands inside %s; it belongs at the begin of the template", w.pos.describe())
	}
	if w.nested == 0 {
		w.extended = true
	}
}
