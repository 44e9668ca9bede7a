package template

import "io"

// chunk is how much of a streamed page is collected before it is written.
const chunk = 8 << 10

// Stream renders to w while the page is made: whenever 8 KB are ready they are
// written, so that the memory a render takes does not grow with the page, and a
// reader sees its beginning early. It ends at the first error of w and when the
// context is done.
//
// A render that fails may have written a part of the page, which nothing can
// take back: written tells how many bytes. It is 0 for a page that fails
// before its first 8 KB; [Template.Execute] never writes a part.
//
// What a template keeps to use it later is collected whole: the body of a set,
// filter or call block, the result of a macro that is not printed at once, a
// recursive loop.
func (t *Template) Stream(w io.Writer, in Execution) (written int64, err error) {
	held, _ := buffers.Get().(*[]byte)
	if held == nil {
		held = new([]byte)
	}
	s := &stream{w: w, left: t.engine.limits.Output}
	x := t.newExec((*held)[:0], in)
	x.stream = s
	s.resume(x)
	out, err := x.run(func() {
		x.renderMain(t, x.mainContext())
		s.flush(x)
	})
	if err == nil && cap(out) <= largestBuffer {
		*held = out
	}
	buffers.Put(held)
	return s.written, err
}

// stream is where the output goes while it is made.
type stream struct {
	w       io.Writer
	written int64
	left    int // how many bytes may still come
	held    int // how many pieces are being collected that may be taken back
}

// resume lets the output be written in chunks.
func (s *stream) resume(x *exec) { x.room = min(chunk, s.left) }

// flush writes what there is.
func (s *stream) flush(x *exec) {
	if x.context != nil {
		x.checkContext()
	}
	if len(x.out) == 0 {
		return
	}
	n, err := s.w.Write(x.out)
	s.written += int64(n)
	if err == nil && n < len(x.out) {
		err = io.ErrShortWrite
	}
	if err != nil {
		panic(&Error{Kind: Runtime, Message: "the page could not be written: " + err.Error(), Cause: err})
	}
	s.left -= n
	x.out = x.out[:0]
	s.resume(x)
}

// spill is called when there is no room for more output.
func (x *exec) spill() {
	if s := x.stream; s != nil && s.held == 0 && len(x.out) <= s.left {
		s.flush(x)
		return
	}
	x.tooMuchOutput()
}

// hold begins a piece of output that will be taken back; it gives the piece's
// start.
func (x *exec) hold() (start int) {
	if s := x.stream; s != nil {
		s.held++
		x.room = s.left
	}
	return len(x.out)
}

// takeBack removes the output from a position on and ends a hold.
func (x *exec) takeBack(start int) {
	x.out = x.out[:start]
	if s := x.stream; s != nil {
		if s.held--; s.held == 0 {
			s.resume(x)
		}
	}
}

// attempt runs code whose failure may be no failure of the render: what it
// wrote then and where it was is forgotten.
func (x *exec) attempt(do func()) (err error) {
	before, caller := *x, x.caller
	escaped := caller != nil && caller.ctx.eval.autoescape
	held := 0
	if x.stream != nil {
		held = x.stream.held
	}
	start := x.hold()
	defer func() {
		r := recover()
		if r != nil {
			if _, ok := r.(*Error); !ok {
				panic(r)
			}
			err = x.failure(r, len(before.trail)+1)
			x.tpl, x.at, x.depth, x.trail = before.tpl, before.at, before.depth, x.trail[:len(before.trail)]
			x.blocksOff, x.data, x.reader, x.stack = before.blocksOff, before.data, before.reader, x.stack[:len(before.stack)]
			if caller != nil {
				caller.ctx.eval.autoescape = escaped
			}
			if x.stream != nil {
				x.stream.held = held + 1
			}
		}
		x.caller = caller
		x.takeBack(start)
	}()
	do()
	return nil
}
