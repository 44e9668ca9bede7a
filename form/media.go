package form

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/template"
)

// Media are the files that a widget needs in the page: paths of static files, as the
// function static of templates takes them, or whole addresses.
type Media struct {
	Styles  []string
	Scripts []string // ES modules
	// Attrs are further attributes of the elements that load files, by file, in pairs
	// of name and value:
	//
	//	map[string][]any{"https://cdn.example/map.js": {"integrity", "sha384-…", "crossorigin", "anonymous"}}
	//
	// "type", "text/javascript" makes a script one that is no module.
	Attrs map[string][]any
}

// media are the files of all the form's widgets, each once.
func (f *core) media() Media {
	var parts []Media
	for _, field := range f.fields {
		if w, ok := field.widget.(interface{ Media() Media }); ok {
			parts = append(parts, w.Media())
		}
	}
	return joined(f.c, parts)
}

// joined is the media of several. Where they contradict each other in the order, the log
// says so, as a script that runs before what it needs is hard to find.
func joined(c *retort.Ctx, parts []Media) (m Media) {
	var styles, scripts [][]string
	for _, part := range parts {
		styles, scripts = append(styles, part.Styles), append(scripts, part.Scripts)
		for file, pairs := range part.Attrs {
			if m.Attrs == nil {
				m.Attrs = map[string][]any{}
			}
			m.Attrs[file] = append(m.Attrs[file], pairs...)
		}
	}
	for list, of := range map[*[]string][][]string{&m.Styles: styles, &m.Scripts: scripts} {
		files, contradiction := merge(of)
		if *list = files; contradiction != "" {
			c.Logger().Warn("form: widgets want the files of their Media in orders that contradict each other", "file", contradiction)
		}
	}
	return m
}

// media are the files of all the formset's widgets, and its own script.
func (s *setCore) media() Media {
	m := Media{Scripts: []string{"form/form.js"}}
	f := s.empty
	if f == nil && len(s.parts) > 0 {
		f = s.parts[0]
	}
	if f != nil {
		m = joined(s.c, []Media{m, f.media()})
	}
	return m
}

// merge joins lists so that in each of them the order stays as it is, and each file comes
// once. Lists that contradict each other keep the order in which they came, and the
// first file of which that is so is returned, too.
func merge(lists [][]string) (merged []string, contradiction string) {
	var all []string
	after := map[string][]string{} // what must come before a file
	for _, list := range lists {
		for i, file := range list {
			if !slices.Contains(all, file) {
				all = append(all, file)
			}
			if i > 0 {
				after[file] = append(after[file], list[i-1])
			}
		}
	}
	for len(all) > 0 {
		next := slices.IndexFunc(all, func(file string) bool {
			return !slices.ContainsFunc(after[file], func(before string) bool { return slices.Contains(all, before) })
		})
		if next < 0 {
			next = 0
			contradiction = cmp.Or(contradiction, all[0])
		}
		merged = append(merged, all[next])
		all = slices.Delete(all, next, next+1)
	}
	return merged, contradiction
}

// tags are the elements that load the files. They carry the nonce of the page's policy
// for content.
func (m Media) tags(c *retort.Ctx) template.Safe {
	nonce := ""
	if len(m.Styles)+len(m.Scripts) > 0 {
		nonce = c.CSPNonce()
	}
	var dst []byte
	for _, file := range m.Styles {
		a := attributes{{name: "rel", value: "stylesheet"}, {name: "href", value: address(c, file)}}
		dst = append(dst, "<link"...)
		dst = append(m.finish(a, file, nonce).append(dst), ">\n"...)
	}
	for _, file := range m.Scripts {
		a := attributes{{name: "type", value: "module"}, {name: "src", value: address(c, file)}}
		dst = append(dst, "<script"...)
		dst = append(m.finish(a, file, nonce).append(dst), "></script>\n"...)
	}
	return template.Safe(dst)
}

// finish adds what Attrs has for a file, and the nonce.
func (m Media) finish(a attributes, file, nonce string) attributes {
	if err := a.add(m.Attrs[file]); err != nil {
		panic(fmt.Errorf("form: Media.Attrs of %s: %w", file, err))
	}
	if nonce != "" {
		a.set("nonce", nonce)
	}
	return a
}

// address is that of a static file, or the one that is written down.
func address(c *retort.Ctx, file string) string {
	if strings.HasPrefix(file, "/") || strings.HasPrefix(file, "https://") || strings.HasPrefix(file, "http://") {
		return file
	}
	url, err := c.StaticURL(file)
	if err != nil {
		panic(fmt.Errorf("form: the media of the form: %w; for form/… install form.New()", err))
	}
	return url
}
