package template

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// formatBraces is the string method format: "{name.attr[0]!r:>8}". Attributes
// go through the same lookup as in templates, so nothing more can be reached.
func formatBraces(x *exec, format value, a *callArgs) value {
	b := &braces{x: x, safe: format.kind == kindSafe, args: a, auto: -1}
	return textValue(string(b.expand(format.str(), 0)), b.safe)
}

type braces struct {
	x    *exec
	safe bool
	args *callArgs
	auto int // next automatic field; -1 none yet, -2 manual numbering
}

func (b *braces) expand(s string, depth int) []byte {
	if depth > 2 {
		panic(runtimeError("format: max string recursion exceeded"))
	}
	var out []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case (c == '{' || c == '}') && i+1 < len(s) && s[i+1] == c:
			out = append(out, c)
			i++
		case c == '}':
			panic(runtimeError("format: single '}' encountered in format string"))
		case c == '{':
			end, open := i+1, 1
			for ; end < len(s); end++ {
				if s[end] == '{' {
					open++
				} else if s[end] == '}' {
					if open--; open == 0 {
						break
					}
				}
			}
			if end >= len(s) {
				panic(runtimeError("format: expected '}' before end of string"))
			}
			out = append(out, b.field(s[i+1:end], depth)...)
			i = end
		default:
			out = append(out, c)
		}
		b.x.allowBytes(len(out))
	}
	return out
}

func (b *braces) field(s string, depth int) string {
	name, spec, conversion := s, "", byte(0)
	bracket := 0
scan:
	for i := range len(s) {
		switch s[i] {
		case '[':
			bracket++
		case ']':
			bracket--
		case '!', ':':
			if bracket > 0 {
				continue
			}
			name = s[:i]
			if s[i] == '!' {
				if i+1 >= len(s) || i+2 < len(s) && s[i+2] != ':' {
					panic(runtimeError("format: expected ':' after conversion specifier"))
				}
				conversion = s[i+1]
				if i+3 <= len(s) {
					spec = s[i+3:]
				}
			} else {
				spec = s[i+1:]
			}
			break scan
		}
	}
	v := b.lookup(name)
	switch conversion {
	case 0:
	case 's':
		v = soft(v)
	case 'r':
		v = stringValue(string(appendRepr(nil, v)))
	case 'a':
		v = stringValue(asciiRepr(string(appendRepr(nil, v))))
	default:
		panic(runtimeError("format: unknown conversion specifier %q", conversion))
	}
	spec = string(b.expand(spec, depth+1))
	if b.safe && isEscaped(v) {
		if spec != "" && v.kind != kindSafe {
			panic(runtimeError("format: unsupported format specifier for %s", v.typeName()))
		}
		if spec == "" {
			return escaped(v).str()
		}
	}
	text := formatValue(v, spec)
	if b.safe {
		return escapeString(text)
	}
	return text
}

func (b *braces) lookup(name string) value {
	first := strings.IndexAny(name, ".[")
	if first < 0 {
		first = len(name)
	}
	v := b.argument(name[:first])
	for rest := name[first:]; rest != ""; {
		if rest[0] == '.' {
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			attr, ok := attribute(b.x, v, rest[1:1+end])
			if !ok {
				panic(runtimeError("format: '%s' object has no attribute '%s'", v.typeName(), rest[1:1+end]))
			}
			v = attr
			rest = rest[1+end:]
			continue
		}
		end := strings.IndexByte(rest, ']')
		if rest[0] != '[' || end < 2 {
			panic(runtimeError("format: missing ']' or empty attribute in format string"))
		}
		key := stringValue(rest[1:end])
		if n, err := strconv.ParseInt(key.str(), 10, 64); err == nil {
			key = intValue(n)
		}
		if v = getItem(b.x, v, key); v.isUndefined() {
			panic(runtimeError("format: %s", v.undefined().message()))
		}
		rest = rest[end+1:]
	}
	return v
}

func (b *braces) argument(name string) value {
	n, err := strconv.Atoi(name)
	switch {
	case name == "":
		if b.auto == -2 {
			panic(runtimeError("format: cannot switch from manual field specification to automatic field numbering"))
		}
		b.auto++
		n = b.auto
	case err == nil && n >= 0:
		if b.auto >= 0 {
			panic(runtimeError("format: cannot switch from automatic field numbering to manual field specification"))
		}
		b.auto = -2
	default:
		for _, k := range b.args.kw {
			if k.name == name {
				return k.v
			}
		}
		panic(runtimeError("format: key not found: %s", string(appendQuoted(nil, name))))
	}
	if n >= len(b.args.pos) {
		panic(runtimeError("format: replacement index %d out of range for positional args tuple", n))
	}
	return b.args.pos[n]
}

// formatValue applies a format specification to a value.
func formatValue(v value, spec string) string {
	if spec == "" {
		return v.text()
	}
	p := v.plain()
	if t, ok := v.goTime(); ok {
		return strftime(t, spec)
	}
	f := parseSpec(spec)
	switch {
	case p.isString() || p.isUndefined():
		if p.isUndefined() {
			p = stringValue(p.text())
		}
		if f.verb != 0 && f.verb != 's' {
			panic(runtimeError("format: unknown format code '%c' for object of type 'str'", f.verb))
		}
		if f.signed || f.noNegativeZero || f.alternate || f.align == '=' {
			panic(runtimeError("format: sign, 'z', '#' and '=' are not allowed in the format of a string"))
		}
		f.checkGrouping('s')
		s := p.str()
		if f.precision >= 0 {
			s = s[:byteOffset(s, f.precision)]
		}
		if f.align == 0 {
			f.align = '<'
		}
		return f.padText(s)
	case p.isInteger() && (f.verb != 0 || p.kind != kindBool):
		return f.formatInteger(p)
	case p.kind == kindFloat:
		if f.verb == 0 {
			return f.defaultFloat(p.float())
		}
		if strings.IndexByte("eEfFgGn%", f.verb) < 0 {
			panic(runtimeError("format: unknown format code '%c' for object of type 'float'", f.verb))
		}
		return f.padNumber(f.float(p.float()))
	case p.kind == kindBool:
		return f.formatInteger(intValue(p.int()))
	}
	panic(runtimeError("format: unsupported format string passed to %s.__format__", v.typeName()))
}

func (f *formatSpec) formatInteger(v value) string {
	switch f.verb {
	case 0, 'd', 'n', 'b', 'o', 'x', 'X':
		if f.precision >= 0 || f.noNegativeZero {
			panic(runtimeError("format: precision and 'z' are not allowed in the format of an integer"))
		}
		return f.padNumber(f.integer(v))
	case 'c':
		if f.signed || f.alternate || f.noNegativeZero || f.precision >= 0 {
			panic(runtimeError("format: sign, 'z', '#' and precision are not allowed with the code 'c'"))
		}
		if f.align == 0 {
			f.align = '<'
		}
		if v.kind == kindInt && v.int() >= 0 && v.int() <= utf8.MaxRune {
			return f.padText(string(rune(v.int())))
		}
		panic(runtimeError("format: %%c arg not in range(0x110000)"))
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		return f.padNumber(f.float(mustFloat(v)))
	}
	panic(runtimeError("format: unknown format code '%c' for object of type 'int'", f.verb))
}

// defaultFloat is the form of a float without a code: like repr, or with the
// precision given like g, but with at least one digit after the point.
func (f *formatSpec) defaultFloat(n float64) string {
	sign, digits := "", ""
	if f.precision < 0 {
		digits = string(appendFloat(nil, n))
		if strings.HasPrefix(digits, "-") {
			sign, digits = "-", digits[1:]
		}
		sign = f.signOf(sign == "-")
		if f.alternate && !strings.ContainsAny(digits, "ni") {
			digits = withPoint(digits)
		}
		return f.padNumber(sign, "", digits)
	}
	f.verb = 'g'
	sign, _, digits = f.float(n)
	if !strings.ContainsAny(digits, ".en") {
		digits += ".0"
	}
	return f.padNumber(sign, "", digits)
}
