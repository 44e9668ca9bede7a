package router

import (
	"cmp"
	"slices"
	"strings"
)

// hostTree holds the routes of one host, or of one host pattern.
type hostTree struct {
	labels []label // nil for an exact host
	shape  string
	root   *node
}

// label is one label of a host pattern: static text, then variables (none when
// parts is empty).
type label struct {
	static string
	branch *branch
}

// maxHost is the longest host name (RFC 1035, section 2.3.4).
const maxHost = 255

// hostFor finds or adds the tree for a parsed host; no elements mean any host.
func (r *Router) hostFor(elements []element) *node {
	if len(elements) == 0 {
		return &r.root
	}
	if len(elements) == 1 && elements[0].rule == nil {
		name := elements[0].literal
		if r.exactHosts[name] == nil {
			r.exactHosts[name] = &hostTree{root: &node{}}
		}
		return r.exactHosts[name].root
	}
	h := newHostTree(elements)
	at, found := slices.BinarySearchFunc(r.hosts, h, compareHosts)
	if !found {
		h.root = &node{}
		r.hosts = slices.Insert(r.hosts, at, h)
	}
	return r.hosts[at].root
}

func newHostTree(elements []element) *hostTree {
	h := &hostTree{}
	var label []element
	finish := func() {
		h.labels = append(h.labels, newLabel(label))
		label = nil
	}
	for _, e := range elements {
		if e.rule != nil {
			label = append(label, e)
			continue
		}
		for i, text := range strings.Split(e.literal, ".") {
			if i > 0 {
				finish()
			}
			if text != "" {
				label = append(label, element{literal: text})
			}
		}
	}
	finish()
	for _, l := range h.labels {
		h.shape += "." + l.static
		if l.branch != nil {
			h.shape += l.branch.shape
		}
	}
	return h
}

func newLabel(elements []element) label {
	var l label
	if elements[0].rule == nil {
		l.static, elements = elements[0].literal, elements[1:]
	}
	if len(elements) > 0 {
		l.branch, _, _ = newBranch(elements)
	}
	return l
}

// compareHosts orders host patterns: more labels first, then label by label
// from the right, the static and the more specific first.
func compareHosts(a, b *hostTree) int {
	if order := cmp.Compare(len(b.labels), len(a.labels)); order != 0 {
		return order
	}
	for i := len(a.labels) - 1; i >= 0; i-- {
		x, y := a.labels[i], b.labels[i]
		order := cmp.Or(
			compareBool(x.branch != nil, y.branch != nil),
			cmp.Compare(len(y.static), len(x.static)),
		)
		if order == 0 && x.branch != nil {
			order = specificity(x.branch, y.branch)
		}
		if order != 0 {
			return order
		}
	}
	return strings.Compare(a.shape, b.shape)
}

// match takes the variables of the host.
func (h *hostTree) match(w *walk, host string, p *Params) bool {
	if len(host) > maxHost {
		return false
	}
	for i, l := range h.labels {
		text, others, more := strings.Cut(host, ".")
		if more != (i < len(h.labels)-1) {
			return false
		}
		text, ok := strings.CutPrefix(text, l.static)
		switch {
		case !ok, l.branch == nil && text != "":
			return false
		case l.branch != nil && (text == "" || !w.split(l.branch.parts, text, p)):
			return false
		}
		host = others
	}
	return true
}

// canonicalHost drops the port and a final dot and folds to lower case. It
// allocates only for hosts that hold capitals.
func canonicalHost(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 && strings.IndexByte(host[colon:], ']') < 0 {
		host = host[:colon]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
