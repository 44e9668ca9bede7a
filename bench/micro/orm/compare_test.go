package orm

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// compareRounds is how many rounds compare runs. On a machine that others use as well,
// benchmarks that run one after the other meet different machines; many short turns of each, in
// alternation, meet the same one.
func compareRounds() int {
	n, _ := strconv.Atoi(os.Getenv("BENCH_COMPARE"))
	return n
}

// compare runs operations in turns of about three milliseconds and prints, of the processor time of
// each, the least and the lower quartile, and their ratios to the first one's.
func compare(name string, clean func(), all []ops, get func(ops) func() error) {
	type entry struct {
		name  string
		f     func() error
		times []float64
		turn  int
	}
	var list []*entry
	for _, o := range all {
		if f := get(o); f != nil && wanted(o.name) {
			list = append(list, &entry{name: o.name, f: f, turn: 1})
		}
	}
	if len(list) == 0 {
		return
	}
	round := func(e *entry) float64 {
		c := cpu()
		for range e.turn {
			if err := e.f(); err != nil {
				panic(fmt.Errorf("%s/%s: %w", name, e.name, err))
			}
		}
		return float64((cpu() - c).Nanoseconds()) / 1000 / float64(e.turn)
	}
	clean()
	for _, e := range list {
		for range 5 {
			round(e)
		}
	}
	best := round(list[0])
	for range 20 {
		best = min(best, round(list[0]))
	}
	// All take turns of the same length, since the least of short ones is less.
	for _, e := range list {
		e.turn = max(1, int(3000/max(best, 1)))
	}
	for i := range compareRounds() {
		if i%50 == 0 {
			clean()
		}
		for j := range list {
			e := list[(i+j)%len(list)]
			e.times = append(e.times, round(e))
		}
	}
	for _, e := range list {
		slices.SortFunc(e.times, cmp.Compare[float64])
		n := len(e.times)
		fmt.Printf("%-12s %-14s least %9.2f µs %5.2f   quartile %9.2f µs %5.2f\n", name, e.name,
			e.times[0], e.times[0]/list[0].times[0], e.times[n/4], e.times[n/4]/list[0].times[n/4])
	}
}

// wanted reports whether BENCH_ONLY, a list of names, has a contender; empty means all.
func wanted(name string) bool {
	only := os.Getenv("BENCH_ONLY")
	return only == "" || slices.Contains(strings.Split(only, ","), name)
}

var operations = []struct {
	name string
	get  func(ops) func() error
}{
	{"select1", func(o ops) func() error { return o.one }},
	{"select1x20", func(o ops) func() error { return o.twenty }},
	{"list50join", func(o ops) func() error { return o.list }},
	{"page50tags", func(o ops) func() error { return o.page }},
	{"insert1", func(o ops) func() error { return o.insert }},
	{"update1", func(o ops) func() error { return o.update }},
	{"bulk1000", func(o ops) func() error { return o.bulk }},
	{"bulk1000keys", func(o ops) func() error { return o.bulkKeys }},
	{"stream10000", func(o ops) func() error { return o.stream }},
}

// run runs each operation of each library as a benchmark; with BENCH_COMPARE as one that compares
// them in alternation.
func run(b *testing.B, clean func(), all []ops) {
	for _, k := range operations {
		if compareRounds() > 0 {
			b.Run(k.name, func(b *testing.B) {
				if b.N == 1 {
					compare(k.name, clean, all, k.get)
				}
			})
			continue
		}
		for _, o := range all {
			if f := k.get(o); f != nil {
				b.Run(k.name+"/"+o.name, func(b *testing.B) {
					clean()
					timed(b, f)
				})
			}
		}
	}
}
