package auth

import "time"

// SetClock sets the time of second factors.
func (e *Extension) SetClock(now func() time.Time) { e.now = now }
