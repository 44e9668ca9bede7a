package template

import (
	"slices"
	"strings"
)

// prettyPrint is Python's pprint: data on one line if it fits in 80 columns,
// else one element a line; mappings by sorted keys.
func prettyPrint(v value) []byte {
	p := &prettyPrinter{}
	p.write(v, 0, 0, 0)
	return p.out
}

type prettyPrinter struct{ out []byte }

const prettyWidth = 80

// oneLine is the repr with the keys of mappings sorted.
func (p *prettyPrinter) oneLine(v value) string { return string(appendRepr(nil, sortedKeysDeep(v, 0))) }

func sortedKeysDeep(v value, depth int) value {
	if depth > maxDataDepth {
		panic(recursionError())
	}
	switch {
	case v.kind == kindList, v.kind == kindTuple:
		items := v.list().items
		out := make([]value, len(items))
		for i, e := range items {
			out[i] = sortedKeysDeep(e, depth+1)
		}
		if v.kind == kindTuple {
			return tupleValue(out...)
		}
		return listValue(out)
	case v.isMapping():
		d, _ := asDict(v)
		out := NewDict()
		for _, i := range keyOrder(d) {
			out.set(d.keys[i], sortedKeysDeep(d.vals[i], depth+1))
		}
		return dictValue(out)
	}
	return v
}

// keyOrder sorts keys; those that cannot be compared go by type and text.
func keyOrder(d *Dict) []int {
	order := make([]int, d.Len())
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := d.keys[i].plain(), d.keys[j].plain()
		if a.isString() && b.isString() || a.isNumber() && b.isNumber() {
			return compareValues("<", a, b)
		}
		if c := strings.Compare(a.typeName(), b.typeName()); c != 0 {
			return c
		}
		return strings.Compare(a.text(), b.text())
	})
	return order
}

// write prints v at a column, keeping room for what follows on its last line.
func (p *prettyPrinter) write(v value, indent, room, depth int) {
	if depth > maxDataDepth {
		panic(recursionError())
	}
	line := p.oneLine(v)
	if runeCount(line) <= prettyWidth-indent-room {
		p.out = append(p.out, line...)
		return
	}
	switch {
	case v.kind == kindList:
		p.items(v.list().items, "[", "]", indent, room, depth)
	case v.kind == kindTuple:
		right := ")"
		if len(v.list().items) == 1 {
			right = ",)"
		}
		p.items(v.list().items, "(", right, indent, room, depth)
	case v.isMapping():
		d, _ := asDict(v)
		p.out = append(p.out, '{')
		for n, i := range keyOrder(d) {
			if n > 0 {
				p.out = append(p.out, ",\n"...)
				p.out = append(p.out, strings.Repeat(" ", indent+1)...)
			}
			key := p.oneLine(d.keys[i])
			p.out = append(append(p.out, key...), ": "...)
			after := 1
			if n == d.Len()-1 {
				after = room + 1
			}
			p.write(d.vals[i], indent+runeCount(key)+3, after, depth+1)
		}
		p.out = append(p.out, '}')
	case v.kind == kindString:
		p.text(v.str(), indent, room, depth)
	default:
		p.out = append(p.out, line...)
	}
}

func (p *prettyPrinter) items(items []value, left, right string, indent, room, depth int) {
	p.out = append(p.out, left...)
	for i, e := range items {
		after := 1
		if i > 0 {
			p.out = append(p.out, ",\n"...)
			p.out = append(p.out, strings.Repeat(" ", indent+1)...)
		}
		if i == len(items)-1 {
			after = room + len(right)
		}
		p.write(e, indent+1, after, depth+1)
	}
	p.out = append(p.out, right...)
}

// text breaks a long string into literals side by side.
func (p *prettyPrinter) text(s string, indent, room, depth int) {
	lines := splitLines(s, true)
	if depth == 0 {
		indent, room = indent+1, room+1
	}
	var chunks []string
	for i, l := range lines {
		width := prettyWidth - indent
		if i == len(lines)-1 {
			width -= room
		}
		if r := string(appendQuoted(nil, l)); runeCount(r) <= width {
			chunks = append(chunks, r)
			continue
		}
		current := ""
		for parts := splitWords(l); len(parts) > 0; parts = parts[1:] {
			limit := prettyWidth - indent
			if len(parts) == 1 && i == len(lines)-1 {
				limit -= room
			}
			candidate := current + parts[0]
			if runeCount(string(appendQuoted(nil, candidate))) > limit {
				if current != "" {
					chunks = append(chunks, string(appendQuoted(nil, current)))
				}
				current = parts[0]
			} else {
				current = candidate
			}
		}
		if current != "" {
			chunks = append(chunks, string(appendQuoted(nil, current)))
		}
	}
	if len(chunks) == 1 {
		p.out = append(p.out, chunks[0]...)
		return
	}
	if depth == 0 {
		p.out = append(p.out, '(')
	}
	for i, c := range chunks {
		if i > 0 {
			p.out = append(p.out, '\n')
			p.out = append(p.out, strings.Repeat(" ", indent)...)
		}
		p.out = append(p.out, c...)
	}
	if depth == 0 {
		p.out = append(p.out, ')')
	}
}

// splitWords cuts behind each run of whitespace.
func splitWords(s string) []string {
	var parts []string
	start, space := 0, false
	for i, r := range s {
		if !isSpace(r) && space {
			parts = append(parts, s[start:i])
			start = i
		}
		space = isSpace(r)
	}
	return append(parts, s[start:])
}
