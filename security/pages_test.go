package security_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/net/html"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/retorttest"
	"github.com/retort-web/retort/security"
)

// everything is a form of many kinds of inputs.
type everything struct {
	Name    string `validate:"required,max=80" help:"As in your passport"`
	Secret  string `widget:"password"`
	Text    string `widget:"textarea"`
	Kind    string `validate:"one_of=idea|bug|other"`
	Choice  string `validate:"one_of=a|b" widget:"radio"`
	Stars   int    `validate:"min=1,max=5"`
	When    time.Time
	Public  bool
	Several []string `validate:"dive,one_of=x|y|z"`
}

// Pages that Retort makes itself do nothing that the strict policy forbids.
func TestPagesOfRetortPassTheStrictPolicy(t *testing.T) {
	t.Parallel()
	for _, debug := range []bool{false, true} {
		cfg := production()
		cfg.Debug, cfg.Hosts = debug, nil
		cfg.Assets = retort.Embed(fstest.MapFS{"templates/form.html": {Data: []byte(`<!doctype html><form method="post">{{ csrf_input() }}{{ form.media }}{{ form }}</form>`)}})
		app := retort.New(cfg)
		app.Install(security.New(), form.New(), mail.New())
		show := func(c *retort.Ctx) error {
			f := form.For[everything](c)
			if f.Valid() {
				return c.Text("valid")
			}
			return c.Render("form.html", map[string]any{"form": f})
		}
		app.Get("/form", show)
		app.Post("/form", show)
		app.Get("/error", func(*retort.Ctx) error { return errors.New("the disk is on fire") })
		app.Get("/panic", func(*retort.Ctx) error { panic("x") })
		app.Get("/redirect", func(c *retort.Ctx) error { return c.Redirect("/form") })
		client := retorttest.New(t, app)
		client.Header.Set("Accept", "text/html")
		paths := []string{"/form", "/error", "/panic", "/nothing", "/redirect", "/form?post"}
		if debug {
			paths = append(paths, "/_mail/")
		}
		for _, path := range paths {
			r := client.NewRequest(http.MethodGet, path, nil)
			if strings.HasSuffix(path, "?post") {
				r = client.NewRequest(http.MethodPost, path, strings.NewReader("name=&stars=99"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			page := client.Do(r)
			policies := page.Header().Values("Content-Security-Policy")
			if len(policies) != 1 || strings.Contains(policies[0], "unsafe") || !strings.Contains(page.Header().Get("Content-Type"), "text/html") {
				t.Errorf("debug %v, %s: status %d, policy %q", debug, path, page.Code, policies)
				continue
			}
			for _, problem := range blocked(page.Text(), policies[0]) {
				t.Errorf("debug %v, %s: %s, which %s forbids", debug, path, problem, policies[0])
			}
		}
	}
}

// blocked lists what of a page the policy forbids.
func blocked(page, policy string) (problems []string) {
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return []string{err.Error()}
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attributes := map[string]string{}
		for _, a := range n.Attr {
			attributes[a.Key] = a.Val
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				problems = append(problems, "<"+n.Data+" "+a.Key+"="+a.Val+">")
			}
		}
		if n.Data != "script" && n.Data != "style" {
			continue
		}
		text := ""
		if n.FirstChild != nil {
			text = n.FirstChild.Data
		}
		sum := sha256.Sum256([]byte(text))
		nonce := attributes["nonce"]
		if (nonce == "" || !strings.Contains(policy, "'nonce-"+nonce+"'")) && !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") &&
			attributes["type"] != "application/json" {
			problems = append(problems, "<"+n.Data+"> without the nonce")
		}
	}
	return problems
}
