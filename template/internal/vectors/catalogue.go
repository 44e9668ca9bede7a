package vectors

import "context"

// catalogue is the translations of a vector.
type catalogue struct {
	NewStyle bool `json:"newstyle"`
	Catalog  []struct {
		ID     string `json:"id"`
		Ctx    string `json:"ctx"`
		Plural string `json:"plural"`
		Str    any    `json:"str"`
	} `json:"catalog"`
}

func (c *catalogue) find(ctx, id string, form int) string {
	for _, e := range c.Catalog {
		if e.ID != id || e.Ctx != ctx {
			continue
		}
		switch s := e.Str.(type) {
		case string:
			return s
		case []any:
			if form < len(s) {
				text, _ := s[form].(string)
				return text
			}
		}
	}
	return ""
}

func (c *catalogue) single(ctx, id string) string {
	if s := c.find(ctx, id, 0); s != "" {
		return s
	}
	return id
}

func (c *catalogue) plural(ctx, one, other string, n int) string {
	form, fallback := 1, other
	if n == 1 {
		form, fallback = 0, one
	}
	if s := c.find(ctx, one, form); s != "" {
		return s
	}
	return fallback
}

// Gettext implements [template.Translator], as the others do.
func (c *catalogue) Gettext(_ context.Context, id string) string { return c.single("", id) }

// NGettext gives one of two forms.
func (c *catalogue) NGettext(_ context.Context, one, other string, n int) string {
	return c.plural("", one, other, n)
}

// PGettext gives a translation for a context.
func (c *catalogue) PGettext(_ context.Context, ctx, id string) string { return c.single(ctx, id) }

// NPGettext gives one of two forms for a context.
func (c *catalogue) NPGettext(_ context.Context, ctx, one, other string, n int) string {
	return c.plural(ctx, one, other, n)
}
