package mail

import (
	"context"
	"errors"
	"sync"
)

// Connector is a [Mailer] that can keep a connection for several calls of Send. That of
// smtp: and smtps: does.
type Connector interface {
	Mailer
	// Connect opens a connection. What it returns sends over it until close is called;
	// it is used by one goroutine at a time.
	Connect(ctx context.Context) (m Mailer, closeConnection func() error, err error)
}

type batchKey struct{}

// Batch runs fn with a context in which all that the mailer of ctx sends goes over one
// connection: for many messages that should not all be in memory at once, as one call of
// [Send] with all of them needs. The connection is opened by the first message, again
// after one that failed, and closed at the end.
//
//	err := mail.Batch(ctx, func(ctx context.Context) error {
//		for user, err := range subscribers.Each(ctx) { … mail.Send(ctx, newsletter(user)) … }
//	})
//
// The error is that of fn, joined with that of closing the connection. Another mailer,
// chosen within fn by [Using], sends as usual.
func Batch(ctx context.Context, fn func(ctx context.Context) error) error {
	e, err := of(ctx)
	if err != nil {
		return err
	}
	name, m, err := e.mailer(ctx)
	if err != nil {
		return err
	}
	connector, ok := m.(Connector)
	if !ok {
		return fn(ctx) // there is nothing to keep
	}
	b := &batch{name: name, connector: connector}
	err = fn(context.WithValue(ctx, batchKey{}, b))
	return errors.Join(err, b.hangUp())
}

// batch is a connection that is kept.
type batch struct {
	name      string // of the mailer
	connector Connector

	mu    sync.Mutex
	open  Mailer // nil: none
	close func() error
	ended bool
}

// Send implements [Mailer].
func (b *batch) Send(ctx context.Context, envelopes []*Envelope) (err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended { // by a goroutine that fn did not wait for
		return b.connector.Send(ctx, envelopes)
	}
	if b.open == nil {
		if b.open, b.close, err = b.connector.Connect(ctx); err != nil {
			b.open = nil
			return notConnected(envelopes, err)
		}
	}
	if err = b.open.Send(ctx, envelopes); err != nil {
		// It is not known what the server thinks now.
		_ = b.close()
		b.open = nil
	}
	return err
}

func (b *batch) hangUp() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	if b.open == nil {
		return nil
	}
	return b.close()
}

// notConnected says of all messages that there was no conversation about them.
func notConnected(envelopes []*Envelope, err error) error {
	var known *connectError
	temporary := errors.As(err, &known) && known.temporary
	failed := make([]Failure, len(envelopes))
	for i, e := range envelopes {
		failed[i] = Failure{Message: e.Message, Err: err, Temporary: temporary}
	}
	return &SendError{failed}
}

// connectError is that a mail server could not be talked to.
type connectError struct {
	cause     error
	temporary bool
}

func (e *connectError) Error() string { return e.cause.Error() }

func (e *connectError) Unwrap() error { return e.cause }
