package template

// frame is one run of a function: a top level, a block, a macro or a
// recursive loop. Frames are used again when the run is over, unless something
// that outlives it, such as a macro defined in it, keeps them.
type frame struct {
	x      *exec
	ctx    *runContext
	parent *frame // where the function is defined, for the names around it
	root   *rootState
	own    rootState
	kept   bool
	slots  []value
	held   [8]value
}

// rootState is what the parts of a top level share: the template it turned
// out to extend, and where it says so.
type rootState struct {
	parent *Template
	at     spot
}

// newFrame gives a frame whose slots are empty.
func (x *exec) newFrame(ctx *runContext, parent *frame, slots int) *frame {
	var f *frame
	if n := len(x.spare.frames); n > 0 {
		f, x.spare.frames = x.spare.frames[n-1], x.spare.frames[:n-1]
	} else {
		f = &frame{}
		f.slots = f.held[:0]
	}
	if f.x != x {
		f.x = x
	}
	f.ctx, f.parent, f.root, f.own = ctx, parent, nil, rootState{}
	if slots <= cap(f.slots) {
		f.slots = f.slots[:slots]
	} else {
		f.slots = make([]value, slots)
	}
	return f
}

// release ends the run of a frame.
func (f *frame) release() {
	if f.kept {
		return
	}
	clear(f.slots)
	f.x.spare.frames = append(f.x.spare.frames, f)
}

// keep is called when something may outlive the frame's run that refers to it:
// the frame, those around it, and what they see of the world must then stay.
func (f *frame) keep() {
	for ; f != nil && !f.kept; f = f.parent {
		f.kept, f.x.lent = true, true
		f.ctx.keep()
	}
}

// up gives the frame n functions further out.
func (f *frame) up(n int) *frame {
	for ; n > 0; n-- {
		f = f.parent
	}
	return f
}

// resolve looks the name of a slot up in the context, once.
func (f *frame) resolve(slot int, name string, missing *missing) value {
	v := f.slots[slot]
	if v.kind == kindLazy {
		found, ok := f.ctx.lookup(name)
		if !ok {
			found = value{kind: kindMissing}
		}
		f.slots[slot] = found
		v = found
	}
	if v.kind == kindMissing {
		return missing.value()
	}
	return v
}

// peek is the value of a slot if it holds one.
func (f *frame) peek(slot int, name string) (value, bool) {
	v := f.slots[slot]
	if v.kind == kindLazy {
		return f.ctx.lookup(name)
	}
	return v, v.kind != kindMissing
}
