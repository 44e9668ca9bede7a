package password

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// stored is a hash of any kind.
type stored interface {
	matches(password string) bool
}

// The costs of a hash that is read are bounded: who can write one into the database
// must not be able to stop the program with it.
const (
	maxMemory = 1 << 20 // KiB
	maxTime   = 64
)

// argon2id is a hash as RFC 9106 makes it, in the PHC string format:
// $argon2id$v=19$m=19456,t=2,p=1$salt$hash
type argon2id struct {
	memory, time uint32
	threads      uint8
	variant      string // "argon2id", or "argon2i" of old Django
	salt, key    []byte
}

const argonKeyLength = 32

func newArgon2(o Options, salt []byte) *argon2id {
	return &argon2id{memory: o.Memory, time: o.Time, threads: o.Threads, variant: "argon2id", salt: salt}
}

func (a *argon2id) derive(password string) []byte {
	n := uint32(argonKeyLength)
	if a.key != nil {
		n = uint32(len(a.key)) //nolint:gosec // bounded by parseArgon2
	}
	if a.variant == "argon2i" {
		return argon2.Key([]byte(password), a.salt, a.time, a.memory, a.threads, n)
	}
	return argon2.IDKey([]byte(password), a.salt, a.time, a.memory, a.threads, n)
}

func (a *argon2id) matches(password string) bool {
	return subtle.ConstantTimeCompare(a.derive(password), a.key) == 1
}

func (a *argon2id) encode(password string) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.time, a.threads,
		b64.EncodeToString(a.salt), b64.EncodeToString(a.derive(password)))
}

func (a *argon2id) cheaperThan(o Options) bool {
	return a.variant != "argon2id" || a.memory < o.Memory || a.time < o.Time || len(a.salt) < 16 || len(a.key) < argonKeyLength
}

// parseArgon2 reads the PHC format, with which Django puts "argon2" in front.
func parseArgon2(encoded string) stored {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" && parts[1] != "argon2i" || parts[2] != "v=19" {
		return nil
	}
	a := &argon2id{variant: parts[1]}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return nil
	}
	numbers := [3]uint64{}
	for i, prefix := range [...]string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(costs[i], prefix)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || n == 0 {
			return nil
		}
		numbers[i] = n
	}
	if numbers[0] > maxMemory || numbers[1] > maxTime || numbers[2] > 255 || numbers[0] < 8*numbers[2] {
		return nil
	}
	a.memory, a.time, a.threads = uint32(numbers[0]), uint32(numbers[1]), uint8(numbers[2])
	var err error
	if a.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(a.salt) == 0 {
		return nil
	}
	if a.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(a.key) < 16 || len(a.key) > 512 {
		return nil
	}
	return a
}
