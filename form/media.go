package form

import (
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
}

// media are the files of all the form's widgets, each once.
func (f *core) media() Media {
	var styles, scripts [][]string
	for _, field := range f.fields {
		if w, ok := field.widget.(interface{ Media() Media }); ok {
			m := w.Media()
			styles, scripts = append(styles, m.Styles), append(scripts, m.Scripts)
		}
	}
	return Media{merge(styles), merge(scripts)}
}

// media are the files of all the formset's widgets, and its own script.
func (s *setCore) media() Media {
	m := Media{Scripts: []string{"form/form.js"}}
	f := s.empty
	if f == nil && len(s.parts) > 0 {
		f = s.parts[0]
	}
	if f != nil {
		of := f.media()
		m = Media{of.Styles, merge([][]string{m.Scripts, of.Scripts})}
	}
	return m
}

// merge joins lists so that in each of them the order stays as it is, and each file comes
// once. Lists that contradict each other keep the order in which they came.
func merge(lists [][]string) []string {
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
	var merged []string
	for len(all) > 0 {
		next := slices.IndexFunc(all, func(file string) bool {
			return !slices.ContainsFunc(after[file], func(before string) bool { return slices.Contains(all, before) })
		})
		next = max(next, 0)
		merged = append(merged, all[next])
		all = slices.Delete(all, next, next+1)
	}
	return merged
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
		var a attributes
		a.set("rel", "stylesheet")
		a.set("href", address(c, file))
		dst = append(dst, "<link"...)
		dst = append(withNonce(a, nonce).append(dst), ">\n"...)
	}
	for _, file := range m.Scripts {
		var a attributes
		a.set("type", "module")
		a.set("src", address(c, file))
		dst = append(dst, "<script"...)
		dst = append(withNonce(a, nonce).append(dst), "></script>\n"...)
	}
	return template.Safe(dst)
}

func withNonce(a attributes, nonce string) attributes {
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
