// Package breach refuses passwords that were stolen from other sites:
//
//	auth.New(auth.Options{Policy: password.Policy{
//		Rules: []password.Rule{breach.Rule(breach.Options{})},
//	}})
//
// It asks the range API of Pwned Passwords, or another that speaks like it, and tells it
// the first five of the 40 hexadecimal digits of the password's SHA-1: hundreds of stolen
// passwords begin so, and it learns neither which was meant nor whether it was one.
package breach

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // the API's choice; the hash is no secret's only cover
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/validate"
)

// Code is that of a password which was stolen.
const Code = "password_breached"

// Options are the details of [Rule].
type Options struct {
	// URL is what the first five digits are added to. Default: that of Pwned
	// Passwords, "https://api.pwnedpasswords.com/range/".
	URL string
	// Timeout is how long an answer is waited for. Default: 2s.
	Timeout time.Duration
	// Times is how often a password must have been stolen to be refused. Default: 1.
	Times int
	// OnError is told why the list could not be asked; the password is accepted then.
	// Default: nobody is.
	OnError func(error)
	// Client asks. Default: http.DefaultClient.
	Client *http.Client
}

// maxAnswer bounds what is read of an answer, which has about 40 kB.
const maxAnswer = 1 << 20

// Rule returns a rule that refuses stolen passwords. It may be used from many goroutines.
func Rule(o Options) password.Rule {
	if o.URL == "" {
		o.URL = "https://api.pwnedpasswords.com/range/"
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	if o.Times <= 0 {
		o.Times = 1
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	return func(secret string, _ []string) *validate.FieldError {
		times, err := o.ask(secret)
		if err != nil {
			if o.OnError != nil {
				o.OnError(err)
			}
			return nil
		}
		if times < o.Times {
			return nil
		}
		return &validate.FieldError{Code: Code, Message: "was stolen from another site; take one that you have used nowhere"}
	}
}

// ask returns how often a password was stolen.
func (o *Options) ask(secret string) (times int, err error) {
	sum := sha1.Sum([]byte(secret)) //nolint:gosec // as above
	digits := strings.ToUpper(hex.EncodeToString(sum[:]))
	ctx, cancel := context.WithTimeout(context.Background(), o.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL+digits[:5], nil)
	if err != nil {
		return 0, fmt.Errorf("breach: %w", err)
	}
	// Answers of one length tell nobody on the way how many passwords begin so.
	request.Header.Set("Add-Padding", "true")
	request.Header.Set("User-Agent", "retort")
	response, err := o.Client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("breach: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("breach: the list answered %s", response.Status)
	}
	lines := bufio.NewScanner(io.LimitReader(response.Body, maxAnswer))
	for lines.Scan() {
		rest, count, ok := strings.Cut(strings.TrimSpace(lines.Text()), ":")
		if !ok || !strings.EqualFold(rest, digits[5:]) {
			continue
		}
		if times, err = strconv.Atoi(strings.TrimSpace(count)); err != nil {
			return 0, fmt.Errorf("breach: the list answered %q", count)
		}
		return times, nil
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("breach: %w", err)
	}
	return 0, nil
}
