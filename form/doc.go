// Package form makes HTML forms of models and of plain structs: it renders
// them, reads what was sent, says what is wrong with it, and saves it.
//
//	func postForm(p *Post) form.Options {
//		return form.Options{
//			Fields:  form.Fields(&p.Title, &p.Body, &p.Author, &p.Tags),
//			Widgets: form.Widgets{&p.Body: form.Textarea{Rows: 12}},
//		}
//	}
//
//	func newPost(c *retort.Ctx) error {
//		f := form.For(c, postForm)
//		if saved, err := f.Save(c); err != nil {
//			return err
//		} else if saved {
//			return c.Redirect("/posts")
//		}
//		return c.Status(f.Status()).Render("edit.html", map[string]any{"form": f})
//	}
//
// To change a row, give it to [FormOf.Instance].
//
// # Fields
//
// A pointer to a field is its name, as in package orm. A form of a model has the
// fields that are listed and no others, whatever a request sends. A struct that
// is no model is the description of its form: it has all exported fields that
// are not tagged form:"-", unless Fields lists some. Struct tags say the rest:
//
//	type Login struct {
//		Email    string `validate:"required,email"`
//		Password string `validate:"required" widget:"password" help:"At least 12 characters"`
//		Remember bool   `form:"remember" label:"Stay signed in"`
//	}
//
// What a model knows of its fields (size, NULL, choices, uniqueness, label, help)
// and what validate tags say holds for the form too, in the browser by
// attributes such as required and maxlength, and in any case on the server.
//
// # What happens to input
//
// A form is submitted when the request is a POST, PUT or PATCH. Then for each
// field its text becomes a value of the field's type; the rules of the model and
// of its validate tag are checked; choices, and rows referred to, must exist; and
// the field's function in [Options.Check] sees the value. Values that must be
// unique are looked for. If all fields are right the struct's Validate method and
// [Options.Clean] see the whole. Every error found is shown, beside its field and
// in a list at the top, and every input is shown again as it was typed, but for
// passwords and files.
//
// Disabled fields ignore what was sent. A field whose text is the one that was
// shown keeps its value to the last digit, though the text shows less of it.
//
// A JSON body goes through the same checks; see [For].
//
// # More than one form
//
// [FormsetFor] makes a formset, several forms of one struct, and [InlineFor] one of the
// rows that belong to the row of another form; [SaveAll] writes them in one transaction.
// [Wizard] is a form in steps. [New] gives all forms of an app a look and a language.
//
// # Templates
//
// In a template {{ form }} is everything between <form> and its buttons: the
// token against forged requests, the list of errors, all fields. For a layout of
// one's own the pieces are, of the form:
//
//	<form {{ form.attrs }}>   method, and enctype if there are files
//	{{ form.hidden }}         the token and hidden fields
//	{{ form.errors_tag }}     the list of all errors
//	{{ form.media }}          the style sheets and scripts of the widgets
//	{{ form.as_table }}       the whole form in rows; also as_list, as_p
//	{% for field in form %}   the visible fields
//	form.title, form["title"] a field
//	form.errors               messages about the whole form
//	form.multipart, form.submitted, form.valid, form.changed, form.fields
//
// and of a field:
//
//	{{ field }}               label, input, help and errors in a div
//	{{ field.label_tag }}     the <label>
//	{{ field.input }}         the input
//	{{ field.help_tag }}      the help, if there is one
//	{{ field.errors_tag }}    the errors, if there are any
//	{{ field.attrs(class="wide", rows=4).input }}, or attr("class", "wide", "rows", 4)
//	field.name, id, label, help, value, values, errors, options, required, disabled, hidden,
//	changed, multiple, kind, classes, attributes
//
// The classes in the HTML are "field" on each field, with "invalid" and
// "required" where that is so and the widget's kind ("text", "checkbox",
// "select" …), "help" and "errors" on those, "error-summary" on the list at the
// top and "options" on a list of checkboxes or radio buttons.
package form
