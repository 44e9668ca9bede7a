package auth_test

import (
	"testing"

	"github.com/retort-web/retort/auth"
)

func TestPermissionLabel(t *testing.T) {
	t.Parallel()
	e := auth.New(auth.Options{PermissionLabels: map[auth.Permission]string{
		"things.print":               "Print things, and take them home",
		auth.On(Things, auth.Delete): "Throw things away",
	}})
	for p, want := range map[auth.Permission]string{
		auth.On(Notes, auth.View):         "View notes",
		auth.On(Notes, auth.Add):          "Add notes",
		auth.On(auth.APITokens, "change"): "Change API tokens",
		auth.On(Things, auth.Change):      "Change things",
		auth.On(Things, auth.Delete):      "Throw things away",
		"things.print":                    "Print things, and take them home",
		"office.print_all_invoices":       "Print all invoices",
		"office.öffnen":                   "Öffnen",
		"office.close/door.front":         "Close door front",
		"print":                           "Print",
		"office.view_post":                "View post", // of no model
		auth.AllScopes:                    "Everything that you may",
		"":                                "",
		"office.":                         "office.",
	} {
		if got := e.PermissionLabel(p); got != want {
			t.Errorf("%q is %q, not %q", p, got, want)
		}
	}
}
