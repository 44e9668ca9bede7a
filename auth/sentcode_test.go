package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

func TestSentCodes(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p := newPhones(t, "ann@example.com", annsPhone)
		s := newSentSite(t, kind, p)
		ann, bob := s.user(t, "ann@example.com"), s.user(t, "bob@example.com")
		if ways, err := s.auth.CodeWays(s.ctx, ann); err != nil || !slices.Equal(ways, []auth.CodeWay{{Name: "sms", Label: "Codes by SMS", To: "…67"}}) {
			t.Error(ways, err)
		}
		if ways, err := s.auth.CodeWays(s.ctx, bob); err != nil || len(ways) > 0 {
			t.Error("who has no number is offered codes:", ways, err)
		}
		client := retorttest.New(t, s.app)
		begin(client, bob.Email, secret).Status(200)
		client.PostForm("/sent/sms", nil).Status(404)
		client.PostForm("/sent/pigeon", nil).Status(404)
		client.PostForm("/sent/pigeon/confirm", url.Values{"code": {"000000"}}).Status(404)

		begin(client, ann.Email, secret).Status(200)
		client.PostForm("/sent/sms", nil).Status(200)
		code := p.code(annsPhone)
		if has, err := auth.HasSecondFactor(s.ctx, ann); has || err != nil {
			t.Error("it is on before the code was given", err)
		}
		confirmSent(client, otherThan(code)).Status(422)
		var recovery []string
		confirmSent(client, code).Status(200).JSON(&recovery)
		if n, err := auth.RecoveryCodesLeft(s.ctx, ann); n != 10 || len(recovery) != 10 || err != nil {
			t.Error(n, recovery, err)
		}
		client.Get("/vault").Contains("gold")
		client.PostForm("/sent/sms", nil).Status(409)
		if way, err := s.auth.CodeWay(s.ctx, ann); err != nil || *way != (auth.CodeWay{Name: "sms", Label: "Codes by SMS", To: "…67"}) {
			t.Error(way, err)
		}
		if way, err := s.auth.CodeWay(s.ctx, bob); err != nil || way != nil {
			t.Error(way, err)
		}

		s.counts.ForgetAll()
		other := retorttest.New(t, s.app)
		begin(other, ann.Email, secret).Status(200)
		code = p.code(annsPhone)
		other.Get("/whoami").Contains("nobody")
		give(other, otherThan(code)).Status(422)
		give(other, code[:3]+" "+code[3:]).Status(200)
		other.Get("/whoami").Contains("ann@example.com")
		other.Get("/vault").Contains("gold")
		if n, err := auth.SentCodes.Count(s.ctx); n != 0 || err != nil {
			t.Error("a code that was used is kept", n, err)
		}

		// A recovery code does, and makes what was sent worthless.
		s.counts.ForgetAll()
		begin(other, ann.Email, secret).Status(200)
		code = p.code(annsPhone)
		give(other, recovery[0]).Status(200)
		begin(other, ann.Email, secret).Status(200)
		give(other, code).Status(422)

		if out, err := s.app.Call(s.ctx, "removesecondfactor", "ann@example.com"); err != nil {
			t.Error(out, err)
		}
		begin(other, ann.Email, secret).Status(200)
		other.Get("/whoami").Contains("ann@example.com")
		p.noMore(s)
		got := s.kinds()
		// Those of what is done in the background are told when they may be.
		sent := len(got) - len(slices.DeleteFunc(slices.Clone(got), func(k auth.EventKind) bool { return k == auth.CodeSent }))
		want := []auth.EventKind{
			auth.LoggedIn, auth.LoggedIn, auth.CodeFailed, auth.SecondFactorOn, auth.CodeFailed, auth.LoggedIn,
			auth.RecoveryCodeUsed, auth.LoggedIn, auth.CodeFailed, auth.SecondFactorOff, auth.LoggedIn,
		}
		if got = slices.DeleteFunc(got, func(k auth.EventKind) bool { return k == auth.CodeSent }); !slices.Equal(got, want) || sent != 3 {
			t.Error(sent, got)
		}
	})
}

// A code works once, also for two requests at the same time, for ten minutes, and until
// there is another.
func TestSecuritySentCodesWorkOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		p := newPhones(t, "ann@example.com", annsPhone)
		s := newSentSite(t, kind, p)
		ann := s.user(t, "ann@example.com")
		s.enrolSent(p, ann.Email, annsPhone)
		clients := make([]*retorttest.Client, 5)
		got := make([]int, len(clients))
		for i := range clients {
			clients[i] = retorttest.New(t, s.app)
			begin(clients[i], ann.Email, secret).Status(200)
		}
		code := p.code(annsPhone) // to all of them one
		var wait sync.WaitGroup
		for i, client := range clients {
			wait.Go(func() { got[i] = give(client, code).Code })
		}
		wait.Wait()
		slices.Sort(got)
		if !slices.Equal(got, []int{200, 422, 422, 422, 422}) {
			t.Errorf("five logins at once with one code: %v", got)
		}

		client := retorttest.New(t, s.app)
		s.counts.ForgetAll()
		begin(client, ann.Email, secret).Status(200)
		first := p.code(annsPhone)
		s.counts.ForgetAll()
		client.PostForm("/another", nil).Status(200)
		second := p.code(annsPhone)
		if first != second {
			give(client, first).Status(422)
		}
		give(client, second).Status(200)

		s.counts.ForgetAll()
		begin(client, ann.Email, secret).Status(200)
		late := p.code(annsPhone)
		s.clock.Add(9 * time.Minute)
		begin(client, ann.Email, secret).Status(200) // a new half, and no new code
		s.clock.Add(2 * time.Minute)
		give(client, late).Status(422)
		s.counts.ForgetAll()
		client.PostForm("/another", nil).Status(200)
		give(client, p.code(annsPhone)).Status(200)
		p.noMore(s)
	})
}

// A code is good for the user to whom it was sent, at that address, and for what it was
// sent for.
func TestSecuritySentCodesAreBound(t *testing.T) {
	t.Parallel()
	p := newPhones(t, "ann@example.com", annsPhone, "bob@example.com", bobsPhone)
	s := newSentSite(t, testdb.SQLite, p)
	ann, bob := s.user(t, "ann@example.com"), s.user(t, "bob@example.com")

	// Not for switching on in the name of another, and not for a login.
	client := retorttest.New(t, s.app)
	begin(client, ann.Email, secret).Status(200)
	client.PostForm("/sent/sms", nil).Status(200)
	enrolment := p.code(annsPhone)
	other := retorttest.New(t, s.app)
	begin(other, bob.Email, secret).Status(200)
	confirmSent(other, enrolment).Status(422)
	factor := auth.SecondFactors.New()
	factor.User.Set(ann)
	factor.Way, factor.Created = "sms", time.Now()
	if err := auth.SecondFactors.Insert(s.ctx, factor); err != nil {
		t.Fatal(err)
	}
	half := retorttest.New(t, s.app)
	begin(half, ann.Email, secret).Status(200) // too soon for a code
	give(half, enrolment).Status(422)
	if err := s.auth.RemoveSecondFactor(s.ctx, ann); err != nil {
		t.Fatal(err)
	}
	confirmSent(client, enrolment).Status(422) // it went with the factor
	s.counts.ForgetAll()

	// In another's half login.
	s.enrolSent(p, ann.Email, annsPhone)
	s.enrolSent(p, bob.Email, bobsPhone)
	begin(client, ann.Email, secret).Status(200)
	anns := p.code(annsPhone)
	begin(other, bob.Email, secret).Status(200)
	bobs := p.code(bobsPhone)
	if anns != bobs {
		give(client, bobs).Status(422)
		give(other, anns).Status(422)
	}
	// Nor does the row of one do for the other.
	code := auth.SentCodes.Fields()
	row, err := auth.SentCodes.Where(orm.Eq(&code.User.ID, bob.ID)).Get(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := auth.SentCodes.Where(orm.Eq(&code.User.ID, ann.ID)).Update(s.ctx, orm.Set(&code.Hash, row.Hash)); err != nil {
		t.Fatal(err)
	}
	give(client, bobs).Status(422)
	if len(row.Hash) != 43 || strings.Contains(row.Hash, bobs) || strings.Contains(s.log.String(), bobs) || strings.Contains(s.log.String(), bobsPhone) {
		t.Errorf("the code %s can be read: %s\n%s", bobs, row.Hash, &s.log)
	}

	// What was sent to a former address, or to who has none any more, is worth nothing.
	p.set(func() { p.numbers[bob.Email] = "" })
	give(other, bobs).Status(422)
	other.PostForm("/another", nil).Status(200)
	p.set(func() { p.numbers[bob.Email] = annsPhone + "0" })
	give(other, bobs).Status(422)
	s.counts.ForgetAll()
	other.PostForm("/another", nil).Status(200)
	give(other, p.code(annsPhone+"0")).Status(200)
	p.noMore(s)
}

// Another kind of factor does in place of a code, which is worth nothing then.
func TestOtherFactorsBesideSentCodes(t *testing.T) {
	t.Parallel()
	p := newPhones(t, "ann@example.com", annsPhone)
	s := newSentSite(t, testdb.SQLite, p)
	ann := s.user(t, "ann@example.com")
	b := badges{ann.ID: "gold"}
	s.auth.AddFactor(b)
	s.app.Post("/badge", func(c *retort.Ctx) error {
		if _, err := s.auth.FinishLoginBy(c, b, "gold"); err != nil {
			return err
		}
		return c.Text("in")
	}).DisableCSRF()
	s.enrolSent(p, ann.Email, annsPhone)
	client, other := retorttest.New(t, s.app), retorttest.New(t, s.app)
	begin(client, ann.Email, secret).Status(200)
	code := p.code(annsPhone)
	client.PostForm("/badge", nil).Status(200)
	client.Get("/vault").Contains("gold")
	begin(other, ann.Email, secret).Status(200)
	give(other, code).Status(422)
	p.noMore(s)
}

// Half a login with a code that is sent is as any other, and lasts as long as the code.
func TestSecurityHalfLoginOfSentCodes(t *testing.T) {
	t.Parallel()
	p := newPhones(t, "ann@example.com", annsPhone)
	s := newSentSite(t, testdb.SQLite, p)
	ann := s.user(t, "ann@example.com")
	s.enrolSent(p, ann.Email, annsPhone)
	nobody := retorttest.New(t, s.app)
	nobody.PostForm("/another", nil).Status(422)
	client := retorttest.New(t, s.app)
	begin(client, ann.Email, secret).Status(200)
	code := p.code(annsPhone)
	give(nobody, code).Status(422)
	for _, path := range []string{"/private", "/fresh", "/vault"} {
		client.Get(path).RedirectsTo("/login?next=%2F" + path[1:])
	}
	client.PostForm("/sent/sms", nil).Status(303) // to log in
	s.clock.Add(9 * time.Minute)
	s.counts.ForgetAll()
	client.PostForm("/another", nil).Status(200)
	code = p.code(annsPhone)
	s.clock.Add(2 * time.Minute)
	give(client, code).Status(422)
	client.PostForm("/another", nil).Status(422)

	begin(client, ann.Email, secret).Status(200)
	if err := s.auth.SetPassword(s.ctx, ann, "another password"); err != nil {
		t.Fatal(err)
	}
	s.counts.ForgetAll()
	client.PostForm("/another", nil).Status(422)
	give(client, code).Status(422)
	begin(client, ann.Email, "another password").Status(200)
	give(client, p.code(annsPhone)).Status(200)
	p.noMore(s)
}

// Guesses are bounded for the user, wherever they come from, with another code as well.
func TestSecurityGuessesOfSentCodesAreThrottled(t *testing.T) {
	t.Parallel()
	p := newPhones(t, "ann@example.com", annsPhone)
	s := newSentSite(t, testdb.SQLite, p)
	ann := s.user(t, "ann@example.com")
	s.enrolSent(p, ann.Email, annsPhone)
	begin(retorttest.New(t, s.app), ann.Email, secret).Status(200)
	code := p.code(annsPhone)
	for i := range 10 {
		client := retorttest.New(t, s.app)
		begin(client, ann.Email, secret).Status(200)
		give(client, []string{otherThan(code), "", "x", code + "0", strings.Repeat(code, 10_000)}[i%5]).Status(422)
	}
	client := retorttest.New(t, s.app)
	begin(client, ann.Email, secret).Status(200)
	if got := give(client, code).Status(429); got.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	// So are those when it is switched on.
	if err := s.auth.RemoveSecondFactor(s.ctx, ann); err != nil {
		t.Fatal(err)
	}
	begin(client, ann.Email, secret).Status(200)
	confirmSent(client, code).Status(429)
	p.noMore(s)
}

// CVE class "flooding": however often somebody asks, few codes are sent, and the answers
// do not tell which.
func TestSecurityFewCodesAreSent(t *testing.T) {
	t.Parallel()
	p := newPhones(t, "ann@example.com", annsPhone)
	s := newSentSite(t, testdb.SQLite, p)
	ann := s.user(t, "ann@example.com")
	client := retorttest.New(t, s.app)
	begin(client, ann.Email, secret).Status(200)
	for range 10 {
		client.PostForm("/sent/sms", nil).Status(200)
	}
	confirmSent(client, p.code(annsPhone)).Status(200)
	if n := len(p.tried); n != 0 {
		t.Errorf("%d codes more", n)
	}
	s.counts.ForgetAll()
	var first, later string
	for i := range 10 {
		begin(client, ann.Email, secret).Status(200)
		got := client.PostForm("/another", nil).Status(200)
		text := fmt.Sprint(got.Text(), len(got.Header()))
		if i == 0 {
			first = text
		}
		later = text
	}
	if first != later {
		t.Errorf("%q, later %q", first, later)
	}
	give(client, p.code(annsPhone)).Status(200)
	p.noMore(s)
}

// Who cannot be sent a code has recovery codes.
func TestCodesThatCannotBeSent(t *testing.T) {
	t.Parallel()
	p := newPhones(t, "ann@example.com", annsPhone)
	s := newSentSite(t, testdb.SQLite, p)
	ann := s.user(t, "ann@example.com")
	_, recovery := s.enrolSent(p, ann.Email, annsPhone)
	client := retorttest.New(t, s.app)

	p.set(func() { p.broken = errors.New("the provider is away") })
	begin(client, ann.Email, secret).Status(200)
	p.code(annsPhone) // which nobody got
	p.set(func() { p.broken = nil })
	give(client, recovery[0]).Status(200)

	// A code that was sent all the same is one.
	s.counts.ForgetAll()
	p.set(func() { p.broken = errors.New("timed out") })
	begin(client, ann.Email, secret).Status(200)
	code := p.code(annsPhone)
	give(client, code).Status(200)

	// The address is not known now.
	p.set(func() { p.unknown = errors.New("the directory is away") })
	begin(client, ann.Email, secret).Status(200)
	if way, err := s.auth.CodeWay(s.ctx, ann); err != nil || way.Name != "sms" || way.To != "" {
		t.Error(way, err)
	}
	give(client, "123456").Status(503)
	give(client, recovery[1]).Status(200)
	p.set(func() { p.unknown = nil })

	// The site sends codes otherwise now.
	factor := auth.SecondFactors.Fields()
	if _, err := auth.SecondFactors.Where(orm.Eq(&factor.User.ID, ann.ID)).Update(s.ctx, orm.Set(&factor.Way, "pigeon")); err != nil {
		t.Fatal(err)
	}
	begin(client, ann.Email, secret).Status(200)
	if way, err := s.auth.CodeWay(s.ctx, ann); err != nil || *way != (auth.CodeWay{Name: "pigeon"}) {
		t.Error(way, err)
	}
	give(client, "123456").Status(422)
	give(client, recovery[2]).Status(200)
	p.noMore(s)
	for _, want := range []string{"the provider is away", "timed out", "the directory is away", "way=pigeon"} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, &s.log)
		}
	}
}

// The words of a message are found in the request, and it is sent after it.
func TestComposedCodes(t *testing.T) {
	t.Parallel()
	p := newPhones(t, "ann@example.com", annsPhone)
	sender := p.sender()
	send := sender.Send
	sender.Send = nil
	var broken error
	sender.Compose = func(c *retort.Ctx, user *auth.User, to, code string) (func(ctx context.Context) error, error) {
		if c.Path() == "" || user.Email != "ann@example.com" {
			t.Error("not in the request of Ann")
		}
		return func(ctx context.Context) error { return send(ctx, user, to, code) }, broken
	}
	s := newFactorSite(t, testdb.SQLite, sender)
	ann := s.user(t, "ann@example.com")
	factor := auth.SecondFactors.New()
	factor.User.Set(ann)
	factor.Way, factor.Created = "sms", time.Now()
	if err := auth.SecondFactors.Insert(s.ctx, factor); err != nil {
		t.Fatal(err)
	}
	client := retorttest.New(t, s.app)
	begin(client, ann.Email, secret).Status(200)
	give(client, p.code(annsPhone)).Status(200)
	s.counts.ForgetAll()
	broken = errors.New("no such template")
	begin(retorttest.New(t, s.app), ann.Email, secret).Status(200)
	p.noMore(s)
	if !strings.Contains(s.log.String(), "no such template") {
		t.Error(s.log.String())
	}
}

func TestCodeSendersAreChecked(t *testing.T) {
	t.Parallel()
	good := newPhones(t).sender()
	for want, change := range map[string]func(s *auth.CodeSender){
		"no Name for":    func(s *auth.CodeSender) { s.Name = "By SMS" },
		`not "app"`:      func(s *auth.CodeSender) { s.Name = auth.AppWay },
		"30 at most":     func(s *auth.CodeSender) { s.Name = strings.Repeat("x", 31) },
		"small letters":  func(s *auth.CodeSender) { s.Name = "" },
		"needs a Label":  func(s *auth.CodeSender) { s.Label = "" },
		"an Address":     func(s *auth.CodeSender) { s.Address = nil },
		"either Send or": func(s *auth.CodeSender) { s.Send = nil },
		"or Compose": func(s *auth.CodeSender) {
			s.Compose = func(*retort.Ctx, *auth.User, string, string) (func(context.Context) error, error) { return nil, nil }
		},
		"two CodeSenders": func(*auth.CodeSender) {},
	} {
		bad := good
		change(&bad)
		app := retort.New(retort.Config{SecretKey: "a key for these tests only, nowhere else"})
		app.Install(auth.New(auth.Options{CodeSenders: []auth.CodeSender{good, bad}}))
		if err := app.Prepare(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	app := retort.New(retort.Config{SecretKey: "a key for these tests only, nowhere else"})
	e := auth.New()
	app.Install(e)
	if err := e.AddCodeSender(good); err != nil {
		t.Error(err)
	}
	if err := e.AddCodeSender(good); err == nil {
		t.Error("one name twice")
	}
	if err := app.Prepare(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("the app serves, and gets another way to send codes")
		}
	}()
	good.Name = "other"
	_ = e.AddCodeSender(good)
}
