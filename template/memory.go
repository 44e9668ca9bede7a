package template

import (
	"strings"
	"sync"
	"unsafe"
)

// Small strings that a render makes for itself (what a macro printed, words in
// capitals) are cut from blocks of memory instead of being allocated one by
// one. They are marked, so that those that are handed to the program are
// copied: a string it keeps must not hold a whole block.

const (
	maxTemporary  = 512 // longer strings are allocated on their own
	firstBlock    = 1 << 10
	largestBlock  = 8 << 10
	largestBuffer = 1 << 20 // larger output buffers are not used again
)

// temporary marks strings that lie in a block.
var temporary = new(goType)

// keepText makes a string of bytes that are about to be overwritten.
func (x *exec) keepText(b []byte, safe bool) value {
	if len(b) == 0 || len(b) > maxTemporary {
		v := textValue(string(b), safe)
		x.charge(v)
		return v
	}
	block := x.spare.text
	if len(b) > cap(block)-len(block) {
		block = make([]byte, 0, min(max(firstBlock, 2*cap(block)), largestBlock))
	}
	start := len(block)
	x.spare.text = append(block, b...)
	v := textValue(unsafe.String(&x.spare.text[start], len(b)), safe)
	v.typ = temporary
	return v
}

// ownString is the string of a value for the program to keep.
func (v value) ownString() string {
	if v.typ == temporary {
		return strings.Clone(v.str())
	}
	return v.str()
}

// scratch is an empty buffer for text that is being put together. Code that
// holds one must not run code of templates.
func (x *exec) scratch() []byte {
	buf := x.spare.buffer[:0]
	x.spare.buffer = nil
	return buf
}

// keepScratch makes a string of a scratch buffer and gives the buffer back.
func (x *exec) keepScratch(buf []byte, safe bool) value {
	v := x.keepText(buf, safe)
	x.returnScratch(buf)
	return v
}

func (x *exec) returnScratch(buf []byte) {
	if cap(buf) <= largestBlock {
		x.spare.buffer = buf
	}
}

// spareParts is what a render used and can use again, as can the next one.
type spareParts struct {
	frames   []*frame
	contexts []*runContext
	args     []*callArgs
	text     []byte // the block that small strings are cut from
	buffer   []byte // see scratch
}

// idle holds renders that are over.
var idle sync.Pool

// largestSpare is how many parts an idle render may hold on to.
const largestSpare = 64

// retire ends a render that succeeded and lets the next one use its memory. If
// something that lives on refers to the render, such as a macro, it stays as it
// is, without the parts that nothing refers to.
func (x *exec) retire() {
	spare, stack, trail, templates := x.spare, x.stack, x.trail, x.templates
	clear(stack[:cap(stack)])
	clear(trail[:cap(trail)])
	if cap(stack) > largestSpare {
		stack = nil
	}
	if len(spare.frames) > largestSpare {
		spare.frames = nil
	}
	if len(spare.contexts) > largestSpare {
		spare.contexts = nil
	}
	for _, f := range spare.frames {
		f.ctx, f.parent, f.root = nil, nil, nil
	}
	clear(templates)
	next := x
	if x.lent || len(x.open) > 0 {
		x.spare, x.stack, x.trail, x.templates = spareParts{}, nil, nil, nil
		next = new(exec)
	}
	*next = exec{spare: spare, stack: stack[:0], trail: trail[:0], templates: templates[:0]}
	idle.Put(next)
}
