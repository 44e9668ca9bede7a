package template

import (
	"strings"
	"unicode/utf8"
)

func filterTruncatechars(f *frame, in value, a []value) value {
	return truncateChars(f, in, wantInt("truncatechars", a[0]), a[1])
}

// truncateChars cuts a text so that it has n characters with the ending, which
// counts too.
func truncateChars(f *frame, in value, n int64, ending value) value {
	v, end := soft(in), endOr(ending, "…")
	if n <= 0 {
		return empty
	}
	if int64(runeCount(v.str())) <= n {
		return v
	}
	keep := max(n-int64(runeCount(end.str())), 0)
	return concatTwo(f.x, textValue(v.str()[:byteOffset(v.str(), int(keep))], v.kind == kindSafe), end)
}

func endOr(v value, fallback string) value {
	if v.given() {
		return soft(v)
	}
	return stringValue(fallback)
}

func filterTruncatewords(f *frame, in value, a []value) value {
	n := wantInt("truncatewords", a[0])
	v := soft(in)
	words := strings.FieldsFunc(v.str(), isSpace)
	if int64(len(words)) <= n {
		return textValue(strings.Join(words, " "), v.kind == kindSafe)
	}
	return concatTwo(f.x, textValue(strings.Join(words[:max(n, 0)], " "), v.kind == kindSafe), endOr(a[1], " …"))
}

// filterTruncatecharsHTML is truncatechars for HTML: tags do not count, an
// entity is one character, and what is open at the cut is closed.
func filterTruncatecharsHTML(_ *frame, in value, a []value) value {
	end := endOr(a[1], "…")
	t := htmlTruncation{limit: wantInt("truncatechars_html", a[0]), end: end.str(), step: oneCharacter}
	t.reserve = int64(runeCount(end.str()))
	return textValue(t.run(soft(in).str()), in.kind == kindSafe)
}

// filterTruncatewordsHTML is truncatewords for HTML.
func filterTruncatewordsHTML(_ *frame, in value, a []value) value {
	t := htmlTruncation{limit: wantInt("truncatewords_html", a[0]), end: endOr(a[1], " …").str(), step: oneWord}
	return textValue(t.run(soft(in).str()), in.kind == kindSafe)
}

// htmlTruncation cuts HTML after so many units of its text.
type htmlTruncation struct {
	limit   int64
	reserve int64 // units that the ending takes
	end     string
	// step gives the length of the first unit of a text and whether it counts.
	step func(s string) (length int, counts bool)
}

// run goes through the text once. The place to cut is where the units less the
// ending are reached; it is used if the text turns out to be too long.
func (t *htmlTruncation) run(s string) string {
	if t.limit <= 0 {
		return ""
	}
	keep := max(t.limit-t.reserve, 0)
	var open, openAtCut []string
	count, cut := int64(0), -1
	if keep == 0 {
		cut = 0
	}
	end := 0
	for i := 0; i < len(s); {
		if length := markupLength(s[i:]); length > 0 {
			open = trackTag(open, s[i:i+length])
			i += length
			continue
		}
		if i >= end { // the text goes on to the next angle bracket
			if end = strings.IndexByte(s[i+1:], '<') + i + 1; end == i {
				end = len(s)
			}
		}
		length, counts := t.step(s[i:end])
		if counts {
			if count == t.limit {
				return s[:cut] + t.end + closing(openAtCut)
			}
			count++
		}
		i += length
		if counts && count == keep {
			cut, openAtCut = i, append([]string(nil), open...)
		}
	}
	return s
}

// oneCharacter takes a character or an entity.
func oneCharacter(s string) (int, bool) {
	if s[0] == '&' {
		if end := strings.IndexByte(s[:min(len(s), 40)], ';'); end > 1 && strings.Trim(s[1:end], "#0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			return end + 1, true
		}
	}
	_, n := utf8.DecodeRuneInString(s)
	return n, true
}

// oneWord takes a word, or the whitespace before one.
func oneWord(s string) (int, bool) {
	if n := len(s) - len(strings.TrimLeftFunc(s, isSpace)); n > 0 {
		return n, false
	}
	if n := strings.IndexFunc(s, isSpace); n >= 0 {
		return n, true
	}
	return len(s), true
}

// markupLength gives the length of the tag or comment that s begins with; 0 if it
// begins with none.
func markupLength(s string) int {
	if s[0] != '<' || len(s) < 2 {
		return 0
	}
	if strings.HasPrefix(s, "<!--") {
		if end := strings.Index(s[4:], "-->"); end >= 0 {
			return end + 7
		}
		return len(s)
	}
	if c := s[1] | 0x20; (c < 'a' || c > 'z') && s[1] != '/' && s[1] != '!' && s[1] != '?' {
		return 0
	}
	quote := byte(0)
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && s[i-1] == '=':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return len(s)
}

// trackTag keeps the names of the elements that are open.
func trackTag(open []string, tag string) []string {
	name := strings.TrimLeft(tag, "</")
	if end := strings.IndexFunc(name, func(r rune) bool { return isSpace(r) || r == '>' || r == '/' }); end >= 0 {
		name = name[:end]
	}
	lower := strings.ToLower(name)
	switch {
	case name == "" || name[0] == '!' || name[0] == '?' || strings.HasSuffix(tag, "/>"):
		return open
	case strings.HasPrefix(tag, "</"):
		for i := len(open) - 1; i >= 0; i-- {
			if strings.ToLower(open[i]) == lower {
				return open[:i]
			}
		}
		return open
	}
	switch lower {
	case "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr":
		return open
	}
	return append(open, name)
}

func closing(open []string) string {
	var sb strings.Builder
	for i := len(open) - 1; i >= 0; i-- {
		sb.WriteString("</" + open[i] + ">")
	}
	return sb.String()
}
