// Package retort is a web framework that starts as one file and grows into a
// full site without a rewrite.
//
//	func main() {
//		app := retort.New()
//		app.Get("/hello/{name}", func(c *retort.Ctx) error {
//			return c.Text("Hello, " + c.Param("name") + "!")
//		})
//		app.Run()
//	}
//
// # The pieces
//
// An [App] is an [http.Handler]: routes, hooks, error handlers, templates,
// static files, a session and a command line. [App.Run] is the program's main
// function: without arguments it serves, and `routes`, `check`, `config` and
// whatever the installed extensions add are its other commands.
//
// A handler takes a [*Ctx] and returns an error. The Ctx is the request and
// the response being made, and it is the request's [context.Context], so it is
// passed straight to queries. It is made fresh for each request and never
// pooled: a goroutine that keeps one sees its own request for ever.
//
// What a handler answers with (Text, JSON, Render …) is sent when it returns:
// until then an error replaces it, and the After hooks may still change it.
// [Ctx.Stream] and [Ctx.SSE] send as they go.
//
// A [Blueprint] is a part of a site: routes under a prefix with their own
// middleware, hooks, error handlers, templates and static files. An
// [Extension] is anything with a name that [App.Install] calls; a blueprint is
// one, and so is every battery.
//
// # Safe by default
//
// Output is escaped, cookies are HttpOnly, SameSite=Lax and Secure under TLS,
// sessions are encrypted, forged cross-site requests are refused, redirects
// stay on the site, bodies and forms have limits, and forwarded headers count
// only from configured proxies. Each is turned off by name where it must be.
package retort

// Version is this release of Retort.
const Version = "0.1.0"
