package bind_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/retort-web/retort/bind"
)

type everything struct {
	kinds
	JSON    product                `json:"product" form:"product"`
	Article article                `json:"article" form:"article"`
	File    *bind.File             `form:"file"`
	Trace   string                 `header:"X-Trace" validate:"single_line"`
	Theme   string                 `cookie:"theme"`
	Free    any                    `json:"free"`
	Tree    map[string]everything2 `json:"tree"`
}

type everything2 struct {
	Next  *everything2 `json:"next" validate:"required"`
	Count int          `json:"count" validate:"required"`
	Names []string     `json:"names" validate:"unique,each,slug"`
}

// checkOutcome holds for every input: the client is at fault or nobody is, and
// an error can be shown.
func checkOutcome(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	refused, ok := errors.AsType[*bind.Error](err)
	if !ok {
		t.Fatalf("not the client's fault: %v", err)
	}
	if refused.Status < 400 || refused.Status > 415 || refused.Message == "" {
		t.Errorf("%d %q", refused.Status, refused.Message)
	}
	if len(refused.Fields) > 100 || !utf8.ValidString(refused.Error()) {
		t.Errorf("%d fields, %q", len(refused.Fields), refused.Error())
	}
}

// checkTexts walks what was bound from text for what must not be in it.
func checkTexts(t *testing.T, v reflect.Value, depth int) {
	t.Helper()
	if depth > 20 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) || strings.IndexByte(v.String(), 0) >= 0 {
			t.Errorf("%q was let through", v.String())
		}
	case reflect.Pointer:
		if !v.IsNil() && v.Type() != reflect.TypeFor[*bind.File]() {
			checkTexts(t, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			checkTexts(t, v.Field(i), depth+1)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := range v.Len() {
				checkTexts(t, v.Index(i), depth+1)
			}
		}
	}
}

func FuzzStruct(f *testing.F) {
	f.Add("s=a&i=1&t=2026-01-01&is=1&is=2", "application/x-www-form-urlencoded", "article.title=a&article.items.0.name=b&product.parts.3.name=c", "trace", "theme=dark")
	f.Add("s=%ff&f=NaN", "application/json", `{"product":{"name":1,"parts":[{}]},"tree":{"a":{"next":{}}},"free":[{"a":null}]}`, "\xff", "theme=\"x\"")
	f.Add("j=[", "application/json", `{"product":{"labels":{"a":"\u0000"}},"article":[]}`, "", "")
	f.Add("", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nv\r\n--x--", "", "")
	f.Add("&&=&", "application/x+json; charset=utf-8", "null", "", ";;")
	f.Fuzz(func(t *testing.T, query, kind, body, trace, cookie string) {
		for _, strict := range []bool{false, true} {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			r.URL.RawQuery = query
			r.Header = http.Header{"Content-Type": {kind}, "X-Trace": {trace}, "Cookie": {cookie}}
			var in everything
			err := bind.Struct(&in, bind.Source{Request: r, Limits: bind.Limits{RefuseUnknown: strict, FileMemory: 16}})
			checkOutcome(t, err)
			checkOutcome(t, bind.Query(r, new(everything), bind.Limits{}))
			if err == nil {
				for i := range reflect.TypeFor[kinds]().NumField() {
					checkTexts(t, reflect.ValueOf(in.kinds).Field(i), 0)
				}
				checkTexts(t, reflect.ValueOf(in.Article), 0)
				checkTexts(t, reflect.ValueOf(in.Trace), 0)
			}
		}
	})
}

// JSON must agree with encoding/json on what it accepts.
func FuzzJSON(f *testing.F) {
	for _, body := range []string{`{"name":"a"}`, `{"name":1,"price":"x"}`, `{"NAME":"\u0000","parts":[{"stock":300}]}`, `[`, `{"code":"7","raw":"AA=="}`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var got, want struct {
			product
			Required int `json:"required" validate:"required"`
		}
		err := bind.JSON(postJSON(body), &got, bind.Limits{})
		checkOutcome(t, err)
		plain := json.Unmarshal([]byte(body), &want)
		if err == nil && plain != nil {
			t.Errorf("accepted what encoding/json refuses: %v", plain)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if plain != nil && err != nil && json.Valid([]byte(body)) && utf8.ValidString(body) {
			if refused, _ := errors.AsType[*bind.Error](err); len(refused.Fields) == 0 && refused.Cause == nil {
				t.Errorf("a fault without a field: %v", err)
			}
		}
	})
}

// Form must agree with mime/multipart on what it accepts.
func FuzzMultipart(f *testing.F) {
	const disposition = "Content-Disposition: form-data; name=\"a\""
	f.Add("--x\r\n"+disposition+"\r\n\r\nv\r\n--x--\r\n", int64(4))
	f.Add("--x\r\n"+disposition+"; filename=\"f\"\r\nContent-Type: text/plain\r\n\r\n"+strings.Repeat("v", 100)+"\r\n--x--", int64(4))
	f.Add("pre\r\n--x\n"+disposition+"\n\nv\n--x--", int64(0))
	f.Add("--x\r\n"+disposition, int64(0))
	f.Fuzz(func(t *testing.T, body string, memory int64) {
		data, err := bind.Form(post("multipart/form-data; boundary=x", body), bind.Limits{FileMemory: memory})
		checkOutcome(t, err)
		if err != nil {
			return
		}
		defer data.Close()
		reader := multipart.NewReader(strings.NewReader(body), "x")
		for {
			part, err := reader.NextRawPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("accepted what mime/multipart refuses: %v", err)
			}
			content, err := io.ReadAll(part)
			if err != nil {
				t.Fatalf("accepted what mime/multipart refuses: %v", err)
			}
			if !has(t, data, part.FormName(), content) {
				t.Errorf("%q of %q is missing in %v", content, part.FormName(), data)
			}
		}
		for _, files := range data.Files {
			for _, file := range files {
				checkCleanName(t, file.CleanName())
			}
		}
	})
}

func has(t *testing.T, data *bind.FormData, name string, content []byte) bool {
	t.Helper()
	for _, text := range data.Values[name] {
		if text == string(content) {
			return true
		}
	}
	for _, file := range data.Files[name] {
		if bytes.Equal([]byte(read(t, file)), content) {
			return true
		}
	}
	return len(content) == 0 // a file input without a file
}

func FuzzCleanName(f *testing.F) {
	for _, name := range []string{"../a", "con.txt", "a\x00", ".", strings.Repeat("é", 200), "a.\xff", "\u202e", strings.Repeat("é", 49) + "..." + strings.Repeat("x", 20)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		checkCleanName(t, (&bind.File{Filename: name}).CleanName())
	})
}

func checkCleanName(t *testing.T, name string) {
	t.Helper()
	again := (&bind.File{Filename: name}).CleanName()
	if name == "" || len(name) > 101 || name[0] == '.' || strings.ContainsAny(name, "/\\\x00:*?\"<>|\r\n") || !utf8.ValidString(name) {
		t.Errorf("%q is not clean", name)
	}
	if again != name && again != "_"+name && "_"+again != name {
		t.Errorf("%q becomes %q when cleaned again", name, again)
	}
}
