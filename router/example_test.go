package router_test

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/retort-web/retort/router"
)

func Example() {
	r := router.New(router.Options{})
	for _, pattern := range []string{"/posts/", "/posts/new", "/posts/{id:int}", "/posts/{slug:slug}", "/files/{rest:path}"} {
		if _, err := r.Add(router.Route{Methods: []string{"GET"}, Pattern: pattern}); err != nil {
			panic(err)
		}
	}
	for _, path := range []string{"/posts/7", "/posts/new", "/posts/hello-world", "/files/css/site.css", "/posts", "/none"} {
		var params router.Params
		result := r.Lookup("GET", "example.com", path, "", &params)
		switch {
		case result.Route != nil:
			fmt.Print(path, ": ", result.Route.Pattern)
			for i := range params.Len() {
				name, text := params.At(i)
				fmt.Printf(" %s=%s", name, text)
			}
			fmt.Println()
		case result.Redirect != "":
			fmt.Println(path, "redirects to", result.Redirect)
		default:
			fmt.Println(path, "is not found")
		}
	}
	// Output:
	// /posts/7: /posts/{id:int} id=7
	// /posts/new: /posts/new
	// /posts/hello-world: /posts/{slug:slug} slug=hello-world
	// /files/css/site.css: /files/{rest:path} rest=css/site.css
	// /posts redirects to /posts/
	// /none is not found
}

func ExampleRouter_URL() {
	r := router.New(router.Options{})
	for _, pattern := range []string{"/archive/", "/archive/{year:int(fixed_digits=4)}/"} {
		if _, err := r.Add(router.Route{Pattern: pattern, Name: "archive"}); err != nil {
			panic(err)
		}
	}
	for _, values := range [][]any{
		{},
		{"year", 2026},
		{"year", 2026, "tag", []string{"go", "web"}, "_anchor", "top"},
		{"year", 12345},
	} {
		url, err := r.URL("archive", values...)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(url)
	}
	_, err := r.URL("archiv")
	fmt.Println(err)
	// Output:
	// /archive/
	// /archive/2026/
	// /archive/2026/?tag=go&tag=web#top
	// router: URL for "archive": /archive/{year:int(fixed_digits=4)}/: variable year: converter int(fixed_digits=4) refused the value: 12345 has more than 4 digits
	// router: URL for "archiv": no route has this name; did you mean "archive"?
}

func ExampleRouter_Lookup_allow() {
	r := router.New(router.Options{})
	for _, method := range []string{"GET", "POST"} {
		if _, err := r.Add(router.Route{Methods: []string{method}, Pattern: "/posts"}); err != nil {
			panic(err)
		}
	}
	var params router.Params
	result := r.Lookup("DELETE", "", "/posts", "", &params)
	fmt.Println(result.Route, result.Allow)
	// Output: <nil> GET, HEAD, OPTIONS, POST
}

// monthConverter reads months by number and refuses those that do not exist.
type monthConverter struct{}

func (monthConverter) Parse(text string) (any, error) {
	month, err := strconv.Atoi(text)
	if err != nil || month < 1 || month > 12 {
		return nil, errors.New("not a month")
	}
	return month, nil
}

func (monthConverter) Format(value any) (string, error) {
	month, ok := value.(int)
	if !ok {
		return "", fmt.Errorf("%T is not an int", value)
	}
	return strconv.Itoa(month), nil
}

func ExampleConverter() {
	r := router.New(router.Options{Converters: map[string]router.Converter{"month": monthConverter{}}})
	for _, pattern := range []string{"/archive/{month:month}", "/archive/{topic}"} {
		if _, err := r.Add(router.Route{Pattern: pattern}); err != nil {
			panic(err)
		}
	}
	for _, path := range []string{"/archive/12", "/archive/13"} {
		var params router.Params
		result := r.Lookup("GET", "", path, "", &params)
		fmt.Println(path, result.Route.Pattern, params.Value("month"))
	}
	// Output:
	// /archive/12 /archive/{month:month} 12
	// /archive/13 /archive/{topic} <nil>
}

func ExampleRouter_Explain() {
	r := router.New(router.Options{})
	for _, pattern := range []string{"/posts/{id:int}", "/about"} {
		if _, err := r.Add(router.Route{Methods: []string{"GET"}, Pattern: pattern}); err != nil {
			panic(err)
		}
	}
	for _, attempt := range r.Explain("GET", "", "/posts/first") {
		fmt.Printf("%s: %s\n", attempt.Route, attempt.Reason)
	}
	// Output:
	// GET /posts/{id:int}: {id:int} does not accept "first"
	// GET /about: "/posts/first" is not "/about"
}
