package session

import (
	"bytes"
	"compress/flate"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

func sample(values int) *Session {
	s := New()
	s.Permanent = true
	for i := range values {
		s.Set(fmt.Sprint("key ", i), map[string]any{"id": i, "name": "something", "flags": []bool{true, false}})
	}
	s.Flash("info", "Saved")
	s.CSRFToken()
	s.user, s.authHash, s.loggedIn, s.agent, s.address = "7", "hash", 1, "Browser", "192.0.2.1"
	return s
}

func TestEncodingIsDeterministic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // where the clock stands still
		s := sample(20)
		if first := s.Encode(); !bytes.Equal(first, s.Encode()) {
			t.Error("the same session gives different bytes")
		}
	})
}

func TestTheIDIsOnlyInCookies(t *testing.T) {
	t.Parallel()
	s := sample(1)
	id := s.ID()
	if bytes.Contains(s.Encode(), []byte(id)) {
		t.Error("a table of sessions would hold their tokens")
	}
	got, err := decodeCookie(encodeCookie(s, true))
	if err != nil || got.ID() != id {
		t.Errorf("ID in the cookie is lost: %v", err)
	}
}

func TestTheIDIsNotCompressed(t *testing.T) {
	t.Parallel()
	s := sample(50)
	data := encodeCookie(s, true)
	if data[1]&flagCompressed == 0 {
		t.Fatal("nothing was compressed")
	}
	if !bytes.Contains(data, []byte(s.ID())) {
		t.Error("the ID, which CSRF tokens are made from, is compressed together with text of strangers")
	}
}

func TestDecompressionIsBounded(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	w, err := flate.NewWriter(&bomb, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(make([]byte, 32<<20))
	w.Close()
	data := append(New().appendHead(nil, "", flagCompressed), bomb.Bytes()...)
	if _, err := decodeCookie(data); err == nil {
		t.Error("32 MB came out of a cookie")
	}
}

func TestBrokenEncodings(t *testing.T) {
	t.Parallel()
	good := sample(2).Encode()
	if _, err := Restore("id", good); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		if _, err := Restore("id", good[:i]); err == nil {
			t.Errorf("the first %d bytes are accepted", i)
		}
	}
	compressed := encodeCookie(sample(50), true)
	for name, data := range map[string][]byte{
		"nothing":              nil,
		"another version":      append([]byte{encodingVersion + 1}, good[1:]...),
		"unknown flag":         append([]byte{encodingVersion, 0x80}, good[2:]...),
		"bytes at the end":     append(bytes.Clone(good), 0),
		"endless number":       append([]byte{encodingVersion, 0}, bytes.Repeat([]byte{0xff}, 40)...),
		"a count beyond sense": append(New().appendHead(nil, "", 0), 0xff, 0xff, 0xff, 0xff, 0x0f),
		"compressed":           compressed,
	} {
		if _, err := Restore("id", data); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := decodeCookie(compressed[:len(compressed)-9]); err == nil {
		t.Error("half a compressed body is accepted")
	}
}

func FuzzDecodeCookie(f *testing.F) {
	f.Add([]byte{})
	f.Add(encodeCookie(New(), true))
	f.Add(encodeCookie(sample(3), true))
	f.Add(encodeCookie(sample(50), true))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decodeCookie(data)
		if err != nil {
			return
		}
		for _, key := range s.Keys() {
			s.Get(key)
			Get[int](s, key)
		}
		again, err := decodeCookie(encodeCookie(s, true))
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		if strings.Join(again.Keys(), "\x00") != strings.Join(s.Keys(), "\x00") || len(again.flashes) != len(s.flashes) {
			t.Error("what was read changes when written")
		}
		if s.Flashes(); again.id != "" && again.tokens && !again.VerifyCSRF(s.CSRFToken()) {
			t.Error("the CSRF tokens change")
		}
	})
}

func FuzzVerifyCSRF(f *testing.F) {
	s := New()
	genuine := s.CSRFToken()
	f.Add(genuine)
	f.Add("")
	f.Add(strings.Repeat("A", len(genuine)))
	f.Fuzz(func(t *testing.T, token string) {
		if s.VerifyCSRF(token) && token != genuine {
			t.Errorf("%q is accepted", token)
		}
	})
}
