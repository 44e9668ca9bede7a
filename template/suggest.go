package template

// closest gives the candidate that name is probably a misspelling of, or "".
func closest(name string, candidates []string) string {
	best, distance := "", min(len(name)/3+1, 3)
	for _, c := range candidates {
		if len(c)-len(name) > distance || len(name)-len(c) > distance {
			continue
		}
		if d := editDistance(name, c); d <= distance && c != name {
			if d < distance || best == "" {
				best = c
			}
			distance = d
		}
	}
	return best
}

// editDistance counts insertions, deletions, replacements and swaps of
// neighbours (the optimal string alignment distance).
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
