// Package oidc lets visitors log in with the account they have elsewhere: at any
// provider of OpenID Connect, and at others that have OAuth 2 and a list of addresses,
// such as GitHub.
//
//	app.Install(
//		db.Open(""), dbsession.New(), mail.New(),
//		auth.New(auth.Options{LoginURL: "accounts.login"}),
//		accounts.New(),
//		oidc.New(oidc.Options{Providers: []oidc.Provider{oidc.Google(), oidc.Keycloak("staff", "https://sso.example.com/realms/staff")}}),
//	)
//
// The pages of package accounts then have a button for each, and the profile leads to
// a page on which users connect and disconnect them. What the provider has given the
// site comes from the environment or retort.toml:
//
//	RETORT_OIDC_GOOGLE_CLIENT_ID=…
//	RETORT_OIDC_GOOGLE_CLIENT_SECRET=…
//
// A provider without a client ID is left out, with a line in the log. The address to
// give to the provider is that of the route oidc.callback:
// https://example.com/login/with/google/callback.
//
// # Who gets into which account
//
// A user is known by the issuer and the subject that it calls them by, an [Identity],
// and never by an address. Who is not known gets an account of their own, if the site
// lets visitors sign up and the provider has verified the address. Where an account has
// this address already nobody is let into it: its owner logs in to it and connects the
// provider on the page for that. [Provider].TrustEmail does without, between verified
// addresses.
//
// # What is checked
//
// The login begins by a POST. State, nonce and PKCE verifier are kept in the session
// for ten minutes and are good once; each provider has an address of its own to come
// back to. Issuer, audience, authorised party, expiry, nonce, signature and the hash of
// the access token are checked, and only asymmetric algorithms are taken. What was
// discovered of a provider and its keys are asked for when they are needed, so that one
// that is away keeps nobody from the rest of the site.
package oidc
