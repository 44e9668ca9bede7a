// Package validate checks values against rules written once, as struct tags or
// in code, and reports every failure in one error.
//
//	type Signup struct {
//		Email string   `json:"email" validate:"required,email,max=254"`
//		Age   int      `json:"age"   validate:"min=18"`
//		Tags  []string `json:"tags"  validate:"max=5,unique,each,min=2,max=20"`
//	}
//
//	err := validate.Struct(&in) // nil, or validate.Errors
//
// # Rules
//
// A tag is a list of rules separated by commas; [Parse] lists them all. Lengths
// count characters for strings and items for lists and maps; min and max bound
// the value of numbers and durations. The rules after "each" apply to every
// item of a list or value of a map.
//
// An empty string is a field that was left blank: it passes every rule but
// required, as a blank input does in a browser. A nil pointer is likewise
// absent. Numbers and lists are always checked.
//
// # Rules that need more than one field
//
// A type with a method Validate() error, or Validate(context.Context) error, is
// asked after its fields were found right. To tell the client, the method
// returns [Errors] or a [*FieldError], with names relative to itself; any other
// error means that the check could not be made, and is passed to the caller of
// [Struct] as it is.
//
// # Errors
//
// Each failure is a [FieldError]: the field by the name that the client knows,
// a code that does not change between versions, the parameters, and an English
// sentence made from code and parameters, so that it can be made again in
// another language.
package validate

import (
	"strings"
)

// maxErrors bounds the failures listed by one check, so that hostile input
// cannot make an answer much larger than itself.
const maxErrors = 100

// A FieldError says that one value breaks one rule.
type FieldError struct {
	// Field is the name as the client sent it, such as "title" or
	// "items[2].price". It is empty when the error concerns the whole.
	Field string `json:"field"`

	// Code names the rule for programs: "required", "min_length", "email" …
	// Codes are stable.
	Code string `json:"code"`

	// Message is an English sentence without subject, such as "must have at
	// least 3 characters". It never holds the refused value.
	Message string `json:"message"`

	// Params are the numbers and words of the message, such as "min": 3.
	Params map[string]any `json:"params,omitempty"`
}

// NewError makes a FieldError for use in Validate methods. With an empty message
// the English sentence of a known code is taken.
func NewError(field, code, message string) *FieldError {
	if message == "" {
		message = Message(code, nil)
	}
	return &FieldError{Field: field, Code: code, Message: message}
}

// Fault makes a FieldError whose message follows from code and parameters. The
// field is filled in by whoever knows the path.
func Fault(code string, params map[string]any) *FieldError {
	return &FieldError{Code: code, Message: Message(code, params), Params: params}
}

// Error returns "field: message", or the message alone without a field.
func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// Errors are the failures of one check, in the order of the fields. An empty
// list is no error: return it through [Errors.Err].
type Errors []FieldError

// Error joins the failures with semicolons.
func (e Errors) Error() string {
	if len(e) == 0 {
		return "validate: no errors"
	}
	var b strings.Builder
	for i := range e {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(e[i].Error())
	}
	return b.String()
}

// Err returns e as an error, or nil when it is empty.
func (e Errors) Err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// Add appends a failure. With an empty message the English sentence of a known
// code is taken.
func (e *Errors) Add(field, code, message string) {
	*e = append(*e, *NewError(field, code, message))
}

// Has reports whether field failed with code. An empty code asks for any.
func (e Errors) Has(field, code string) bool {
	for i := range e {
		if e[i].Field == field && (code == "" || e[i].Code == code) {
			return true
		}
	}
	return false
}

// ByField groups the failures by field. Those of the whole are under "".
func (e Errors) ByField() map[string]Errors {
	fields := make(map[string]Errors, len(e))
	for i := range e {
		fields[e[i].Field] = append(fields[e[i].Field], e[i])
	}
	return fields
}
