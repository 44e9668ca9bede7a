package password

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // only to read old hashes
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// parse reads a stored hash, or returns nil if it is none that can be verified.
//
// Beside the PHC format of argon2 it knows what Django stores,
// "algorithm$iterations$salt$hash" and its relatives
// (django.contrib.auth.hashers), what Werkzeug stores,
// "method:parameters$salt$hexdigest" (werkzeug.security), and plain bcrypt.
func parse(encoded string) stored {
	if len(encoded) > 1024 {
		return nil
	}
	switch name, rest, _ := strings.Cut(encoded, "$"); {
	case name == "" && strings.HasPrefix(rest, "argon2"):
		return parseArgon2(encoded)
	case name == "argon2": // Django: argon2$argon2id$v=19$…
		return parseArgon2("$" + rest)
	case name == "" && strings.HasPrefix(rest, "2"), name == "bcrypt":
		return newBcrypt(strings.TrimPrefix(encoded, "bcrypt$"), false)
	case name == "bcrypt_sha256":
		return newBcrypt(rest, true)
	case name == "pbkdf2_sha256" || name == "pbkdf2_sha1":
		return djangoPBKDF2(strings.TrimPrefix(name, "pbkdf2_"), rest)
	case name == "scrypt": // Django
		return djangoScrypt(rest)
	case strings.HasPrefix(name, "pbkdf2:") || strings.HasPrefix(name, "scrypt:"):
		return werkzeug(name, rest)
	}
	return nil
}

// derived is a hash whose key is derived by a function and compared.
type derived struct {
	key    []byte
	derive func(password string, n int) ([]byte, error)
}

func (d *derived) matches(password string) bool {
	key, err := d.derive(password, len(d.key))
	return err == nil && subtle.ConstantTimeCompare(key, d.key) == 1
}

// maxIterations bounds PBKDF2; Django 6.1 uses 1.5 million.
const maxIterations = 20_000_000

func newPBKDF2(digest, salt string, iterations int, key []byte) stored {
	var fn func() hash.Hash
	switch digest {
	case "sha1":
		fn = sha1.New
	case "sha256":
		fn = sha256.New
	case "sha512":
		fn = sha512.New
	default:
		return nil
	}
	if iterations < 1 || iterations > maxIterations || len(key) < 16 || salt == "" {
		return nil
	}
	return &derived{key, func(password string, n int) ([]byte, error) {
		return pbkdf2.Key(fn, password, []byte(salt), iterations, n)
	}}
}

func djangoPBKDF2(digest, rest string) stored {
	parts := strings.Split(rest, "$")
	if len(parts) != 3 {
		return nil
	}
	iterations, err := strconv.Atoi(parts[0])
	key, err2 := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || err2 != nil {
		return nil
	}
	return newPBKDF2(digest, parts[1], iterations, key)
}

func newScrypt(salt string, n, r, p int, key []byte) stored {
	// 128·n·r is the memory in bytes.
	if n < 2 || n > 1<<22 || r < 1 || r > 64 || p < 1 || p > 16 || n*r > 1<<23 || len(key) < 16 || salt == "" {
		return nil
	}
	return &derived{key, func(password string, length int) ([]byte, error) {
		return scrypt.Key([]byte(password), []byte(salt), n, r, p, length)
	}}
}

// djangoScrypt reads work_factor$salt$block_size$parallelism$hash.
func djangoScrypt(rest string) stored {
	parts := strings.Split(rest, "$")
	if len(parts) != 5 {
		return nil
	}
	n, err1 := strconv.Atoi(parts[0])
	r, err2 := strconv.Atoi(parts[2])
	p, err3 := strconv.Atoi(parts[3])
	key, err4 := base64.StdEncoding.DecodeString(parts[4])
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		return nil
	}
	return newScrypt(parts[1], n, r, p, key)
}

// werkzeug reads scrypt:32768:8:1$salt$hex and pbkdf2:sha256:1000000$salt$hex.
func werkzeug(method, rest string) stored {
	salt, digest, ok := strings.Cut(rest, "$")
	key, err := hex.DecodeString(digest)
	if !ok || err != nil {
		return nil
	}
	parts := strings.Split(method, ":")
	numbers := make([]int, len(parts))
	for i, part := range parts {
		numbers[i], _ = strconv.Atoi(part)
	}
	switch {
	case parts[0] == "scrypt" && len(parts) == 4:
		return newScrypt(salt, numbers[1], numbers[2], numbers[3], key)
	case parts[0] == "pbkdf2" && len(parts) == 3:
		return newPBKDF2(parts[1], salt, numbers[2], key)
	}
	return nil
}

// bcryptHash is a bcrypt hash, of the password or, as Django has it against
// bcrypt's limit of 72 bytes, of the hexadecimal SHA-256 of it.
type bcryptHash struct {
	encoded []byte
	sha256  bool
}

// maxBcryptCost keeps a hash from taking more than some seconds.
const maxBcryptCost = 16

func newBcrypt(encoded string, hashed bool) stored {
	b := []byte(encoded)
	if cost, err := bcrypt.Cost(b); err != nil || cost > maxBcryptCost || len(b) != 60 {
		return nil
	}
	return &bcryptHash{b, hashed}
}

func (b *bcryptHash) matches(password string) bool {
	secret := []byte(password)
	switch {
	case b.sha256:
		sum := sha256.Sum256(secret)
		secret = []byte(hex.EncodeToString(sum[:]))
	case len(secret) > 72:
		// Cut off, another password would be right too.
		return false
	}
	return bcrypt.CompareHashAndPassword(b.encoded, secret) == nil
}
