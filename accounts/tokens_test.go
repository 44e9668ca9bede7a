package accounts_test

import (
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/retorttest"
)

var tokenInPage = regexp.MustCompile(`<code>(rt_[a-z2-7]{52})</code>`)

func TestTokenPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{TokenScopes: []auth.Permission{"notes.print", auth.AllScopes}})
	s.known("ann@example.com")
	s.Get("/tokens").RedirectsTo("/login?next=%2Ftokens")
	s.login("ann@example.com", secret).RedirectsTo("/")
	s.Get("/profile").Contains("API tokens")
	s.Get("/tokens").Status(200).Contains("> Print (notes.print)<", "> Everything that you may<").Lacks("Your tokens", "(*)")
	s.post("/tokens", "name", "", "days", "30").Status(422)
	s.post("/tokens", "name", "deploy", "days", "31").Status(422)
	page := s.post("/tokens", "name", "deploy <b>", "scopes", "notes.print", "days", "30").Status(200).Contains("deploy &lt;b&gt;")
	text := tokenInPage.FindStringSubmatch(page.Text())
	if text == nil {
		t.Fatal(page.Text())
	}
	s.Get("/tokens").Contains("deploy &lt;b&gt;", "<li>Print <code>notes.print</code></li>", "Never used", "<br>\n    Ends <time datetime=", text[1][:9]).Lacks(text[1])
	list, err := auth.APITokens.All(s.ctx)
	if err != nil || len(list) != 1 || !slices.Equal(list[0].Scopes, []auth.Permission{"notes.print"}) {
		t.Fatal(list, err)
	}
	if left := time.Until(*list[0].Expires); left < 29*24*time.Hour || left > 31*24*time.Hour {
		t.Error(left)
	}
	s.post("/tokens/" + strconv.FormatInt(list[0].ID, 10) + "/revoke").RedirectsTo("/tokens")
	s.Get("/tokens").Contains("was revoked").Lacks("Your tokens")
	s.post("/tokens", "name", "for ever", "days", "0").Status(200)
	if list, err = auth.APITokens.All(s.ctx); err != nil || list[0].Expires != nil || len(list[0].Scopes) != 0 {
		t.Error(list[0], err)
	}
	s.Get("/tokens").Contains("No permissions").Lacks("Ends <time")
	s.post("/tokens", "name", "all", "scopes", string(auth.AllScopes), "days", "0").Status(200).Contains("<li>Everything that you may</li>")
}

// Nobody revokes or sees the tokens of another, and no token has a scope that the site
// does not offer.
func TestSecurityTokenPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, accounts.Options{TokenScopes: []auth.Permission{"notes.print"}})
	ann := s.known("ann@example.com")
	s.known("eve@example.com")
	text, row, err := s.auth.CreateAPIToken(s.ctx, ann, auth.APITokenOptions{Name: "of Ann"})
	if err != nil {
		t.Fatal(err)
	}
	s.login("eve@example.com", secret).RedirectsTo("/")
	s.Get("/tokens").Lacks("of Ann", text[:9])
	s.post("/tokens/" + strconv.FormatInt(row.ID, 10) + "/revoke").Status(404)
	s.post("/tokens/x/revoke").Status(404)
	s.post("/tokens", "name", "all", "scopes", string(auth.AllScopes), "days", "30").Status(422)
	if list, err := auth.APITokens.All(s.ctx); err != nil || len(list) != 1 || list[0].Revoked != nil {
		t.Error(list, err)
	}
	// Without scopes to offer there is no such page.
	retorttest.New(t, newSite(t, accounts.Options{}).app).Get("/tokens").Status(404)
}
