package orm

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/retort-web/retort/validate"
)

// textSizes are the sizes of texts of a certain form, where the tag names none.
var textSizes = map[string]int{"email": 254, "slug": 50, "url": 200}

// makeRules makes the field's rules of the words email, slug, url and regex, and of the
// struct tag "validate", whose rules are those of package validate.
func (f *FieldInfo) makeRules(words tag) error {
	var rules []string
	for _, word := range []string{"email", "slug", "url"} {
		if words.has(word) {
			rules = append(rules, word)
		}
	}
	if own := f.tag.Get("validate"); own != "" && own != "-" {
		rules = append(rules, own)
	}
	if words.has("regex") {
		if strings.Contains(f.tag.Get("validate"), "pattern=") {
			return fmt.Errorf("regex in the orm tag stands beside a pattern in the validate tag")
		}
		rules = append(rules, "pattern="+words["regex"])
	}
	if t := f.Type; t.Kind() != reflect.Pointer {
		f.own = validatorOf(t)
	}
	if len(rules) == 0 {
		return nil
	}
	parsed, err := validate.Parse(strings.Join(rules, ","))
	if err != nil {
		return err
	}
	f.rules, err = parsed.For(f.Type)
	return err
}

// validatorOf finds the Validate method of a field's type.
func validatorOf(t reflect.Type) func(row any) error {
	if !t.Implements(reflect.TypeFor[validate.Validator]()) {
		return nil
	}
	return func(value any) error { return value.(validate.Validator).Validate() }
}
