package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// parseTOML lists the values of a file (TOML 1.1, https://toml.io). Tables are
// opened up as long as their key is that of a section; the table of a map field
// is one value. The problem never quotes the file, which may hold secrets.
//
// The reader is our own: it knows the line of every value, and is a fraction of
// what a library for all uses adds to a program.
func parseTOML(name, text string, fields []*field) ([]entry, *Problem) {
	p := &tomlParser{text: strings.TrimPrefix(text, "\ufeff"), line: 1}
	root := &tomlTable{state: tableDefined}
	if !p.document(root) {
		return nil, &Problem{Source: name + ":" + strconv.Itoa(p.line), Message: "is not valid TOML: " + p.message}
	}
	t := tomlWalk{name: name, leaves: make(map[string]bool, len(fields))}
	for _, f := range fields {
		t.leaves[f.key] = true
	}
	t.table("", root)
	return t.entries, nil
}

type tomlWalk struct {
	name    string
	leaves  map[string]bool
	entries []entry
}

func (t *tomlWalk) table(section string, table *tomlTable) {
	for name, item := range table.items {
		key := join(section, name)
		if inner, ok := item.value.(*tomlTable); ok && !t.leaves[key] {
			t.table(key, inner)
			continue
		}
		t.entries = append(t.entries, entry{key: key, value: plainTOML(item.value), source: t.name + ":" + strconv.Itoa(item.line)})
	}
}

// plainTOML makes maps and lists of tables. What remains are strings, int64,
// float64, bool, tomlTime, []any and map[string]any.
func plainTOML(value any) any {
	switch value := value.(type) {
	case *tomlTable:
		m := make(map[string]any, len(value.items))
		for name, item := range value.items {
			m[name] = plainTOML(item.value)
		}
		return m
	case *tomlTables:
		list := make([]any, len(value.tables))
		for i, table := range value.tables {
			list[i] = plainTOML(table)
		}
		return list
	case []any:
		for i := range value {
			value[i] = plainTOML(value[i])
		}
	}
	return value
}

// tomlTable is a table, and what may still be added to it.
type tomlTable struct {
	items map[string]*tomlItem
	state tableState
}

type tableState int

const (
	tableOpened  tableState = iota // named on the way to another; a header may still define it
	tableDefined                   // by its own header
	tableDotted                    // by the parts of a dotted key; only such keys add to it
	tableClosed                    // written in braces
)

// tomlTables is a list of tables, each below a header in double brackets.
type tomlTables struct{ tables []*tomlTable }

// tomlItem is a value and the line of its key.
type tomlItem struct {
	value any
	line  int
}

func (t *tomlTable) set(name string, value any, line int) {
	if t.items == nil {
		t.items = map[string]*tomlItem{}
	}
	t.items[name] = &tomlItem{value: value, line: line}
}

// maxTOMLDepth bounds nesting and the parts of a key.
const maxTOMLDepth = 100

// tomlParser reads a document from front to back. Its methods return false
// after a mistake, which message and line then tell.
type tomlParser struct {
	text    string
	pos     int
	line    int
	depth   int
	message string
}

func (p *tomlParser) fail(message string) bool {
	if p.message == "" {
		p.message = message
	}
	return false
}

// failTwice reports a key that is there already.
func (p *tomlParser) failTwice(item *tomlItem) bool {
	return p.fail("the key or table was already set on line " + strconv.Itoa(item.line))
}

func (p *tomlParser) document(root *tomlTable) bool {
	if !utf8.ValidString(p.text) {
		for rest := p.text; ; {
			r, size := utf8.DecodeRuneInString(rest)
			if r == utf8.RuneError && size <= 1 {
				return p.fail("the text is not UTF-8")
			}
			if r == '\n' {
				p.line++
			}
			rest = rest[size:]
		}
	}
	current := root
	for {
		if !p.blank() {
			return false
		}
		if p.pos == len(p.text) {
			return true
		}
		if p.peek() == '[' {
			table, ok := p.header(root)
			if !ok {
				return false
			}
			current = table
		} else if !p.pair(current) {
			return false
		}
		if !p.lineEnd() {
			return false
		}
	}
}

// header reads [a.b] or [[a.b]] and returns the table that it begins.
func (p *tomlParser) header(root *tomlTable) (*tomlTable, bool) {
	line := p.line
	p.pos++
	list := p.skip("[")
	keys, ok := p.key()
	if !ok {
		return nil, false
	}
	if !p.skip("]") || list && !p.skip("]") {
		return nil, p.fail("the header of a table ends with ], or ]] if it began with [[")
	}
	table := root
	for _, name := range keys[:len(keys)-1] {
		item := table.items[name]
		if item == nil {
			inner := &tomlTable{}
			table.set(name, inner, line)
			table = inner
			continue
		}
		switch value := item.value.(type) {
		case *tomlTable:
			if value.state == tableClosed {
				return nil, p.failTwice(item)
			}
			table = value
		case *tomlTables:
			table = value.tables[len(value.tables)-1]
		default:
			return nil, p.failTwice(item)
		}
	}
	last := keys[len(keys)-1]
	item := table.items[last]
	begun := &tomlTable{state: tableDefined}
	if item == nil {
		if list {
			table.set(last, &tomlTables{[]*tomlTable{begun}}, line)
		} else {
			table.set(last, begun, line)
		}
		return begun, true
	}
	if tables, ok := item.value.(*tomlTables); ok && list {
		tables.tables = append(tables.tables, begun)
		return begun, true
	}
	if known, ok := item.value.(*tomlTable); ok && !list && known.state == tableOpened {
		known.state, item.line = tableDefined, line
		return known, true
	}
	return nil, p.failTwice(item)
}

// pair reads key = value into a table.
func (p *tomlParser) pair(table *tomlTable) bool {
	line := p.line
	keys, ok := p.key()
	if !ok {
		return false
	}
	if !p.skip("=") {
		return p.fail("a key is followed by = and a value")
	}
	p.space()
	for _, name := range keys[:len(keys)-1] {
		item := table.items[name]
		if item == nil {
			inner := &tomlTable{state: tableDotted}
			table.set(name, inner, line)
			table = inner
			continue
		}
		inner, ok := item.value.(*tomlTable)
		if !ok || inner.state != tableDotted {
			return p.failTwice(item)
		}
		table = inner
	}
	last := keys[len(keys)-1]
	if item := table.items[last]; item != nil {
		return p.failTwice(item)
	}
	value, ok := p.value()
	if ok {
		table.set(last, value, line)
	}
	return ok
}

// key reads a key with its dots, and the space around it.
func (p *tomlParser) key() ([]string, bool) {
	var keys []string
	for {
		p.space()
		start := p.pos
		var name string
		switch c := p.peek(); {
		case c == '"' || c == '\'':
			p.pos++
			ok := false
			if name, ok = p.quoted(c, false); !ok {
				return nil, false
			}
		default:
			for p.pos < len(p.text) && isBareKey(p.text[p.pos]) {
				p.pos++
			}
			if name = p.text[start:p.pos]; name == "" {
				return nil, p.fail("a key is of letters, digits, - and _, or in quotes")
			}
		}
		if keys = append(keys, name); len(keys) > maxTOMLDepth {
			return nil, p.fail("nested too deeply")
		}
		p.space()
		if !p.skip(".") {
			return keys, true
		}
	}
}

func isBareKey(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c == '-'
}

// peek returns the next byte, 0 at the end.
func (p *tomlParser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *tomlParser) skip(what string) bool {
	ok := strings.HasPrefix(p.text[p.pos:], what)
	if ok {
		p.pos += len(what)
	}
	return ok
}

func (p *tomlParser) space() {
	for c := p.peek(); c == ' ' || c == '\t'; c = p.peek() {
		p.pos++
	}
}

func (p *tomlParser) newline() bool {
	ok := p.skip("\n") || p.skip("\r\n")
	if ok {
		p.line++
	}
	return ok
}

// lineEnd reads what may follow an expression: space and a comment.
func (p *tomlParser) lineEnd() bool {
	p.space()
	if !p.comment() {
		return false
	}
	if p.pos < len(p.text) && !p.newline() {
		return p.fail("something follows the value or header on its line; text stands in quotes")
	}
	return true
}

// blank reads space, line ends and comments.
func (p *tomlParser) blank() bool {
	for {
		p.space()
		if !p.comment() {
			return false
		}
		if !p.newline() {
			return true
		}
	}
}

func (p *tomlParser) comment() bool {
	if p.peek() != '#' {
		return true
	}
	for p.pos < len(p.text) && p.text[p.pos] != '\n' && !strings.HasPrefix(p.text[p.pos:], "\r\n") {
		if isControl(p.text[p.pos]) {
			return p.fail("a comment holds a control character")
		}
		p.pos++
	}
	return true
}

// isControl reports whether a byte may stand nowhere but in an escape.
func isControl(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }
