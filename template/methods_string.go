package template

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// stringMethod finds a method of strings; nil if there is none of that name.
// Results of a safe string are safe, and what is put into it is escaped first.
func stringMethod(name string) methodFunc {
	switch name {
	case "upper":
		return mapped("upper", upperCase)
	case "lower":
		return mapped("lower", lowerCase)
	case "title":
		return mapped("title", titleCase)
	case "capitalize":
		return mapped("capitalize", capitalized)
	case "swapcase":
		return mapped("swapcase", swapCase)
	case "casefold":
		return mapped("casefold", caseFold)
	case "strip":
		return stripping("strip", true, true)
	case "lstrip":
		return stripping("lstrip", true, false)
	case "rstrip":
		return stripping("rstrip", false, true)
	case "split":
		return stringSplit
	case "rsplit":
		return stringRsplit
	case "splitlines":
		return stringSplitlines
	case "partition":
		return partition("partition", strings.Index)
	case "rpartition":
		return partition("rpartition", strings.LastIndex)
	case "join":
		return stringJoin
	case "replace":
		return stringReplace
	case "format":
		return formatBraces
	case "format_map":
		return stringFormatMap
	case "startswith":
		return affix("startswith", strings.HasPrefix)
	case "endswith":
		return affix("endswith", strings.HasSuffix)
	case "removeprefix":
		return removing("removeprefix", strings.TrimPrefix)
	case "removesuffix":
		return removing("removesuffix", strings.TrimSuffix)
	case "find", "index":
		return finding(name, strings.Index)
	case "rfind", "rindex":
		return finding(name, strings.LastIndex)
	case "count":
		return stringCount
	case "center":
		return padding("center", 'c')
	case "ljust":
		return padding("ljust", 'l')
	case "rjust":
		return padding("rjust", 'r')
	case "zfill":
		return stringZfill
	case "expandtabs":
		return stringExpandtabs
	case "translate":
		return stringTranslate
	case "maketrans":
		return stringMaketrans
	case "unescape":
		return unsafed(name, unescape)
	case "striptags":
		return unsafed(name, stripTags)
	}
	return stringPredicate(name)
}

func mapped(name string, fn func(string) string) methodFunc {
	return func(_ *exec, self value, a *callArgs) value {
		noArguments(name, a)
		return textValue(fn(self.str()), self.kind == kindSafe)
	}
}

// positional binds arguments that may not be given by name.
func positional(name string, least, most int, a *callArgs) []value {
	if len(a.kw) > 0 {
		panic(runtimeError("%s() takes no keyword arguments", name))
	}
	if len(a.pos) < least || len(a.pos) > most {
		panic(runtimeError("%s() takes from %d to %d arguments (%d given)", name, least, most, len(a.pos)))
	}
	out := make([]value, most)
	copy(out, a.pos)
	return out
}

func stripping(name string, left, right bool) methodFunc {
	return func(_ *exec, self value, a *callArgs) value {
		chars := positional(name, 0, 1, a)[0]
		s := self.str()
		if chars.isZeroArgument() {
			if left {
				s = strings.TrimLeftFunc(s, isSpace)
			}
			if right {
				s = strings.TrimRightFunc(s, isSpace)
			}
		} else {
			s = trimSet(s, wantString(name, chars), left, right)
		}
		return textValue(s, self.kind == kindSafe)
	}
}

func texts(x *exec, parts []string, safe bool) value {
	x.allowItems(len(parts))
	items := make([]value, len(parts))
	for i, p := range parts {
		items[i] = textValue(p, safe)
	}
	return listValue(items)
}

func splitArguments(name string, a *callArgs) (sep string, given bool, limit int) {
	args := bindTo(name, "sep,maxsplit", 0, a)
	limit = -1
	if args[1].given() {
		limit = int(wantInt(name, args[1]))
	}
	if args[0].isZeroArgument() {
		return "", false, limit
	}
	sep = wantString(name, args[0])
	if sep == "" {
		panic(runtimeError("%s(): empty separator", name))
	}
	return sep, true, limit
}

func stringSplit(x *exec, self value, a *callArgs) value {
	sep, given, limit := splitArguments("split", a)
	safe := self.kind == kindSafe
	s := self.str()
	if given {
		if limit < 0 {
			return texts(x, strings.Split(s, sep), safe)
		}
		return texts(x, strings.SplitN(s, sep, limit+1), safe)
	}
	var parts []string
	for s = strings.TrimLeftFunc(s, isSpace); s != ""; s = strings.TrimLeftFunc(s, isSpace) {
		end := strings.IndexFunc(s, isSpace)
		if end < 0 {
			end = len(s)
		}
		if limit >= 0 && len(parts) == limit {
			parts = append(parts, s)
			break
		}
		parts = append(parts, s[:end])
		s = s[end:]
	}
	return texts(x, parts, safe)
}

func stringRsplit(x *exec, self value, a *callArgs) value {
	sep, given, limit := splitArguments("rsplit", a)
	safe := self.kind == kindSafe
	s := self.str()
	var parts []string
	if given {
		for limit < 0 || len(parts) < limit {
			i := strings.LastIndex(s, sep)
			if i < 0 {
				break
			}
			parts = append(parts, s[i+len(sep):])
			s = s[:i]
		}
		parts = append(parts, s)
	} else {
		for s = strings.TrimRightFunc(s, isSpace); s != ""; s = strings.TrimRightFunc(s, isSpace) {
			if limit >= 0 && len(parts) == limit {
				parts = append(parts, s)
				break
			}
			i := strings.LastIndexFunc(s, isSpace)
			if i < 0 {
				parts = append(parts, s)
				break
			}
			_, n := utf8.DecodeRuneInString(s[i:])
			parts = append(parts, s[i+n:])
			s = s[:i]
		}
	}
	slices.Reverse(parts)
	return texts(x, parts, safe)
}

func stringSplitlines(x *exec, self value, a *callArgs) value {
	args := bindTo("splitlines", "keepends", 0, a)
	return texts(x, splitLines(self.str(), isSet("splitlines", args[0])), self.kind == kindSafe)
}

func partition(name string, find func(s, sep string) int) methodFunc {
	return func(_ *exec, self value, a *callArgs) value {
		sep := wantString(name, positional(name, 1, 1, a)[0])
		if sep == "" {
			panic(runtimeError("%s(): empty separator", name))
		}
		s := self.str()
		part := func(s string) value { return textValue(s, self.kind == kindSafe) }
		i := find(s, sep)
		switch {
		case i >= 0:
			return tupleValue(part(s[:i]), part(sep), part(s[i+len(sep):]))
		case name == "partition":
			return tupleValue(part(s), part(""), part(""))
		}
		return tupleValue(part(""), part(""), part(s))
	}
}

func stringJoin(x *exec, self value, a *callArgs) value {
	items := collect(x, positional("join", 1, 1, a)[0])
	safe := self.kind == kindSafe
	var buf []byte
	for i, it := range items {
		if i > 0 {
			buf = append(buf, self.str()...)
		}
		p := it.plain()
		switch {
		case safe:
			buf = appendHTML(buf, it)
		case p.isString():
			buf = append(buf, p.str()...)
		default:
			if p.isUndefined() {
				p.undefined().fail()
			}
			panic(runtimeError("sequence item %d: expected str instance, %s found", i, it.typeName()))
		}
		x.allowBytes(len(buf))
	}
	return textValue(string(buf), safe)
}

func stringReplace(x *exec, self value, a *callArgs) value {
	args := positional("replace", 2, 3, a)
	count := -1
	if args[2].given() {
		count = int(wantInt("replace", args[2]))
	}
	from := stringValue(wantString("replace", args[0]))
	to := args[1]
	if self.kind != kindSafe || !isEscaped(to) {
		to = stringValue(wantString("replace", to))
	}
	return replaceIn(x, self, from, to, count)
}

func stringFormatMap(x *exec, self value, a *callArgs) value {
	all := &callArgs{}
	if d, ok := asDict(positional("format_map", 1, 1, a)[0]); ok { // what is none has no keys
		for i, k := range d.keys {
			all.kw = append(all.kw, keyword{k.text(), d.vals[i]})
		}
	}
	return formatBraces(x, self, all)
}

// within cuts a string to the optional bounds of find, startswith and so on,
// and gives by how many characters the begin moved; ok is false if the start
// lies behind the end.
func within(s string, from, to value) (cut string, skipped int64, ok bool) {
	if !from.given() && !to.given() {
		return s, 0, true
	}
	n := int64(runeCount(s))
	start, stop, _ := sliceBounds(from, to, none, n)
	if !from.isZeroArgument() && sliceIndex(from) > n || start > stop {
		return "", 0, false
	}
	a := byteOffset(s, int(start))
	return s[a : a+byteOffset(s[a:], int(stop-start))], start, true
}

func affix(name string, has func(s, part string) bool) methodFunc {
	return func(_ *exec, self value, a *callArgs) value {
		args := positional(name, 1, 3, a)
		s, _, ok := within(self.str(), args[1], args[2])
		if !ok {
			return no
		}
		if args[0].kind == kindTuple {
			for _, p := range args[0].list().items {
				if has(s, wantString(name, p)) {
					return yes
				}
			}
			return no
		}
		return boolValue(has(s, wantString(name, args[0])))
	}
}

func removing(name string, remove func(s, part string) string) methodFunc {
	return func(_ *exec, self value, a *callArgs) value {
		part := wantString(name, positional(name, 1, 1, a)[0])
		return textValue(remove(self.str(), part), self.kind == kindSafe)
	}
}

func finding(name string, find func(s, part string) int) methodFunc {
	return func(_ *exec, self value, a *callArgs) value {
		args := positional(name, 1, 3, a)
		part := wantString(name, args[0])
		s, skipped, ok := within(self.str(), args[1], args[2])
		i := -1
		if ok {
			i = find(s, part)
		}
		if i >= 0 {
			return intValue(skipped + int64(runeCount(s[:i])))
		}
		if strings.HasSuffix(name, "index") {
			panic(runtimeError("%s(): substring not found", name))
		}
		return intValue(-1)
	}
}

func stringCount(_ *exec, self value, a *callArgs) value {
	args := positional("count", 1, 3, a)
	part := wantString("count", args[0])
	s, _, ok := within(self.str(), args[1], args[2])
	if !ok {
		return intValue(0)
	}
	return intValue(int64(strings.Count(s, part)))
}

func padding(name string, side byte) methodFunc {
	return func(x *exec, self value, a *callArgs) value {
		args := positional(name, 1, 2, a)
		fill := " "
		if args[1].given() {
			fill = wantString(name, args[1])
			if runeCount(fill) != 1 {
				panic(runtimeError("%s(): the fill character must be exactly one character long", name))
			}
		}
		safe := self.kind == kindSafe
		if safe {
			fill = escapeString(fill)
		}
		return textValue(padded(x, self.str(), wantInt(name, args[0]), fill, side), safe)
	}
}

func stringZfill(x *exec, self value, a *callArgs) value {
	s := self.str()
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	n := wantInt("zfill", positional("zfill", 1, 1, a)[0]) - int64(len(sign))
	return textValue(sign+padded(x, s, n, "0", 'r'), self.kind == kindSafe)
}

func stringExpandtabs(x *exec, self value, a *callArgs) value {
	args := bindTo("expandtabs", "tabsize", 0, a)
	size := int64(8)
	if args[0].given() {
		size = wantInt("expandtabs", args[0])
	}
	x.allowProduct(strings.Count(self.str(), "\t"), max(size, 0))
	var sb strings.Builder
	column := int64(0)
	for _, r := range self.str() {
		switch r {
		case '\t':
			if size > 0 {
				n := size - column%size
				sb.WriteString(strings.Repeat(" ", int(n)))
				column += n
			}
		case '\n', '\r':
			sb.WriteRune(r)
			column = 0
		default:
			sb.WriteRune(r)
			column++
		}
	}
	return textValue(sb.String(), self.kind == kindSafe)
}

// unsafed is a method that gives a plain string of a safe one.
func unsafed(name string, fn func(string) string) methodFunc {
	return func(_ *exec, self value, a *callArgs) value {
		noArguments(name, a)
		return stringValue(fn(self.str()))
	}
}

func stringPredicate(name string) methodFunc {
	var each func(r rune) bool
	emptyIs := false
	switch name {
	case "isalpha":
		each = unicode.IsLetter
	case "isalnum":
		each = func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
	case "isdigit":
		each = func(r rune) bool { return unicode.IsDigit(r) || superscript(r) }
	case "isdecimal":
		each = unicode.IsDigit
	case "isnumeric":
		each = unicode.IsNumber
	case "isspace":
		each = isSpace
	case "isascii":
		each, emptyIs = func(r rune) bool { return r < 0x80 }, true
	case "isprintable":
		each, emptyIs = unicode.IsPrint, true
	case "isidentifier":
		return predicate(name, func(s string) bool {
			for i, r := range s {
				if !(r == '_' || unicode.IsLetter(r) || i > 0 && unicode.IsDigit(r)) {
					return false
				}
			}
			return s != ""
		})
	case "islower":
		return predicate(name, isLower)
	case "isupper":
		return predicate(name, isUpper)
	case "istitle":
		return predicate(name, isTitle)
	default:
		return nil
	}
	return predicate(name, func(s string) bool {
		for _, r := range s {
			if !each(r) {
				return false
			}
		}
		return s != "" || emptyIs
	})
}

func superscript(r rune) bool {
	return r == '²' || r == '³' || r == '¹' || r >= 0x2070 && r <= 0x2089 || r >= 0x2460 && r <= 0x249b
}

func predicate(name string, holds func(s string) bool) methodFunc {
	return func(_ *exec, self value, a *callArgs) value {
		noArguments(name, a)
		return boolValue(holds(self.str()))
	}
}

func isLower(s string) bool {
	found := false
	for _, r := range s {
		if unicode.IsUpper(r) || unicode.IsTitle(r) {
			return false
		}
		found = found || unicode.IsLower(r)
	}
	return found
}

func isUpper(s string) bool {
	found := false
	for _, r := range s {
		if unicode.IsLower(r) || unicode.IsTitle(r) {
			return false
		}
		found = found || unicode.IsUpper(r)
	}
	return found
}

func isTitle(s string) bool {
	found, inside := false, false
	for _, r := range s {
		switch {
		case unicode.IsUpper(r) || unicode.IsTitle(r):
			if inside {
				return false
			}
			found, inside = true, true
		case unicode.IsLower(r):
			if !inside {
				return false
			}
		default:
			inside = false
		}
	}
	return found
}
