package orm

import (
	"fmt"
	"runtime"
)

// TryRegister is Register whose mistake concerns the caller alone.
func TryRegister[T any]() error {
	_, file, line, _ := runtime.Caller(1)
	var zero T
	if _, err := registerAs[*T](zero, file, line); err != nil {
		return fmt.Errorf("orm: %w", err)
	}
	return nil
}

// TryExtend is Extend whose mistake concerns the caller alone.
func TryExtend[T, B any](base QuerySet[B]) error {
	_, file, line, _ := runtime.Caller(1)
	var zero T
	if _, err := extendAs[*T](zero, base.use().model, file, line); err != nil {
		return fmt.Errorf("orm: %w", err)
	}
	return nil
}

// PartialRows counts the rows of which it is known that not all was read.
func PartialRows() (n int) {
	partialRows.rows.Range(func(any, any) bool {
		n++
		return true
	})
	return n
}
