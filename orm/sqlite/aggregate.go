package sqlite

import (
	"database/sql/driver"
	"math"
	"strings"

	modernc "modernc.org/sqlite"
)

// ownAggregates are the aggregates of the own driver. NULL is passed over.
var ownAggregates = map[string]struct {
	args int32
	make func() modernc.AggregateFunction
}{
	"retort_stddev":      {1, func() modernc.AggregateFunction { return &moments{root: true} }},
	"retort_stddev_samp": {1, func() modernc.AggregateFunction { return &moments{root: true, sample: 1} }},
	"retort_variance":    {1, func() modernc.AggregateFunction { return &moments{} }},
	"retort_var_samp":    {1, func() modernc.AggregateFunction { return &moments{sample: 1} }},
	"retort_bit_and":     {1, func() modernc.AggregateFunction { return &bits{op: func(a, b int64) int64 { return a & b }} }},
	"retort_bit_or":      {1, func() modernc.AggregateFunction { return &bits{op: func(a, b int64) int64 { return a | b }} }},
	"retort_bit_xor":     {1, func() modernc.AggregateFunction { return &bits{op: func(a, b int64) int64 { return a ^ b }} }},
	"retort_join":        {2, func() modernc.AggregateFunction { return &joinedTexts{seen: map[string]bool{}} }},
}

// moments is a variance or its root by Welford's method, which does not lose small
// differences of large numbers.
type moments struct {
	root   bool
	sample int64
	n      int64
	mean   float64
	square float64
}

func (m *moments) Step(_ *modernc.FunctionContext, args []driver.Value) error {
	var x float64
	switch v := args[0].(type) {
	case int64:
		x = float64(v)
	case float64:
		x = v
	default:
		return nil
	}
	m.n++
	d := x - m.mean
	m.mean += d / float64(m.n)
	m.square += d * (x - m.mean)
	return nil
}

func (m *moments) WindowInverse(_ *modernc.FunctionContext, args []driver.Value) error {
	var x float64
	switch v := args[0].(type) {
	case int64:
		x = float64(v)
	case float64:
		x = v
	default:
		return nil
	}
	if m.n--; m.n == 0 {
		m.mean, m.square = 0, 0
		return nil
	}
	d := x - m.mean
	m.mean -= d / float64(m.n)
	m.square -= d * (x - m.mean)
	return nil
}

func (m *moments) WindowValue(*modernc.FunctionContext) (driver.Value, error) {
	if m.n <= m.sample {
		return nil, nil
	}
	v := math.Max(m.square, 0) / float64(m.n-m.sample)
	if m.root {
		v = math.Sqrt(v)
	}
	return v, nil
}

func (*moments) Final(*modernc.FunctionContext) {}

// bits joins whole numbers by an operator. To take one out again all are kept.
type bits struct {
	op     func(a, b int64) int64
	values []int64
}

func (b *bits) Step(_ *modernc.FunctionContext, args []driver.Value) error {
	if n, ok := args[0].(int64); ok {
		b.values = append(b.values, n)
	}
	return nil
}

func (b *bits) WindowInverse(_ *modernc.FunctionContext, args []driver.Value) error {
	if _, ok := args[0].(int64); ok && len(b.values) > 0 {
		b.values = b.values[1:]
	}
	return nil
}

func (b *bits) WindowValue(*modernc.FunctionContext) (driver.Value, error) {
	if len(b.values) == 0 {
		return nil, nil
	}
	v := b.values[0]
	for _, n := range b.values[1:] {
		v = b.op(v, n)
	}
	return v, nil
}

func (*bits) Final(*modernc.FunctionContext) {}

// joinedTexts joins different texts: SQLite's own aggregate takes no separator together
// with DISTINCT.
type joinedTexts struct {
	seen      map[string]bool
	texts     []string
	separator string
}

func (j *joinedTexts) Step(_ *modernc.FunctionContext, args []driver.Value) error {
	if args[0] == nil {
		return nil
	}
	j.separator = text(args[1])
	if s := text(args[0]); !j.seen[s] {
		j.seen[s] = true
		j.texts = append(j.texts, s)
	}
	return nil
}

func (*joinedTexts) WindowInverse(*modernc.FunctionContext, []driver.Value) error { return nil }

func (j *joinedTexts) WindowValue(*modernc.FunctionContext) (driver.Value, error) {
	if len(j.texts) == 0 {
		return nil, nil
	}
	return strings.Join(j.texts, j.separator), nil
}

func (*joinedTexts) Final(*modernc.FunctionContext) {}
