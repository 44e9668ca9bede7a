package bind_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/retort-web/retort/bind"
)

// The benchmarks compare a PUT with a path id and a validated JSON body with
// what a careful person writes by hand on net/http.

type updatePost struct {
	ID        int64    `path:"id" validate:"min=1"`
	Title     string   `json:"title" validate:"required,min=3,max=200"`
	Body      string   `json:"body" validate:"required,max=100000"`
	Status    string   `json:"status" validate:"one_of=draft|live"`
	Rating    float64  `json:"rating" validate:"min=0,max=5"`
	Published bool     `json:"published"`
	Tags      []string `json:"tags" validate:"max=10,each,min=2,max=20"`
}

const updateBody = `{"title":"On field pointers","body":"A pointer to a field is its name, so the compiler checks the query.","status":"live","rating":4.5,"published":true,"tags":["go","orm"]}`

type replay struct{ bytes.Reader }

func (*replay) Close() error { return nil }

func benchmarkRequest() (*http.Request, func()) {
	r := httptest.NewRequest(http.MethodPut, "/posts/17", nil)
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = int64(len(updateBody))
	body := &replay{}
	r.Body = body
	text := []byte(updateBody)
	return r, func() { body.Reset(text) }
}

func pathID(string) (string, bool) { return "17", true }

func BenchmarkStruct(b *testing.B) {
	r, rewind := benchmarkRequest()
	b.ReportAllocs()
	for b.Loop() {
		rewind()
		var in updatePost
		if err := bind.Struct(&in, bind.Source{Request: r, Path: bind.VariablesFunc(pathID)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkByHand(b *testing.B) {
	r, rewind := benchmarkRequest()
	b.ReportAllocs()
	for b.Loop() {
		rewind()
		var in updatePost
		if err := decodeByHand(r, &in); err != nil {
			b.Fatal(err)
		}
	}
}

func decodeByHand(r *http.Request, in *updatePost) error {
	if r.Header.Get("Content-Type") != "application/json" {
		return errors.New("not JSON")
	}
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 10<<20))
	if err := decoder.Decode(in); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("more than one value")
	}
	text, _ := pathID("id")
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return errors.New("bad id")
	}
	in.ID = id
	if n := utf8.RuneCountInString(in.Title); strings.TrimSpace(in.Title) == "" || n < 3 || n > 200 {
		return errors.New("bad title")
	}
	if n := utf8.RuneCountInString(in.Body); strings.TrimSpace(in.Body) == "" || n > 100000 {
		return errors.New("bad body")
	}
	if in.Status != "draft" && in.Status != "live" {
		return errors.New("bad status")
	}
	if in.Rating < 0 || in.Rating > 5 {
		return errors.New("bad rating")
	}
	if len(in.Tags) > 10 {
		return errors.New("too many tags")
	}
	for _, tag := range in.Tags {
		if n := utf8.RuneCountInString(tag); n < 2 || n > 20 {
			return errors.New("bad tag")
		}
	}
	return nil
}

type search struct {
	Query string   `query:"q"`
	Page  int      `query:"page" default:"1" validate:"min=1"`
	Tags  []string `query:"tag"`
}

func BenchmarkQuery(b *testing.B) {
	r := httptest.NewRequest(http.MethodGet, "/search?q=field+pointers&page=3&tag=go&tag=orm", nil)
	b.ReportAllocs()
	for b.Loop() {
		var in search
		if err := bind.Struct(&in, bind.Source{Request: r}); err != nil {
			b.Fatal(err)
		}
	}
}
