//go:build !unix

package postgres

// readable cannot tell here; connections are tried when they were idle for longer.
func readable(uintptr) bool { return false }
