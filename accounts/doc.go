// Package accounts has the pages of package auth: log in and out, sign up, verify the
// address, change or reset the password, change the address, log in by a link, see and
// end one's sessions, second factors, API tokens, and delete the account.
//
//	app.Install(
//		db.Open(""), dbsession.New(), mail.New(),
//		auth.New(auth.Options{LoginURL: "accounts.login"}),
//		accounts.New(),
//	)
//
// Each page and each mail is a template; one of the app's own of the same name comes
// first: templates/accounts/login.html, templates/accounts/mail/reset.txt. All pages
// extend accounts/base.html, so that one file gives them the look of the site:
//
//	{% extends "base.html" %}
//
// # Scripts
//
// A request that prefers application/json gets from every page what it shows as JSON,
// and no redirect: "fields" and "csrf_token" of a form, {"kind", "message"} of what was
// done, or {"next", "user"}; {"second_factor": true, "way": "app"} if a code is wanted.
// What is refused is a [retort.Problem], with "errors" of fields as everywhere.
//
// # What strangers learn
//
// Nothing about who has an account. Signing up with an address that has one, and
// asking for a new password with one that has none, show the same page, and the mail,
// sent after the answer, tells the owner of the address alone. Links in mails need
// base_url or hosts to be set, see [retort.App.AbsoluteURL].
package accounts
