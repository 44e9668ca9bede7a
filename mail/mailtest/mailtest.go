// Package mailtest keeps the mail of an app for its tests.
package mailtest

import (
	"slices"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/mail"
)

// Outbox has what an app sent.
type Outbox struct {
	tb     testing.TB
	memory mail.Memory
}

// New makes an app keep its mail, whatever its mailers are, instead of sending it.
// The app must have installed package mail.
func New(tb testing.TB, app *retort.App) *Outbox {
	tb.Helper()
	e, ok := app.Extension("mail").(*mail.Extension)
	if !ok {
		tb.Fatal("mailtest: the app has not installed mail.New()")
	}
	o := &Outbox{tb: tb}
	e.Replace("*", &o.memory)
	return o
}

// Messages returns what was sent so far, the oldest first.
func (o *Outbox) Messages() []*mail.Message {
	sent := o.memory.Sent()
	list := make([]*mail.Message, len(sent))
	for i, e := range sent {
		list[i] = e.Message
	}
	return list
}

// Only returns the one message that was sent since the last Reset; the test fails
// if there are none or several.
func (o *Outbox) Only() *mail.Message {
	o.tb.Helper()
	list := o.Messages()
	if len(list) != 1 {
		subjects := make([]string, len(list))
		for i, m := range list {
			subjects[i] = m.Subject
		}
		o.tb.Fatalf("%d messages were sent instead of one: %q", len(list), subjects)
	}
	return list[0]
}

// WaitFor returns the first n messages when they were sent, for those that an app
// sends in the background; after half a minute the test fails.
func (o *Outbox) WaitFor(n int) []*mail.Message {
	o.tb.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if list := o.Messages(); len(list) >= n {
			return list[:n]
		} else if time.Now().After(deadline) {
			o.tb.Fatalf("%d messages were sent instead of %d", len(list), n)
		}
	}
}

// To returns the messages that an address got, also by Cc or Bcc.
func (o *Outbox) To(address string) []*mail.Message {
	var list []*mail.Message
	for _, e := range o.memory.Sent() {
		if slices.Contains(e.To, address) {
			list = append(list, e.Message)
		}
	}
	return list
}

// Reset forgets what was sent.
func (o *Outbox) Reset() { o.memory.Reset() }
