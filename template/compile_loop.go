package template

import "slices"

// forLoop compiles a loop. The body's scope starts afresh each round; the
// iterable and the filter see the scope around, the filter also the target.
func (c *compiler) forLoop(n *forNode, p place) execFunc {
	if c.factsOf(n).assignsLoop {
		c.fail("cannot assign to the special variable 'loop' in a loop")
	}
	in := p.inner()
	if n.recursive {
		in = p.innerFunction()
	}
	in.inLoop = true
	in.assigned = new([]localVar)
	body := c.bodyFacts(n.body)
	extended := n.recursive || body.reads(nameLoop) || body.scopedBlock
	loopSlot := -1
	if extended {
		loopSlot = in.scope.parameter("loop").slot
	}
	in.scope.storeParameters(n.target)
	in.scope.analyze(n.body)

	l := &loopCode{at: n.at, slot: loopSlot, target: c.assign(n.target, in, false)}
	if n.test != nil {
		l.test = c.loopFilter(n, p, in)
	}
	if !n.recursive {
		l.iter = c.settled(n.iter, p)
	}
	l.body = c.body(n.body, in)
	l.enter = c.enter(in)
	if len(n.orElse) > 0 {
		other := p.inner()
		if n.recursive {
			other = place{scope: newScope(p.scope, in.scope.fn), checkOutput: p.checkOutput, escape: p.escape, literal: p.literal}
		}
		other.scope.analyze(n.orElse)
		l.orElse = c.body(n.orElse, other)
		l.enterElse = c.enter(other)
	}
	if !n.recursive {
		return l.run
	}
	iter := c.settled(n.iter, p)
	fn := in.scope.fn
	return func(f *frame) control {
		f.x.at = n.at
		f.keep()
		r := &recursiveLoop{code: l, fn: fn, outer: f, safe: p.escape}
		f.x.writeString(r.render(iter(f), 0))
		return goOn
	}
}

// loopFilter compiles the condition of a loop in a scope of its own, with the
// target's names in slots of that scope.
func (c *compiler) loopFilter(n *forNode, p, in place) func(f *frame, v value) (value, bool) {
	at := place{scope: newScope(p.scope, in.scope.fn), checkOutput: p.checkOutput, escape: p.escape, literal: p.literal}
	at.scope.storeParameters(n.target)
	at.scope.visit(n.test)
	put := c.assign(n.target, at, false)
	test := c.eval(n.test, at)
	enter := c.enter(at)
	again := func(_ *frame, v value) value { return v }
	if t, ok := n.target.(*tupleExpr); ok {
		get := c.readTarget(t, at)
		again = func(f *frame, _ value) value { return get(f) }
	}
	return func(f *frame, v value) (value, bool) {
		put(f, v)
		if enter != nil {
			enter(f)
		}
		if !test(f).truth() {
			return v, false
		}
		return again(f, v), true
	}
}

// readTarget puts the names of a target together again: behind a filter the
// elements of a loop with several names are tuples, whatever they were.
func (c *compiler) readTarget(target expression, p place) evalFunc {
	t, ok := target.(*tupleExpr)
	if !ok {
		return c.read(target.(*nameExpr).name, p)
	}
	parts := make([]evalFunc, len(t.items))
	for i, it := range t.items {
		parts[i] = c.readTarget(it, p)
	}
	return func(f *frame) value { return tupleValue(evaluated(f, parts)...) }
}

type loopCode struct {
	at        spot
	slot      int // of the loop variable, or -1
	iter      evalFunc
	target    func(f *frame, v value)
	test      func(f *frame, v value) (value, bool)
	enter     func(f *frame)
	body      execFunc
	enterElse func(f *frame)
	orElse    execFunc
}

func (l *loopCode) run(f *frame) control {
	f.x.at = l.at
	v := l.iter(f)
	return l.over(f, v, nil, 0)
}

// over runs the rounds of the loop over v.
func (l *loopCode) over(f *frame, v value, rec *recursiveLoop, depth int) control {
	x := f.x
	if l.slot >= 0 {
		return l.extended(f, v, rec, depth)
	}
	var cur cursor
	cur.start(x, v)
	finished := false
	for {
		e, ok := cur.next()
		if !ok {
			break
		}
		x.step()
		if l.test != nil {
			if e, ok = l.test(f, e); !ok {
				continue
			}
		}
		l.target(f, e)
		if l.enter != nil {
			l.enter(f)
		}
		switch l.body(f) {
		case goOn:
			finished = true
			continue
		case breakLoop:
			cur.stop()
		case continueLoop:
			continue
		}
		break
	}
	return l.otherwise(f, finished)
}

func (l *loopCode) otherwise(f *frame, finished bool) control {
	if finished || l.orElse == nil {
		return goOn
	}
	if l.enterElse != nil {
		l.enterElse(f)
	}
	return l.orElse(f)
}

// extended runs a loop whose body asks for the loop variable.
func (l *loopCode) extended(f *frame, v value, rec *recursiveLoop, depth int) control {
	x := f.x
	state := &loopState{x: x, rec: rec, depth0: depth, index0: -1}
	state.cur.start(x, v)
	if l.test != nil {
		f.keep()
		state.filter = func(e value) (value, bool) { return l.test(f, e) }
	}
	loop := objectValue(state)
	defer state.end()
	finished := false
	for state.advance() {
		x.step()
		l.target(f, state.current)
		f.slots[l.slot] = loop
		if l.enter != nil {
			l.enter(f)
		}
		switch l.body(f) {
		case goOn:
			finished = true
			continue
		case breakLoop:
			state.cur.stop()
		case continueLoop:
			continue
		}
		break
	}
	return l.otherwise(f, finished)
}

// recursiveLoop is a loop that its body may call for deeper levels.
type recursiveLoop struct {
	code  *loopCode
	fn    *function
	outer *frame
	safe  escapeMode
}

func (r *recursiveLoop) render(v value, depth int) value {
	x := r.outer.x
	x.enter()
	f := x.newFrame(r.outer.ctx, r.outer, r.fn.slots)
	f.root = r.outer.root
	out, _ := capture(f, func(f *frame) control { return r.code.over(f, v, r, depth) }, safeHere(f, r.safe))
	f.release()
	x.leave()
	return out
}

// loopState is the loop variable.
type loopState struct {
	x        *exec
	cur      cursor
	filter   func(e value) (value, bool)
	rec      *recursiveLoop
	depth0   int
	index0   int
	previous value
	current  value
	ahead    []value // read before their time
	total    int     // number of elements, once known
	counted  bool
	changed  []value
	asked    bool
	tags     map[string][]value // what ifchanged tags saw last
}

// end cuts the loop variable off from the render, which it may outlive.
func (s *loopState) end() {
	if s.filter != nil || s.cur.mode == cursorLazy {
		s.x.lent = true
		return
	}
	s.x, s.cur.x = nil, nil
}

// pull reads one more element from the source.
func (s *loopState) pull() (value, bool) {
	for {
		e, ok := s.cur.next()
		if !ok || s.filter == nil {
			return e, ok
		}
		if e, ok = s.filter(e); ok {
			return e, ok
		}
		s.x.step()
	}
}

func (s *loopState) advance() bool {
	var e value
	if len(s.ahead) > 0 {
		e, s.ahead = s.ahead[0], s.ahead[1:]
	} else {
		var ok bool
		if e, ok = s.pull(); !ok {
			return false
		}
	}
	s.previous, s.current = s.current, e
	s.index0++
	return true
}

func (s *loopState) peek() (value, bool) {
	if len(s.ahead) == 0 {
		e, ok := s.pull()
		if !ok {
			return value{}, false
		}
		s.ahead = append(s.ahead, e)
	}
	return s.ahead[0], true
}

// length counts the elements, reading all of them if there is no other way.
func (s *loopState) length() int {
	if s.counted {
		return s.total
	}
	s.counted = true
	if s.filter == nil {
		if n, ok := s.cur.length(); ok {
			s.total = n
			return n
		}
	}
	for {
		e, ok := s.pull()
		if !ok {
			break
		}
		s.ahead = append(s.ahead, e)
		s.x.allowItems(len(s.ahead))
	}
	s.total = s.index0 + 1 + len(s.ahead)
	return s.total
}

func (s *loopState) typeName() string { return "LoopContext" }

func (s *loopState) appendText(dst []byte) []byte {
	dst = append(dst, "<LoopContext "...)
	dst = appendText(dst, intValue(int64(s.index0+1)))
	dst = append(dst, '/')
	dst = appendText(dst, intValue(int64(s.length())))
	return append(dst, '>')
}

func (s *loopState) attr(x *exec, name string) (value, bool) {
	count := func(n int) (value, bool) { return intValue(int64(n)), true }
	switch name {
	case "index":
		return count(s.index0 + 1)
	case "index0":
		return count(s.index0)
	case "revindex":
		return count(s.length() - s.index0)
	case "revindex0":
		return count(s.length() - s.index0 - 1)
	case "first":
		return boolValue(s.index0 == 0), true
	case "last":
		_, more := s.peek()
		return boolValue(!more), true
	case "length":
		return count(s.length())
	case "depth":
		return count(s.depth0 + 1)
	case "depth0":
		return count(s.depth0)
	case "previtem":
		if s.index0 == 0 {
			return missingHint(x.engine.options.Undefined, "", "there is no previous item"), true
		}
		return s.previous, true
	case "nextitem":
		if e, ok := s.peek(); ok {
			return e, true
		}
		return missingHint(x.engine.options.Undefined, "", "there is no next item"), true
	case "cycle":
		return methodValue("cycle", s.cycle), true
	case "changed":
		return methodValue("changed", s.change), true
	}
	if name[0] == '=' { // an ifchanged tag, which remembers values of its own
		return methodValue("changed", func(_ *exec, a *callArgs) value { return s.changedAt(name, a) }), true
	}
	return value{}, false
}

func (s *loopState) cycle(_ *exec, a *callArgs) value {
	if len(a.kw) > 0 {
		panic(runtimeError("cycle() takes no keyword arguments"))
	}
	if len(a.pos) == 0 {
		panic(runtimeError("no items for cycling given"))
	}
	return a.pos[s.index0%len(a.pos)]
}

func (s *loopState) change(_ *exec, a *callArgs) value {
	if len(a.kw) > 0 {
		panic(runtimeError("changed() takes no keyword arguments"))
	}
	if s.asked && sameValues(s.changed, a.pos) {
		return no
	}
	s.asked, s.changed = true, append([]value(nil), a.pos...)
	return yes
}

// changedAt is change for one ifchanged tag of several.
func (s *loopState) changedAt(tag string, a *callArgs) value {
	now := append([]value(nil), a.pos...)
	for _, k := range a.kw {
		now = append(now, k.v)
	}
	before, asked := s.tags[tag]
	if asked && sameValues(before, now) {
		return no
	}
	if s.tags == nil {
		s.tags = map[string][]value{}
	}
	s.tags[tag] = now
	return yes
}

func sameValues(a, b []value) bool {
	return slices.EqualFunc(a, b, equal)
}

// call renders the next level of a recursive loop.
func (s *loopState) call(_ *exec, a *callArgs) value {
	if s.rec == nil {
		panic(runtimeError("the loop must have the 'recursive' marker to be called recursively"))
	}
	if len(a.pos) != 1 || len(a.kw) > 0 {
		panic(runtimeError("loop() takes exactly one argument"))
	}
	return s.rec.render(a.pos[0], s.depth0+1)
}
