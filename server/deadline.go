package server

import "time"

// A deadline is a moment in nanoseconds since the program started, by its monotonic clock,
// so that it fits into an atomic variable. Earlier moments are negative.
type deadline int64

const (
	noDeadline deadline = 0
	passed     deadline = -1
)

var programStart = time.Now()

// deadlineAt returns t, whose zero value is none, as a deadline.
func deadlineAt(t time.Time) deadline {
	if t.IsZero() {
		return noDeadline
	}
	if d := deadline(t.Sub(programStart)); d > 0 {
		return d
	}
	return passed
}

// time is the opposite of deadlineAt.
func (d deadline) time() time.Time {
	switch {
	case d == noDeadline:
		return time.Time{}
	case d < 0:
		return longAgo
	}
	return programStart.Add(time.Duration(d))
}

// orEarlier returns the earlier one; none is later than any.
func (d deadline) orEarlier(other deadline) deadline {
	if d == noDeadline || other != noDeadline && other < d {
		return other
	}
	return d
}

// isOver reports whether it has passed.
func (d deadline) isOver() bool {
	return d != noDeadline && time.Since(programStart) >= time.Duration(d)
}
