package source

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/retort-web/retort/internal/naming"
	"github.com/retort-web/retort/orm/schema"
)

// nameModels gives each table the name of a type, and of the variable with its rows.
func (w *writer) nameModels(tables []*schema.Live) {
	for _, l := range tables {
		_, base := schemaOf(l.Name)
		if rest, ok := strings.CutPrefix(base, w.options.Package+"_"); ok && rest != "" {
			base = rest
		}
		name := goName(base)
		set := plural(name)
		if one := singular(name); one != name {
			name, set = one, name
		}
		m := &model{live: l, dialect: w.options.Dialect, names: map[string]bool{"Meta": true}, paths: map[string]string{}, own: map[string]bool{}}
		m.name = unique(w.taken, name)
		m.set = unique(w.taken, set)
		m.unmanaged = l.View
		w.models = append(w.models, m)
		w.byTable[l.Name] = m
	}
}

// schemaOf parts the schema that a table is in, if it is not that of the connection, from
// its name.
func schemaOf(table string) (inSchema, name string) {
	if inSchema, name, found := strings.Cut(table, "."); found {
		return inSchema, name
	}
	return "", table
}

// objectPrefix begins the names of the indexes that a model gives its table.
func objectPrefix(table string) string { return strings.ReplaceAll(table, ".", "_") }

// defaultTable is the name of the table that a model of that name has by itself.
func (w *writer) defaultTable(model string) string {
	if w.options.Package == "main" {
		return naming.Snake(model)
	}
	return w.options.Package + "_" + naming.Snake(model)
}

// unique takes a name, or one like it that is free.
func unique(taken map[string]bool, name string) string {
	free := name
	for n := 2; taken[free]; n++ {
		free = name + strconv.Itoa(n)
	}
	taken[free] = true
	return free
}

// initialisms are words that Go writes in capitals.
var initialisms = map[string]bool{
	"api": true, "html": true, "http": true, "id": true, "ip": true, "json": true, "sql": true, "url": true, "uuid": true, "xml": true,
}

// goName is the exported name in Go of a name of the database: "author_url" is AuthorURL.
func goName(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	short := joinWords(words, initialisms)
	if naming.Snake(short) == strings.ToLower(name) {
		return short
	}
	return joinWords(words, nil)
}

func joinWords(words []string, capitals map[string]bool) string {
	var b strings.Builder
	for _, word := range words {
		if strings.ToUpper(word) == word {
			word = strings.ToLower(word)
		}
		if capitals[word] {
			b.WriteString(strings.ToUpper(word))
			continue
		}
		letters := []rune(word)
		letters[0] = unicode.ToUpper(letters[0])
		b.WriteString(string(letters))
	}
	name := b.String()
	if first := []rune(name + " ")[0]; !unicode.IsUpper(first) {
		return "X" + name // a digit, or a letter of a script without capitals
	}
	return name
}

// plural is the plural of an English word, as far as it has a rule.
func plural(name string) string {
	switch end := name[len(name)-1]; {
	case end == 'y' && len(name) > 1 && !strings.ContainsRune("aeiou", rune(name[len(name)-2])):
		return name[:len(name)-1] + "ies"
	case end == 's' || end == 'x' || strings.HasSuffix(name, "ch") || strings.HasSuffix(name, "sh"):
		return name + "es"
	}
	return name + "s"
}

// singular is the singular of a word that looks like a plural, or else the word itself.
func singular(name string) string {
	for _, whole := range []string{"ss", "us", "is", "as", "os", "News", "Series", "Species"} {
		if strings.HasSuffix(name, whole) {
			return name
		}
	}
	if stem, ok := strings.CutSuffix(name, "ies"); ok && len(stem) > 1 {
		return stem + "y"
	}
	for _, end := range []string{"sses", "xes", "ches", "shes"} {
		if strings.HasSuffix(name, end) {
			return name[:len(name)-2]
		}
	}
	if stem, ok := strings.CutSuffix(name, "s"); ok && len(stem) > 1 {
		return stem
	}
	return name
}

// structTag writes the words of an orm tag.
func structTag(words []string) string {
	if len(words) == 0 {
		return ""
	}
	tag := "orm:" + strconv.Quote(strings.Join(words, ","))
	if strings.ContainsAny(tag, "`") {
		return strconv.Quote(tag)
	}
	return "`" + tag + "`"
}

// word is a word of the tag with a value, in quotes if it has to be.
func word(key, value string) string {
	if strings.ContainsAny(value, ",'") || strings.TrimSpace(value) != value {
		value = "'" + strings.ReplaceAll(value, "'", "''") + "'"
	}
	return key + "=" + value
}

// goText is a Go literal of a text of SQL.
func goText(s string) string {
	if strings.Contains(s, "`") || strings.ContainsFunc(s, unicode.IsControl) {
		return strconv.Quote(s)
	}
	return "`" + s + "`"
}
