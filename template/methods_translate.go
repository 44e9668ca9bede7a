package template

import "strings"

// stringMaketrans makes the table that translate takes: of a mapping, or of
// two texts of the same length and a third of what is removed.
func stringMaketrans(_ *exec, _ value, a *callArgs) value {
	args := positional("maketrans", 1, 3, a)
	d := NewDict()
	if !args[1].given() {
		from, ok := asDict(args[0])
		if !ok {
			panic(runtimeError("maketrans(): a single argument must be a mapping"))
		}
		for i, k := range from.keys {
			if k = k.plain(); k.isString() {
				if runeCount(k.str()) != 1 {
					panic(runtimeError("maketrans(): string keys in translate table must be of length 1"))
				}
				k = intValue(int64([]rune(k.str())[0]))
			} else if !k.isInteger() {
				panic(runtimeError("maketrans(): keys in translate table must be strings or integers"))
			}
			d.set(k, from.vals[i])
		}
		return dictValue(d)
	}
	from, to := []rune(wantString("maketrans", args[0])), []rune(wantString("maketrans", args[1]))
	if len(from) != len(to) {
		panic(runtimeError("maketrans(): the first two arguments must have equal length"))
	}
	for i, r := range from {
		d.set(intValue(int64(r)), intValue(int64(to[i])))
	}
	if args[2].given() {
		for _, r := range wantString("maketrans", args[2]) {
			d.set(intValue(int64(r)), none)
		}
	}
	return dictValue(d)
}

// stringTranslate replaces characters by a table of their code points.
func stringTranslate(x *exec, self value, a *callArgs) value {
	table := positional("translate", 1, 1, a)[0]
	var sb strings.Builder
	for _, r := range self.str() {
		v, ok := translated(table, r)
		switch v = v.plain(); {
		case !ok:
			sb.WriteRune(r)
		case v.kind == kindNone:
		case v.isString():
			sb.WriteString(v.str())
		case v.kind == kindInt && v.int() >= 0 && v.int() <= 0x10ffff:
			sb.WriteRune(rune(v.int()))
		default:
			panic(runtimeError("translate(): character mapping must return an integer, none or a string"))
		}
		x.allowBytes(sb.Len())
	}
	return textValue(sb.String(), self.kind == kindSafe)
}

// translated looks a character up in a table, which may be a sequence too.
func translated(table value, r rune) (value, bool) {
	if table = table.plain(); table.isString() {
		return stringItem(table, intValue(int64(r)))
	}
	if d, ok := asDict(table); ok {
		return d.get(intValue(int64(r)))
	}
	if !table.isSequence() {
		if table.isUndefined() {
			table.undefined().fail()
		}
		panic(runtimeError("translate(): '%s' object is not subscriptable", table.typeName()))
	}
	if items := table.list().items; int(r) < len(items) {
		return items[r], true
	}
	return value{}, false
}
