package retort

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
)

// Blueprint is a part of a site: routes under a prefix with their own
// middleware, hooks, error handlers, templates and static files. It is written
// without an app and registered on one, or in another blueprint, as often as
// wanted under different names.
//
// An error handler for a status of a blueprint also answers for paths under
// its prefix that no route takes.
type Blueprint struct {
	scope
	name    string
	options BlueprintOptions
	where   string
	dir     string
}

// BlueprintOptions describe a blueprint; the zero value has no prefix.
type BlueprintOptions struct {
	Prefix string // put before each pattern: "/blog"
	Host   string // limits all routes to a host or pattern of hosts
	// Assets are its templates, found as "<name>/…", and static files, served
	// under "/static/<name>/". Default: the folders templates and static beside
	// the source that called NewBlueprint, when they exist.
	Assets *Assets
	// DisableCSRF lets cross-site requests reach all its routes, and those of
	// blueprints in it: for an API that never looks at cookies. See
	// [Route.DisableCSRF].
	DisableCSRF bool
}

// At says where a blueprint is registered; zero fields keep its own.
type At struct {
	Name   string // in place of the blueprint's, when it is registered again
	Prefix string // in place of the blueprint's
	Host   string // in place of the blueprint's
}

// registration is a blueprint placed in a scope.
type registration struct {
	blueprint *Blueprint
	at        At
	where     string
}

// NewBlueprint makes a blueprint. The name goes before the names of its routes
// with a dot, "blog.post", and before its templates with a slash.
func NewBlueprint(name string, options ...BlueprintOptions) *Blueprint {
	b := &Blueprint{where: callerPlace()}
	if len(options) > 0 {
		b.options = options[0]
	}
	if name == "" || strings.ContainsAny(name, "./\\ ") {
		panic(fmt.Sprintf("retort: blueprint name %q at %s must not be empty nor hold dots, slashes or spaces", name, b.where))
	}
	b.name = name
	if file, _ := callerOutside(); file != "" {
		b.dir = filepath.Dir(file)
	}
	return b
}

// Name returns the blueprint's name.
func (b *Blueprint) Name() string { return b.name }

// Install registers the blueprint: it makes a blueprint an [Extension].
func (b *Blueprint) Install(app *App) error {
	app.Register(b)
	return nil
}

// Register places a blueprint in the app or in another blueprint.
func (s *scope) Register(b *Blueprint, at ...At) {
	s.mustNotBeFrozen("a blueprint")
	reg := registration{blueprint: b, where: callerPlace()}
	if len(at) > 0 {
		reg.at = at[0]
	}
	s.blueprints = append(s.blueprints, reg)
}

// mounted is a scope at its place: an app, or one registration of a blueprint.
// Its lists hold the whole way from the app down, in the order they run.
type mounted struct {
	scope    *scope
	parent   *mounted
	name     string // "blog", "site.blog"; "" is the app
	prefix   string
	host     string
	where    string
	own      []Handler // Before hooks of this scope alone
	before   []Handler // Before hooks of all blueprints down to this one, not the app's
	after    []Handler
	teardown []func(c *Ctx, err error)
	context  []func(c *Ctx) map[string]any
	hasAfter bool
	noCSRF   bool
}

// place works out a scope's place below its parent.
func (s *scope) place(parent *mounted, name, prefix, host, where string) *mounted {
	m := &mounted{scope: s, parent: parent, name: name, prefix: prefix, host: host, where: where, own: s.before}
	if parent != nil {
		m.before = append(append(m.before, parent.before...), s.before...)
	}
	for i := len(s.after) - 1; i >= 0; i-- {
		m.after = append(m.after, s.after[i])
	}
	for i := len(s.teardown) - 1; i >= 0; i-- {
		m.teardown = append(m.teardown, s.teardown[i])
	}
	if parent != nil {
		m.after = append(m.after, parent.after...)
		m.teardown = append(m.teardown, parent.teardown...)
		m.context = append(m.context, parent.context...)
	}
	m.context = append(m.context, s.context...)
	m.hasAfter = len(m.after) > 0
	return m
}

// mount places the blueprints of m and below, each name once.
func (a *App) mount(m *mounted) error {
	for _, reg := range m.scope.blueprints {
		b := reg.blueprint
		name := cmp.Or(reg.at.Name, b.name)
		if m.name != "" {
			name = m.name + "." + name
		}
		for p := m; p != nil; p = p.parent {
			if p.scope == &b.scope {
				return fmt.Errorf("retort: blueprint %s, registered at %s, contains itself", b.name, reg.where)
			}
		}
		prefix := cmp.Or(reg.at.Prefix, b.options.Prefix)
		if prefix != "" && !strings.HasPrefix(prefix, "/") {
			return fmt.Errorf("retort: the prefix %q of blueprint %s, registered at %s, must begin with a slash", prefix, name, reg.where)
		}
		prefix = m.prefix + strings.TrimSuffix(prefix, "/")
		host := cmp.Or(reg.at.Host, b.options.Host, m.host)
		for _, other := range a.scopes {
			if other.name == name {
				return fmt.Errorf("retort: two blueprints are named %s: registered at %s and at %s; give one another name with At{Name: …}", name, other.where, reg.where)
			}
		}
		b.sealed.Store(true)
		child := b.place(m, name, prefix, host, reg.where)
		child.noCSRF = m.noCSRF || b.options.DisableCSRF
		a.scopes = append(a.scopes, child)
		if err := a.mount(child); err != nil {
			return err
		}
	}
	return nil
}

// errorScope returns the innermost scope that answers for a path no route
// takes: that with the longest prefix of it; of several one with a host.
func (a *App) errorScope(host, path string) *mounted {
	best := a.root
	for _, m := range a.scopes[1:] {
		nearer := len(m.prefix) > len(best.prefix) || len(m.prefix) == len(best.prefix) && m.host != "" && best.host == ""
		if nearer && hostMatches(m.host, host) && underPrefix(path, m.prefix) {
			best = m
		}
	}
	return best
}

// underPrefix reports whether path is the prefix or below it, segment by
// segment; a segment with a variable in it matches any.
func underPrefix(path, prefix string) bool {
	for prefix != "" {
		if path == "" || path[0] != '/' {
			return false
		}
		var want, have string
		want, prefix = cutSegment(prefix[1:])
		have, path = cutSegment(path[1:])
		if want != have && (!strings.Contains(want, "{") || have == "") {
			return false
		}
	}
	return path == "" || path[0] == '/'
}

// cutSegment splits "a/b" into "a" and "/b".
func cutSegment(s string) (segment, rest string) {
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// hostMatches reports whether a host matches a scope's pattern of hosts.
func hostMatches(pattern, host string) bool {
	if pattern == "" {
		return true
	}
	want, have := strings.Split(pattern, "."), strings.Split(hostname(host), ".")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if !strings.EqualFold(want[i], have[i]) && !strings.Contains(want[i], "{") {
			return false
		}
	}
	return true
}
