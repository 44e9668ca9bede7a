package oidc

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/retort-web/retort/session"
)

const (
	attemptsKey = "oidc attempts" // in the session
	// attemptAge is how long a visitor may be away at the provider.
	attemptAge = 10 * time.Minute
	// maxAttempts are how many logins of one visitor wait at the same time, each in a
	// tab; sessions in cookies have no room for more.
	maxAttempts = 3
	// maxNext is the longest address that is gone to afterwards.
	maxNext = 500
)

// attempt is a login that waits for the visitor to come back from the provider.
type attempt struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"` // of PKCE
	Provider string `json:"p"`
	Time     int64  `json:"t"`
	Next     string `json:"x,omitempty"`
	User     int64  `json:"u,omitempty"` // who connects the provider to their account; 0 is a login
	Again    bool   `json:"a,omitempty"` // who had logged in proves it anew
}

// start notes a new attempt in the session.
func (e *Extension) start(s *session.Session, a attempt) (attempt, error) {
	a.State, a.Nonce, a.Verifier, a.Time = rand.Text(), rand.Text(), oauth2.GenerateVerifier(), e.now().Unix()
	if len(a.Next) > maxNext {
		a.Next = ""
	}
	list := append(e.waiting(s), a)
	return a, keep(s, list[max(0, len(list)-maxAttempts):])
}

// take returns the attempt of a state and forgets it: it works once.
func (e *Extension) take(s *session.Session, state string) (found *attempt, err error) {
	list := e.waiting(s)
	for i, a := range list {
		if subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) == 1 {
			found = &a
			list = slices.Delete(list, i, i+1)
			break
		}
	}
	if found == nil {
		return nil, nil
	}
	return found, keep(s, list)
}

// waiting lists the attempts that are not too old.
func (e *Extension) waiting(s *session.Session) (list []attempt) {
	text, _ := s.Get(attemptsKey).(string)
	if text == "" || json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	now := e.now()
	return slices.DeleteFunc(list, func(a attempt) bool { return now.Sub(time.Unix(a.Time, 0)).Abs() > attemptAge })
}

func keep(s *session.Session, list []attempt) error {
	if len(list) == 0 {
		s.Delete(attemptsKey)
		return nil
	}
	text, err := json.Marshal(list)
	if err == nil {
		s.Set(attemptsKey, string(text))
	}
	return err
}
