package bind

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/retort-web/retort/validate"
)

// An Error is a request that the client must change. Its texts hold no values
// of the request and nothing of the program's types, and may be shown.
type Error struct {
	// Status is 400, 408, 413 or 415.
	Status int

	// Message says what is wrong, as a clause in lower case.
	Message string

	// Fields are the values that cannot be accepted, if the request could be
	// read at all.
	Fields validate.Errors

	// Cause is the underlying error, if any, for logs.
	Cause error
}

// Error returns the message, and the fields with theirs.
func (e *Error) Error() string {
	text := "bind: " + e.Message
	if len(e.Fields) > 0 {
		text += ": " + e.Fields.Error()
	}
	return text
}

// HTTPStatus returns the status.
func (e *Error) HTTPStatus() int { return e.Status }

// Unwrap returns the fields, as [validate.Errors], and the cause.
func (e *Error) Unwrap() []error {
	var inner []error
	if len(e.Fields) > 0 {
		inner = append(inner, e.Fields)
	}
	if e.Cause != nil {
		inner = append(inner, e.Cause)
	}
	return inner
}

func fieldsError(fields validate.Errors) *Error {
	message := "one field is not valid"
	if len(fields) > 1 {
		message = "several fields are not valid"
	}
	return &Error{Status: http.StatusBadRequest, Message: message, Fields: fields}
}

func badRequest(message string, cause error) *Error {
	return &Error{Status: http.StatusBadRequest, Message: message, Cause: cause}
}

// tooMany is for limits on a number of things.
func tooMany(things string, limit int) *Error {
	return &Error{
		Status:  http.StatusRequestEntityTooLarge,
		Message: "the request has more than " + strconv.Itoa(limit) + " " + things,
	}
}

// tooLarge is for limits on bytes.
func tooLarge(thing string, limit int64, cause error) *Error {
	return &Error{
		Status:  http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("%s is larger than %d bytes", thing, limit),
		Cause:   cause,
	}
}

func unsupported(message string) *Error {
	return &Error{Status: http.StatusUnsupportedMediaType, Message: message}
}

// readError turns a failure to read the body into an Error. A body that breaks
// off is the client's doing.
func readError(err error) error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge("the request body", large.Limit, err)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &Error{Status: http.StatusRequestTimeout, Message: "the request body did not arrive in time", Cause: err}
	}
	return badRequest("the request body could not be read to its end", err)
}
