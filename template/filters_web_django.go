package template

import (
	"strings"
	"unicode"
)

func filterDefaultIfNone(_ *frame, in value, a []value) value {
	if in.kind == kindNone {
		return a[0]
	}
	return in
}

// filterJSONScript writes a value as a JSON script element, from which scripts
// read data without any of it being run.
func filterJSONScript(f *frame, in value, a []value) value {
	id := ""
	if !a[0].isZeroArgument() {
		id = ` id="` + escapeString(a[0].text()) + `"`
	}
	return safeValue("<script" + id + ` type="application/json">` + filterTojson(f, in, []value{{}}).str() + "</script>")
}

// filterLinebreaks makes paragraphs of blocks of lines and <br> of single
// line ends; text that is not safe is escaped if autoescape is on.
func filterLinebreaks(f *frame, in value, _ []value) value {
	text := strings.TrimSpace(normalizeNewlines(f.htmlText(in), "\n"))
	var out []string
	for _, p := range strings.Split(text, "\n\n") {
		if p = strings.Trim(p, "\n"); p != "" || text == "" {
			out = append(out, "<p>"+strings.ReplaceAll(p, "\n", "<br>")+"</p>")
		}
	}
	s := strings.Join(out, "\n\n")
	f.x.allowBytes(len(s))
	return safeValue(s)
}

func filterLinebreaksbr(f *frame, in value, _ []value) value {
	s := strings.ReplaceAll(normalizeNewlines(f.htmlText(in), "\n"), "\n", "<br>")
	f.x.allowBytes(len(s))
	return safeValue(s)
}

// htmlText is v as HTML by the autoescape setting.
func (f *frame) htmlText(v value) string {
	if f.autoescapeOn() {
		return string(appendHTML(nil, v))
	}
	return v.text()
}

// filterPluralize gives "s" unless the value is 1, or the length of a list is;
// the suffix may be "es" or "y,ies".
func filterPluralize(_ *frame, in value, a []value) value {
	suffix := "s"
	if a[0].given() {
		suffix = wantString("pluralize", a[0])
	}
	one, many, both := strings.Cut(suffix, ",")
	switch {
	case !both:
		one, many = "", suffix
	case strings.Contains(many, ","):
		panic(runtimeError("pluralize: expected one ending or two with a comma between them, not '%s'", suffix))
	}
	single := false
	in = in.plain()
	if n, ok := in.asFloat(); ok {
		single = n == 1
	} else if in.isString() {
		f, ok := parseFloat(in.str())
		single = ok && f == 1
	} else if n, ok := lengthOf(in); ok {
		single = n == 1
	}
	if single {
		return stringValue(one)
	}
	return stringValue(many)
}

// filterSlugify makes a text fit for an address: lower-case letters, digits,
// underscores and single hyphens. Accents are dropped where a plain letter
// remains; letters of other scripts are kept.
func filterSlugify(_ *frame, in value, _ []value) value {
	var sb strings.Builder
	hyphen := false
	for _, r := range lowerCase(in.text()) {
		switch {
		case isSpace(r) || r == '-':
			hyphen = sb.Len() > 0
		case isWord(r):
			if hyphen {
				sb.WriteByte('-')
				hyphen = false
			}
			sb.WriteString(plainLetter(r))
		}
	}
	return stringValue(strings.Trim(sb.String(), "-_"))
}

// plainLetter drops the accent of Latin letters.
func plainLetter(r rune) string {
	if r < 0x80 || r > 0x17f || !unicode.IsLetter(r) {
		return string(r)
	}
	for _, row := range [...]string{
		"aàáâãäåāăą", "cçćĉċč", "dďđð", "eèéêëēĕėęě", "gĝğġģ", "hĥħ", "iìíîïĩīĭįı", "jĵ", "kķ", "lĺļľŀł",
		"nñńņňŉ", "oòóôõöøōŏő", "rŕŗř", "sśŝşš", "tţťŧ", "uùúûüũūŭůűų", "wŵ", "yýÿŷ", "zźżž",
	} {
		if strings.ContainsRune(row, r) {
			return row[:1]
		}
	}
	switch r {
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'ß':
		return "ss"
	case 'þ':
		return "th"
	}
	return string(r)
}

// filterYesno chooses one of "yes,no,maybe" for true, false and none.
func filterYesno(_ *frame, in value, a []value) value {
	words := "yes,no,maybe"
	if a[0].given() {
		words = wantString("yesno", a[0])
	}
	parts := strings.Split(words, ",")
	if len(parts) < 2 {
		return in
	}
	switch {
	case in.kind == kindNone && len(parts) > 2:
		return stringValue(parts[2])
	case in.truth():
		return stringValue(parts[0])
	}
	return stringValue(parts[1])
}
