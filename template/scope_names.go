package template

import (
	"cmp"
	"maps"
	"slices"
)

// nameList is the names that a scope assigns, in alphabetical order, and those
// of the scopes around it. Scopes share the lists of those around them.
type nameList struct {
	vars  []localVar
	outer *nameList
}

// localVar is a name and where its value lives.
type localVar struct {
	name string
	at   ref
}

// nameList lists the names that are in reach by assignments.
func (s *scope) nameList() *nameList {
	if s == nil {
		return nil
	}
	outer := s.parent.nameList()
	if len(s.stores) == 0 {
		return outer
	}
	if s.names != nil && s.names.outer == outer && len(s.names.vars) == len(s.stores) {
		return s.names
	}
	s.names = &nameList{vars: make([]localVar, 0, len(s.stores)), outer: outer}
	for _, name := range slices.Sorted(maps.Keys(s.stores)) {
		s.names.vars = append(s.names.vars, localVar{name, ref{s.fn, s.slots[name]}})
	}
	return s.names
}

// value gives what a name holds in a frame that is depth functions deep.
func (l *nameList) value(f *frame, depth int, name string) (value, bool) {
	for ; l != nil; l = l.outer {
		i, ok := slices.BinarySearchFunc(l.vars, name, func(v localVar, name string) int { return cmp.Compare(v.name, name) })
		if ok {
			at := l.vars[i].at
			v := f.up(depth - at.fn.depth).slots[at.slot]
			return v, v.kind > kindMissing
		}
	}
	return value{}, false
}

// values collects the values of the names in a frame that is depth functions
// deep, leaving out what is not set.
func (l *nameList) values(f *frame, depth int) map[string]value {
	if l == nil {
		return nil
	}
	out := map[string]value{}
	hidden := map[string]bool{} // by a name further in that is not set
	for ; l != nil; l = l.outer {
		f.x.steps -= int64(len(l.vars))
		for _, v := range l.vars {
			if _, ok := out[v.name]; ok || hidden[v.name] {
				continue
			}
			if e := f.up(depth - v.at.fn.depth).slots[v.at.slot]; e.kind > kindMissing {
				out[v.name] = e
			} else {
				hidden[v.name] = true
			}
		}
	}
	return out
}
