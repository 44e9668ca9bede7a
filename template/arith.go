package template

import (
	"math"
	"math/big"
	"math/bits"
	"strings"
)

// maxIntegerBits bounds the size of integers a template can compute.
const maxIntegerBits = 1 << 17

func isSmall(v value) bool { return v.kind == kindInt || v.kind == kindBool }

// add is Python's +.
func add(x *exec, a, b value) value {
	if a.kind == kindInt && b.kind == kindInt {
		if n := a.int() + b.int(); (n > a.int()) == (b.int() > 0) {
			return intValue(n)
		}
	}
	a, b = a.plain(), b.plain()
	switch {
	case a.isNumber() && b.isNumber():
		return arithmetic('+', a, b)
	case a.isString() && b.isString():
		return concatTwo(x, a, b)
	case a.kind == kindSafe && isEscaped(b), b.kind == kindSafe && isEscaped(a):
		return concatTwo(x, escaped(a), escaped(b))
	case (a.kind == kindList || isGoSlice(a)) && (b.kind == kindList || isGoSlice(b)), a.kind == kindTuple && b.kind == kindTuple:
		p, q := itemsOf(a), itemsOf(b)
		x.allowItems(len(p) + len(q))
		items := append(append(make([]value, 0, len(p)+len(q)), p...), q...)
		if a.kind == kindTuple {
			return tupleValue(items...)
		}
		return listValue(items)
	}
	panic(operandError("+", a, b))
}

// concatTwo joins two strings; what is joined to a safe one is escaped.
func concatTwo(x *exec, a, b value) value {
	safe := a.kind == kindSafe || b.kind == kindSafe
	if safe {
		a, b = escaped(a), escaped(b)
	}
	x.allowBytes(len(a.str()) + len(b.str()))
	return textValue(a.str()+b.str(), safe)
}

func subtract(a, b value) value {
	if a.kind == kindInt && b.kind == kindInt {
		if n := a.int() - b.int(); (n < a.int()) == (b.int() > 0) {
			return intValue(n)
		}
	}
	a, b = a.plain(), b.plain()
	if a.isNumber() && b.isNumber() {
		return arithmetic('-', a, b)
	}
	panic(operandError("-", a, b))
}

func multiply(x *exec, a, b value) value {
	a, b = a.plain(), b.plain()
	if a.isNumber() && b.isNumber() {
		return arithmetic('*', a, b)
	}
	if a.isUndefined() {
		a.undefined().fail()
	}
	if b.isString() || b.isSequence() || isGoSlice(b) {
		a, b = b, a
	}
	if (a.isString() || a.isSequence() || isGoSlice(a)) && b.isInteger() {
		return repeat(x, a, b)
	}
	if a.kind == kindSafe || b.kind == kindSafe {
		panic(runtimeError("can't multiply a string by '%s'", b.typeName()))
	}
	panic(operandError("*", a, b))
}

func repeat(x *exec, a, times value) value {
	n := int64(0)
	if times.kind == kindBig {
		panic(runtimeError("cannot repeat by an integer beyond 64 bits"))
	} else {
		n = max(times.int(), 0)
	}
	if a.isString() {
		x.allowProduct(len(a.str()), n)
		return textValue(strings.Repeat(a.str(), int(n)), a.kind == kindSafe)
	}
	items := itemsOf(a)
	if len(items) == 0 {
		n = 0
	}
	x.allowItems(int(min(n, math.MaxInt32)) * max(len(items), 1))
	out := make([]value, 0, len(items)*int(n))
	for range n {
		out = append(out, items...)
	}
	if a.kind == kindTuple {
		return tupleValue(out...)
	}
	return listValue(out)
}

// arithmetic is +, - and * on numbers.
func arithmetic(op byte, a, b value) value {
	if a.kind == kindFloat || b.kind == kindFloat {
		x, y := mustFloat(a), mustFloat(b)
		switch op {
		case '+':
			return floatValue(x + y)
		case '-':
			return floatValue(x - y)
		}
		return floatValue(x * y)
	}
	if isSmall(a) && isSmall(b) {
		m, n := a.int(), b.int()
		switch op {
		case '+':
			if s := m + n; (s > m) == (n > 0) {
				return intValue(s)
			}
		case '-':
			if s := m - n; (s < m) == (n > 0) {
				return intValue(s)
			}
		default:
			if high, low := bits.Mul64(absolute(m), absolute(n)); high == 0 && low <= math.MaxInt64 {
				if (m < 0) != (n < 0) {
					return intValue(-int64(low))
				}
				return intValue(int64(low))
			}
		}
	}
	p, q := a.asBig(), b.asBig()
	switch op {
	case '+':
		return checkedBig(p.Add(p, q))
	case '-':
		return checkedBig(p.Sub(p, q))
	}
	if p.BitLen()+q.BitLen() > maxIntegerBits {
		panic(runtimeError("the integer is too large"))
	}
	return checkedBig(p.Mul(p, q))
}

func absolute(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func checkedBig(n *big.Int) value {
	if n.BitLen() > maxIntegerBits {
		panic(runtimeError("the integer is too large"))
	}
	return bigValue(n)
}

func mustFloat(v value) float64 {
	f, ok := v.asFloat()
	if !ok {
		panic(runtimeError("int too large to convert to float"))
	}
	return f
}

func numbers(op string, a, b value) (value, value) {
	a, b = a.plain(), b.plain()
	if !a.isNumber() || !b.isNumber() {
		panic(operandError(op, a, b))
	}
	return a, b
}

func isZero(v value) bool {
	return v.kind == kindFloat && v.float() == 0 || isSmall(v) && v.num == 0
}

func divide(a, b value) value {
	a, b = numbers("/", a, b)
	if isZero(b) {
		panic(runtimeError("division by zero"))
	}
	if (a.kind == kindBig || b.kind == kindBig) && a.kind != kindFloat && b.kind != kindFloat {
		f, _ := new(big.Rat).SetFrac(a.asBig(), b.asBig()).Float64()
		if math.IsInf(f, 0) {
			panic(runtimeError("integer division result too large for a float"))
		}
		return floatValue(f)
	}
	return floatValue(mustFloat(a) / mustFloat(b))
}

// floorDivide rounds towards minus infinity.
func floorDivide(a, b value) value {
	a, b = numbers("//", a, b)
	q, _ := divmod(a, b)
	return q
}

// modulo has the sign of the divisor; on a string it is formatting.
func modulo(x *exec, a, b value) value {
	if a.kind == kindInt && b.kind == kindInt && b.int() > 0 {
		m := a.int() % b.int()
		if m < 0 {
			m += b.int()
		}
		return intValue(m)
	}
	if a.isString() {
		return formatPercent(x, a, b)
	}
	a, b = numbers("%", a, b)
	_, m := divmod(a, b)
	return m
}

func divmod(a, b value) (quotient, remainder value) {
	if isZero(b) {
		panic(runtimeError("division or modulo by zero"))
	}
	if a.kind == kindFloat || b.kind == kindFloat {
		q, m := floatDivmod(mustFloat(a), mustFloat(b))
		return floatValue(q), floatValue(m)
	}
	if isSmall(a) && isSmall(b) && a.int() != math.MinInt64 {
		q, m := a.int()/b.int(), a.int()%b.int()
		if m != 0 && (m < 0) != (b.int() < 0) {
			q, m = q-1, m+b.int()
		}
		return intValue(q), intValue(m)
	}
	q, m := new(big.Int).QuoRem(a.asBig(), b.asBig(), new(big.Int))
	if d := b.asBig(); m.Sign() != 0 && m.Sign() != d.Sign() {
		q.Sub(q, big.NewInt(1))
		m.Add(m, d)
	}
	return bigValue(q), bigValue(m)
}

func floatDivmod(a, b float64) (quotient, remainder float64) {
	m := math.Mod(a, b)
	q := (a - m) / b
	switch {
	case m == 0:
		m = math.Copysign(0, b)
	case (m < 0) != (b < 0):
		m += b
		q--
	}
	if q == 0 {
		return math.Copysign(0, a/b), m
	}
	f := math.Floor(q)
	if q-f > 0.5 {
		f++
	}
	return f, m
}

func power(a, b value) value {
	a, b = numbers("**", a, b)
	if a.kind == kindFloat || b.kind == kindFloat {
		return floatPower(mustFloat(a), mustFloat(b))
	}
	if b.kind != kindBig && b.int() < 0 {
		return floatPower(mustFloat(a), mustFloat(b))
	}
	base := a.asBig()
	if b.kind == kindBig && base.BitLen() > 1 || b.kind != kindBig && int64(max(base.BitLen()-1, 0))*min(b.int(), maxIntegerBits) >= maxIntegerBits {
		panic(runtimeError("the integer is too large"))
	}
	return bigValue(base.Exp(base, b.asBig(), nil))
}

func floatPower(a, b float64) value {
	if a == 0 && b < 0 {
		panic(runtimeError("0.0 cannot be raised to a negative power"))
	}
	f := pow(a, b)
	if math.IsNaN(f) && !math.IsNaN(a) && !math.IsNaN(b) {
		panic(runtimeError("a negative number has no real power %v", b))
	}
	if math.IsInf(f, 0) && !math.IsInf(a, 0) && !math.IsInf(b, 0) {
		panic(runtimeError("numerical result out of range"))
	}
	return floatValue(f)
}

func negate(a value) value {
	a = a.plain()
	switch a.kind {
	case kindInt, kindBool:
		if a.int() != math.MinInt64 {
			return intValue(-a.int())
		}
		return bigValue(new(big.Int).Neg(a.asBig()))
	case kindFloat:
		return floatValue(-a.float())
	case kindBig:
		return bigValue(new(big.Int).Neg(a.big()))
	case kindUndefined:
		a.undefined().fail()
	}
	panic(runtimeError("bad operand type for unary -: '%s'", a.typeName()))
}

func positive(a value) value {
	a = a.plain()
	switch {
	case a.kind == kindBool:
		return intValue(a.int())
	case a.isNumber():
		return a
	case a.kind == kindUndefined:
		a.undefined().fail()
	}
	panic(runtimeError("bad operand type for unary +: '%s'", a.typeName()))
}
