package retort

import (
	"context"
	"errors"
	"net/http"
	"strconv"
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

// ServiceUnavailable is answered with 503 and a Retry-After of whole seconds.
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
// limit, 422 for what package validate found, 504 for a deadline, and 500 for
// the rest.
func StatusOf(err error) int {
	var withStatus interface{ HTTPStatus() int }
	var tooLarge *http.MaxBytesError
	var invalid validate.Errors
	switch {
	case errors.As(err, &withStatus):
		if s := withStatus.HTTPStatus(); s >= 400 && s <= 599 {
			return s
		}
		return http.StatusInternalServerError
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &invalid):
		return http.StatusUnprocessableEntity
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

// isHTTPError reports whether err says itself how it is answered.
func isHTTPError(err error) bool {
	var withStatus interface{ HTTPStatus() int }
	var tooLarge *http.MaxBytesError
	var invalid validate.Errors
	return errors.As(err, &withStatus) || errors.As(err, &tooLarge) || errors.As(err, &invalid)
}

// describe returns what the client is told of err besides the status: never
// the text of an error of ours.
func describe(err error, status int) (detail string, fields validate.Errors, header http.Header) {
	var he *HTTPError
	var be *bind.Error
	var invalid validate.Errors
	switch {
	case errors.As(err, &he):
		return he.Detail, he.Fields, he.Header
	case errors.As(err, &be):
		return be.Message, be.Fields, nil
	case errors.As(err, &invalid):
		return "", invalid, nil
	}
	if status < 500 {
		var public interface{ PublicMessage() string }
		if errors.As(err, &public) {
			return public.PublicMessage(), nil, nil
		}
	}
	return "", nil, nil
}
