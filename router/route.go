package router

import (
	"fmt"
	"slices"
	"strings"
)

// Route is one registration: who answers which methods under which pattern.
type Route struct {
	// Methods are the methods answered. Empty: every method, as far as no other
	// route of the same shape names it. GET answers HEAD too, unless HEAD has a
	// route of its own.
	Methods []string

	// Host limits the route to a host: "api.example.com", or with variables,
	// "{tenant}.example.com". A variable is one label (or part of one). Case,
	// port and a final dot of the request's host are ignored. Default: any host.
	Host string

	// Pattern is the path, see the package comment. It must start with "/".
	Pattern string

	// Name is what [Router.URL] finds the route by. Several routes may share one.
	// Default: none.
	Name string

	// LooseSlash also answers the pattern with, or without, its final slash
	// instead of redirecting or missing. Default: [Options.LooseSlash].
	LooseSlash bool

	// Value is the caller's: a handler, say. The router never touches it.
	Value any

	// Where is the place of the registration, "file.go:12", for messages.
	Where string

	host      []element
	elements  []element
	variables []element // of host, then path, in order
}

// Variable describes a variable of a route.
type Variable struct {
	Name      string
	Converter string // "str", "int", … or the name of a user-made one
	Spec      string // the converter with its arguments in canonical form: "int(min=1)"
	InHost    bool
}

// Variables lists the variables of host and pattern in order of appearance,
// which is the order of [Params.At].
func (rt *Route) Variables() []Variable {
	list := make([]Variable, len(rt.variables))
	for i, e := range rt.variables {
		name, _, _ := strings.Cut(e.rule.spec(), "(")
		list[i] = Variable{Name: e.name, Converter: name, Spec: e.rule.spec(), InHost: i < countVariables(rt.host)}
	}
	return list
}

// String is the route as a person would name it: "GET /posts/{id:int}".
func (rt *Route) String() string {
	methods := "ANY"
	if len(rt.Methods) > 0 {
		methods = strings.Join(rt.Methods, ",")
	}
	return methods + " " + rt.Host + rt.Pattern
}

func countVariables(elements []element) (n int) {
	for _, e := range elements {
		if e.rule != nil {
			n++
		}
	}
	return n
}

// ConflictError reports two routes that would answer the same requests.
type ConflictError struct {
	New, Old *Route
	Methods  []string // answered by both; empty: both answer every method
}

// Error names both routes and both places.
func (e *ConflictError) Error() string {
	what := "every method"
	if len(e.Methods) > 0 {
		what = strings.Join(e.Methods, ", ")
	}
	return fmt.Sprintf("router: %s at %s answers the same requests (%s) as %s at %s; change the pattern, or remove one",
		e.New, place(e.New.Where), what, e.Old, place(e.Old.Where))
}

func place(where string) string {
	if where == "" {
		return "an unknown place"
	}
	return where
}

// The standard methods (RFC 9110, section 9.3, and RFC 5789) in alphabetical
// order, the order of an Allow header.
const (
	methodConnect = iota
	methodDelete
	methodGet
	methodHead
	methodOptions
	methodPatch
	methodPost
	methodPut
	methodTrace
	methodOther // every other token; also their count
)

var methodNames = [methodOther]string{"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}

func methodIndex(method string) int {
	switch method {
	case "GET":
		return methodGet
	case "POST":
		return methodPost
	case "PUT":
		return methodPut
	case "DELETE":
		return methodDelete
	case "HEAD":
		return methodHead
	case "PATCH":
		return methodPatch
	case "OPTIONS":
		return methodOptions
	case "CONNECT":
		return methodConnect
	case "TRACE":
		return methodTrace
	}
	return methodOther
}

// leaf holds the routes of one shape.
type leaf struct {
	table [methodOther]*Route // by method, with HEAD and every-method routes filled in
	every *Route              // the route without methods
	exact []methodRoute       // as registered
	mask  uint16              // methods of table, by index
	other []string            // methods outside the table, sorted
	allow string              // the Allow header
}

type methodRoute struct {
	method string
	route  *Route
}

// route finds who answers; index is methodIndex(method).
func (l *leaf) route(index int, method string) *Route {
	if index < methodOther {
		return l.table[index]
	}
	for _, m := range l.exact {
		if m.method == method {
			return m.route
		}
	}
	return l.every
}

// conflict finds a route that answers a method of rt already.
func (l *leaf) conflict(rt *Route) *ConflictError {
	if len(rt.Methods) == 0 {
		if l.every != nil {
			return &ConflictError{New: rt, Old: l.every}
		}
		return nil
	}
	var found *ConflictError
	for _, m := range l.exact {
		if slices.Contains(rt.Methods, m.method) && (found == nil || found.Old == m.route) {
			if found == nil {
				found = &ConflictError{New: rt, Old: m.route}
			}
			found.Methods = append(found.Methods, m.method)
		}
	}
	return found
}

func (l *leaf) add(rt *Route) {
	if len(rt.Methods) == 0 {
		l.every = rt
	}
	for _, method := range rt.Methods {
		l.exact = append(l.exact, methodRoute{method, rt})
		if index := methodIndex(method); index < methodOther {
			l.table[index] = rt
			l.mask |= 1 << index
		} else {
			l.other = append(l.other, method)
			slices.Sort(l.other)
		}
	}
	ownHead := slices.ContainsFunc(l.exact, func(m methodRoute) bool { return m.method == "HEAD" })
	if l.mask&(1<<methodGet) != 0 && !ownHead {
		l.table[methodHead] = l.table[methodGet]
		l.mask |= 1 << methodHead
	}
	if l.every != nil {
		for index := range l.table {
			if l.mask&(1<<index) == 0 {
				l.table[index] = l.every
			}
		}
	}
	l.allow = allowHeader(l.mask, l.other)
}

// union is a leaf with the methods of both, for its Allow header only: a itself
// when b adds none.
func union(a, b *leaf) *leaf {
	if a.mask|b.mask == a.mask && len(b.other) == 0 {
		return a
	}
	both := &leaf{mask: a.mask | b.mask, other: slices.Concat(a.other, b.other)}
	slices.Sort(both.other)
	both.other = slices.Compact(both.other)
	both.allow = allowHeader(both.mask, both.other)
	return both
}

// allowHeader lists methods; OPTIONS is always answered.
func allowHeader(mask uint16, other []string) string {
	mask |= 1 << methodOptions
	list := make([]string, 0, methodOther+len(other))
	for index, name := range methodNames {
		if mask&(1<<index) != 0 {
			list = append(list, name)
		}
	}
	list = append(list, other...)
	slices.Sort(list)
	return strings.Join(list, ", ")
}
