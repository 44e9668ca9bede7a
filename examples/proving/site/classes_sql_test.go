package site_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/examples/proving/site"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/retorttest"
)

// The tests named TestClass… are about the classes of mistakes that frameworks have made,
// each with the numbers of some; docs/security.md has their table.

// hostile is what is put everywhere.
var hostile = []string{
	"", "'", `"`, "`", "\\", "%", "_", "\x00", "\xff", "a'b", `a"b`, "a--b", "a;b", "1) OR 1=1 --", `name" FROM auth_users --`, "name) FROM auth_users--",
	"name'; DROP TABLE site_sample; --", "data__a' = '1' OR '1'='1", "data__a\"b", "data__a.b", "data__$[*]", "data__a\x00b", "data__\n", "name__regex", "name__nope", "pk__in", "id__year",
	"name__icontains__icontains", "__", "_", "name__", "__name", strings.Repeat("name__", 500), strings.Repeat("x", 70_000), "day' , taken) --", "month\n", "YEAR", "microseconds", "{{ 7 * 7 }}", "${7*7}",
	"<script>alert(1)</script>", "javascript:alert(1)", strings.Repeat("<", 50_000), strings.Repeat("www.", 20_000), strings.Repeat("&", 90_000), strings.Repeat(" ", 90_000), "\u202e\u2028", "9999999999999999999999",
	"-1", "1e999", "NaN", "true", "null", "[]", "{}", "0x41", "%00", "%ff", "?", ":name", "$1", "@x", "a\r\nSet-Cookie: x=1", "ﬃ", strings.Repeat("é", 40_000), "password_hash", "author__email",
	"_connector", "_negated", "AND 1=1", "json, analyze", "ANALYZE true) DELETE FROM site_sample", "', (SELECT password_hash FROM auth_users), '",
}

// says looks for what no answer may have: a hash, a statement, a name of the inside.
func says(text string) (found string) {
	for _, secret := range []string{"$argon2id$", "auth_users", "no such column", "SQLSTATE", "syntax error", "SELECT ", "goroutine ", ".go:"} {
		if strings.Contains(text, secret) {
			return secret
		}
	}
	return ""
}

// SQL in identifiers: 2019-14234, 2020-7471, 2020-9402, 2021-35042, 2022-28346,
// 2022-28347, 2022-34265, 2024-42005, 2024-53908, 2025-57833, 2025-59681, 2025-64459,
// 2025-13372, 2026-1207, 2026-1287, 2026-1312.
func TestClassSQLInIdentifiers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		g := newGround(t, kind)
		ctx := g.app.Context()
		before, err := site.Samples.Count(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{
			"/lab/filter?value=1&key=", "/lab/filter?key=name__icontains&value=", "/lab/filter?key=amount&value=", "/lab/filter?key=taken__year&value=", "/lab/filter?key=name__regex&value=",
			"/lab/filter?key=pk&value=", "/lab/filter?key=data__color&value=",
			"/lab/json?value=red&key=", "/lab/json?key=color&value=", "/lab/json?key=size&value=1&key=",
			"/lab/alias?name=", "/lab/order?by=", "/lab/order?by=-", "/lab/trunc?unit=", "/lab/separator?by=", "/lab/explain?format=",
			"/lab/posts?order=", "/lab/posts?title__icontains=", "/lab/posts?created__year=", "/?q=", "/?sort=", "/?page=", "/lab/slow?ms=x", "/lab/big?mb=y",
		} {
			for _, input := range hostile {
				r := g.Get(path + url.QueryEscape(input))
				if found := says(r.Text()); r.Code >= 500 || found != "" && !strings.Contains(input, found) && !strings.HasPrefix(path, "/lab/explain") {
					t.Errorf("%s%.60q: %d, says %q: %.300s", path, input, r.Code, found, r.Text())
				}
			}
		}
		for _, input := range hostile {
			// The keys of a query are names, too.
			if r := g.Get("/lab/posts?" + url.QueryEscape(input) + "=1"); r.Code >= 500 {
				t.Errorf("%.60q: %d", input, r.Code)
			}
		}
		if after, err := site.Samples.Count(ctx); after != before || err != nil {
			t.Errorf("%d samples of %d, %v", after, before, err)
		}
		g.Get("/lab/filter?key=name__icontains&value=Sample+07").Contains(`"count":1`)
		g.Get("/lab/json?key=size&key=width&value=7").Contains("Sample 08")
		g.Get("/lab/alias?name=label").Contains(`"label":"Sample 01"`)
		g.Get("/lab/order?by=-amount").Contains(`"names":["Sample 40"`)
		g.Get("/lab/trunc?unit=month").Contains("2026-02-01")
		var joined struct{ Names string }
		g.Get("/lab/separator?by=" + url.QueryEscape("', '")).JSON(&joined)
		if joined.Names != "Sample 01', 'Sample 02', 'Sample 03', 'Sample 04" {
			t.Errorf("%q", joined.Names)
		}
		if plan := g.Get("/lab/explain").Status(200).Text(); plan == "" {
			t.Error("no plan")
		}
	})
}

// Lookups as an oracle: filters and orders of visitors that follow relations to what is
// secret.
func TestClassLookupsAsAnOracle(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	count := func(path string) int {
		t.Helper()
		var answer struct{ Count int }
		g.Get(path).Status(200).JSON(&answer)
		return answer.Count
	}
	all := count("/lab/posts")
	if all != 39 {
		t.Errorf("%d posts", all)
	}
	if n := count("/lab/posts?author__name=Sam+Staff"); n != 19 {
		t.Errorf("%d posts of Sam", n)
	}
	for _, secret := range []string{
		"author__password_hash__startswith=$argon2id$", "author__password_hash__startswith=x", "author__email=" + site.Admin, "author__login__contains=q", "author__superuser=true", "author__name__startswith=Z",
		"published=false", "comments__name=Nobody", "author__groups__name=x", "id=1", "Title__Icontains=nothing", "title__icontains__icontains=zzz",
	} {
		name, value, _ := strings.Cut(secret, "=")
		if n := count("/lab/posts?" + url.QueryEscape(name) + "=" + url.QueryEscape(value)); n != all {
			t.Errorf("%s: %d posts of %d: the filter was obeyed", secret, n, all)
		}
	}
	for _, order := range []string{"author__password_hash", "-author__email", "published", "id", "created,author__login", "?", "pk"} {
		g.Get("/lab/posts?order="+url.QueryEscape(order)).Status(400).Lacks("argon2", "password_hash TEXT")
	}
	g.Get("/lab/posts?order=-title").Contains(`"titles":["Post number 9"`)
}

// Database driver: a size or a minus sign that turns values into SQL: pgx 2024-27304,
// 2024-27289.
func TestClassDatabaseDriver(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, kind testdb.Kind) {
		g := newGround(t, kind)
		ctx := g.app.Context()
		s := site.Samples.Fields()
		row := &site.Sample{Name: "minus", Amount: -5, Taken: time.Date(2026, 5, 5, 0, 0, 0, 0, time.UTC)}
		if err := site.Samples.Insert(ctx, row); err != nil {
			t.Fatal(err)
		}
		// A minus before a value that is itself less than nothing must not begin a comment.
		for _, text := range []string{"minus", "\nminus; DELETE FROM site_sample --", "$1", "$2", "?", "%s", ":1", "@p1", `\`, `\'`, "a\\' OR 1=1 --"} {
			found, err := site.Samples.Where(orm.F(&s.Amount).Sub(-5).Eq(0), orm.Eq(&s.Name, text)).Count(ctx)
			if want := map[bool]int64{true: 1, false: 0}[text == "minus"]; err != nil || found != want {
				t.Errorf("%q: %d rows, %v", text, found, err)
			}
		}
		g.Get("/lab/filter?key=amount&value=-5").Contains(`"names":["minus"]`)
		g.Get("/lab/filter?key=amount__lt&value=-4").Contains(`"names":["minus"]`)
		// What is large is a value all the same, or refused.
		huge := strings.Repeat("'", 1<<20)
		for _, path := range []string{"/contact", "/posts/1"} {
			r := g.PostForm(path, url.Values{"name": {huge}, "email": {huge}, "text": {huge}, "subject": {huge}, "url": {huge}})
			if r.Code < 400 || r.Code > 499 {
				t.Errorf("%s: %d", path, r.Code)
			}
		}
		if n, err := site.Samples.Count(ctx); n != 41 || err != nil {
			t.Errorf("%d samples, %v", n, err)
		}
	})
}

// SSRF and file write by parsers: 2026-15307, 2026-87890. Values that name files and
// addresses are compared and kept, and nobody opens them.
func TestClassParsersThatOpenAddresses(t *testing.T) {
	t.Parallel()
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	written := filepath.Join(g.folder, "written")
	for _, address := range []string{
		"http://" + trap.Addr().String() + "/", "//" + trap.Addr().String(), "file:" + written, "file:///etc/passwd", written, "/etc/passwd", "/vsicurl/http://" + trap.Addr().String(), "\\\\" + trap.Addr().String() + "\\share",
	} {
		for _, key := range []string{"name", "name__icontains", "data", "data__color", "data__contains", "taken"} {
			if r := g.Get("/lab/filter?key=" + key + "&value=" + url.QueryEscape(address)); r.Code >= 500 || strings.Contains(r.Text(), "root:") {
				t.Errorf("%s of %q: %d", key, address, r.Code)
			}
		}
		g.PostForm("/posts/1", url.Values{"name": {"Eve"}, "url": {address}, "text": {address}})
		g.PostForm("/contact", url.Values{"email": {"eve@example.com"}, "subject": {"x"}, "text": {address}}).Status(303)
		image := `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "` + address + `">]><svg xmlns="http://www.w3.org/2000/svg"><image href="` + address + `"/>&b;</svg>`
		ann.PostFiles("/files", nil, retorttest.File{Field: "file", Name: "a.svg", ContentType: "image/svg+xml", Content: []byte(image)}).Status(303)
	}
	if _, err := os.Stat(written); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was written: %v", err)
	}
	// Who had been called would have it in the queue by now.
	_ = trap.(*net.TCPListener).SetDeadline(time.Now().Add(time.Millisecond))
	if conn, err := trap.Accept(); err == nil {
		conn.Close()
		t.Error("somebody called the address")
	}
}

// rows counts what a table has.
func rows[T any](t *testing.T, ctx context.Context, q orm.QuerySet[T]) int64 {
	t.Helper()
	n, err := q.Count(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// decoded reads an answer of JSON.
func decoded(t *testing.T, r *retorttest.Response) (v map[string]any) {
	t.Helper()
	if err := json.Unmarshal(r.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, r.Text())
	}
	return v
}
