// Package jwt has access tokens that are JSON Web Tokens: it takes those of other
// issuers, and gives out short-lived ones of the site's own.
//
//	tokens := jwt.New(jwt.Options{Issuers: []jwt.Issuer{{
//		Issuer: "https://sso.example.com/realms/staff", Audience: "notes-api",
//		Keys:   jwt.KeysAt("https://sso.example.com/realms/staff/protocol/openid-connect/certs"),
//		Scopes: map[string][]auth.Permission{"print": {"notes.print"}},
//		User:   jwt.ByVerifiedEmail,
//	}}})
//	app.Install(db.Open(""), auth.New(), tokens)
//	app.Post("/api/print", print).Use(tokens.Bearer, auth.RequirePermission("notes.print")).DisableCSRF()
//
// Behind [Extension.Bearer] the user of the token acts, with those of their permissions
// that are in its scopes, as behind auth.Bearer.
//
// # The site's own
//
// [Extension.Issue] makes a token of a user, and [Extension.Exchange] is a handler by
// which a program gets one for its API token, which serves as the refresh token: it is
// long-lived, and can be revoked. An access token cannot; it ends by its age, with the
// account, and with a new password.
//
// Own tokens are signed with Ed25519 by a key that follows from the app's secret key, so
// that there is none to keep, and rotates with it: keys of secret_key_fallbacks still
// verify. The public ones are at /.well-known/jwks.json, for other services.
//
// # What is checked
//
// Each key has one algorithm, an asymmetric one; what the token says of it counts for
// nothing. Issuer, audience and expiry must be there, and be right. Tokens over 8 KiB and
// those that are not three parts are refused before anything is decoded.
package jwt
