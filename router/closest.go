package router

import (
	"iter"
	"strings"
)

// closest finds the name most like the wanted one, "" when none is near.
// Capitals and the separators people confuse count little.
func closest(wanted string, names iter.Seq[string]) string {
	const longest = 200 // names beyond are no typos, and the work is quadratic
	if len(wanted) > longest {
		return ""
	}
	best, bestDistance := "", max(len(wanted)/3, 2)+1
	for name := range names {
		if len(name) > longest {
			continue
		}
		distance := editDistance(folded(wanted), folded(name))
		if distance < bestDistance || distance == bestDistance && best != "" && name < best {
			best, bestDistance = name, distance
		}
	}
	return best
}

func folded(name string) string {
	return strings.NewReplacer("-", ".", "_", ".", ":", ".").Replace(strings.ToLower(name))
}

// editDistance counts insertions, deletions, replacements and swaps of
// neighbours (optimal string alignment) between a and b.
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
