// Package closest finds what a misspelt name was meant to be, for the "did you
// mean" of error messages.
package closest

import (
	"iter"
	"strings"
)

// maxLength is the longest name compared: a longer one is no typo, and the
// work grows with the square of it.
const maxLength = 100

// Name returns the candidate most like the wanted name, "" when none is near.
// Capitals and the separators that people confuse (- _ : .) do not count. Of
// several that are equally near it is the first in alphabetical order.
func Name(wanted string, candidates iter.Seq[string]) string {
	if wanted == "" || len(wanted) > maxLength {
		return ""
	}
	folded := fold(wanted)
	// A proposal shares something with what was written.
	best, nearest := "", min(max(len(wanted)/3, 2)+1, max(len(wanted), 2))
	for c := range candidates {
		if c == wanted || len(c) > maxLength || len(c)-len(wanted) >= nearest+1 || len(wanted)-len(c) >= nearest+1 {
			continue
		}
		if d := Distance(folded, fold(c)); d < nearest || d == nearest && best != "" && c < best {
			best, nearest = c, d
		}
	}
	return best
}

func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == ':' {
			return '.'
		}
		return r
	}, strings.ToLower(name))
}

// Distance counts the bytes to insert, delete, replace or swap with their
// neighbour that make a into b (optimal string alignment). Of names longer than a
// hundred bytes all are counted.
func Distance(a, b string) int {
	if len(a) > maxLength || len(b) > maxLength {
		return len(a) + len(b)
	}
	var before, last, row [maxLength + 1]int
	for j := range len(b) + 1 {
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
		before, last = last, row
	}
	return last[len(b)]
}
