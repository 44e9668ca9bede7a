package template

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// numberAttr gives the parts that all numbers of Python have.
func numberAttr(v value, name string) (value, bool) {
	if !v.isNumber() {
		return value{}, false
	}
	switch name {
	case "real":
		return positive(v), true
	case "imag":
		if v.kind == kindFloat {
			return floatValue(0), true
		}
		return intValue(0), true
	case "numerator", "denominator":
		switch {
		case v.kind == kindFloat:
		case name == "numerator":
			return positive(v), true
		default:
			return intValue(1), true
		}
	}
	return value{}, false
}

// numberMethod finds a method of numbers.
func numberMethod(k kind, name string) methodFunc {
	var fn func(v value) value
	switch {
	case name == "conjugate":
		fn = positive
	case name == "as_integer_ratio":
		fn = integerRatio
	case k == kindFloat:
		switch name {
		case "is_integer":
			fn = func(v value) value {
				f := v.float()
				return boolValue(f == math.Trunc(f) && !math.IsInf(f, 0))
			}
		case "hex":
			fn = func(v value) value { return stringValue(hexFloat(v.float())) }
		}
	case name == "bit_length":
		fn = func(v value) value { return intValue(int64(v.asBig().BitLen())) }
	case name == "bit_count":
		fn = func(v value) value {
			n := 0
			for _, w := range v.asBig().Bits() {
				n += bits.OnesCount(uint(w))
			}
			return intValue(int64(n))
		}
	}
	if fn == nil {
		return nil
	}
	return func(_ *exec, self value, a *callArgs) value {
		noArguments(name, a)
		return fn(self)
	}
}

func integerRatio(v value) value {
	if v.kind != kindFloat {
		return tupleValue(positive(v), intValue(1))
	}
	f := v.float()
	if math.IsInf(f, 0) || math.IsNaN(f) {
		panic(runtimeError("cannot convert %s to integer ratio", v.text()))
	}
	r := new(big.Rat).SetFloat64(f)
	return tupleValue(bigValue(new(big.Int).Set(r.Num())), bigValue(new(big.Int).Set(r.Denom())))
}

// hexFloat is a float in Python's hexadecimal form.
func hexFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	sign := ""
	if math.Signbit(f) {
		sign, f = "-", -f
	}
	if f == 0 {
		return sign + "0x0.0p+0"
	}
	s := strconv.FormatFloat(f, 'x', 13, 64)
	mantissa, exponent, _ := strings.Cut(s, "p")
	digits := strings.TrimLeft(exponent[1:], "0")
	if digits == "" {
		digits = "0"
	}
	return sign + mantissa + "p" + exponent[:1] + digits
}
