package retort

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/retort-web/retort/bind"
)

// Method returns the request's method.
func (c *Ctx) Method() string { return c.request.Method }

// Path returns the request's path, decoded.
func (c *Ctx) Path() string { return c.request.URL.Path }

// Route returns the pattern of the route that was matched, or "".
func (c *Ctx) Route() string {
	if c.endpoint == nil {
		return ""
	}
	return c.endpoint.match.Pattern
}

// RouteName returns the full name of the route that was matched, or "".
func (c *Ctx) RouteName() string {
	if c.endpoint == nil {
		return ""
	}
	return c.endpoint.name
}

// RouteMark returns the value that [Route.Mark] kept under the key with the route
// that was matched, or nil.
func (c *Ctx) RouteMark(key any) any {
	if c.endpoint == nil {
		return nil
	}
	return c.endpoint.route.values[key]
}

// Param returns a route variable as text, decoded, or "" if the route has none
// of that name.
func (c *Ctx) Param(name string) string { return c.params.Get(name) }

// Param returns a route variable as a T: any basic kind, what the route's
// converter made of it, or a type that reads itself from text. A text that is
// no T is a 404, for it names nothing.
func Param[T any](c *Ctx, name string) (T, error) {
	var v T
	text, ok := c.params.Lookup(name)
	if !ok {
		return v, fmt.Errorf("retort: route %s has no variable %s", c.Route(), name)
	}
	if made, ok := c.params.Value(name).(T); ok {
		return made, nil
	}
	if err := parseText(&v, text); err != nil {
		if errors.Is(err, errNoText) {
			return v, err
		}
		return v, NotFound("").Wrap(err)
	}
	return v, nil
}

// Query returns the first value of a query parameter, or "".
func (c *Ctx) Query(name string) string { return c.QueryValues().Get(name) }

// QueryValues returns the query, parsed once. What is not well-formed in it is
// left out; more than [Limits].FormFields parameters are cut.
func (c *Ctx) QueryValues() url.Values {
	if c.query == nil {
		raw := c.request.URL.RawQuery
		if strings.Count(raw, "&") >= c.limits().FormFields {
			fields := strings.SplitN(raw, "&", c.limits().FormFields+1)
			raw = strings.Join(fields[:c.limits().FormFields], "&")
		}
		c.query, _ = url.ParseQuery(raw)
	}
	return c.query
}

// Query returns a query parameter as a T, or fallback when it is absent. A
// text that is no T is a 400 that names the parameter.
func Query[T any](c *Ctx, name string, fallback T) (T, error) {
	text := c.Query(name)
	if text == "" {
		return fallback, nil
	}
	var v T
	if err := parseText(&v, text); err != nil {
		if errors.Is(err, errNoText) {
			return fallback, err
		}
		return fallback, BadRequest("The parameter " + name + " is not valid.").Wrap(err)
	}
	return v, nil
}

// parseText reads text as package bind does.
func parseText[T any](v *T, text string) error {
	parse := bind.ParseOf(reflect.TypeFor[T]())
	if parse == nil {
		return fmt.Errorf("%w: %T", errNoText, *v)
	}
	if fault := parse(reflect.ValueOf(v).Elem(), text, nil); fault != nil {
		return fault
	}
	return nil
}

// errNoText is a mistake in the program, not in the request.
var errNoText = errors.New("retort: the type cannot be read from text; use a basic kind or one with UnmarshalText")

// Form returns the form that the body holds, parsed once; its files are
// removed when the request ends. A request without a body has an empty one. A
// body that is over a limit is a 413, one that is malformed a 400, one that is
// no form a 415.
func (c *Ctx) Form() (*bind.FormData, error) {
	if c.form == nil && c.seldom.formErr == nil {
		var err error
		if c.form, err = bind.Form(c.request, c.limits().bindLimits()); err != nil {
			c.rarely().formErr = err
		}
	}
	return c.form, c.seldom.formErr
}

// FormValue returns the first value of a form field, or "" also when the form
// cannot be read: see [Ctx.Form] to tell the two apart.
func (c *Ctx) FormValue(name string) string {
	form, err := c.Form()
	if err != nil || form == nil {
		return ""
	}
	return form.Values.Get(name)
}

// FormFile returns the first uploaded file of that field. One that is missing is a
// 400 that names the field.
func (c *Ctx) FormFile(name string) (*bind.File, error) {
	form, err := c.Form()
	if err != nil {
		return nil, err
	}
	if files := form.Files[name]; len(files) > 0 {
		return files[0], nil
	}
	if c.app.config.Debug && len(form.Files) == 0 && form.Values.Has(name) {
		return nil, BadRequest("The field " + name + " came as text: the form lacks enctype=\"multipart/form-data\".")
	}
	return nil, BadRequest("The file " + name + " is missing.")
}

// DecodeJSON reads the body, which must be JSON, into v; see [Ctx.Bind] for
// more than the body.
func (c *Ctx) DecodeJSON(v any) error { return bind.JSON(c.request, v, c.limits().bindLimits()) }

// Bind fills a struct from the request by the tags of its fields (path, query,
// header, cookie, form, json) and validates it. All that is wrong comes back
// as one error, answered with 400 (413, 415) and the list of fields. See
// package bind.
func (c *Ctx) Bind(v any) error {
	source := bind.Source{
		Request: c.request, Response: c.response.out, Context: c, Path: &c.params, Limits: c.limits().bindLimits(),
	}
	if c.form != nil || hasForm(c.request) {
		source.Form = c.Form
	}
	return bind.Struct(v, source)
}

// Cookie returns the value of a cookie, with what is percent-encoded in it
// decoded, and whether it was sent.
func (c *Ctx) Cookie(name string) (string, bool) { return bind.Cookie(c.request, name) }

// RequestHeader returns the first value of a request header, or "".
func (c *Ctx) RequestHeader(name string) string { return c.request.Header.Get(name) }

// BearerToken returns the token of an "Authorization: Bearer" header (RFC
// 6750), or "".
func (c *Ctx) BearerToken() string {
	scheme, token, ok := strings.Cut(c.request.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// isJSON reports whether a content type is JSON: application/json or a type
// with the suffix +json (RFC 6839).
func isJSON(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.ToLower(strings.TrimSpace(t))
	return t == "application/json" || strings.HasPrefix(t, "application/") && strings.HasSuffix(t, "+json")
}

// hasForm reports whether the body is announced as a form.
func hasForm(r *http.Request) bool {
	t := first(r.Header["Content-Type"])
	if t == "" || t == "application/json" {
		return false
	}
	t, _, _ = strings.Cut(t, ";")
	t = strings.ToLower(strings.TrimSpace(t))
	return t == "application/x-www-form-urlencoded" || t == "multipart/form-data"
}
