package bind_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/retort-web/retort/bind"
)

func ExampleStruct() {
	type UpdatePost struct {
		ID     int64    `path:"id"`
		Notify bool     `query:"notify" default:"true"`
		Title  string   `json:"title" validate:"required,max=200"`
		Tags   []string `json:"tags" validate:"max=10,each,slug"`
	}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /posts/{id}", func(w http.ResponseWriter, r *http.Request) {
		var in UpdatePost
		path := bind.VariablesFunc(func(name string) (string, bool) { return r.PathValue(name), true })
		if err := bind.Struct(&in, bind.Source{Request: r, Response: w, Path: path}); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%+v\n", in)
	})

	for _, body := range []string{
		`{"title":"Hello","tags":["go","web"]}`,
		`{"title":"","tags":["go","not a slug"]}`,
	} {
		r := httptest.NewRequest(http.MethodPut, "/posts/17", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		mux.ServeHTTP(httptest.NewRecorder(), r)
	}
	// Output:
	// {ID:17 Notify:true Title:Hello Tags:[go web]}
	// bind: several fields are not valid: title: is required; tags[1]: must consist of letters, digits, hyphens and underscores
}

func ExampleStruct_nestedForm() {
	type Line struct {
		Name  string `form:"name" validate:"required"`
		Count int    `form:"count" default:"1"`
	}
	type Order struct {
		Customer struct {
			Email string `form:"email" validate:"required,email"`
		} `form:"customer"`
		Lines []Line `form:"lines" validate:"min=1,max=50"`
	}
	form := "customer.email=ann@example.com&lines.0.name=Tea&lines.0.count=2&lines.7.name=Milk"
	r := httptest.NewRequest(http.MethodPost, "/orders", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")

	var order Order
	fmt.Println(bind.Struct(&order, bind.Source{Request: r}))
	fmt.Println(order.Customer.Email, order.Lines)
	// Output:
	// <nil>
	// ann@example.com [{Tea 2} {Milk 1}]
}

func ExampleQuery() {
	var in struct {
		Search string   `query:"q"`
		Page   int      `query:"page" default:"1" validate:"min=1"`
		Tags   []string `query:"tag"`
	}
	r := httptest.NewRequest(http.MethodGet, "/?q=field+pointers&tag=go&tag=orm", nil)
	fmt.Println(bind.Query(r, &in, bind.Limits{}), in.Search, in.Page, in.Tags)
	// Output: <nil> field pointers 1 [go orm]
}

func ExampleJSON() {
	var in []struct {
		Name string `json:"name" validate:"required"`
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`[{"name":"a"},{"name":5}]`))
	r.Header.Set("Content-Type", "application/json")
	err := bind.JSON(r, &in, bind.Limits{})
	if refused, ok := errors.AsType[*bind.Error](err); ok {
		fmt.Println(refused.Status, refused.Fields)
	}
	// Output: 400 [1].name: must be text
}

func ExampleForm() {
	body := "--x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"../My cat.png\"\r\n\r\n…\r\n--x--\r\n"
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")

	form, err := bind.Form(r, bind.Limits{Body: 5 << 20, Files: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer form.Close()
	photo := form.Files["photo"][0]
	fmt.Println(photo.CleanName(), photo.Size)
	// Output: My_cat.png 3
}
