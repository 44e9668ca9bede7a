//go:build unix

package faulttest_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

// multipart is a form in parts, whose boundary is b.
func multipart(target, body string) string {
	return request("POST", target, strings.ReplaceAll(body, "\n", "\r\n"), "Content-Type: multipart/form-data; boundary=b")
}

func part(disposition, content string) string {
	return "--b\nContent-Disposition: " + disposition + "\n\n" + content + "\n"
}

func zipped(size int) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(make([]byte, size))
	_ = w.Close()
	return b.String()
}

func TestHostileForms(t *testing.T) {
	t.Parallel()
	s := start(t, blogProgram, options{})
	const target = "/posts/" + anyPost
	form := func(body string) string { return request("POST", target, body, urlencoded) }
	as := "Origin: http://blog.example\r\nCookie: " + author(t, s)
	try(t, s, []attack{
		{"nothing", request("POST", target, ""), is(422)},
		{"nothing of a form", form(""), is(422)},
		{"NUL in a field", form("name=a%00b&text=x"), is(400, 422)},
		{"invalid UTF-8 in a field", form("name=%ff%fe&text=x"), is(400, 422)},
		{"raw NUL", form("name=a\x00b&text=x"), is(400, 422)},
		{"broken escape", form("name=%zz&text=x"), is(400, 422)},
		{"semicolons", form("name=a;text=x"), is(400, 422)},
		{"too long a name", form("name=" + strings.Repeat("n", 81) + "&text=x"), is(422)},
		{"field of 600 kB", form("name=a&text=" + strings.Repeat("x", 600_000)), is(413)},
		{"5,000 fields", form(repeat(5000, "a%d=1&")), is(413)},
		{"index of a slice", form("name[999999999]=1&text=x"), is(422)},
		{"fields of the row", form("id=1&post=1&post_id=1&created=2000-01-01&name=&text="), is(422)},
		{"body of 11 MB", request("POST", target, strings.Repeat("a", 11<<20), urlencoded), is(413)},
		{"body of 11 MB announced", "POST " + target + " HTTP/1.1\r\nHost: blog.example\r\n" + urlencoded + "\r\nContent-Length: 11534336\r\n\r\n", is(413)},
		{"no content type", request("POST", target, "name=a&text="), is(400, 415, 422)},
		{"content type of rubbish", request("POST", target, "name=a", "Content-Type: ;;;"), is(400, 415)},
		{"JSON for a form", request("POST", target, `{"name":"a","text":"b"}`, asJSON), is(303, 415, 422)},
		{"XML for a form", request("POST", target, "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "Content-Type: application/xml"), is(415, 422)},
		{"unknown charset", request("POST", target, "name=a&text=", urlencoded+"; charset=utf-7"), is(400, 415)},
		{"compressed form", request("POST", target, zipped(1<<20), urlencoded, "Content-Encoding: gzip"), is(400, 413, 415, 422)},
		{"form to a page without one", request("POST", "/", "a=1", urlencoded), is(405)},
		{"form to no page", request("POST", "/nothing", "a=1", urlencoded), is(404)},
		{"override of the method", request("POST", "/posts/"+anyPost, "_method=DELETE", urlencoded, "X-HTTP-Method-Override: DELETE"), is(422)},

		{"post: choice that is none", request("POST", "/posts/new", "title=a&status=root", urlencoded, as), is(422)},
		{"post: status with SQL", request("POST", "/posts/new", "title=a&status=live%27%20OR%201=1", urlencoded, as), is(422)},
		{"post: by a visitor", request("POST", "/posts/new", "title=a&status=live&body=b&summary=c", urlencoded), is(303, 401)},
		{"post: change by a visitor", request("POST", "/posts/"+anyPost+"/edit", "title=a", urlencoded), is(303, 401)},
		{"post: change of another's", request("POST", "/posts/"+anyPost+"/edit", "title=a", urlencoded, as), is(404, 422)},
		{"post: tags of rubbish", request("POST", "/posts/new", "title=a&tags=-1&tags=x&tags=1e9", urlencoded, as), is(422)},
		{"post: 1,000 tags", request("POST", "/posts/new", "title=a"+repeat(990, "&tags=%d"), urlencoded, as), is(422)},
		{"post: date of the year 99999", request("POST", "/posts/new", "title=a&published=99999-01-01T00:00", urlencoded, as), is(422)},
		{"post: date of rubbish", request("POST", "/posts/new", "title=a&published=%00", urlencoded, as), is(400, 422)},
		{"post: address with slashes", request("POST", "/posts/new", "title=a&slug=../../etc", urlencoded, as), is(422)},
		{"post: edit of none", request("POST", "/posts/none/edit", "title=a", urlencoded, as), is(404)},
		{"post: delete of none", request("POST", "/posts/none/delete", "", urlencoded, as), is(404)},

		{"multipart without boundary", request("POST", target, "--b--\r\n", "Content-Type: multipart/form-data"), is(400, 415)},
		{"multipart with an endless boundary", request("POST", target, "--b--\r\n", "Content-Type: multipart/form-data; boundary="+strings.Repeat("b", 200)), is(400, 415)},
		{"multipart of another kind", request("POST", target, "--b--\r\n", "Content-Type: multipart/mixed; boundary=b"), is(400, 415, 422)},
		{"multipart empty", multipart(target, ""), is(400, 422)},
		{"multipart cut off", multipart(target, part(`form-data; name="name"`, "a")), is(400)},
		{"multipart cut off in a header", multipart(target, "--b\nContent-Dispo"), is(400)},
		{"multipart of line ends", multipart(target, "\n"+strings.Repeat("\n", 100_000)), is(400, 413)},
		{"part without disposition", multipart(target, "--b\nX: 1\n\na\n--b--\n"), is(400)},
		{"part without name", multipart(target, part("form-data", "a")+"--b--\n"), is(400)},
		{"part that is an attachment", multipart(target, part(`attachment; name="name"`, "a")+"--b--\n"), is(400)},
		{"part with a header of 100 kB", multipart(target, "--b\nContent-Disposition: form-data; name=a\nX: "+strings.Repeat("x", 100_000)+"\n\na\n--b--\n"), is(400, 413)},
		{"part with 2,000 header lines", multipart(target, "--b\nContent-Disposition: form-data; name=a\n"+repeat(2000, "X-%d: x\n")+"\na\n--b--\n"), is(400, 413)},
		{"part with an unknown charset", multipart(target, "--b\nContent-Disposition: form-data; name=a\nContent-Type: text/plain; charset=utf-7\n\na\n--b--\n"), is(400, 415)},
		{"part with NUL in its name", multipart(target, part("form-data; name=\"a\x00b\"", "a")+"--b--\n"), is(400, 422)},
		{"2,000 parts", multipart(target, strings.Repeat(part(`form-data; name="a"`, ""), 2000)+"--b--\n"), is(413)},
		{"200 files", multipart(target, strings.Repeat(part(`form-data; name="a"; filename="b"`, "c"), 200)+"--b--\n"), is(413)},
		{"file for a text", multipart(target, part(`form-data; name="name"; filename="../../etc/passwd"`, "a")+"--b--\n"), is(422)},
		{"part of 600 kB", multipart(target, part(`form-data; name="text"`, strings.Repeat("x", 600_000))+"--b--\n"), is(413)},
	})
}

func TestHostileJSON(t *testing.T) {
	t.Parallel()
	s := start(t, labProgram, options{})
	put := func(body string) string { return request("PUT", "/orders/7", body, asJSON) }
	try(t, s, []attack{
		{"well", put(`{"name":"a","count":1}`), is(200)},
		{"nothing", put(""), is(400, 422)},
		{"not JSON", put("hello"), is(400)},
		{"cut off", put(`{"name":"a"`), is(400)},
		{"more than one value", put(`{"name":"a"}{"name":"b"}`), is(400)},
		{"array for an object", put("[]"), is(400, 422)},
		{"null", put("null"), is(400, 422)},
		{"NaN", put(`{"name":"a","count":NaN}`), is(400)},
		{"number too large", put(`{"name":"a","count":999}`), is(400, 422)},
		{"number with an exponent", put(`{"name":"a","count":1e400}`), is(400, 422)},
		{"fraction for an integer", put(`{"name":"a","count":1.5}`), is(400, 422)},
		{"text for a number", put(`{"name":"a","count":"1; DROP"}`), is(400, 422)},
		{"list too long", put(`{"name":"a","lines":["1","2","3","4"]}`), is(400, 422)},
		{"name twice", put(`{"name":"a","name":"b"}`), is(200, 400)},
		{"unknown field", put(`{"name":"a","admin":true}`), is(200, 400)},
		{"id of the path", put(`{"name":"a","id":1,"ID":1}`), is(200, 400)},
		{"invalid UTF-8", put("{\"name\":\"\xff\xfe\"}"), is(400, 422)},
		{"lone surrogate", put(`{"name":"\ud800"}`), is(200, 400, 422)},
		{"NUL", put(`{"name":"a\u0000b"}`), is(200, 400, 422)},
		{"depth of 100,000", put(strings.Repeat("[", 100_000)), is(400)},
		{"depth in an unknown field", put(`{"x":` + strings.Repeat(`{"x":`, 50_000) + "1" + strings.Repeat("}", 50_000) + "}"), is(400)},
		{"body of 11 MB", put(`{"name":"` + strings.Repeat("a", 11<<20) + `"}`), is(413)},
		{"bomb", request("PUT", "/orders/7", zipped(1<<20), asJSON, "Content-Encoding: gzip"), is(400, 415)},
		{"text for JSON", request("PUT", "/orders/7", `{"name":"a"}`, "Content-Type: text/plain"), is(415)},
		{"no type", request("PUT", "/orders/7", `{"name":"a"}`), is(400, 415, 422)},
		{"UTF-16", request("PUT", "/orders/7", "\xff\xfe{\x00}\x00", asJSON+"; charset=utf-16"), is(400, 415)},
		{"id too large", request("PUT", "/orders/99999999999999999999", `{"name":"a"}`, asJSON), is(404)},
		{"refused as a problem", request("PUT", "/orders/7", `{}`, asJSON, "Accept: application/json"), is(400, 422)},
	})
}
