//go:build race

package site_test

// What odd values do does not depend on the race detector, which takes ten times as long
// for it: there are fewer of them then.
func init() {
	hostile, odd = thinned(hostile), thinned(odd)
}

func thinned(values []string) []string {
	var some []string
	for i, value := range values {
		if i%8 == 0 {
			some = append(some, value)
		}
	}
	return some
}
