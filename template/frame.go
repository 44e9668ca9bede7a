package template

// frame is one run of a function: a top level, a block, a macro or a
// recursive loop. Frames are not reused, since macros keep the frame they
// were defined in.
type frame struct {
	x      *exec
	ctx    *runContext
	parent *frame // where the function is defined, for the names around it
	root   *rootState
	slots  []value
}

// rootState is what the parts of a top level share: the template it turned
// out to extend.
type rootState struct{ parent *Template }

type frame4 struct {
	frame
	held [4]value
}

type frame12 struct {
	frame
	held [12]value
}

func newFrame(x *exec, ctx *runContext, parent *frame, slots int) *frame {
	switch {
	case slots == 0:
		return &frame{x: x, ctx: ctx, parent: parent}
	case slots <= 4:
		f := &frame4{frame: frame{x: x, ctx: ctx, parent: parent}}
		f.slots = f.held[:slots]
		return &f.frame
	case slots <= 12:
		f := &frame12{frame: frame{x: x, ctx: ctx, parent: parent}}
		f.slots = f.held[:slots]
		return &f.frame
	}
	return &frame{x: x, ctx: ctx, parent: parent, slots: make([]value, slots)}
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
