package retort

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// URL returns the path of a named route, below [Ctx.Root], with the values put in by pairs of
// name and value:
//
//	c.URL("blog.post", "id", 3, "page", 2)   // /blog/posts/3?page=2
//
// Values that the route has no variable for become the query, "_anchor" the
// fragment, and "_external" true makes the address absolute. The URL of a route
// with a host begins with "//" and that host otherwise. A name that begins with a dot is of the same blueprint: ".post". An unknown name or a
// missing value is an error that says what there is.
func (c *Ctx) URL(name string, values ...any) (string, error) {
	if strings.HasPrefix(name, ".") {
		if m := c.scope(); m.name != "" {
			name = m.name + name
		} else {
			name = name[1:]
		}
	}
	values, external := takeExternal(values)
	built, err := c.app.router.URL(name, values...)
	if err != nil {
		return "", err
	}
	if built = underRoot(c.Root(), built); !external && !hasHost(built) {
		return built, nil
	}
	return absolute(built, c.Scheme(), c.Host(), external), nil
}

// MustURL is [Ctx.URL] for a name that is certain; it panics on an error.
func (c *Ctx) MustURL(name string, values ...any) string {
	u, err := c.URL(name, values...)
	if err != nil {
		panic(err)
	}
	return u
}

// URL returns the path of a named route; see [Ctx.URL]. It needs no request:
// with "_external" the address begins with [Config].BaseURL.
func (a *App) URL(name string, values ...any) (string, error) {
	if err := a.Prepare(); err != nil {
		return "", err
	}
	values, external := takeExternal(values)
	built, err := a.router.URL(name, values...)
	if err != nil || !external {
		return underRoot(a.config.Root, built), err
	}
	base, err := url.Parse(a.config.BaseURL)
	if err != nil || base.Host == "" {
		return "", fmt.Errorf("retort: URL(%q) outside a request cannot be absolute; set base_url (RETORT_BASE_URL)", name)
	}
	root := a.config.Root
	if path := strings.TrimSuffix(base.Path, "/"); path != "" && !hasHost(built) {
		root = path
	}
	return absolute(underRoot(root, built), base.Scheme, base.Host, true), nil
}

// hasHost reports whether a URL of the router is that of a route with a host.
func hasHost(built string) bool { return strings.HasPrefix(built, "//") }

// absolute puts the host before a path, or the port of the site behind the
// host of a route with one, and the scheme before both if asked.
func absolute(built, scheme, host string, external bool) string {
	if !hasHost(built) {
		built = "//" + host + built
	} else if port := host[len(strings.TrimRight(host, "0123456789")):]; port != "" && strings.HasSuffix(host, ":"+port) {
		end := 2 + strings.IndexByte(built[2:], '/')
		built = built[:end] + ":" + port + built[end:]
	}
	if external {
		return scheme + ":" + built
	}
	return built
}

// externalKey is the value that makes a URL absolute.
const externalKey = "_external"

// takeExternal takes "_external" out of values, which are pairs and maps as
// the router has them.
func takeExternal(values []any) (rest []any, external bool) {
	for i := 0; i < len(values); i++ {
		switch v := values[i].(type) {
		case string:
			if v == externalKey && i+1 < len(values) {
				external, _ = values[i+1].(bool)
				rest, _ = takeExternal(values[i+2:])
				return append(slices.Clone(values[:i]), rest...), external
			}
			i++
		case map[string]any:
			if on, ok := v[externalKey]; ok {
				without := maps.Clone(v)
				delete(without, externalKey)
				var other bool
				external, _ = on.(bool)
				rest, other = takeExternal(values[i+1:])
				return append(append(slices.Clone(values[:i]), without), rest...), external || other
			}
		}
	}
	return values, false
}
