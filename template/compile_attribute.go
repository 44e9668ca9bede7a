package template

import (
	"reflect"
	"sync/atomic"
)

// attribute compiles obj.name.
func (c *compiler) attribute(n *attrExpr, p place) evalFunc {
	a := &attributeCode{name: n.name, at: n.at, key: stringValue(n.name), isMethod: dictMethod(n.name) != nil, loop: loopAttribute(n.name)}
	if s := c.engine.options.Sandbox; s != nil && s.Allow != nil {
		a.asked = true
	}
	if obj, ok := n.obj.(*nameExpr); ok {
		if r, ok := p.scope.find(obj.name); ok && r.fn == p.scope.fn {
			slot, name, undefined := r.slot, obj.name, missingName(c.engine.options.Undefined, obj.name)
			return func(f *frame) value {
				obj := f.slots[slot]
				if obj.kind <= kindMissing {
					obj = f.resolve(slot, name, undefined)
				}
				return a.get(f, obj)
			}
		}
	}
	get := c.eval(n.obj, p)
	return func(f *frame) value { return a.get(f, get(f)) }
}

// attributeCode reads one attribute. What was found out about the Go type met
// last is kept beside the code, so that rows of one type are read without a
// lookup.
type attributeCode struct {
	name     string
	key      value // the name
	at       spot
	isMethod bool // of mappings
	asked    bool // a sandbox decides each time
	loop     func(s *loopState) value
	cache    atomic.Pointer[member]
}

func (a *attributeCode) get(f *frame, obj value) value {
	switch obj.kind {
	case kindGo:
		if m := a.cache.Load(); m != nil && m.owner == obj.typ {
			if m.method == isField {
				return m.load(obj.ptr)
			}
			if v, ok := mapGet(obj, a.key); ok {
				return v
			}
			break
		}
		if m := obj.typ.plan(a.name, a.isMethod); m != nil && !a.asked {
			a.cache.Store(m)
			return a.get(f, obj)
		}
	case kindDict:
		if !a.isMethod {
			if v, ok := obj.dict().getString(a.name); ok {
				return v
			}
		}
	case kindObject:
		if a.loop != nil {
			if s, ok := obj.object().(*loopState); ok {
				return a.loop(s)
			}
		}
	}
	x := f.x
	before := x.at
	x.at = a.at
	v := getAttr(x, obj, a.name)
	x.at = before
	return v
}

// plan gives the field behind an attribute, or for a map that it is one of its
// keys; nil for what has to be looked at each time.
func (t *goType) plan(name string, isMethod bool) *member {
	switch {
	case t.caps&(capAttr|capItem|capTime) != 0:
		return nil
	case t.class == classMap:
		if isMethod || t.rt.Key().Kind() != reflect.String || t.member(name) != nil {
			return nil
		}
		return &t.asMap
	case t.class == classStruct:
		if m := t.member(name); m != nil && m.method == isField {
			return m
		}
	}
	return nil
}

// loopAttribute gives those of the loop variable that take no memory; nil for
// other names.
func loopAttribute(name string) func(s *loopState) value {
	switch name {
	case "index":
		return func(s *loopState) value { return intValue(int64(s.index0 + 1)) }
	case "index0":
		return func(s *loopState) value { return intValue(int64(s.index0)) }
	case "first":
		return func(s *loopState) value { return boolValue(s.index0 == 0) }
	case "last":
		return func(s *loopState) value {
			_, more := s.peek()
			return boolValue(!more)
		}
	}
	return nil
}
