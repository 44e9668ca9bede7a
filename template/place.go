package template

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// spot is a place in a template's source: a byte offset plus one, so that 0 is
// nowhere. Lines and columns are counted only when an error needs them.
type spot int32

// lineColumn counts lines from 1, and columns from 1 in characters.
func (s spot) lineColumn(source string) (line, column int) {
	if s <= 0 || int(s) > len(source)+1 {
		return 0, 0
	}
	before := source[:s-1]
	line = 1 + strings.Count(before, "\n")
	return line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}

func (s spot) line(source string) int {
	line, _ := s.lineColumn(source)
	return line
}

// Place is a place in a template.
type Place struct {
	Name string
	Path string
	// Line and Column count from 1; the column in characters.
	Line, Column int
}

// String is name:line:column.
func (p Place) String() string { return string(p.appendTo(nil)) }

func (p Place) appendTo(dst []byte) []byte {
	switch {
	case p.Name != "":
		dst = append(dst, p.Name...)
	case p.Line > 0:
		dst = append(dst, "<inline>"...)
	}
	for _, n := range [...]int{p.Line, p.Column} {
		if n > 0 {
			dst = strconv.AppendInt(append(dst, ':'), int64(n), 10)
		}
	}
	return dst
}

// placeIn is a place in a template under way.
type placeIn struct {
	tpl *Template
	at  spot
}

func (p placeIn) place() Place {
	line, column := p.at.lineColumn(p.tpl.source)
	return Place{Name: p.tpl.name, Path: p.tpl.path, Line: line, Column: column}
}

// maxExcerptWidth is how much of a line an excerpt shows, in characters.
const maxExcerptWidth = 160

// excerpt shows the line of a place and the one before it, and a caret under
// the column. Long lines, as in generated pages, are cut around the column.
func excerpt(source string, line, column int) string {
	if line < 1 {
		return ""
	}
	lines := strings.SplitN(source, "\n", line+1)
	if len(lines) < line {
		return ""
	}
	var sb strings.Builder
	width := len(strconv.Itoa(line))
	write := func(n int, text string) {
		number := strconv.Itoa(n)
		sb.WriteString(strings.Repeat(" ", width-len(number)) + number + " | " + text + "\n")
	}
	if line > 1 && strings.TrimSpace(lines[line-2]) != "" {
		text, _ := cutAround(lines[line-2], 1)
		write(line-1, text)
	}
	text, column := cutAround(lines[line-1], column)
	write(line, text)
	if column > 0 {
		sb.WriteString(strings.Repeat(" ", width) + " | ")
		for i, r := range []rune(text) {
			if i == column-1 {
				break
			}
			if r != '\t' {
				r = ' '
			}
			sb.WriteRune(r)
		}
		sb.WriteString("^\n")
	}
	return sb.String()
}

// cutAround cuts a long line to the part around a column, whose new number it
// gives, and makes control characters visible.
func cutAround(text string, column int) (string, int) {
	runes := []rune(strings.ToValidUTF8(text, "\uFFFD"))
	from := 0
	if column > maxExcerptWidth*3/4 {
		from = column - maxExcerptWidth/2
	}
	from = min(from, len(runes))
	runes = runes[from:min(from+maxExcerptWidth, len(runes))]
	for i, r := range runes {
		if r < ' ' && r != '\t' || r == 0x7f {
			runes[i] = '\uFFFD'
		}
	}
	return string(runes), column - from
}
