package formtest

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// UntranslatedTemplates returns the texts of templates that no tag translates, each behind
// the name of its file: in all branches, also in those that a test does not come to. It
// looks at files that end in .html and .txt, and takes the tags as they are by default.
//
// Strings within {{ … }} and {% set … %} that look like words for people are such texts as
// well, but for those that are given to gettext and its like.
func UntranslatedTemplates(fsys fs.FS) ([]string, error) {
	var found []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".html" && path.Ext(name) != ".txt" {
			return err
		}
		source, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		for _, text := range untranslatedSource(string(source), path.Ext(name) == ".html") {
			found = append(found, name+": "+text)
		}
		return nil
	})
	return found, err
}

var (
	comments     = regexp.MustCompile(`(?s)\{#.*?#\}`)
	translations = regexp.MustCompile(`(?s)\{%[-+]?\s*(?:blocktrans|blocktranslate|trans)\b.*?\{%[-+]?\s*end(?:blocktrans|blocktranslate|trans)\s*[-+]?%\}`)
	tags         = regexp.MustCompile(`(?s)\{%[-+]?(.*?)[-+]?%\}`)
	outputs      = regexp.MustCompile(`(?s)\{\{[-+]?(.*?)[-+]?\}\}`)
	gettext      = regexp.MustCompile(`\b(?:_|n?p?gettext)\([^)]*\)`)
	texts        = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	words        = regexp.MustCompile(`^\p{Lu}?\p{Ll}+$|^\p{Lu}\p{Ll}+\b|\pL[,.:;]? \pL`)
	arguments    = regexp.MustCompile(`[\w)\]]\([^()]*\)|\[[^\[\]]*\]| (?:in|==|!=) (?:\([^()]*\)|"[^"]*"|'[^']*')`)
)

func untranslatedSource(source string, isHTML bool) []string {
	source = comments.ReplaceAllString(source, "")
	source = translations.ReplaceAllString(source, "")
	var found []string
	literals := func(code string) {
		code = gettext.ReplaceAllString(code, "")
		for before := ""; before != code; { // what is given to a function, a filter or an index
			before, code = code, arguments.ReplaceAllString(code, "")
		}
		for _, text := range texts.FindAllString(code, -1) {
			if text = text[1 : len(text)-1]; words.MatchString(text) {
				found = append(found, text)
			}
		}
	}
	for _, m := range outputs.FindAllStringSubmatch(source, -1) {
		literals(m[1])
	}
	for _, m := range tags.FindAllStringSubmatch(source, -1) {
		if code := strings.TrimSpace(m[1]); strings.HasPrefix(code, "set ") {
			literals(code)
		}
	}
	source = tags.ReplaceAllString(outputs.ReplaceAllString(source, ""), "")
	if isHTML {
		return append(found, Untranslated(source)...)
	}
	return append(found, UntranslatedText(source)...)
}
