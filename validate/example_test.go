package validate_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/retort-web/retort/validate"
)

type Event struct {
	Title string    `json:"title" validate:"required,max=40"`
	Tags  []string  `json:"tags" validate:"max=3,unique,each,slug"`
	Start time.Time `json:"start" validate:"required"`
	End   time.Time `json:"end"`
}

// Validate holds the rule that concerns two fields.
func (e *Event) Validate() error {
	if !e.End.IsZero() && e.End.Before(e.Start) {
		return validate.NewError("end", "before_start", "must not be before the start")
	}
	return nil
}

func ExampleStruct() {
	event := Event{Tags: []string{"go", "not a slug"}, Start: time.Now()}
	err := validate.Struct(&event)
	if fields, ok := errors.AsType[validate.Errors](err); ok {
		for _, field := range fields {
			fmt.Printf("%s (%s): %s\n", field.Field, field.Code, field.Message)
		}
	}
	// Output:
	// title (required): is required
	// tags[1] (slug): must consist of letters, digits, hyphens and underscores
}

func ExampleValidator() {
	start := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	fmt.Println(validate.Struct(&Event{Title: "Party", Start: start, End: start.Add(-time.Hour)}))
	// Output: end: must not be before the start
}

func ExampleRules_For() {
	rules, err := validate.Parse("required,min=3")
	if err != nil {
		panic(err)
	}
	checker, err := rules.For(reflect.TypeFor[string]())
	if err != nil {
		panic(err)
	}
	fmt.Println(checker.Check(context.Background(), "name", "Al"))
	// Output: name: must have at least 3 characters
}

func ExampleURL() {
	fmt.Println(validate.URL("https://example.com/a"), validate.URL("javascript:alert(1)"), validate.URL("ftp://example.com", "ftp"))
	// Output: true false true
}
