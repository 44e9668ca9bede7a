package auth_test

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
)

// phones are where codes go, by the addresses of users.
type phones struct {
	t       *testing.T
	mu      sync.Mutex
	numbers map[string]string
	unknown error // that a number cannot be found out
	broken  error // that nothing can be sent
	tried   chan string
}

func newPhones(t *testing.T, numbers ...string) *phones {
	t.Helper()
	p := &phones{t: t, numbers: map[string]string{}, tried: make(chan string, 100)}
	for i := 0; i < len(numbers); i += 2 {
		p.numbers[numbers[i]] = numbers[i+1]
	}
	return p
}

func (p *phones) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *phones) sender() auth.CodeSender {
	return auth.CodeSender{
		Name: "sms", Label: "Codes by SMS",
		Address: func(_ context.Context, user *auth.User) (string, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.numbers[user.Email], p.unknown
		},
		Send: func(ctx context.Context, _ *auth.User, to, code string) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			if retort.From(ctx) != nil {
				p.t.Error("a code is sent in the request")
			}
			if until, ok := ctx.Deadline(); !ok || time.Until(until) > time.Minute {
				p.t.Error("a code may be sent for ever")
			}
			p.tried <- to + " " + code
			return p.broken
		},
	}
}

// code is what was sent to a number, and waits for that.
func (p *phones) code(to string) string {
	p.t.Helper()
	select {
	case text := <-p.tried:
		number, code, _ := strings.Cut(text, " ")
		if number != to {
			p.t.Errorf("a code went to %s, not to %s", number, to)
		}
		if !sixDigits.MatchString(code) {
			p.t.Errorf("the code is %q", code)
		}
		return code
	case <-time.After(30 * time.Second):
		p.t.Fatal("no code was sent")
		return ""
	}
}

// noMore waits until the app is quiet, and fails if a code was sent.
func (p *phones) noMore(s *factorSite) {
	p.t.Helper()
	time.Sleep(50 * time.Millisecond) // what is under way would be cancelled
	if err := s.app.Shutdown(s.ctx); err != nil {
		p.t.Error(err)
	}
	if n := len(p.tried); n > 0 {
		p.t.Errorf("%d codes more were sent", n)
	}
}

var sixDigits = regexp.MustCompile(`^[0-9]{6}$`)

// otherThan is a code that is not this one.
func otherThan(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func newSentSite(t *testing.T, kind testdb.Kind, p *phones) *factorSite {
	t.Helper()
	s := newFactorSite(t, kind, p.sender())
	answer := func(c *retort.Ctx, err error) error {
		switch {
		case errors.Is(err, auth.ErrNoCodeWay):
			return retort.NotFound("")
		case errors.Is(err, auth.ErrWrongCode), errors.Is(err, auth.ErrNoHalfLogin):
			return retort.Unprocessable(nil)
		case errors.Is(err, auth.ErrSecondFactorOn):
			return retort.NewError(409, "")
		case err != nil:
			return err
		}
		return c.Text("ok")
	}
	s.app.Post("/sent/{way}", func(c *retort.Ctx) error {
		return answer(c, s.auth.EnrolSentCode(c, auth.Must(c), c.Param("way")))
	}).Use(auth.RequireFresh).DisableCSRF()
	s.app.Post("/sent/{way}/confirm", func(c *retort.Ctx) error {
		codes, err := s.auth.ConfirmSentCode(c, auth.Must(c), c.Param("way"), c.FormValue("code"))
		if err != nil {
			return answer(c, err)
		}
		return c.JSON(codes)
	}).Use(auth.RequireFresh).DisableCSRF()
	s.app.Post("/another", func(c *retort.Ctx) error { return answer(c, s.auth.SendCode(c)) }).DisableCSRF()
	return s
}

func confirmSent(c *retorttest.Client, code string) *retorttest.Response {
	return c.PostForm("/sent/sms/confirm", url.Values{"code": {code}})
}

// enrolSent logs a user in and makes codes that are sent to a number their second factor.
func (s *factorSite) enrolSent(p *phones, email, number string) (client *retorttest.Client, recovery []string) {
	p.t.Helper()
	client = retorttest.New(p.t, s.app)
	begin(client, email, secret).Status(200)
	client.PostForm("/sent/sms", nil).Status(200)
	confirmSent(client, p.code(number)).Status(200).JSON(&recovery)
	s.counts.ForgetAll()
	return client, recovery
}

const annsPhone, bobsPhone = "+491512345667", "+491517654321"
