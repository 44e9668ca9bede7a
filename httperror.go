package retort

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/validate"
)

// ErrResponseSent is returned by an answer that comes after the first byte of
// another one has been sent.
var ErrResponseSent = errors.New("retort: the response has been sent already")

// HTTPError is an error with an answer: its status, and a detail for the
// client. Its cause is for the log and is never shown.
type HTTPError struct {
	Status int
	Detail string          // a sentence for the client; "" shows the status alone
	Header http.Header     // added to the answer: Allow, Retry-After …
	Fields validate.Errors // what was wrong with which field
	Cause  error
}

// NewError makes an error that is answered with the status and the detail.
func NewError(status int, detail string) *HTTPError {
	return &HTTPError{Status: status, Detail: detail}
}

// Error tells status, detail and cause.
func (e *HTTPError) Error() string {
	s := strconv.Itoa(e.Status) + " " + http.StatusText(e.Status)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *HTTPError) Unwrap() error { return e.Cause }

// HTTPStatus returns the status. Any error with this method is answered with
// the status it returns.
func (e *HTTPError) HTTPStatus() int { return e.Status }

// Wrap returns a copy of e with a cause.
func (e *HTTPError) Wrap(cause error) *HTTPError {
	wrapped := *e
	wrapped.Cause = cause
	return &wrapped
}

// BadRequest is answered with 400.
func BadRequest(detail string) *HTTPError { return NewError(http.StatusBadRequest, detail) }

// Unauthorized is answered with 401 and the challenge, such as `Bearer` or
// `Basic realm="staff"`, that says how to sign in (RFC 9110, section 11.6.1).
func Unauthorized(challenge, detail string) *HTTPError {
	e := NewError(http.StatusUnauthorized, detail)
	e.Header = http.Header{"Www-Authenticate": {headerValue(challenge)}}
	return e
}

// Forbidden is answered with 403.
func Forbidden(detail string) *HTTPError { return NewError(http.StatusForbidden, detail) }

// NotFound is answered with 404.
func NotFound(detail string) *HTTPError { return NewError(http.StatusNotFound, detail) }

// MethodNotAllowed is answered with 405 and the methods that are.
func MethodNotAllowed(allow string) *HTTPError {
	e := NewError(http.StatusMethodNotAllowed, "")
	e.Header = http.Header{"Allow": {headerValue(allow)}}
	return e
}

// Conflict is answered with 409.
func Conflict(detail string) *HTTPError { return NewError(http.StatusConflict, detail) }

// Gone is answered with 410.
func Gone(detail string) *HTTPError { return NewError(http.StatusGone, detail) }

// Unprocessable is answered with 422: well-formed, but wrong in these fields.
func Unprocessable(fields validate.Errors) *HTTPError {
	e := NewError(http.StatusUnprocessableEntity, "")
	e.Fields = fields
	return e
}

// TooManyRequests is answered with 429 and a Retry-After of whole seconds.
func TooManyRequests(retryAfter time.Duration, detail string) *HTTPError {
	return retryLater(http.StatusTooManyRequests, retryAfter, detail)
}

// ServiceUnavailable is answered with 503 and a Retry-After of whole seconds. It
// is logged only if it has a cause: whoever decides to refuse a thousand requests
// logs it once.
func ServiceUnavailable(retryAfter time.Duration, detail string) *HTTPError {
	return retryLater(http.StatusServiceUnavailable, retryAfter, detail)
}

func retryLater(status int, after time.Duration, detail string) *HTTPError {
	e := NewError(status, detail)
	if after > 0 {
		seconds := int64((after + time.Second - 1) / time.Second)
		e.Header = http.Header{"Retry-After": {strconv.FormatInt(seconds, 10)}}
	}
	return e
}

// statusClientClosed is logged for a client that went away before the answer;
// nobody receives it.
const statusClientClosed = 499

// StatusOf returns the status that err is answered with: that of the first
// error in its chain with a method HTTPStatus() int, 413 for a body over its
// limit, 422 for what package validate found, 504 for a deadline, 507 for a disk
// that is full, and 500 for the rest.
func StatusOf(err error) int {
	status, _ := statusOf(err)
	return status
}

// withStatus is an error that says how it is answered.
type withStatus interface {
	error
	HTTPStatus() int
}

// statusOf also tells whether err itself says how it is answered.
func statusOf(err error) (status int, own bool) {
	if e, ok := errors.AsType[withStatus](err); ok {
		if s := e.HTTPStatus(); s >= 400 && s <= 599 {
			return s, true
		}
		return http.StatusInternalServerError, true
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge, true
	}
	if _, ok := errors.AsType[validate.Errors](err); ok {
		return http.StatusUnprocessableEntity, true
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return http.StatusGatewayTimeout, false
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return http.StatusInsufficientStorage, false
	}
	return http.StatusInternalServerError, false
}

// isHTTPError reports whether err says itself how it is answered.
func isHTTPError(err error) bool {
	_, own := statusOf(err)
	return own
}

// describe returns what the client is told of err besides the status: never
// the text of an error of ours.
func describe(err error, status int) (detail string, fields validate.Errors, header http.Header) {
	if _, ok := errors.AsType[*panicError](err); ok {
		return "", nil, nil
	}
	if e, ok := errors.AsType[*HTTPError](err); ok {
		return e.Detail, e.Fields, e.Header
	}
	if e, ok := errors.AsType[*bind.Error](err); ok {
		return e.Message, e.Fields, nil
	}
	if invalid, ok := errors.AsType[validate.Errors](err); ok {
		return "", invalid, nil
	}
	if status < 500 {
		if public, ok := errors.AsType[interface {
			error
			PublicMessage() string
		}](err); ok {
			return public.PublicMessage(), nil, nil
		}
	}
	return "", nil, nil
}
