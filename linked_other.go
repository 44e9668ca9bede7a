//go:build !unix

package retort

// checkWithEngine is for systems where a program can go on as another.
func checkWithEngine() {}
