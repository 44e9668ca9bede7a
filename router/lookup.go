package router

import "strings"

// Result is the outcome of a lookup. All zero: nothing is at that path.
type Result struct {
	// Route answers the request. Nil: see the other fields.
	Route *Route

	// Allow is set when routes match the path but none the method: the methods
	// all of them answer, for the Allow header of a 405 or of the answer to
	// OPTIONS. It has OPTIONS always, and HEAD with GET.
	Allow string

	// Redirect is set when the canonical form of the path is another one that
	// routes match: the escaped path to redirect to (with 308, which keeps
	// method and body). The caller adds the query. It begins with one slash,
	// never with "//" or "/\".
	Redirect string
}

// lookupBudget bounds the ways to split segments of several variables that one
// lookup tries. It is far beyond what a path of ordinary length needs.
const lookupBudget = 1 << 16

// Lookup finds the route for a request. path and rawPath are those of
// [net/url.URL]; host is [net/http.Request.Host], port and all.
//
// The variables are stored in p, which must not be nil; without a route p is
// left empty. A hit does not allocate, but for what user-made converters do,
// for more than six variables and for paths with an encoded slash.
//
// A path that holds a NUL, or a rawPath with an invalid escape, matches nothing.
func (r *Router) Lookup(method, host, path, rawPath string, p *Params) Result {
	p.reset()
	if path == "" {
		path = "/" // as in "GET http://host HTTP/1.1"
	}
	if path[0] != '/' || strings.IndexByte(path, 0) >= 0 {
		return Result{}
	}
	// Field by field: the compiler builds a composite in a temporary and copies
	// it in wider pieces than it stored, which stalls the processor.
	var w walk
	w.path = path
	w.verb = method
	w.method = methodIndex(method)
	if rawPath != "" {
		var ok bool
		w.path, w.encoded, ok = decodeKeepingSlashes(path, rawPath)
		if !ok {
			return Result{}
		}
	}
	if rt := r.lookup(&w, host, p); rt != nil {
		return Result{Route: rt}
	}
	switch {
	case w.slashAnswers:
		return Result{Redirect: escapePath(w.path + "/")}
	case w.missed != nil:
		return Result{Allow: w.missed.allow}
	case w.slash:
		return Result{Redirect: escapePath(w.path + "/")}
	case !r.options.KeepSlashes && (strings.Contains(w.path, "//") || strings.Contains(w.path, "/.")):
		return r.lookupClean(&w, host, p)
	}
	return Result{}
}

// lookupClean redirects to the cleaned path when something is there.
func (r *Router) lookupClean(missed *walk, host string, p *Params) Result {
	w := walk{path: clean(missed.path), verb: missed.verb, method: missed.method, encoded: missed.encoded}
	if w.path == missed.path {
		return Result{}
	}
	found := r.lookup(&w, host, p) != nil
	p.reset()
	switch {
	case !found && w.slashAnswers, !found && w.missed == nil && w.slash:
		return Result{Redirect: escapePath(w.path + "/")}
	case found, w.missed != nil:
		return Result{Redirect: escapePath(w.path)}
	}
	return Result{}
}

// lookup tries the trees that the host belongs to, the nearest first.
func (r *Router) lookup(w *walk, host string, p *Params) *Route {
	if len(r.hosts) > 0 || len(r.exactHosts) > 0 {
		if rt := r.lookupHost(w, canonicalHost(host), p); rt != nil {
			return rt
		}
		w.n = 0
	}
	if rt := w.descend(&r.root, 0, p); rt != nil {
		return rt
	}
	p.reset()
	return nil
}

func (r *Router) lookupHost(w *walk, host string, p *Params) *Route {
	if h := r.exactHosts[host]; h != nil {
		if rt := w.descend(h.root, 0, p); rt != nil {
			return rt
		}
	}
	for _, h := range r.hosts {
		w.n = 0
		if h.match(w, host, p) {
			if rt := w.descend(h.root, 0, p); rt != nil {
				return rt
			}
		}
	}
	return nil
}

// walk is one lookup under way. Params are handed along beside it: inside, they
// would escape to the heap together with the path.
type walk struct {
	path    string
	verb    string
	method  int
	n       int  // variables taken so far
	spent   int  // of lookupBudget
	encoded bool // NUL stands for an encoded slash

	slash        bool  // a leaf would fit with a final slash
	slashAnswers bool  // such a leaf answers the method
	missed       *leaf // fits the path but not the method; of several, the union
}

// descend matches the path from i on below n. It calls itself only where there
// is something to come back to. After a failure w.n is of no meaning.
func (w *walk) descend(n *node, i int, p *Params) *Route {
	path := w.path
walking:
	for {
		if i == len(path) {
			if n.leaf != nil {
				if rt := n.leaf.route(w.method, w.verb); rt != nil {
					p.complete(rt, w.n, w.encoded)
					return rt
				}
				w.miss(n.leaf)
			}
			if kid := n.child('/'); kid != nil && len(kid.prefix) == 1 && kid.leaf != nil {
				w.missSlash(kid.leaf)
			}
			return nil
		}
		if kid := n.child(path[i]); kid != nil {
			edge, left := kid.prefix, path[i:]
			if len(left) >= len(edge) && (len(edge) == 1 || left[:len(edge)] == edge) {
				if len(n.branches) == 0 {
					n, i = kid, i+len(edge)
					continue
				}
				mark := w.n
				if rt := w.descend(kid, i+len(edge), p); rt != nil {
					return rt
				}
				w.n = mark
			} else if len(left)+1 == len(edge) && kid.leaf != nil && edge[len(left)] == '/' && edge[:len(left)] == left {
				w.missSlash(kid.leaf)
			}
		}
		if len(n.branches) == 0 || path[i] == '/' {
			return nil
		}
		end := segmentEnd(path, i)
		climbs := w.climbs(path[i:end])
		if n.plain != nil {
			if climbs {
				return nil
			}
			p.set(w.n, path[i:end])
			w.n++
			n, i = n.plain, end
			continue
		}
		mark := w.n
		for k, b := range n.branches {
			w.n = mark
			if b.rest {
				if rt := w.rest(b, i, p); rt != nil {
					return rt
				}
				continue
			}
			switch {
			case b.only != nil && !climbs && b.only.match(path[i:end]):
				p.set(w.n, path[i:end])
				w.n++
			case b.only != nil || !w.split(b.parts, path[i:end], p):
				continue
			}
			if k == len(n.branches)-1 {
				n, i = b.next, end
				continue walking
			}
			if rt := w.descend(b.next, end, p); rt != nil {
				return rt
			}
		}
		return nil
	}
}

// rest matches a branch that takes all that is left.
func (w *walk) rest(b *branch, i int, p *Params) *Route {
	if hasDotSegment(w.path, i) {
		return nil
	}
	text, closed := w.path[i:], false
	if b.slash {
		text, closed = strings.CutSuffix(text, "/")
	}
	if text == "" || !w.split(b.parts, text, p) {
		return nil
	}
	if b.slash && !closed {
		w.missSlash(b.leaf)
		return nil
	}
	if rt := b.leaf.route(w.method, w.verb); rt != nil {
		p.complete(rt, w.n, w.encoded)
		return rt
	}
	w.miss(b.leaf)
	return nil
}

// split divides text among the variables of parts. Each takes as much as it can
// while the rest still fits, the first one first.
func (w *walk) split(parts []part, text string, p *Params) bool {
	first := &parts[0]
	if len(parts) == 1 {
		value, ok := strings.CutSuffix(text, first.after)
		w.spent += len(text) >> 4 // testing a long text is not one step
		return ok && value != "" && w.take(first, value, p)
	}
	mark := w.n
	for end := len(text) - len(first.after) - 1; end > 0; end-- {
		if w.spent++; w.spent > lookupBudget {
			return false
		}
		if text[end:end+len(first.after)] != first.after {
			continue
		}
		w.spent += end >> 4
		if w.take(first, text[:end], p) && w.split(parts[1:], text[end+len(first.after):], p) {
			return true
		}
		w.n = mark
	}
	return false
}

// take gives text to a variable if its converter accepts it.
func (w *walk) take(v *part, text string, p *Params) bool {
	if w.climbs(text) {
		return false
	}
	if v.text != nil {
		if !v.text.match(text) {
			return false
		}
	} else {
		if strings.IndexByte(text, '/') >= 0 {
			return false // only path spans segments
		}
		if w.encoded {
			text = strings.ReplaceAll(text, "\x00", "/")
		}
		value, err := v.custom.Parse(text)
		if err != nil {
			return false
		}
		p.setParsed(w.n, value)
	}
	p.set(w.n, text)
	w.n++
	return true
}

// climbs reports a text that no variable takes: joined to a directory it would
// lead out of it.
func (w *walk) climbs(text string) bool {
	return isDots(text) || w.encoded && hasDotSegment(strings.ReplaceAll(text, "\x00", "/"), 0)
}

// miss notes a leaf that fits the path but not the method.
func (w *walk) miss(l *leaf) {
	switch {
	case l.allow == "": // left by a registration that failed
	case w.missed == nil:
		w.missed = l
	default:
		w.missed = union(w.missed, l)
	}
}

// missSlash notes a leaf that would fit a path with one more slash.
func (w *walk) missSlash(l *leaf) {
	w.slash = w.slash || l.allow != ""
	w.slashAnswers = w.slashAnswers || l.route(w.method, w.verb) != nil
}
