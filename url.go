package retort

import (
	"fmt"
	"strings"
)

// URL returns the path of a named route, with the values put in by pairs of
// name and value:
//
//	c.URL("blog.post", "id", 3, "page", 2)   // /blog/posts/3?page=2
//
// Values that the route has no variable for become the query, "_anchor" the
// fragment, and "_external" true makes the address absolute. A name that
// begins with a dot is of the same blueprint: ".post". An unknown name or a
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
	path, err := c.app.url(name, values)
	if err != nil || !external {
		return path, err
	}
	return c.Scheme() + "://" + c.Host() + path, nil
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
	path, err := a.url(name, values)
	if err != nil || !external {
		return path, err
	}
	if a.config.BaseURL == "" {
		return "", fmt.Errorf("retort: URL(%q) outside a request cannot be absolute; set base_url (RETORT_BASE_URL)", name)
	}
	return strings.TrimSuffix(a.config.BaseURL, "/") + path, nil
}

func (a *App) url(name string, values []any) (string, error) {
	return a.router.URL(name, values...)
}

// takeExternal takes the pair "_external" out of values.
func takeExternal(values []any) (rest []any, external bool) {
	if len(values) == 1 {
		m, ok := values[0].(map[string]any)
		if _, has := m["_external"]; !ok || !has {
			return values, false
		}
		without := make(map[string]any, len(m))
		for k, v := range m {
			if k != "_external" {
				without[k] = v
			}
		}
		external, _ = m["_external"].(bool)
		return []any{without}, external
	}
	for i := 0; i+1 < len(values); i += 2 {
		if values[i] == "_external" {
			external, _ = values[i+1].(bool)
			rest = append(rest, values[:i]...)
			return append(rest, values[i+2:]...), external
		}
	}
	return values, false
}
