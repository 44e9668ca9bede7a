package orm

// PartialRows counts the rows of which it is known that not all was read.
func PartialRows() (n int) {
	partialRows.rows.Range(func(any, any) bool {
		n++
		return true
	})
	return n
}
