package static_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing/fstest"

	"github.com/retort-web/retort/static"
)

// A program would embed its folder, or open one with static.Dir.
var folder = fstest.MapFS{
	"css/site.css": {Data: []byte(`body { background: url("../img/leaf.png") }`)},
	"img/leaf.png": {Data: []byte("a picture")},
}

func Example() {
	files := static.New(static.Options{}, static.Source{FS: folder})
	mux := http.NewServeMux()
	mux.Handle("/static/", files)

	url, err := files.URL("css/site.css") // for the page that links to it
	fmt.Println(url, err)

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
	fmt.Println(w.Header().Get("Cache-Control"))
	fmt.Println(w.Body)
	// Output:
	// /static/css/site.6a3bdbe79fa7.css <nil>
	// public, max-age=31536000, immutable
	// body { background: url("../img/leaf.92b2fa580289.png") }
}

// The first source that has a file wins, so a site overrides what its parts bring.
func ExampleNew_override() {
	site := fstest.MapFS{"blog/post.css": {Data: []byte("of the site")}}
	blog := fstest.MapFS{"post.css": {Data: []byte("of the blog")}, "list.css": {Data: []byte("of the blog")}}
	files := static.New(static.Options{}, static.Source{FS: site}, static.Source{FS: blog, Prefix: "blog/"})
	for _, name := range files.Names() {
		w := httptest.NewRecorder()
		files.ServeHTTP(w, httptest.NewRequest("GET", "/static/"+name, nil))
		fmt.Println(name, w.Body)
	}
	// Output:
	// blog/list.css of the blog
	// blog/post.css of the site
}

func ExampleFiles_Check() {
	broken := fstest.MapFS{"site.css": {Data: []byte(`@import "typo.css";`)}}
	for _, err := range static.New(static.Options{}, static.Source{FS: broken}).Check() {
		fmt.Println(err)
	}
	// Output:
	// static: site.css refers to "typo.css", which is not in any source
}

func ExampleServeFile() {
	export := func(w http.ResponseWriter, r *http.Request) {
		err := static.ServeFile(w, r, static.FileOptions{
			Content:        strings.NewReader("name,city\nÅsa,Malmö\n"),
			AttachmentName: "städer.csv",
		})
		if err != nil {
			http.Error(w, "not found", http.StatusNotFound)
		}
	}
	r := httptest.NewRequest("GET", "/export", nil)
	r.Header.Set("Range", "bytes=0-8")
	w := httptest.NewRecorder()
	export(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	fmt.Println(w.Header().Get("Content-Disposition"))
	fmt.Println(w.Body)
	// Output:
	// 206 text/csv; charset=utf-8
	// attachment; filename="st_der.csv"; filename*=UTF-8''st%C3%A4der.csv
	// name,city
}
