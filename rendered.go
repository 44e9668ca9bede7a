package retort

import (
	"context"
	"fmt"
	"slices"
)

// Rendered returns what a template makes outside of a page: a mail, a report.
// Any context will do. The template sees data, the app's filters and globals,
// and the functions static and url, which makes absolute addresses as
// [App.AbsoluteURL] does, since what leaves the site has no page to be relative
// to. What belongs to a request, such as session and csrf_token, is not there.
func (a *App) Rendered(ctx context.Context, name string, data any) (string, error) {
	if err := a.Prepare(); err != nil {
		return "", err
	}
	e, err := a.templates()
	if err != nil {
		return "", err
	}
	b, err := e.rendered(ctx, name, data)
	return string(b), err
}

// AbsoluteURL returns the address of a named route, see [Ctx.URL], with scheme
// and host: what a mail links to. It begins with [Config].BaseURL, or without one
// with the host of the request that the context belongs to, if [Config].Hosts
// names it or in debug mode. A host that is anything the client sent is an error:
// who asks for another's password reset must not choose where its link leads.
func (a *App) AbsoluteURL(ctx context.Context, name string, values ...any) (string, error) {
	values = append(slices.Clone(values), externalKey, true)
	c := From(ctx)
	if a.config.BaseURL != "" || c == nil {
		return a.URL(name, values...)
	}
	if !a.config.Debug && (len(a.config.Hosts) == 0 || slices.Contains(a.config.Hosts, "*")) {
		return "", fmt.Errorf("retort: an absolute address of %q would take its host from the request, which anyone can write; set base_url (RETORT_BASE_URL) or hosts (RETORT_HOSTS)", name)
	}
	return c.URL(name, values...)
}
