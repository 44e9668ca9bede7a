package router

import (
	"fmt"
	"strings"
)

// Attempt is what [Router.Explain] says about one route.
type Attempt struct {
	Route *Route

	// Matched tells that the route fits. Of several that do, Lookup takes the
	// most specific one.
	Matched bool

	// Reason says why it does not fit, in words for a developer.
	Reason string

	// Reached is how many bytes of the path fitted, to sort by.
	Reached int
}

// Explain tries every route, in the order of registration, and tells why each
// did not answer: for a page that is shown in development. It is slow.
func (r *Router) Explain(method, host, path string) []Attempt {
	host = canonicalHost(host)
	if path == "" {
		path = "/"
	}
	attempts := make([]Attempt, len(r.routes))
	for i, rt := range r.routes {
		attempts[i] = r.explain(rt, method, host, path)
	}
	return attempts
}

func (r *Router) explain(rt *Route, method, host, path string) Attempt {
	a := Attempt{Route: rt}
	if !rt.matchesHost(host) {
		a.Reason = fmt.Sprintf("host %q is not %s", host, rt.Host)
		return a
	}
	a.Reached, a.Reason = explainPath(rt.elements, path)
	if a.Reason != "" && (rt.LooseSlash || r.options.LooseSlash) {
		if other := toggleSlash(rt.elements); other != nil {
			if reached, reason := explainPath(other, path); reason == "" {
				a.Reached, a.Reason = reached, ""
			}
		}
	}
	if a.Reason == "" && !rt.answers(method) {
		a.Reason = fmt.Sprintf("answers %s, not %s", strings.Join(rt.Methods, ", "), method)
	}
	a.Matched = a.Reason == ""
	return a
}

func (rt *Route) matchesHost(host string) bool {
	if len(rt.host) == 0 {
		return true
	}
	return newHostTree(rt.host).match(&walk{}, host, &Params{})
}

func (rt *Route) answers(method string) bool {
	for _, m := range rt.Methods {
		if m == method || m == "GET" && method == "HEAD" {
			return true
		}
	}
	return len(rt.Methods) == 0
}

// explainPath follows one pattern. An empty reason means that it fits.
func explainPath(elements []element, path string) (reached int, reason string) {
	w := walk{path: path}
	var params Params // thrown away, but the walk numbers its texts through
	i := 0
	for _, s := range steps(elements) {
		left := path[i:]
		if s.branch == nil {
			shared := sharedPrefix(left, s.static)
			switch {
			case shared == len(s.static):
				i += shared
				continue
			case s.static == left+"/":
				return i + shared, "only the final slash is missing"
			case left == "":
				return i, fmt.Sprintf("the path ends where %q is expected", s.static)
			}
			return i + shared, fmt.Sprintf("%q is not %q", left, s.static)
		}
		end := segmentEnd(path, i)
		if s.branch.rest {
			end = len(path)
		}
		text := path[i:end]
		switch {
		case text == "" || text[0] == '/':
			return i, fmt.Sprintf("nothing is there for %s", describe(s.branch))
		case hasDotSegment(path[:end], i):
			return i, fmt.Sprintf("%q has a dot segment", text)
		case s.branch.slash && !strings.HasSuffix(text, "/"):
			return end, "only the final slash is missing"
		}
		if s.branch.slash {
			text = strings.TrimSuffix(text, "/")
		}
		if !w.split(s.branch.parts, text, &params) {
			return i, fmt.Sprintf("%s does not accept %q%s", describe(s.branch), text, refusal(s.branch, text))
		}
		i = end
	}
	if i < len(path) {
		if path[i:] == "/" {
			return i, "only the path has a final slash"
		}
		return i, fmt.Sprintf("the path goes on with %q", path[i:])
	}
	return i, ""
}

// describe writes a branch as in the pattern.
func describe(b *branch) string {
	var text strings.Builder
	for _, p := range b.parts {
		text.WriteString("{" + p.name + ":" + p.rule.spec() + "}" + p.after)
	}
	return text.String()
}

// refusal adds what a user-made converter says.
func refusal(b *branch, text string) string {
	if len(b.parts) != 1 || b.parts[0].custom == nil {
		return ""
	}
	if text, ok := strings.CutSuffix(text, b.parts[0].after); ok && text != "" {
		if _, err := b.parts[0].custom.Parse(text); err != nil {
			return ": " + err.Error()
		}
	}
	return ""
}
