package bind_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/bind"
)

type author struct {
	Name string `form:"name" validate:"required"`
	Boss *author
}

type item struct {
	Name  string `form:"name" validate:"required"`
	Price int    `form:"price" default:"1"`
	Subs  []item
}

type article struct {
	Title  string   `form:"title" validate:"required"`
	Live   bool     `form:"live"`
	Tags   []string `form:"tags"`
	Author author   `form:"author"`
	Editor *author  `form:"editor"`
	Items  []item   `form:"items"`
	Refs   []*item  `form:"refs"`
	JSON   []item   `json:"only_json"`
}

func TestForms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body string
		want article
	}{
		{"title=a+b&live=on&author.name=x", article{Title: "a b", Live: true, Author: author{Name: "x"}}},
		{"title=a&tags=x&tags=y&author.name=x", article{Title: "a", Tags: []string{"x", "y"}, Author: author{Name: "x"}}},
		{"title=a&tags[]=x&tags%5B%5D=&author.name=x", article{Title: "a", Tags: []string{"x", ""}, Author: author{Name: "x"}}},
		{"title=a&author.name=x&author.boss.boss.name=z&author.boss.name=y", article{Title: "a", Author: author{"x", &author{"y", &author{Name: "z"}}}}},
		{"title=a&author.name=x&editor.name=y", article{Title: "a", Author: author{Name: "x"}, Editor: &author{Name: "y"}}},
		{
			"title=a&author.name=x&items.0.name=i&items.0.price=5&items.1.name=j&items.1.price=",
			article{Title: "a", Author: author{Name: "x"}, Items: []item{{"i", 5, nil}, {"j", 1, nil}}},
		},
		{
			// Rows that a script took out leave gaps, and their order is by number.
			"title=a&author.name=x&items.10.name=k&items.9.name=j&items.2.name=i&refs.999999999.name=r",
			article{Title: "a", Author: author{Name: "x"}, Items: []item{{"i", 1, nil}, {"j", 1, nil}, {"k", 1, nil}}, Refs: []*item{{"r", 1, nil}}},
		},
		{
			"title=a&author.name=x&items.0.name=i&items.0.subs.0.name=s&items.0.subs.1.name=t",
			article{Title: "a", Author: author{Name: "x"}, Items: []item{{"i", 1, []item{{"s", 1, nil}, {"t", 1, nil}}}}},
		},
		{
			"title=a&author.name=x&items.-1.name=i&items.01.name=i&items.x.name=i&items.__prefix__.name=i&items.9999999999.name=i&items=5&only_json.0.name=y",
			article{Title: "a", Author: author{Name: "x"}},
		},
	}
	for _, test := range tests {
		var got article
		if err := bind.Struct(&got, bind.Source{Request: postForm(test.body)}); err != nil {
			t.Errorf("%s: %v", test.body, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.body, diff)
		}
	}
}

func TestFormFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body string
		want []string
	}{
		{"", []string{"title required", "author.name required"}},
		{"title=%00&live=perhaps&author.name=%ff&tags=a&tags=%ff", []string{"title null_character", "live type", "tags.1 encoding", "author.name encoding"}},
		{"title=a&author.name=x&author.boss.name=&items.3.price=x&items.7.name=", []string{"items.3.price type", "author.boss.name required", "items.3.name required", "items.7.name required"}},
		{"title=a&author.name=x&items.5.name=a&items.5.subs.8.name=&items.8.name=b&items.8.subs.5.price=x", []string{"items.8.subs.5.price type", "items.5.subs.8.name required", "items.8.subs.5.name required"}},
		{"title=a&author.name=x&author" + strings.Repeat(".boss", 20) + ".name=y", append([]string{"author" + strings.Repeat(".boss", 16) + " too_deep"}, bosses(15)...)},
	}
	for _, test := range tests {
		err := bind.Struct(new(article), bind.Source{Request: postForm(test.body)})
		if status, got := refusal(err); status != 400 || !cmp.Equal(got, test.want) {
			t.Errorf("%s: %d %s", test.body, status, cmp.Diff(test.want, got))
		}
	}
	wantRefusal(t, bind.Struct(new(article), bind.Source{Request: postForm("title=%zz")}), 400, "the form is not encoded properly")
	wantRefusal(t, bind.Struct(new(article), bind.Source{Request: postForm("%=1")}), 400, "the form is not encoded properly")
}

func bosses(n int) (missing []string) {
	for i := 1; i <= n; i++ {
		missing = append(missing, "author"+strings.Repeat(".boss", i)+".name required")
	}
	return missing
}

// CVE-2024-37298 and its like: an index must not decide how much is allocated.
func TestIndexesAllocateNothing(t *testing.T) {
	var body strings.Builder
	body.WriteString("title=a&author.name=x")
	for i := range 300 {
		fmt.Fprintf(&body, "&items.%d.name=i&items.%d.subs.%d.name=s", 999_999_999-i, 999_999_999-i, 999_999_999)
	}
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var in article
			if err := bind.Struct(&in, bind.Source{Request: postForm(body.String())}); err != nil || len(in.Items) != 300 {
				b.Fatal(err)
			}
		}
	})
	if n := result.AllocedBytesPerOp(); n > 2<<20 {
		t.Errorf("%d bytes for a form of %d", n, body.Len())
	}
}

func TestFormLimits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		limits     bind.Limits
		want       int
	}{
		{"fields at the limit", strings.Repeat("a=b&", 999) + "a=b", bind.Limits{}, 0},
		{"too many fields", strings.Repeat("a=b&", 1000) + "a=b", bind.Limits{}, 413},
		{"only separators", strings.Repeat("&", 400_000), bind.Limits{}, 413},
		{"memory at the limit", "a=" + strings.Repeat("x", 98), bind.Limits{FormMemory: 100}, 0},
		{"memory over the limit", "a=" + strings.Repeat("x", 99), bind.Limits{FormMemory: 100}, 413},
		{"body over the limit", "a=" + strings.Repeat("x", 99), bind.Limits{Body: 100}, 413},
	}
	for _, test := range tests {
		for _, length := range []int64{0, -1, 3} {
			r := postForm(test.body)
			if length != 0 {
				r.ContentLength = length
			}
			_, err := bind.Form(r, test.limits)
			if status, what := refusal(err); status != test.want {
				t.Errorf("%s, Content-Length %d: %d %v, want %d", test.name, length, status, what, test.want)
			}
		}
	}
	_, err := bind.Form(postJSON("{}"), bind.Limits{})
	if status, _ := refusal(err); status != 415 {
		t.Errorf("JSON as a form: %v", err)
	}
	if data, err := bind.Form(get("a=b"), bind.Limits{}); err != nil || len(data.Values) != 0 {
		t.Errorf("no body: %v, %v", data, err)
	}
}

// part is one part of a multipart form; a name in file makes it a file.
type part struct {
	name, file, kind, content string
	header                    textproto.MIMEHeader
}

func postMultipart(parts ...part) *http.Request {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, p := range parts {
		header := p.header
		if header == nil {
			header = textproto.MIMEHeader{}
			disposition := fmt.Sprintf(`form-data; name="%s"`, p.name)
			if p.file != "" {
				disposition += fmt.Sprintf(`; filename="%s"`, strings.ReplaceAll(p.file, `"`, `\"`))
			}
			header.Set("Content-Disposition", disposition)
			if p.kind != "" {
				header.Set("Content-Type", p.kind)
			}
		}
		pw, err := w.CreatePart(header)
		if err != nil {
			panic(err)
		}
		if _, err := io.WriteString(pw, p.content); err != nil {
			panic(err)
		}
	}
	w.Close()
	return post(w.FormDataContentType(), body.String())
}

func read(t *testing.T, f *bind.File) string {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil || int64(len(content)) != f.Size {
		t.Fatalf("read %d of %d bytes, %v", len(content), f.Size, err)
	}
	return string(content)
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("large\r\n--", 1000)
	data, err := bind.Form(postMultipart(
		part{name: "title", content: "T\r\n--x"},
		part{name: "title", content: "second"},
		part{name: "small", file: `C:\dir\..\a "b".txt`, kind: "text/plain", content: "small"},
		part{name: "large", file: "../../etc/passwd", content: large},
		part{name: "large", file: "b", content: "\r\n\n\r"},
		part{name: "none", header: textproto.MIMEHeader{"Content-Disposition": {`form-data; name="none"; filename=""`}}},
		part{name: "empty", file: "empty.txt"},
	), bind.Limits{FileMemory: 100})
	if err != nil {
		t.Fatal(err)
	}
	if got := data.Values["title"]; !slices.Equal(got, []string{"T\r\n--x", "second"}) {
		t.Errorf("values: %q", got)
	}
	if data.Files["none"] != nil {
		t.Error("an input without a chosen file became a file")
	}
	small, big := data.Files["small"][0], data.Files["large"][0]
	if small.Filename != `C:\dir\..\a "b".txt` || small.CleanName() != "a__b_.txt" || small.ContentType != "text/plain" {
		t.Errorf("small: %q %q %q", small.Filename, small.CleanName(), small.ContentType)
	}
	if read(t, small) != "small" || read(t, big) != large || read(t, data.Files["large"][1]) != "\r\n\n\r" || read(t, data.Files["empty"][0]) != "" {
		t.Error("a file has other content")
	}
	if big.Filename != "../../etc/passwd" || big.CleanName() != "passwd" {
		t.Errorf("big: %q %q", big.Filename, big.CleanName())
	}

	target := filepath.Join(t.TempDir(), "saved")
	if err := big.Save(target); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(target); err != nil || string(content) != large {
		t.Errorf("saved %d bytes, %v", len(content), err)
	}
	if err := small.Save(target); !errors.Is(err, os.ErrExist) {
		t.Errorf("Save over a file: %v", err)
	}
	if err := errors.Join(data.Close(), data.Close()); err != nil {
		t.Error(err)
	}
	if _, err := big.Open(); err == nil {
		t.Error("a file opens after Close")
	}
	if err := small.Save(target + "2"); err == nil {
		t.Error("a file saves after Close")
	}
}

func TestMultipartIntoStruct(t *testing.T) {
	t.Parallel()
	type row struct {
		Photo *bind.File `form:"photo" validate:"required"`
	}
	type in struct {
		Title string       `form:"title"`
		Cover *bind.File   `form:"cover" validate:"required"`
		Extra []*bind.File `form:"extra" validate:"max=2"`
		Rows  []row        `form:"rows"`
	}
	ctx, finish := context.WithCancel(context.Background())
	r := postMultipart(
		part{name: "title", content: "T"}, part{name: "cover", file: "c", content: "c"},
		part{name: "extra[]", file: "e", content: "e"}, part{name: "extra[]", file: "f", content: "f"}, part{name: "rows.4.photo", file: "g", content: "g"},
	).WithContext(ctx)
	var got in
	if err := bind.Struct(&got, bind.Source{Request: r}); err != nil {
		t.Fatal(err)
	}
	if got.Title != "T" || read(t, got.Cover) != "c" || len(got.Extra) != 2 || read(t, got.Rows[0].Photo) != "g" {
		t.Errorf("got %+v", got)
	}
	finish()
	wantRefusal(t, bind.Struct(new(in), bind.Source{Request: postMultipart(part{name: "cover", content: "text"})}), 400, "cover type")
	wantRefusal(t, bind.Struct(new(in), bind.Source{Request: postMultipart(part{name: "rows.0.photo", content: ""})}), 400, "cover required", "rows.0.photo required")

	data, err := bind.Form(postMultipart(part{name: "cover", file: "c", content: "kept"}), bind.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	r = postMultipart()
	r.Body = io.NopCloser(strings.NewReader("has been read"))
	if err := bind.Struct(&got, bind.Source{Request: r, Form: func() (*bind.FormData, error) { return data, nil }}); err != nil || read(t, got.Cover) != "kept" {
		t.Errorf("a form parsed before: %v", err)
	}
}

// A file made by JSON would have a name and a size, but no content.
func TestJSONCannotMakeFiles(t *testing.T) {
	t.Parallel()
	var in struct {
		Cover *bind.File
		Rows  []struct {
			Photo *bind.File `json:"photo"`
		} `json:"rows"`
	}
	wantRefusal(t, bind.Struct(&in, bind.Source{Request: postJSON(`{"cover":{"Filename":"x","Size":9}}`)}), 400, "cover type")
	wantRefusal(t, bind.JSON(postJSON(`{"cover":{"Size":9},"rows":[{"photo":{}}]}`), &in, bind.Limits{}), 400, "cover type", "rows[0].photo type")
	if err := bind.JSON(postJSON(`{"cover":null}`), &in, bind.Limits{}); err != nil {
		t.Error(err)
	}
}

// The request's context may end while the handler still reads.
func TestFilesCloseWhileRead(t *testing.T) {
	t.Parallel()
	for _, memory := range []int64{1, 1 << 20} {
		ctx, cancel := context.WithCancel(context.Background())
		var in struct {
			Cover *bind.File `form:"cover"`
		}
		r := postMultipart(part{name: "cover", file: "f", content: strings.Repeat("x", 100_000)}).WithContext(ctx)
		if err := bind.Struct(&in, bind.Source{Request: r, Limits: bind.Limits{FileMemory: memory}}); err != nil {
			t.Fatal(err)
		}
		cancel()
		for range 10_000 {
			content, err := in.Cover.Open()
			if err != nil {
				break
			}
			_, _ = content.Read(make([]byte, 10))
		}
	}
}

func TestMultipartLimits(t *testing.T) {
	t.Parallel()
	many := func(n int, p part) []part { return slices.Repeat([]part{p}, n) }
	value, file := part{name: "a", content: "b"}, part{name: "a", file: "f", content: "b"}
	tests := []struct {
		name   string
		parts  []part
		limits bind.Limits
		want   int
	}{
		{"parts", many(1000, value), bind.Limits{}, 0},
		{"too many parts", many(1001, value), bind.Limits{}, 413},
		{"too many values", many(11, value), bind.Limits{FormFields: 10}, 413},
		{"files", many(100, file), bind.Limits{}, 0},
		{"too many files", many(101, file), bind.Limits{}, 413},
		{"empty file inputs count as parts", many(1001, part{header: textproto.MIMEHeader{"Content-Disposition": {`form-data; name="n"; filename=""`}}}), bind.Limits{}, 413},
		{"memory", []part{{name: "a", content: strings.Repeat("x", 99)}}, bind.Limits{FormMemory: 100}, 0},
		{"memory over the limit", []part{{name: "a", content: strings.Repeat("x", 100)}}, bind.Limits{FormMemory: 100}, 413},
		{"memory in names", many(30, part{name: "aaaaa", content: ""}), bind.Limits{FormMemory: 100}, 413},
		{"memory in file names", []part{{name: "a", file: strings.Repeat("x", 200)}}, bind.Limits{FormMemory: 100}, 413},
		{"files are not in that memory", []part{{name: "a", file: "f", content: strings.Repeat("x", 10_000)}}, bind.Limits{FormMemory: 100, FileMemory: 100}, 0},
		{"body over the limit", []part{{name: "a", file: "f", content: strings.Repeat("x", 10_000)}}, bind.Limits{Body: 5000}, 413},
		{"part header", []part{{header: textproto.MIMEHeader{"Content-Disposition": {`form-data; name="n"`}, "X": {strings.Repeat("x", 9000)}}}}, bind.Limits{}, 413},
		{"huge part header", []part{{header: textproto.MIMEHeader{"Content-Disposition": {`form-data; name="n"`}, "X": {strings.Repeat("x", 1<<20)}}}}, bind.Limits{}, 413},
		{"no name", []part{{header: textproto.MIMEHeader{"Content-Disposition": {`form-data`}}}}, bind.Limits{}, 400},
		{"no disposition", []part{{header: textproto.MIMEHeader{"X": {"y"}}}}, bind.Limits{}, 400},
		{"attachment", []part{{header: textproto.MIMEHeader{"Content-Disposition": {`attachment; name="n"`}}}}, bind.Limits{}, 400},
		{"charset", []part{{name: "a", kind: "text/plain; charset=utf-16"}}, bind.Limits{}, 415},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, length := range []int64{0, -1, 3} {
				r := postMultipart(test.parts...)
				if length != 0 {
					r.ContentLength = length
				}
				data, err := bind.Form(r, test.limits)
				if status, what := refusal(err); status != test.want {
					t.Errorf("Content-Length %d: %d %v, want %d", length, status, what, test.want)
				}
				if err == nil {
					data.Close()
				}
			}
		})
	}
}

func TestMalformedMultipart(t *testing.T) {
	t.Parallel()
	disposition := "Content-Disposition: form-data; name=\"a\"\r\n"
	for name, body := range map[string]string{
		"empty":                "",
		"no boundary":          "hello",
		"no final boundary":    "--x\r\n" + disposition + "\r\nvalue",
		"header breaks off":    "--x\r\n" + disposition,
		"header without colon": "--x\r\nnonsense\r\n\r\nv\r\n--x--",
		"other boundary":       "--y\r\n" + disposition + "\r\nv\r\n--y--",
		"only line ends":       strings.Repeat("\r\n", 20_000),
		"endless preamble":     strings.Repeat("-", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := bind.Form(post("multipart/form-data; boundary=x", body), bind.Limits{})
			if status, _ := refusal(err); status != 400 && status != 413 {
				t.Errorf("got %v", err)
			}
		})
	}
	data, err := bind.Form(post("multipart/form-data; boundary=x", "preamble\r\n--x\r\n"+disposition+"\r\nv\r\n--x--\r\nepilogue"), bind.Limits{})
	if err != nil || data.Values.Get("a") != "v" {
		t.Errorf("preamble and epilogue: %v, %v", data, err)
	}
}

// Uploads that are refused or broken off must leave no temporary file behind.
func TestUploadsLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	file := part{name: "a", file: "f", content: strings.Repeat("x", 10_000)}
	limits := bind.Limits{FileMemory: 10, Files: 2}
	if _, err := bind.Form(postMultipart(file, file, file), limits); err == nil {
		t.Error("three files were accepted")
	}
	r := postMultipart(file)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body[:5000]))
	if _, err := bind.Form(r, limits); err == nil {
		t.Error("half a file was accepted")
	}
	data, err := bind.Form(postMultipart(file), limits)
	if err != nil {
		t.Fatal(err)
	}
	if err := data.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}

	t.Setenv("TMPDIR", filepath.Join(dir, "missing"))
	_, err = bind.Form(postMultipart(file), limits)
	if status, _ := refusal(err); status != 500 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a disk that fails is the client's fault: %v", err)
	}
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":                                "file",
		".":                               "file",
		"..":                              "file",
		"/":                               "file",
		"report.pdf":                      "report.pdf",
		"My Photo (1).JPG":                "My_Photo__1_.JPG",
		"../../etc/passwd":                "passwd",
		`C:\Users\x\a.txt`:                "a.txt",
		`\\server\share\a.txt`:            "a.txt",
		".htaccess":                       "htaccess",
		"...hidden":                       "hidden",
		"a.txt.":                          "a.txt",
		"a\x00b.txt":                      "a_b.txt",
		"a\r\nb.txt":                      "a__b.txt",
		"a\u202egnp.exe":                  "a_gnp.exe",
		"tab\"quote'.txt":                 "tab_quote_.txt",
		"файл.txt":                        "файл.txt",
		"cafe\u0301.png":                  "cafe\u0301.png",
		"con":                             "_con",
		"NUL.txt":                         "_NUL.txt",
		"com1.tar.gz":                     "_com1.tar.gz",
		"LPT9":                            "_LPT9",
		"comb.txt":                        "comb.txt",
		"lpt¹.txt":                        "lpt_.txt",
		"a:b.txt":                         "a_b.txt",
		"\xff\xfe.txt":                    "txt",
		"---":                             "file",
		strings.Repeat("a", 300) + ".txt": strings.Repeat("a", 96) + ".txt",
		strings.Repeat("ä", 300):          strings.Repeat("ä", 50),
		"a." + strings.Repeat("e", 300):   "a." + strings.Repeat("e", 98),
	} {
		if got := (&bind.File{Filename: name}).CleanName(); got != want {
			t.Errorf("CleanName of %q = %q, want %q", name, got, want)
		}
	}
}

func TestFileReadersAreIndependent(t *testing.T) {
	t.Parallel()
	for _, memory := range []int64{1, 1000} {
		data, err := bind.Form(postMultipart(part{name: "a", file: "f", content: "0123456789"}), bind.Limits{FileMemory: memory})
		if err != nil {
			t.Fatal(err)
		}
		f := data.Files["a"][0]
		first, err1 := f.Open()
		second, err2 := f.Open()
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 5)
		if _, err := io.ReadFull(first, head); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(second)
		if err != nil || string(rest) != "0123456789" {
			t.Errorf("second reader: %q, %v", rest, err)
		}
		if _, err := first.Seek(-1, io.SeekEnd); err != nil {
			t.Error(err)
		}
		if rest, _ := io.ReadAll(first); string(rest) != "9" {
			t.Errorf("after Seek: %q", rest)
		}
		data.Close()
	}
}

func BenchmarkForm(b *testing.B) {
	const body = "title=On+field+pointers&live=on&tags=go&tags=orm&author.name=Ann&items.0.name=a&items.0.price=5&items.1.name=b"
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		var in article
		if err := bind.Struct(&in, bind.Source{Request: r}); err != nil {
			b.Fatal(err)
		}
	}
}
