// Package websec is the least a signed session cookie and a masked CSRF
// token cost: HMAC-SHA256 over the cookie, and a token bound to it.
package websec

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort/bench/internal/model"
)

const (
	CookieName = "session"
	FieldName  = "csrf_token"
	maxAge     = 14 * 24 * 3600
)

var b64 = base64.RawURLEncoding

func mac(secret []byte, purpose, msg string) [32]byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(purpose))
	h.Write([]byte(msg))
	var out [32]byte
	h.Sum(out[:0])
	return out
}

// Seal makes a session cookie's value: user|unix time|mac.
func Seal(secret []byte, user string) string {
	p := b64.EncodeToString([]byte(user)) + "." + strconv.FormatInt(time.Now().Unix(), 36)
	m := mac(secret, "session:", p)
	return p + "." + b64.EncodeToString(m[:])
}

// Open returns the user of a cookie, or false.
func Open(secret []byte, v string) (string, bool) {
	i := strings.LastIndexByte(v, '.')
	if i < 0 {
		return "", false
	}
	var got [48]byte
	if len(v)-i-1 > 64 {
		return "", false
	}
	n, err := b64.Decode(got[:], []byte(v[i+1:]))
	m := mac(secret, "session:", v[:i])
	if err != nil || subtle.ConstantTimeCompare(got[:n], m[:]) != 1 {
		return "", false
	}
	u, at, _ := strings.Cut(v[:i], ".")
	t, err := strconv.ParseInt(at, 36, 64)
	if err != nil || time.Now().Unix()-t > maxAge {
		return "", false
	}
	name, err := b64.DecodeString(u)
	return string(name), err == nil
}

// Token makes a fresh masked token for the session cookie's value.
func Token(secret []byte, cookie string) string {
	m := mac(secret, "csrf:", cookie)
	var b [64]byte
	rand.Read(b[:32])
	for i := range m {
		b[32+i] = b[i] ^ m[i]
	}
	return b64.EncodeToString(b[:])
}

func Check(secret []byte, cookie, token string) bool {
	var b [66]byte
	if len(token) != 86 {
		return false
	}
	n, err := b64.Decode(b[:], []byte(token))
	if err != nil || n != 64 {
		return false
	}
	for i := range 32 {
		b[32+i] ^= b[i]
	}
	m := mac(secret, "csrf:", cookie)
	return subtle.ConstantTimeCompare(b[32:64], m[:]) == 1
}

// Comment checks the create form's fields by hand.
func Comment(get func(string) string) (c model.Comment, errs map[string]string) {
	bad := func(k, m string) {
		if errs == nil {
			errs = map[string]string{}
		}
		errs[k] = m
	}
	id, err := strconv.Atoi(get("post_id"))
	if err != nil || id < 1 || id > model.Posts {
		bad("post_id", "no such post")
	}
	c = model.Comment{PostID: int32(id), Name: strings.TrimSpace(get("name")), Email: get("email"), Body: strings.TrimSpace(get("body"))}
	if c.Name == "" || len(c.Name) > 100 {
		bad("name", "1 to 100 characters")
	}
	if a, err := mail.ParseAddress(c.Email); err != nil || a.Address != c.Email {
		bad("email", "not an e-mail address")
	}
	if c.Body == "" || len(c.Body) > 2000 {
		bad("body", "1 to 2000 characters")
	}
	return c, errs
}
