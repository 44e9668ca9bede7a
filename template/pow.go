package template

import (
	"math"
	"math/big"
)

// powPrecision is how many bits powers are computed with, so that the result
// is the float nearest to the true one, as it is in C.
const powPrecision = 200

// pow is a to the power of b.
func pow(a, b float64) float64 {
	f := math.Pow(a, b)
	switch size := math.Abs(f); {
	case f == 0 || math.IsNaN(f) || size > math.MaxFloat64/2 || size < 1e-300 || f == 1 || b == 1:
		return f // where the last digit is not in question, or not within reach
	}
	x := big.NewFloat(math.Abs(a)).SetPrec(powPrecision)
	var result *big.Float
	if b == math.Trunc(b) && math.Abs(b) <= 1<<20 {
		result = wholePower(x, uint64(math.Abs(b)))
		if b < 0 {
			result.Quo(newFloat(1), result)
		}
	} else {
		result = exponential(x.Mul(logarithm(x), newFloat(b)))
	}
	exact, _ := result.Float64()
	return math.Copysign(exact, f)
}

func newFloat(f float64) *big.Float {
	return new(big.Float).SetPrec(powPrecision).SetFloat64(f)
}

func wholePower(x *big.Float, n uint64) *big.Float {
	result, square := newFloat(1), new(big.Float).Copy(x)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			result.Mul(result, square)
		}
		square.Mul(square, square)
	}
	return result
}

// exponential is e to the power of x, by the series for a part of x so small
// that few terms count.
func exponential(x *big.Float) *big.Float {
	const halvings = 20
	small := new(big.Float).SetMantExp(x, -halvings)
	sum, term := newFloat(1), newFloat(1)
	for i := 1; i < 16; i++ {
		term.Mul(term, small)
		term.Quo(term, newFloat(float64(i)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// logarithm improves the float's logarithm by a step of Halley's method, which
// triples the digits that are right.
func logarithm(x *big.Float) *big.Float {
	f, _ := x.Float64()
	y := newFloat(math.Log(f))
	e := exponential(y)
	step := new(big.Float).Sub(x, e)
	step.Quo(step.Mul(step, newFloat(2)), e.Add(e, x))
	return y.Add(y, step)
}
