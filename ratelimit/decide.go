package ratelimit

import (
	"math"
	"time"
)

// State is what a store keeps of a key; zero is that of a key it does not know. Its
// times are counted from now, so that it is the store's business which clock it goes
// by.
type State struct {
	// At is when the quota is whole again. Of a limit with a Wait it is when the last
	// was allowed, which is past and so negative.
	At time.Duration
	// Count is how many were allowed, of a limit with a Wait.
	Count int
}

// maxCount bounds the Count of a state.
const maxCount = 1 << 30

// Decide is the arithmetic of [Store].Take: given what is kept of each charge's key it
// returns the result, and turns the states into those to be kept if all are allowed.
// States of other limits, or of a clock that was set back, do no harm.
func Decide(states []State, charges []Charge) Result {
	result := Result{Allowed: true, Remaining: math.MaxInt}
	for i := range charges {
		var one Result
		one, states[i] = states[i].take(charges[i].Limit, charges[i].Cost)
		one.Index = i
		switch {
		case !one.Allowed && (result.Allowed || one.RetryAfter > result.RetryAfter),
			one.Allowed && result.Allowed && one.Remaining < result.Remaining:
			result = one
		}
	}
	return result
}

func (s State) take(l Limit, n int) (Result, State) {
	s = s.Now(l)
	if n < 0 || n > l.BurstSize() {
		return Result{Remaining: s.remaining(l), RetryAfter: l.Window, Reset: s.Expires(l)}, s
	}
	if l.Wait > 0 {
		return s.takeWaiting(l, n)
	}
	interval := l.Interval()
	capacity := interval * time.Duration(l.BurstSize())
	after := s.At + interval*time.Duration(n)
	if after > capacity || n == 0 && s.At+interval > capacity {
		wait := max(after, s.At+interval) - capacity
		return Result{Remaining: s.remaining(l), RetryAfter: wait, Reset: s.At}, s
	}
	s.At = after
	return Result{Allowed: true, Remaining: s.remaining(l), Reset: after}, s
}

func (s State) takeWaiting(l Limit, n int) (Result, State) {
	if wait := s.At + l.wait(s.Count); wait > 0 {
		return Result{RetryAfter: wait, Reset: s.Expires(l)}, s
	}
	if n > 0 {
		s = State{Count: min(s.Count+n, maxCount)}
	}
	return Result{Allowed: true, Remaining: s.remaining(l), Reset: s.Expires(l)}, s
}

// wait is how long the next has to wait for the last of so many.
func (l Limit) wait(count int) time.Duration {
	if count < l.Requests {
		return 0
	}
	wait, most := l.Wait, l.LongestWait()
	for range count - l.Requests {
		if wait *= 2; wait >= most {
			return most
		}
	}
	return min(wait, most)
}

// Now returns the state without what has expired or cannot be.
func (s State) Now(l Limit) State {
	if l.Wait > 0 {
		if s.Count <= 0 || s.At <= -l.Window {
			return State{}
		}
		return State{min(s.At, 0), s.Count}
	}
	return State{At: min(max(s.At, 0), l.Interval()*time.Duration(l.BurstSize()))}
}

// Return is the arithmetic of [Store].Return.
func (s State) Return(l Limit, n int) State {
	s = s.Now(l)
	if n <= 0 {
		return s
	}
	if l.Wait > 0 {
		if s.Count -= n; s.Count <= 0 {
			return State{}
		}
		return s
	}
	s.At -= l.Interval() * time.Duration(min(n, l.BurstSize()))
	return s.Now(l)
}

// Expires returns when there is nothing to be kept any more: 0 for at once.
func (s State) Expires(l Limit) time.Duration {
	s = s.Now(l)
	switch {
	case l.Wait == 0:
		return s.At
	case s.Count == 0:
		return 0
	}
	return s.At + l.Window
}

// used is how much of the quota is used up, between 0 and 1.
func (s State) used(l Limit) float32 {
	if l.Wait > 0 {
		return min(1, float32(s.Count)/float32(l.Requests))
	}
	return float32(s.At) / float32(l.Interval()*time.Duration(l.BurstSize()))
}

// remaining is how many may still come at once, of a state that is now.
func (s State) remaining(l Limit) int {
	if l.Wait > 0 {
		return max(0, l.Requests-s.Count)
	}
	interval := l.Interval()
	free := interval*time.Duration(l.BurstSize()) - s.At
	return int(min(max(free, 0)/interval, math.MaxInt32))
}
