package db

import (
	"errors"
	"net/http"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/validate"
)

// retryAfter is what a client is told to wait while the database is away.
const retryAfter = time.Second

// translate says how errors of the database are answered; nil for others.
func translate(err error) error {
	switch {
	case errors.Is(err, orm.ErrNotFound):
		return retort.NotFound("").Wrap(err)
	case errors.Is(err, orm.ErrLocked), errors.Is(err, orm.ErrUnavailable), errors.Is(err, orm.ErrReadOnly):
		return retort.ServiceUnavailable(retryAfter, "The database cannot be used at the moment.").Wrap(err)
	case errors.Is(err, orm.ErrFull):
		return retort.NewError(http.StatusInsufficientStorage, "There is no room left to store this.").Wrap(err)
	}
	if refused, ok := errors.AsType[*orm.ConstraintError](err); ok {
		return translateConstraint(err, refused)
	}
	wrong, isField := errors.AsType[*orm.ValueError](err)
	if isField && wrong.Field.Relation == nil {
		e := retort.NewError(http.StatusUnprocessableEntity, "A value is not allowed.").Wrap(err)
		e.Fields = validate.Errors{*wrong.Fault()}
		return e
	}
	// A relation that is not set is a mistake of the program; a text that no column
	// could hold, in a condition, is one of the request.
	if _, ok := errors.AsType[*orm.LookupError](err); ok || !isField && errors.Is(err, orm.ErrValue) {
		return retort.BadRequest("A filter is not valid.").Wrap(err)
	}
	return nil
}

// translateConstraint answers a row that the database refused. The fields are
// named as in forms and JSON. A NULL where none may be is no visitor's doing, but
// a mistake of the program, and stays a 500.
func translateConstraint(err error, refused *orm.ConstraintError) error {
	var e *retort.HTTPError
	message := ""
	switch refused.Kind {
	case orm.UniqueConstraint:
		e, message = retort.Conflict("This exists already."), "exists already"
	case orm.ForeignKeyConstraint:
		e, message = retort.Conflict("Something else refers to this, or this refers to something that does not exist."), "refers to nothing"
	case orm.CheckConstraint:
		e, message = retort.NewError(http.StatusUnprocessableEntity, "A value is not allowed."), "is not allowed"
	default:
		return nil
	}
	for _, field := range refused.Fields() {
		e.Fields = append(e.Fields, validate.FieldError{Field: field.Snake, Message: message, Code: string(refused.Kind)})
	}
	return e.Wrap(err)
}
