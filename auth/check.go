package auth

import (
	"context"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/password"
)

// weakestHash is the memory in KiB that argon2id needs for a number of passes to be
// worth its name; more passes than these need no more (OWASP, Password Storage).
var weakestHash = map[uint32]uint32{1: 47104, 2: 19456, 3: 12288, 4: 9216}

const weakestOfMany = 7168

// tooCheap reports whether passwords are easier to guess from a stolen table than they
// should be.
func tooCheap(o password.Options) bool {
	if o.Memory == 0 {
		o.Memory = 19456
	}
	least, ok := weakestHash[max(o.Time, 1)]
	switch {
	case o.Time == 0:
		least = weakestHash[2] // the default
	case !ok:
		least = weakestOfMany
	}
	return o.Memory < least
}

// check adds to the command `check --deploy`.
func (e *Extension) check(_ context.Context, _ *retort.App, deploy bool) (found []retort.Finding) {
	if !deploy {
		return nil
	}
	if e.options.Throttle.Disabled {
		found = append(found, retort.Finding{
			ID: "auth.throttle", Level: retort.LevelError, Message: "failed logins are not bounded: passwords can be guessed", Hint: "unset Throttle.Disabled",
		})
	}
	if tooCheap(e.options.Hash) {
		found = append(found, retort.Finding{
			ID: "auth.hash", Level: retort.LevelError, Message: "hashes of passwords are so cheap that many can be guessed from a stolen table",
			Hint: "leave Hash at its default",
		})
	}
	return found
}
