package accounts

import (
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/template"
	"github.com/retort-web/retort/validate"
)

// page answers with a template, which sees what the options say that there is, or
// with the same as JSON.
func (e *Extension) page(c *retort.Ctx, status int, name string, data map[string]any) error {
	if data == nil {
		data = map[string]any{}
	}
	if _, has := data["more"]; !has {
		data["more"] = nil
	}
	data["signup_open"] = e.options.SignUp != SignUpClosed
	data["login_links"] = e.options.LoginLinks
	data["api_tokens"] = len(e.options.TokenScopes) > 0
	data["may_delete"] = !e.options.KeepAccounts
	if c.PrefersJSON() {
		return pageAsJSON(c, status, strings.TrimSuffix(name, ".html"), data)
	}
	return c.Status(status).Render("accounts/"+name, data)
}

// message says what was done, or why nothing was.
func (e *Extension) message(c *retort.Ctx, status int, kind string) error {
	title, text := form.Translate(c, messages[kind].title), form.Translate(c, messages[kind].text)
	if !c.PrefersJSON() {
		return e.page(c, status, "message.html", map[string]any{"kind": kind, "title": title, "text": text})
	}
	if status >= 400 {
		refused := retort.NewError(status, title+". "+text)
		refused.Fields = validate.Errors{{Code: kind, Message: title}}
		return refused
	}
	return c.JSON(messageAnswer{Kind: kind, Message: text})
}

// goTo redirects to a path or a route.
func (e *Extension) goTo(c *retort.Ctx, to string) error {
	address, err := e.address(c, to)
	if err != nil {
		return err
	}
	return e.sendTo(c, address)
}

// sendTo redirects to an address. A script is told it, who has logged in by now, and
// what the page there would say; the token of before is worth nothing after a login.
func (e *Extension) sendTo(c *retort.Ctx, address string) error {
	if !c.PrefersJSON() {
		return c.Redirect(address)
	}
	user, err := auth.Current(c)
	if err != nil {
		return err
	}
	answer := nextAnswer{Next: address, User: publicUser(user), Messages: []string{}}
	for _, m := range c.Flashes() {
		answer.Messages = append(answer.Messages, m.Text)
	}
	answer.CSRFToken = c.CSRFToken()
	return c.JSON(answer)
}

// The answers to scripts, beside the pages.
type (
	nextAnswer struct {
		Next      string      `json:"next"`
		User      *userAnswer `json:"user"`
		Messages  []string    `json:"messages"`
		CSRFToken string      `json:"csrf_token"`
	}
	halfAnswer struct {
		SecondFactor bool   `json:"second_factor"`
		Way          string `json:"way"`               // "app", or that of codes that are sent
		SentTo       string `json:"sent_to,omitempty"` // masked
		Send         string `json:"send,omitempty"`    // where to post to for another code
		Next         string `json:"next"`
		CSRFToken    string `json:"csrf_token"`
	}
	messageAnswer struct {
		Kind    string `json:"kind"`
		Message string `json:"message"`
	}
)

// userAnswer is what a script is told of the user: what the page of the profile shows.
type userAnswer struct {
	ID           int64  `json:"id"`
	Email        string `json:"email"`
	Name         string `json:"name"`
	Verified     bool   `json:"verified"`
	Impersonator string `json:"impersonator,omitempty"`
}

func publicUser(u *auth.User) *userAnswer {
	if u == nil {
		return nil
	}
	answer := &userAnswer{ID: u.ID, Email: u.Email, Name: u.Name, Verified: u.Verified != nil}
	if by := auth.Impersonator(u); by != nil {
		answer.Impersonator = by.Email
	}
	return answer
}

type fieldAnswer struct {
	Name     string         `json:"name"`
	Kind     string         `json:"kind"`
	Label    string         `json:"label,omitempty"`
	Help     string         `json:"help,omitempty"`
	Required bool           `json:"required"`
	Value    string         `json:"value,omitempty"`
	Values   []string       `json:"values,omitempty"` // of a field that takes several
	Options  []optionAnswer `json:"options,omitempty"`
}

type optionAnswer struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

type sessionAnswer struct {
	Key      string    `json:"key"`
	Agent    string    `json:"agent"`
	Browser  string    `json:"browser"`
	System   string    `json:"system"`
	Address  string    `json:"address"`
	LoggedIn time.Time `json:"logged_in"`
	LastSeen time.Time `json:"last_seen"`
	Current  bool      `json:"current"`
}

type tokenAnswer struct {
	ID       int64             `json:"id"`
	Name     string            `json:"name"`
	Prefix   string            `json:"prefix"`
	Scopes   []auth.Permission `json:"scopes"`
	Created  time.Time         `json:"created"`
	LastUsed *time.Time        `json:"last_used"`
	Expires  *time.Time        `json:"expires"`
}

// shownForm is a form of any struct.
type shownForm interface {
	Err() error
	Errors() validate.Errors
	TemplateValue() (any, error)
}

// pageAsJSON answers with what a page shows. A form that was refused is the error that
// it is for every script: see [retort.Problem].
func pageAsJSON(c *retort.Ctx, status int, name string, data map[string]any) error {
	var faults validate.Errors
	var fields []fieldAnswer
	answer := map[string]any{"page": name}
	for _, key := range []string{"form", "more"} {
		f, ok := data[key].(shownForm)
		if !ok {
			continue
		}
		if err := f.Err(); err != nil {
			return err
		}
		faults = append(faults, f.Errors()...)
		more, err := fieldsOf(f)
		if err != nil {
			return err
		}
		fields = append(fields, more...)
	}
	if status >= 400 {
		refused := retort.NewError(status, "")
		refused.Fields = faults
		if late := c.Header().Get("Retry-After"); late != "" {
			refused.Header = map[string][]string{"Retry-After": {late}}
		}
		return refused
	}
	for key, value := range data {
		if told, ok := tell(value); ok {
			answer[key] = told
		}
	}
	if fields != nil {
		answer["fields"] = fields
	}
	answer["csrf_token"] = c.CSRFToken()
	return c.JSON(answer)
}

// tell is what scripts are told of a value that a template sees. What is not known here
// is not told, so that no page gives more away than it shows.
func tell(value any) (any, bool) {
	switch v := value.(type) {
	case string, bool, int64, []string:
		return v, true
	case *auth.User:
		return publicUser(v), true
	case *auth.Enrolment:
		return map[string]string{"uri": v.URI, "secret": v.Secret}, true
	case *auth.APIToken:
		return tokenAnswerOf(v), true
	case []*auth.APIToken:
		list := make([]tokenAnswer, len(v))
		for i, t := range v {
			list[i] = tokenAnswerOf(t)
		}
		return list, true
	case []openSession:
		list := make([]sessionAnswer, len(v))
		for i, s := range v {
			list[i] = sessionAnswer{s.Key, s.Agent, s.Browser, s.System, s.Address, s.LoggedIn, s.LastSeen, s.Current}
		}
		return list, true
	case []codeWay:
		list := make([]map[string]string, len(v))
		for i, w := range v {
			list[i] = map[string]string{"way": w.Name, "label": w.Label, "sent_to": w.To, "send": w.Send}
		}
		return list, true
	case []offered:
		list := []map[string]any{}
		for _, o := range v {
			if o.Template == "" { // what has one is for the scripts of the page
				list = append(list, map[string]any{"label": o.Label, "url": o.URL, "post": o.Post})
			}
		}
		return list, true
	}
	return nil, false
}

func tokenAnswerOf(t *auth.APIToken) tokenAnswer {
	return tokenAnswer{t.ID, t.Name, t.Prefix, append([]auth.Permission{}, t.Scopes...), t.Created, t.LastUsed, t.Expires}
}

// fieldsOf describes the fields of a form.
func fieldsOf(f shownForm) ([]fieldAnswer, error) {
	view, err := f.TemplateValue()
	if err != nil {
		return nil, err
	}
	attr, ok := view.(template.Attributer)
	if !ok {
		return nil, nil
	}
	value, _ := attr.TemplateAttr("fields")
	list, _ := value.([]*form.Field)
	fields := make([]fieldAnswer, len(list))
	for i, field := range list {
		fields[i] = fieldAnswer{Name: field.Name(), Kind: field.Kind(), Label: field.Label(), Help: field.Help(), Required: field.Required()}
		if field.Multiple() {
			fields[i].Values = field.Values()
		} else if field.Kind() != "password" {
			fields[i].Value = field.Value()
		}
		for _, o := range field.Options() {
			fields[i].Options = append(fields[i].Options, optionAnswer{o.Value, o.Label})
		}
	}
	return fields, nil
}
