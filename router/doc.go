// Package router finds the route for a request and builds the URL of a route.
// It knows methods, hosts and paths, not handlers: a [Route] carries any value.
//
//	r := router.New(router.Options{})
//	post, err := r.Add(router.Route{Methods: []string{"GET"}, Pattern: "/posts/{id:int}", Name: "post", Value: showPost})
//
//	var params router.Params
//	result := r.Lookup("GET", "example.com", "/posts/7", "", &params)
//	// result.Route == post, params.Get("id") == "7", params.Value("id") == int64(7)
//
//	r.URL("post", "id", 7, "page", 2) // "/posts/7?page=2"
//
// # Patterns
//
// A pattern is a decoded path that starts with "/". In braces are variables: a
// name, then, if wanted, a colon and a converter with its arguments. A segment
// may hold several variables and literals; the first takes as much as it can,
// so "/{name}.{ext}" reads /a.tar.gz as a.tar and gz. "{{" and "}}" are braces.
//
//	{name}                   str: one segment or a part of one
//	{code:str(length=2)}     also minlength and maxlength, in characters
//	{id:int}                 ASCII digits that fit int64; min, max, fixed_digits, signed=true
//	{price:float}            digits, dot, digits; min, max, signed=true
//	{title:slug}             ASCII letters, digits, hyphens, underscores
//	{id:uuid}                the hyphenated form, in either case
//	{lang:any(en,de,"pt BR")} one of these
//	{rest:path}              everything that is left, slashes included
//	{id:yours}               a [Converter] from [Options.Converters]
//
// # Which route answers
//
// The order of registration never decides. At each place of the path, static
// text is tried first, the longest before the shorter; then segments whose
// every variable is constrained (any, uuid, int, float, user-made), then
// those with free text (str with lengths, slug, str), and path last. Among
// equals the one with more literal text is tried first. A branch that turns out
// wrong further on is left again, so a route that fits is always found, and a
// converter that refuses means only that the next route is tried. A lookup
// visits each node of the tree at most once, and tries a bounded number of ways
// to split a segment, so no path makes it slow.
//
// HEAD is answered by routes for GET. A path that fits but not the method
// gives the Allow header of all routes that fit, for a 405 or for OPTIONS.
//
// # Slashes and escapes
//
// "/x/" also redirects requests for /x, but "/x" does not answer /x/. Doubled
// slashes and dot segments are redirected to the clean path if that is found.
// An encoded slash (%2F) stays inside its segment, and is a slash in the
// variable's text. No variable is ever empty, or has a "." or ".." segment.
package router
