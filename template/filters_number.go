package template

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

func filterAbs(_ *frame, in value, _ []value) value {
	in = in.plain()
	switch in.kind {
	case kindInt, kindBool:
		if in.int() < 0 {
			return negate(in)
		}
		return intValue(in.int())
	case kindFloat:
		return floatValue(math.Abs(in.float()))
	case kindBig:
		return bigValue(new(big.Int).Abs(in.big()))
	}
	panic(runtimeError("bad operand type for abs(): '%s'", in.typeName()))
}

func filterInt(_ *frame, in value, a []value) value {
	fallback, base := intValue(0), int64(10)
	if a[0].given() {
		fallback = a[0]
	}
	if a[1].given() {
		if base = -1; a[1].isInteger() {
			base = wantInt("int", a[1])
		}
	}
	in = in.plain()
	switch in.kind {
	case kindInt, kindBool:
		return intValue(in.int())
	case kindBig:
		return in
	case kindFloat:
		if math.IsInf(in.float(), 0) {
			panic(runtimeError("cannot convert float infinity to integer"))
		}
		return truncated(in.float(), fallback)
	case kindString, kindSafe:
		if v, ok := parseInt(in.str(), base); ok {
			return v
		}
		if f, ok := parseFloat(in.str()); ok {
			return truncated(f, fallback)
		}
	case kindUndefined:
		in.undefined().fail()
	}
	return fallback
}

func truncated(f float64, fallback value) value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fallback
	}
	if math.Abs(f) < 1<<62 {
		return intValue(int64(f))
	}
	n, _ := big.NewFloat(f).Int(nil)
	return bigValue(n)
}

func filterFloat(_ *frame, in value, a []value) value {
	fallback := floatValue(0)
	if a[0].given() {
		fallback = a[0]
	}
	in = in.plain()
	switch {
	case in.isNumber():
		return floatValue(mustFloat(in))
	case in.isString():
		if f, ok := parseFloat(in.str()); ok {
			return floatValue(f)
		}
	case in.isUndefined():
		in.undefined().fail()
	}
	return fallback
}

// asciiDigits replaces the decimal digits of other scripts.
func asciiDigits(s string) string {
	if ascii(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < 0x80 || !unicode.IsDigit(r) {
			return r
		}
		zero := r // digits of a script lie side by side, zero first
		for unicode.IsDigit(zero-1) && r-zero < 9 {
			zero--
		}
		return '0' + r - zero
	}, s)
}

// groupedDigits removes underscores, which may only stand between digits.
func groupedDigits(s string) (string, bool) {
	if strings.IndexByte(s, '_') < 0 {
		return s, true
	}
	for i := range len(s) {
		if s[i] == '_' && (i == 0 || i == len(s)-1 || digitValue(s[i-1]) > 35 || digitValue(s[i+1]) > 35) {
			return "", false
		}
	}
	return strings.ReplaceAll(s, "_", ""), true
}

// parseInt reads an integer as Python's int(text, base) does.
func parseInt(s string, base int64) (value, bool) {
	s = asciiDigits(strings.TrimFunc(s, isSpace))
	if base != 0 && (base < 2 || base > 36) || len(s) > maxIntegerDigits {
		return value{}, false
	}
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = strings.TrimPrefix(s[:1], "+"), s[1:]
	}
	if b := numberBase(s); b != 0 && (base == int64(b) || base == 0) {
		s, base = strings.TrimPrefix(s[2:], "_"), int64(b)
	}
	if base == 0 {
		if len(s) > 1 && s[0] == '0' && strings.Trim(s, "0_") != "" {
			return value{}, false
		}
		base = 10
	}
	s, ok := groupedDigits(s)
	if !ok || s == "" || s[0] == '-' || s[0] == '+' {
		return value{}, false
	}
	if n, err := strconv.ParseInt(sign+s, int(base), 64); err == nil {
		return intValue(n), true
	}
	n, ok := new(big.Int).SetString(sign+s, int(base))
	if !ok {
		return value{}, false
	}
	return bigValue(n), true
}

// parseFloat reads a float as Python's float(text) does.
func parseFloat(s string) (float64, bool) {
	s, ok := groupedDigits(asciiDigits(strings.TrimFunc(s, isSpace)))
	if !ok || strings.ContainsAny(s, "xXpP") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

func filterRound(_ *frame, in value, a []value) value {
	precision, mode := int64(0), "common"
	if a[1].given() {
		mode = a[1].text()
	}
	if mode != "common" && mode != "ceil" && mode != "floor" {
		panic(runtimeError("round: the method must be common, ceil or floor"))
	}
	whole := mode == "common" && a[0].kind == kindNone
	if a[0].given() && !whole {
		precision = wantSize("round", a[0])
	}
	in = in.plain()
	if !in.isNumber() {
		if in.isUndefined() && mode != "common" {
			in.undefined().fail()
		}
		panic(runtimeError("round: expected a number, not '%s'", in.typeName()))
	}
	if mode == "common" {
		if in.kind == kindFloat && whole {
			return truncated(roundFloat(in.float(), 0), none)
		}
		if in.kind == kindFloat {
			return floatValue(roundFloat(in.float(), precision))
		}
		return roundInt(in, precision)
	}
	factor := power(intValue(10), intValue(min(max(precision, -400), 400)))
	scaled := multiply(nil, in, factor)
	if scaled.kind == kindFloat {
		f := math.Floor(scaled.float())
		if mode == "ceil" {
			f = math.Ceil(scaled.float())
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			panic(runtimeError("cannot convert float %s to integer", scaled.text()))
		}
		scaled = truncated(f, none)
	}
	return divide(scaled, factor)
}

// roundFloat rounds to decimal places, halves to even, exactly as the decimal
// expansion of the float says.
func roundFloat(f float64, places int64) float64 {
	if f == 0 || math.IsNaN(f) || math.IsInf(f, 0) || places > 330 {
		return f
	}
	if places >= 0 {
		r, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', int(places), 64), 64)
		return r
	}
	if places < -310 {
		return math.Copysign(0, f)
	}
	unit := math.Pow(10, float64(-places))
	return math.RoundToEven(f/unit) * unit
}

func roundInt(v value, places int64) value {
	if places >= 0 {
		return positive(v)
	}
	if places < -maxIntegerDigits {
		return intValue(0)
	}
	unit := power(intValue(10), intValue(-places)).asBig()
	q, m := new(big.Int).DivMod(v.asBig(), unit, new(big.Int))
	double := new(big.Int).Lsh(m, 1)
	if c := double.Cmp(unit); c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(1))
	}
	return bigValue(q.Mul(q, unit))
}

func filterFilesizeformat(_ *frame, in value, a []value) value {
	size := 0.0
	in = in.plain()
	switch {
	case in.isNumber():
		size = mustFloat(in)
	case in.isString():
		f, ok := parseFloat(in.str())
		if !ok {
			panic(runtimeError("filesizeformat: could not convert string to float: %s", string(appendQuoted(nil, in.str()))))
		}
		size = f
	case in.isUndefined():
		in.undefined().fail()
	default:
		panic(runtimeError("filesizeformat: expected a number, not '%s'", in.typeName()))
	}
	base, units := 1000.0, [...]string{"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"}
	if a[0].truth() {
		base, units = 1024, [...]string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"}
	}
	switch {
	case size == 1:
		return stringValue("1 Byte")
	case size < base:
		if math.IsInf(size, 0) {
			panic(runtimeError("cannot convert float infinity to integer"))
		}
		return stringValue(truncated(size, intValue(0)).text() + " Bytes")
	}
	if math.IsNaN(size) {
		return stringValue("nan YB")
	}
	unit := base
	for i := range units {
		unit *= base
		if size < unit || i == len(units)-1 {
			return stringValue(strconv.FormatFloat(base*size/unit, 'f', 1, 64) + " " + units[i])
		}
	}
	return none
}
