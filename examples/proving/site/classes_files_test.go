package site_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/retort-web/retort/examples/proving/site"
	"github.com/retort-web/retort/internal/testdb"
	"github.com/retort-web/retort/retorttest"
)

// Path traversal by file name: 2021-3281, 2021-28658, 2021-31542, 2021-33203, 2021-45452,
// 2024-39330, 2025-59682; Werkzeug 2019-14322, 2024-49766, 2025-66221, 2026-21860,
// 2026-27199; echo 2020-36565. There is no routine that unpacks archives.
func TestClassPathTraversal(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	outside := filepath.Join(filepath.Dir(g.folder), "outside.txt")
	names := []string{
		"../outside.txt", "../../outside.txt", `..\outside.txt`, `..\..\..\outside.txt`, "/etc/passwd", `C:\Windows\win.ini`, `\\evil.example\share\x`, "C:x", "CON", "con.txt", "NUL", "aux.h", "COM1", "COM¹", "lpt0.txt", "a/../../../outside.txt", "....//....//outside.txt",
		"%2e%2e%2foutside.txt", "..%2foutside.txt", "..%5coutside.txt", "%252e%252e%252foutside.txt", "..;/outside.txt", ".", "..", "", " ", ".htaccess", "a\x00.txt", "style.css\x00.png", "style.css/", "style.css/.", "./style.css/../../templates/base.html", "../templates/base.html", "../site.go",
		"/templates/base.html", "templates/base.html", "style.css::$DATA", "style.css.", "STYLE.CSS ", "\u2025/outside.txt", "．．/outside.txt", "\u202etxt.exe", strings.Repeat("../", 100) + "etc/passwd", strings.Repeat("a", 5000), "a\nb", "staticx/x", "file:///etc/passwd",
	}
	for _, name := range names {
		for _, path := range []string{"/lab/file?name=" + url.QueryEscape(name), "/static/" + url.PathEscape(name), "/files/" + url.PathEscape(name), "/static/accounts/" + url.PathEscape(name)} {
			r := g.Get(path)
			if r.Code >= 500 || r.Code == 200 && (strings.Contains(r.Text(), "root:") || strings.Contains(r.Text(), "package site") || strings.Contains(r.Text(), "{%")) {
				t.Errorf("%s: %d %.100s", path, r.Code, r.Text())
			}
		}
		raw := g.NewRequest(http.MethodGet, "/", nil)
		raw.URL.Path, raw.URL.RawPath = "/static/"+name, ""
		if r := g.Do(raw); r.Code >= 500 || r.Code == 200 && (strings.Contains(r.Text(), "root:") || strings.Contains(r.Text(), "{%")) {
			t.Errorf("the path %q: %d", name, r.Code)
		}
		if r := ann.PostFiles("/files", nil, retorttest.File{Field: "file", Name: name, Content: []byte("<script>alert(1)</script>")}); r.Code != 303 && r.Code != 422 && r.Code != 400 {
			t.Errorf("the upload %q: %d", name, r.Code)
		}
	}
	g.Get("/lab/file?name=style.css").Status(200)
	for _, path := range []string{outside, filepath.Join(g.folder, "outside.txt"), filepath.Join(g.folder, "data", "outside.txt")} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was written", path)
		}
	}
	kept, err := os.ReadDir(filepath.Join(g.folder, "uploads"))
	if err != nil || len(kept) < len(names)/2 {
		t.Errorf("%d files are kept, %v", len(kept), err)
	}
	for _, entry := range kept {
		if !entry.Type().IsRegular() || len(entry.Name()) != 26 || strings.Trim(entry.Name(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
			t.Errorf("a file is kept as %q", entry.Name())
		}
	}
	for _, path := range uploads(ann) {
		r := ann.Get(path).Status(200).HasHeader("Content-Type", "application/octet-stream").HasHeader("X-Content-Type-Options", "nosniff")
		if d, policy := r.Header().Get("Content-Disposition"), r.Header().Get("Content-Security-Policy"); !strings.HasPrefix(d, "attachment; filename") || !strings.Contains(policy, "sandbox") {
			t.Errorf("%s: %q, %q", path, d, policy)
		}
	}
}

// Several files, one validated: 2023-31047.
func TestClassSeveralFiles(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	kept := func() int {
		t.Helper()
		entries, err := os.ReadDir(filepath.Join(g.folder, "uploads"))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	good := retorttest.File{Field: "file", Name: "good.txt", Content: []byte("good")}
	large := retorttest.File{Field: "file", Name: "large", Content: make([]byte, 5<<20+1)}
	empty := retorttest.File{Field: "file", Name: "empty.txt"}
	for name, files := range map[string][]retorttest.File{
		"the first is large": {large, good}, "the last is large": {good, large}, "the middle is large": {good, large, good}, "the first is empty": {empty, good}, "the last is empty": {good, empty},
	} {
		if r := ann.PostFiles("/files", nil, files...); r.Code != 422 || kept() != 0 {
			t.Errorf("%s: %d, %d kept", name, r.Code, kept())
		}
	}
	eleven := make([]retorttest.File, 11)
	for i := range eleven {
		eleven[i] = good
	}
	ann.PostFiles("/files", nil, eleven...).Status(422)
	ann.PostFiles("/files", nil, good, good).Status(303)
	// One of another field is not one of this.
	ann.PostFiles("/files", nil, retorttest.File{Field: "other", Name: "x", Content: []byte("x")}).Status(422)
	if n := kept(); n != 2 || len(uploads(ann)) != 2 || rows(t, g.app.Context(), site.Uploads) != 2 {
		t.Errorf("%d files are kept", n)
	}
}

// Multipart cost: 2022-23833, 2023-24580, 2026-33033, 2026-33034, 2026-5766; Werkzeug
// 2023-25577, 2023-46136, 2024-49767; Go 2022-41725, 2023-24534, 2023-24536, 2023-45290,
// 2026-94440.
func TestClassMultipartCost(t *testing.T) {
	t.Parallel()
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	part := func(header, body string) string { return "--b\r\n" + header + "\r\n\r\n" + body + "\r\n" }
	field := func(name string) string { return `Content-Disposition: form-data; name="` + name + `"` }
	file := field("file") + `; filename="a.txt"`
	const end = "--b--\r\n"
	for name, c := range map[string]struct {
		body string
		want []int
	}{
		"good":                        {part(file, "x") + end, []int{303}},
		"many parts":                  {strings.Repeat(part(field("a"), ""), 5_000) + end, []int{413}},
		"many files":                  {strings.Repeat(part(file, "x"), 500) + end, []int{413}},
		"empty file names":            {strings.Repeat(part(field("file")+`; filename=""`, ""), 5_000) + end, []int{413}},
		"a large field":               {part(field("a"), strings.Repeat("x", 1<<20)) + end, []int{413}},
		"begins with CR":              {part(file, strings.Repeat("\r", 1<<20)) + end, []int{303}},
		"begins with LF":              {part(file, strings.Repeat("\n", 1<<20)) + end, []int{303}},
		"almost boundaries":           {part(file, strings.Repeat("\r\n--", 1<<18)) + end, []int{303}},
		"almost boundaries, too":      {part(file, strings.Repeat("\r\n-", 1<<18)) + end, []int{303}},
		"headers without end":         {"--b\r\n" + strings.Repeat("X: x\r\n", 100_000) + "\r\n\r\n" + end, []int{400, 413}},
		"a long header":               {part(field("a")+"; x="+strings.Repeat("x", 1<<20), "") + end, []int{400, 413}},
		"quoted parameters":           {part(field("a")+strings.Repeat(`; a="\"`, 5_000), "") + end, []int{400, 413, 422}},
		"a Content-Disposition twice": {part(file+"\r\n"+file, "x") + end, []int{303, 400, 422}},
		"base64":                      {part(file+"\r\nContent-Transfer-Encoding: base64", strings.Repeat(" ", 1<<20)+"====") + end, []int{303, 400, 415}},
		"quoted-printable":            {part(file+"\r\nContent-Transfer-Encoding: quoted-printable", strings.Repeat("=\r\n", 1<<18)) + end, []int{303, 400, 415}},
		"no end":                      {part(file, "x"), []int{400}},
		"no beginning":                {strings.Repeat("x", 1<<20), []int{400}},
		"nothing":                     {"", []int{400, 422}},
		"the end alone":               {end, []int{400, 422}},
		"lines before it":             {strings.Repeat("x\r\n", 1<<18) + part(file, "x") + end, []int{303, 400, 413}},
		"lines after it":              {part(file, "x") + end + strings.Repeat("x\r\n", 1<<18), []int{303, 400}},
		"multipart within multipart":  {part(field("file")+"\r\nContent-Type: multipart/mixed; boundary=c", strings.Repeat("--c\r\n\r\nx\r\n", 1000)+"--c--") + end, []int{303, 400, 415, 422}},
		"a name of control":           {part("Content-Disposition: form-data; name=\"a\x00\"; filename=\"\x01\x02\"", "x") + end, []int{303, 400, 422}},
		"name*":                       {part("Content-Disposition: form-data; name*=utf-8''file; filename*=utf-8''%2e%2e%2fa", "x") + end, []int{303, 400, 422}},
		"_charset_":                   {part(field("_charset_"), "utf-16") + part(file, "x") + end, []int{303, 400, 422}},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := ann.NewRequest(http.MethodPost, "/files", strings.NewReader(c.body))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		r.ContentLength = int64(len(c.body))
		res := ann.Do(r)
		runtime.ReadMemStats(&after)
		good := false
		for _, want := range c.want {
			good = good || res.Code == want
		}
		if !good {
			t.Errorf("%s: %d, not %v", name, res.Code, c.want)
		}
	}
	for _, boundary := range []string{"", strings.Repeat("b", 5000), `"b`, "b\x00", "é", `"` + strings.Repeat(" ", 60) + `"`, "b; boundary=c"} {
		r := ann.NewRequest(http.MethodPost, "/files", strings.NewReader(part(file, "x")+end))
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		if res := ann.Do(r); res.Code >= 500 {
			t.Errorf("the boundary %.40q: %d", boundary, res.Code)
		}
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "multipart-*")); err == nil {
		for _, name := range left {
			if data, err := os.ReadFile(name); err == nil && bytes.HasPrefix(data, []byte("\r\r\r\r")) {
				t.Errorf("%s is left", name)
			}
		}
	}
}

// Files on disk: 2020-24583, 24584, 2026-25674.
func TestClassFilesOnDisk(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("permissions are others here")
	}
	g := newGround(t, testdb.SQLite)
	ann := g.as(site.Ann)
	ann.PostFiles("/files", nil, retorttest.File{Field: "file", Name: "a.sh", Content: []byte("#!/bin/sh\n")}, retorttest.File{Field: "file", Name: "large", Content: make([]byte, 4<<20)}).Status(303)
	g.PostForm("/contact", url.Values{"email": {"eve@example.com"}, "subject": {"x"}, "text": {"x"}}).Status(303)
	seen := map[string]int{}
	for _, folder := range []string{"data", "uploads", "mails"} {
		err := filepath.WalkDir(filepath.Join(g.folder, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			seen[folder]++
			mode := info.Mode().Perm()
			switch {
			case d.IsDir() && mode != 0o700:
				return fmt.Errorf("%s is %o", path, mode)
			case !d.IsDir() && folder != "data" && mode != 0o600:
				return fmt.Errorf("%s is %o", path, mode)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if seen["data"] < 2 || seen["uploads"] != 3 || seen["mails"] != 2 {
		t.Errorf("%v", seen)
	}
}
