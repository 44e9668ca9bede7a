package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Clone(v)
	slices.Sort(s)
	n := len(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return (s[n/2-1] + s[n/2]) / 2
}

type key struct {
	c, w string
	conc int
}

type cell struct {
	key
	round int
}

// read is every measurement of BENCH_STATE/NAME.jsonl; of two for the same
// contender, workload, connections and round, the one less disturbed by
// other programs.
func read(name string) (map[cell]result, error) {
	f, err := os.Open(filepath.Join(state, name+".jsonl"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := map[cell]result{}
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		var r result
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			return nil, err
		}
		k := cell{key{r.Contender, r.Workload, r.Conc}, r.Round}
		if old, ok := all[k]; r.Requests > 0 && (!ok || r.Foreign < old.Foreign) {
			all[k] = r
		}
	}
	return all, sc.Err()
}

// report turns BENCH_STATE/NAME.jsonl into results/NAME.md.
func report(name string, cs, all []contender) error {
	last, err := read(name)
	if err != nil {
		return err
	}
	by := map[key][]result{}
	at := map[cell]result{}
	var concs []int
	var first, end string
	for k, r := range last {
		by[k.key] = append(by[k.key], r)
		at[k] = r
		if !slices.Contains(concs, r.Conc) {
			concs = append(concs, r.Conc)
		}
		if first == "" || r.Time < first {
			first = r.Time
		}
		end = max(end, r.Time)
	}
	slices.Sort(concs)
	order := cs
	if len(order) == 0 {
		order = all
	}
	has := func(c, w string) bool {
		for _, n := range concs {
			if len(by[key{c, w, n}]) > 0 {
				return true
			}
		}
		return false
	}
	ref := *base
	if ref == "" {
		for _, c := range order {
			if slices.ContainsFunc(workloads, func(w workload) bool { return has(c.Name, w.Name) }) {
				ref = c.Name
				break
			}
		}
	}
	med := func(k key, f func(result) float64) float64 {
		var v []float64
		for _, r := range by[k] {
			v = append(v, f(r))
		}
		return median(v)
	}
	// ratio is the median, over rounds, of the contender's figure to the
	// reference's of the same round.
	ratio := func(k key, f func(result) float64) float64 {
		var v []float64
		for _, r := range by[k] {
			if b, ok := at[cell{key{ref, k.w, k.conc}, r.Round}]; ok && f(b) > 0 {
				v = append(v, f(r)/f(b))
			}
		}
		return median(v)
	}
	cpu := func(r result) float64 { return r.perK(r.ServerCPU) }
	pg := func(r result) float64 { return r.perK(r.PGCPU) }
	rps := func(r result) float64 { return r.rps() }
	spread := func(k key, f func(result) float64) string {
		lo, hi := 0.0, 0.0
		for i, r := range by[k] {
			v := f(r)
			if i == 0 || v < lo {
				lo = v
			}
			hi = max(hi, v)
		}
		return fmt.Sprintf("%.3g–%.3g", lo, hi)
	}
	var o strings.Builder
	p := func(format string, a ...any) { fmt.Fprintf(&o, format, a...) }
	p("# %s\n\n", name)
	host, _ := os.ReadFile("/proc/cpuinfo")
	cpuName := ""
	for _, l := range strings.Split(string(host), "\n") {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == "model name" {
			cpuName = strings.TrimSpace(v)
		}
	}
	p("%s, %d cores' worth of host shared by server, PostgreSQL and wrk; %s to %s. Written by `run.sh -report -o %s`.\n\n", cpuName, strings.Count(string(host), "processor\t"), day(first), day(end), name)
	p("CPU is the server's processor time (user and system, all its processes) in ms per 1,000 requests; PG is that of PostgreSQL. Figures are medians over the rounds, × is the median of the same-round ratios to %s. Spread is the lowest and highest CPU figure over the rounds; others is the median number of cores other programs used meanwhile.\n\n", ref)

	var cols []workload
	for _, w := range workloads {
		if slices.ContainsFunc(order, func(c contender) bool { return has(c.Name, w.Name) }) {
			cols = append(cols, w)
		}
	}
	matrix := func(title string, f func(result) float64, n int) {
		p("## %s, %d connections\n\n| contender |", title, n)
		for _, w := range cols {
			p(" %s |", w.Name)
		}
		p("\n|---|%s\n", strings.Repeat("---:|", len(cols)))
		for _, c := range order {
			if !slices.ContainsFunc(cols, func(w workload) bool { return has(c.Name, w.Name) }) {
				continue
			}
			p("| %s |", c.Name)
			for _, w := range cols {
				k := key{c.Name, w.Name, n}
				switch {
				case len(by[k]) == 0:
					p(" |")
				case c.Name == ref:
					p(" %.3g |", med(k, f))
				default:
					if x := ratio(k, f); x > 0 {
						p(" ×%.2f |", x)
					} else {
						p(" %.3g |", med(k, f))
					}
				}
			}
			p("\n")
		}
		p("\n")
	}
	for _, n := range concs {
		matrix("CPU ms per 1,000 requests", cpu, n)
		matrix("Requests per second", rps, n)
	}
	for _, w := range cols {
		p("## %s\n\n| contender | conns | CPU | × | PG | req/s | × | p50 ms | p99 ms | peak RSS MiB | errors | spread | others |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n", w.Name)
		for _, n := range concs {
			for _, c := range order {
				k := key{c.Name, w.Name, n}
				if len(by[k]) == 0 {
					continue
				}
				p("| %s | %d | %.4g | %.2f | %.4g | %.0f | %.2f | %.2f | %.2f | %.0f | %.0f | %s | %.2f |\n", c.Name, n,
					med(k, cpu), ratio(k, cpu), med(k, pg), med(k, rps), ratio(k, rps),
					med(k, func(r result) float64 { return float64(r.P50) / 1000 }), med(k, func(r result) float64 { return float64(r.P99) / 1000 }),
					med(k, func(r result) float64 { return float64(r.PeakRSS) / 1024 }),
					med(k, func(r result) float64 {
						return float64(r.ErrConnect + r.ErrRead + r.ErrStatus + r.ErrTimeout + r.ErrWrite)
					}),
					spread(k, cpu), med(k, func(r result) float64 { return r.Foreign }))
			}
		}
		p("\n")
	}
	p("## Footprint\n\nBinary is the linked file (`-trimpath -ldflags '-s -w'`) where the contender is one. Cold start is from exec to the first good answer (medians; any workload, the page workload includes its first query and template). Memory sums the process tree; PSS counts shared pages once.\n\n")
	p("| contender | binary MiB | cold start ms | cold start, page ms | idle RSS MiB | idle PSS MiB | peak RSS MiB, page c%d |\n|---|---:|---:|---:|---:|---:|---:|\n", concs[len(concs)-1])
	for _, c := range order {
		var cold, coldPage, rss, pss, peak []float64
		for _, w := range cols {
			for _, r := range by[key{c.Name, w.Name, concs[0]}] {
				if w.Name == "page" {
					coldPage = append(coldPage, r.ColdMS)
				} else {
					cold = append(cold, r.ColdMS)
				}
				rss = append(rss, float64(r.IdleRSS)/1024)
				pss = append(pss, float64(r.IdlePSS)/1024)
			}
		}
		for _, r := range by[key{c.Name, "page", concs[len(concs)-1]}] {
			peak = append(peak, float64(r.PeakRSS)/1024)
		}
		if len(rss) == 0 {
			continue
		}
		size := "–"
		for _, f := range strings.Fields(c.Command) {
			if b, ok := strings.CutPrefix(f, "$BENCH_BIN/"); ok {
				if st, err := os.Stat(filepath.Join(os.Getenv("BENCH_BIN"), b)); err == nil {
					size = fmt.Sprintf("%.1f", float64(st.Size())/(1<<20))
				}
			}
		}
		p("| %s | %s | %.0f | %.0f | %.0f | %.0f | %.0f |\n", c.Name, size, median(cold), median(coldPage), median(rss), median(pss), median(peak))
	}
	if err := os.MkdirAll(filepath.Join(dir, "results"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "results", name+".md"), []byte(o.String()), 0o644)
}

func day(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return t.Format("2006-01-02 15:04")
}
