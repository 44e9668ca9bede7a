package router

import "strings"

// inlineParams is how many values a Params holds without allocating.
const inlineParams = 4

// Params are the variables of a matched route. It is meant to be embedded by
// value; the zero value is empty. [Router.Lookup] fills it. Its texts are parts
// of the path (or host) looked up.
type Params struct {
	route  *Route
	n      int
	inline [inlineParams]string
	others *others // nil where inline is enough, as it is for most
}

// others are what few routes need.
type others struct {
	texts  []string // beyond inline
	parsed []any    // by index: what user-made converters parsed
}

// Get returns the decoded text of a variable, "" when there is none of that
// name.
func (p *Params) Get(name string) string {
	text, _ := p.Lookup(name)
	return text
}

// Lookup is Get that tells an absent variable, which a present one's text,
// never empty, does as well.
func (p *Params) Lookup(name string) (text string, ok bool) {
	if i := p.index(name); i >= 0 {
		return p.text(i), true
	}
	return "", false
}

// Value returns the typed value of a variable: int64 for int, float64 for
// float, [16]byte for uuid, string for str, slug, any and path, and what Parse
// returned for a user-made converter. It is nil when there is none of that name.
func (p *Params) Value(name string) any {
	i := p.index(name)
	if i < 0 {
		return nil
	}
	if r, ok := p.route.variables[i].rule.(textRule); ok {
		return r.value(p.text(i))
	}
	return p.others.parsed[i]
}

// Len is the number of variables.
func (p *Params) Len() int { return p.n }

// At returns the i-th variable, from 0, in the order of [Route.Variables]. It
// panics when i is out of range.
func (p *Params) At(i int) (name, text string) {
	if uint(i) >= uint(p.n) {
		panic("router: Params.At: index out of range")
	}
	return p.route.variables[i].name, p.text(i)
}

func (p *Params) index(name string) int {
	for i := range p.n {
		if p.route.variables[i].name == name {
			return i
		}
	}
	return -1
}

func (p *Params) text(i int) string {
	if i < inlineParams {
		return p.inline[i]
	}
	return p.others.texts[i-inlineParams]
}

func (p *Params) reset() {
	p.route, p.n, p.others = nil, 0, nil
}

func (p *Params) needOthers() *others {
	if p.others == nil {
		p.others = new(others)
	}
	return p.others
}

// set stores the i-th text; texts after it are of an abandoned attempt.
func (p *Params) set(i int, text string) {
	if i < inlineParams {
		p.inline[i] = text
		return
	}
	o := p.needOthers()
	o.texts = append(o.texts[:i-inlineParams], text)
}

func (p *Params) setParsed(i int, value any) {
	o := p.needOthers()
	for len(o.parsed) <= i {
		o.parsed = append(o.parsed, nil)
	}
	o.parsed[i] = value
}

// complete makes the first n texts the variables of route.
func (p *Params) complete(route *Route, n int, encoded bool) {
	p.route, p.n = route, n
	if encoded {
		p.restoreSlashes()
	}
}

// restoreSlashes undoes [decodeKeepingSlashes].
func (p *Params) restoreSlashes() {
	for i := range p.inline {
		p.inline[i] = strings.ReplaceAll(p.inline[i], "\x00", "/")
	}
	if p.others == nil {
		return
	}
	for i, text := range p.others.texts {
		p.others.texts[i] = strings.ReplaceAll(text, "\x00", "/")
	}
}
