package template

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// formatSpec is a conversion of the % operator or a format specification of
// the method format.
type formatSpec struct {
	fill   string
	align  byte // <, >, ^, = or 0
	sign   byte // +, space or 0
	signed bool // a sign was given, which may be -
	// noNegativeZero writes what rounds to zero without a sign.
	noNegativeZero bool
	alternate      bool
	zero           bool
	width          int
	comma          byte // ',' or '_' or 0
	precision      int  // -1 if not given
	verb           byte
}

const maxFormatWidth = 1 << 20

// formatPercent is text % values. In a safe text the values are escaped.
func formatPercent(x *exec, format, args value) value {
	safe := format.kind == kindSafe
	s := format.str()
	var out []byte
	d, isMap := asDict(args)
	items := []value{args}
	if args.kind == kindTuple {
		items = args.list().items
	}
	next := 0
	take := func() value {
		if next >= len(items) {
			panic(runtimeError("not enough arguments for format string"))
		}
		next++
		return items[next-1]
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		i++
		var keyed *value
		if i < len(s) && s[i] == '(' {
			end, depth := i+1, 1
			for ; end < len(s); end++ {
				if s[end] == '(' {
					depth++
				} else if s[end] == ')' {
					if depth--; depth == 0 {
						break
					}
				}
			}
			if end >= len(s) {
				panic(runtimeError("incomplete format key"))
			}
			if !isMap {
				panic(runtimeError("format requires a mapping"))
			}
			v, ok := d.getString(s[i+1 : end])
			if !ok {
				panic(runtimeError("key not found: %s", string(appendQuoted(nil, s[i+1:end]))))
			}
			keyed = &v
			i = end + 1
		}
		if keyed == nil && i < len(s) && s[i] == '%' {
			out = append(out, '%')
			continue
		}
		spec := formatSpec{precision: -1, fill: " "}
		i = spec.flags(s, i)
		star := func() int {
			v := take().plain()
			if v.kind != kindInt && v.kind != kindBool {
				panic(runtimeError("* wants int"))
			}
			return int(min(max(v.int(), -maxFormatWidth-1), maxFormatWidth+1))
		}
		if i < len(s) && s[i] == '*' {
			if spec.width = star(); spec.width < 0 {
				spec.width, spec.align = -spec.width, '<'
			}
			i++
		} else {
			spec.width, i = number(s, i)
		}
		if i < len(s) && s[i] == '.' {
			if i++; i < len(s) && s[i] == '*' {
				spec.precision = max(star(), 0)
				i++
			} else {
				spec.precision, i = number(s, i)
			}
		}
		for i < len(s) && (s[i] == 'l' || s[i] == 'h' || s[i] == 'L') {
			i++
		}
		if i >= len(s) {
			panic(runtimeError("incomplete format"))
		}
		spec.check()
		spec.verb = s[i]
		var v value
		if keyed != nil {
			v = *keyed
		} else {
			v = take()
		}
		out = append(out, spec.percent(v, safe)...)
		x.allowBytes(len(out))
	}
	mapping := isMap || args.kind == kindList || args.kind == kindRange || args.isUndefined() || isGoSlice(args)
	if next < len(items) && (args.kind == kindTuple || !mapping) {
		panic(runtimeError("not all arguments converted during string formatting"))
	}
	return textValue(string(out), safe)
}

func (f *formatSpec) flags(s string, i int) int {
	for ; i < len(s); i++ {
		switch s[i] {
		case '-':
			f.align = '<'
		case '+':
			f.sign = '+'
		case ' ':
			if f.sign == 0 {
				f.sign = ' '
			}
		case '#':
			f.alternate = true
		case '0':
			f.zero = true
		default:
			return i
		}
	}
	return i
}

func number(s string, i int) (n, end int) {
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		if n <= maxFormatWidth {
			n = n*10 + int(s[i]-'0')
		}
	}
	return n, i
}

func (f *formatSpec) check() {
	if f.width > maxFormatWidth || f.precision > maxFormatWidth {
		panic(runtimeError("width or precision too large in a format (limit %d)", maxFormatWidth))
	}
}

// percent formats one value of the % operator.
func (f *formatSpec) percent(v value, safe bool) string {
	p := v.plain()
	if p.isUndefined() && strings.IndexByte("diueEfFgG", f.verb) >= 0 {
		p.undefined().fail()
	}
	switch f.verb {
	case 's', 'r', 'a':
		var s string
		switch {
		case f.verb != 's':
			s = string(appendRepr(nil, v))
			if f.verb == 'a' {
				s = asciiRepr(s)
			}
			if safe {
				s = escapeString(s)
			}
		case safe:
			s = string(appendHTML(nil, v))
		default:
			s = v.text()
		}
		if f.precision >= 0 {
			s = s[:byteOffset(s, f.precision)]
		}
		if f.align == 0 {
			f.align = '>'
		}
		return f.padText(s)
	case 'c':
		switch {
		case p.isString() && runeCount(p.str()) == 1:
			f.precision = -1
			return f.padText(p.str())
		case (p.kind == kindInt || p.kind == kindBool) && p.int() >= 0 && p.int() <= 0x10ffff:
			return f.padText(string(rune(p.int())))
		}
		panic(runtimeError("%%c requires int or char"))
	case 'd', 'i', 'u', 'x', 'X', 'o':
		n := p
		switch {
		case p.isInteger():
		case p.kind == kindFloat && strings.IndexByte("diu", f.verb) >= 0:
			if math.IsNaN(p.float()) || math.IsInf(p.float(), 0) {
				panic(runtimeError("cannot convert float %s to integer", p.text()))
			}
			n = truncated(p.float(), none)
		default:
			panic(runtimeError("%%%c format: a number is required, not %s", f.verb, v.typeName()))
		}
		return f.padNumber(f.integer(n))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		if !p.isNumber() {
			panic(runtimeError("must be real number, not %s", v.typeName()))
		}
		return f.padNumber(f.float(mustFloat(p)))
	}
	panic(runtimeError("unsupported format character %q", f.verb))
}

func asciiRepr(s string) string {
	var out []byte
	for _, r := range s {
		switch {
		case r < 0x80:
			out = append(out, byte(r))
		case r <= 0xff:
			out = appendHex(append(out, '\\', 'x'), uint32(r), 2)
		case r <= 0xffff:
			out = appendHex(append(out, '\\', 'u'), uint32(r), 4)
		default:
			out = appendHex(append(out, '\\', 'U'), uint32(r), 8)
		}
	}
	return string(out)
}

// integer gives sign, prefix and digits of an integer.
func (f *formatSpec) integer(v value) (sign, prefix, digits string) {
	n := v.asBig()
	if n.BitLen() > maxIntegerDigits*10/3 {
		panic(runtimeError("the integer has too many digits to print (limit %d)", maxIntegerDigits))
	}
	base := 10
	switch f.verb {
	case 'x', 'X':
		base, prefix = 16, "0x"
	case 'o':
		base, prefix = 8, "0o"
	case 'b':
		base, prefix = 2, "0b"
	}
	if !f.alternate {
		prefix = ""
	}
	digits = new(big.Int).Abs(n).Text(base)
	if len(digits) < f.precision {
		digits = strings.Repeat("0", f.precision-len(digits)) + digits
	}
	if f.verb == 'X' {
		digits, prefix = strings.ToUpper(digits), strings.ToUpper(prefix)
	}
	return f.signOf(n.Sign() < 0), prefix, digits
}

func (f *formatSpec) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case f.sign != 0:
		return string(f.sign)
	}
	return ""
}

// float gives sign and digits of a float.
func (f *formatSpec) float(n float64) (sign, prefix, digits string) {
	sign = f.signOf(math.Signbit(n) && !math.IsNaN(n))
	n = math.Abs(n)
	upper := f.verb == 'E' || f.verb == 'F' || f.verb == 'G'
	precision := f.precision
	if precision < 0 {
		precision = 6
	}
	switch {
	case math.IsNaN(n):
		digits = "nan"
	case math.IsInf(n, 0):
		digits = "inf"
	default:
		switch f.verb {
		case 'e', 'E':
			digits = strconv.FormatFloat(n, 'e', precision, 64)
		case 'f', 'F':
			digits = strconv.FormatFloat(n, 'f', precision, 64)
		case '%':
			digits = strconv.FormatFloat(n*100, 'f', precision, 64) + "%"
		default:
			digits = generalFloat(n, max(precision, 1), f.alternate)
		}
		if f.alternate {
			digits = withPoint(digits)
		}
	}
	if upper {
		digits = strings.ToUpper(digits)
	}
	if f.noNegativeZero && sign == "-" && !strings.ContainsAny(digits, "123456789nf") {
		sign = f.signOf(false)
	}
	return sign, "", digits
}

// withPoint puts a point behind a whole number.
func withPoint(digits string) string {
	if strings.IndexByte(digits, '.') >= 0 {
		return digits
	}
	if i := strings.IndexAny(digits, "e%"); i >= 0 {
		return digits[:i] + "." + digits[i:]
	}
	return digits + "."
}

// generalFloat is C's %g.
func generalFloat(n float64, precision int, keepZeros bool) string {
	e := strconv.FormatFloat(n, 'e', precision-1, 64)
	i := strings.IndexByte(e, 'e')
	exp, _ := strconv.Atoi(e[i+1:])
	if exp < -4 || exp >= precision {
		mantissa := e[:i]
		if !keepZeros {
			mantissa = trimZeros(mantissa)
		}
		return mantissa + e[i:]
	}
	s := strconv.FormatFloat(n, 'f', precision-1-exp, 64)
	if keepZeros {
		return s
	}
	return trimZeros(s)
}

func trimZeros(s string) string {
	if strings.IndexByte(s, '.') < 0 {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// padNumber fills between sign and digits with zeros, or around as asked.
func (f *formatSpec) padNumber(sign, prefix, digits string) string {
	if f.zero && f.align == 0 || f.align == '=' {
		fill := f.fill
		if f.zero && f.align == 0 && (fill == "" || fill == " ") {
			fill = "0"
		}
		width := 0
		if fill == "0" {
			width = f.width - len(sign) - len(prefix)
		}
		digits = f.grouped(digits, width)
		n := f.width - runeCount(sign+prefix+digits)
		if n > 0 {
			return sign + prefix + strings.Repeat(fill, n) + digits
		}
		return sign + prefix + digits
	}
	if f.align == 0 {
		f.align = '>'
	}
	return f.padText(sign + prefix + f.grouped(digits, 0))
}

func (f *formatSpec) padText(s string) string {
	n := f.width - runeCount(s)
	if n <= 0 {
		return s
	}
	fill := f.fill
	if fill == "" {
		fill = " "
	}
	switch f.align {
	case '<':
		return s + strings.Repeat(fill, n)
	case '^':
		return strings.Repeat(fill, n/2) + s + strings.Repeat(fill, n-n/2)
	}
	return strings.Repeat(fill, n) + s
}
