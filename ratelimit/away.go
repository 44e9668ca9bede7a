package ratelimit

// WhenAway says what is done while a store cannot be asked. In any case that is
// logged once a minute, and once more when the store is back.
type WhenAway int

// What may be done while a store is away.
const (
	// CountHere counts in the memory of each process meanwhile. It is the default.
	CountHere WhenAway = iota
	// Pass lets everything through.
	Pass
	// Refuse lets nothing through: the answer is 503.
	Refuse
)
