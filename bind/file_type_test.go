package bind_test

import (
	"bytes"
	"mime/multipart"
	"net/http/httptest"
	"testing"

	"github.com/retort-web/retort/bind"
)

func TestDetectType(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                                      "text/plain",
		"a,b":                                   "text/plain",
		"<!DOCTYPE html><p>":                    "text/html",
		"%PDF-1.7":                              "application/pdf",
		"\x89PNG\r\n\x1a\n":                     "image/png",
		"GIF89a<script>":                        "image/gif",
		"PK\x03\x04":                            "application/zip",
		"\x00\x01\x02":                          "application/octet-stream",
		" <SVG onload=alert(1)>":                "image/svg+xml",
		"<?xml version=\"1.0\"?><!-- --><svg/>": "image/svg+xml",
	} {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		part, err := w.CreateFormFile("file", "a.png")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "/", &body)
		r.Header.Set("Content-Type", w.FormDataContentType())
		data, err := bind.Form(r, bind.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := data.Files["file"][0].DetectType(); err != nil || got != want {
			t.Errorf("%q: %s, want %s: %v", content, got, want, err)
		}
		if err := data.Close(); err != nil {
			t.Error(err)
		}
		if _, err := data.Files["file"][0].DetectType(); err == nil {
			t.Error("a closed file is read")
		}
	}
}
