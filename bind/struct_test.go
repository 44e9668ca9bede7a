package bind_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/retort-web/retort/bind"
	"github.com/retort-web/retort/validate"
)

func pathOf(pairs ...string) bind.Variables {
	return bind.VariablesFunc(func(name string) (string, bool) {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	})
}

func get(query string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.RawQuery = query
	return r
}

func post(contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

func postForm(body string) *http.Request { return post("application/x-www-form-urlencoded", body) }
func postJSON(body string) *http.Request { return post("application/json", body) }

// refusal is what an error tells the client: the status, and "field code" of
// the fields, or the message.
func refusal(err error) (status int, what []string) {
	refused, ok := errors.AsType[*bind.Error](err)
	if !ok {
		if err != nil {
			return 500, []string{err.Error()}
		}
		return 0, nil
	}
	for _, f := range refused.Fields {
		what = append(what, f.Field+" "+f.Code)
	}
	if what == nil {
		what = []string{refused.Message}
	}
	return refused.HTTPStatus(), what
}

func wantRefusal(t *testing.T, err error, status int, what ...string) {
	t.Helper()
	gotStatus, got := refusal(err)
	if gotStatus != status {
		t.Errorf("status %d (%v), want %d", gotStatus, err, status)
	}
	if diff := cmp.Diff(what, got); diff != "" {
		t.Error(diff)
	}
}

type Level int8

type kinds struct {
	S   string          `query:"s"`
	B   bool            `query:"b"`
	I   int             `query:"i"`
	I8  int8            `query:"i8"`
	I64 int64           `query:"i64"`
	U   uint            `query:"u"`
	U8  uint8           `query:"u8"`
	U64 uint64          `query:"u64"`
	F   float64         `query:"f"`
	F32 float32         `query:"f32"`
	L   Level           `query:"l"`
	T   time.Time       `query:"t"`
	D   time.Duration   `query:"d"`
	ID  uuid.UUID       `query:"id"`
	IP  netip.Addr      `query:"ip"`
	J   json.RawMessage `query:"j"`
	Y   []byte          `query:"y"`
	P   *int            `query:"p"`
	PS  *string         `query:"ps"`
	PT  **time.Time     `query:"pt"`
	Is  []int           `query:"is"`
	Ps  []*uint8        `query:"pss"`
	Ids []uuid.UUID     `query:"ids"`
}

func TestKinds(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("018f2f6c-7a1e-7c3b-9d51-0a1b2c3d4e5f")
	when := time.Date(2026, 1, 31, 15, 4, 5, 0, time.UTC)
	pointer := &when
	tests := []struct {
		query string
		want  kinds
	}{
		{"s=a+b%20%C3%A4", kinds{S: "a b ä"}},
		{"s=first&s=second", kinds{S: "first"}},
		{"b=on", kinds{B: true}},
		{"b=TRUE", kinds{B: true}},
		{"b=1", kinds{B: true}},
		{"b=off", kinds{}},
		{"b=", kinds{}},
		{"i=-12&i8=-128&i64=-9223372036854775808", kinds{I: -12, I8: -128, I64: math.MinInt64}},
		{"i=%2B5", kinds{I: 5}},
		{"i=+5+", kinds{I: 5}},
		{"u=12&u8=255&u64=18446744073709551615", kinds{U: 12, U8: 255, U64: math.MaxUint64}},
		{"f=-1.5e3&f32=0.5", kinds{F: -1500, F32: 0.5}},
		{"l=3", kinds{L: 3}},
		{"t=2026-01-31T15:04:05Z", kinds{T: when}},
		{"t=2026-01-31T15:04:05.5Z", kinds{T: when.Add(time.Second / 2)}},
		{"t=2026-01-31", kinds{T: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)}},
		{"t=2026-01-31T15:04", kinds{T: when.Truncate(time.Minute)}},
		{"t=2026-01-31T15:04:05", kinds{T: when}},
		{"d=1h30m", kinds{D: 90 * time.Minute}},
		{"id=" + id.String(), kinds{ID: id}},
		{"ip=::1", kinds{IP: netip.IPv6Loopback()}},
		{`j={"a":[1]}`, kinds{J: json.RawMessage(`{"a":[1]}`)}},
		{"y=%ff%00a", kinds{Y: []byte("\xff\x00a")}},
		{"p=0", kinds{P: new(0)}},
		{"p=", kinds{}},
		{"ps=", kinds{PS: new("")}},
		{"pt=2026-01-31T15:04:05Z", kinds{PT: &pointer}},
		{"is=1&is=2", kinds{Is: []int{1, 2}}},
		{"is[]=1&is[]=2", kinds{Is: []int{1, 2}}},
		{"is=1&is=&is=3", kinds{Is: []int{1, 3}}},
		{"pss=7", kinds{Ps: []*uint8{new(uint8(7))}}},
		{"ids=" + id.String(), kinds{Ids: []uuid.UUID{id}}},
		{"i=&u=&f=&t=&d=&id=&j=", kinds{}},
		{"&&&=x&%zz=1&i=3", kinds{I: 3}},
	}
	for _, test := range tests {
		var got kinds
		if err := bind.Struct(&got, bind.Source{Request: get(test.query)}); err != nil {
			t.Errorf("%s: %v", test.query, err)
		}
		if diff := cmp.Diff(test.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("%s: %s", test.query, diff)
		}
	}
}

func TestBadText(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"s=%ff":                    "s encoding",
		"s=a%00":                   "s null_character",
		"s=%zz":                    "s encoding",
		"b=perhaps":                "b type",
		"i=x":                      "i type",
		"i=1.5":                    "i type",
		"i=0x10":                   "i type",
		"i=1_000":                  "i type",
		"i=99999999999999999999":   "i range",
		"i8=128":                   "i8 range",
		"l=1000":                   "l range",
		"u=-1":                     "u range",
		"u8=256":                   "u8 range",
		"u64=18446744073709551616": "u64 range",
		"u=x":                      "u type",
		"f=NaN":                    "f type",
		"f=Inf":                    "f type",
		"f=-infinity":              "f type",
		"f=0x1p-2":                 "f type",
		"f=1e999":                  "f range",
		"f32=1e39":                 "f32 range",
		"f=1,5":                    "f type",
		"t=31.1.2026":              "t type",
		"t=2026-02-30":             "t type",
		"t=%00":                    "t type",
		"d=5":                      "d type",
		"id=5":                     "id invalid",
		"ip=x":                     "ip invalid",
		"id=%ff":                   "id encoding",
		"j={":                      "j type",
		"j=" + strings.Repeat("[", 200) + strings.Repeat("]", 200): "j type",
		"p=x":           "p type",
		"is=1&is=x":     "is.1 type",
		"is[]=1&is=%00": "is.0 type",
	} {
		t.Run(query[:min(len(query), 20)], func(t *testing.T) {
			t.Parallel()
			wantRefusal(t, bind.Struct(new(kinds), bind.Source{Request: get(query)}), 400, want)
		})
	}
}

func TestAllFaultsAreListed(t *testing.T) {
	t.Parallel()
	type in struct {
		ID    int    `path:"id" validate:"min=1"`
		Page  int    `query:"page"`
		Trace string `header:"X-Trace" validate:"required,max=3"`
		Theme string `cookie:"theme" validate:"one_of=dark|light"`
		Title string `json:"title" validate:"required"`
		Price int    `json:"price"`
		Count int8   `json:"count"`
	}
	r := postJSON(`{"price":"a","count":300}`)
	r.URL.RawQuery = "page=x"
	r.Header.Set("X-Trace", "long")
	r.AddCookie(&http.Cookie{Name: "theme", Value: "pink"})
	err := bind.Struct(new(in), bind.Source{Request: r, Path: pathOf("id", "0")})
	wantRefusal(t, err, 400, "price type", "count range", "page type", "id min", "X-Trace max_length", "theme one_of", "title required")
	if fields, ok := errors.AsType[validate.Errors](err); !ok || !fields.Has("title", "required") {
		t.Errorf("errors.As finds %v", fields)
	}
	for _, secret := range []string{"pink", "long", "bind_test", "int8", "300"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q gives %q away", err, secret)
		}
	}
}

func TestOrderOfSources(t *testing.T) {
	t.Parallel()
	type in struct {
		A string `path:"a" query:"a" header:"X-A" cookie:"a" json:"a"`
	}
	steps := []struct {
		want  string
		apply func(*http.Request, *bind.Source)
	}{
		{"json", func(*http.Request, *bind.Source) {}},
		{"cookie", func(r *http.Request, _ *bind.Source) { r.AddCookie(&http.Cookie{Name: "a", Value: "cookie"}) }},
		{"header", func(r *http.Request, _ *bind.Source) { r.Header.Set("x-a", "header") }},
		{"query", func(r *http.Request, _ *bind.Source) { r.URL.RawQuery = "a=query" }},
		{"path", func(_ *http.Request, s *bind.Source) { s.Path = pathOf("a", "path") }},
	}
	for n := range steps {
		r := postJSON(`{"a":"json"}`)
		src := bind.Source{Request: r}
		for _, step := range steps[:n+1] {
			step.apply(r, &src)
		}
		var got in
		if err := bind.Struct(&got, src); err != nil || got.A != steps[n].want {
			t.Errorf("got %q, %v, want %q", got.A, err, steps[n].want)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	type in struct {
		Host  string   `header:"Host"`
		Many  []string `header:"x-many"`
		Level int      `header:"X-Level"`
	}
	r := get("")
	r.Host = "example.com"
	r.Header["X-Many"] = []string{"a", "b"}
	r.Header.Set("X-Level", "3")
	var got in
	if err := bind.Struct(&got, bind.Source{Request: r}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in{"example.com", []string{"a", "b"}, 3}, got); diff != "" {
		t.Error(diff)
	}
}

// A body must not replace what comes from elsewhere: CVE-like mass assignment.
func TestJSONCannotSetOtherFields(t *testing.T) {
	t.Parallel()
	type in struct {
		ID    int    `path:"id"`
		Owner int    `query:"owner"`
		Admin bool   `form:"admin"`
		Page  int    `query:"page" default:"1"`
		Token string `header:"X-Token"`
		Never string `json:"-"`
		Title string `json:"title"`
	}
	got := in{Owner: 7, Never: "mine"}
	r := postJSON(`{"ID":5,"id":"x","Owner":6,"owner":6,"Admin":true,"admin":[],"Page":9,"Token":"t","Never":"x","title":"T"}`)
	if err := bind.Struct(&got, bind.Source{Request: r, Path: pathOf("id", "1")}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in{ID: 1, Owner: 7, Page: 1, Never: "mine", Title: "T"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	type in struct {
		Page   int           `query:"page" default:"1"`
		Sure   bool          `query:"sure" json:"sure" default:"true"`
		Sort   []string      `query:"sort" default:"name,age"`
		Wait   time.Duration `query:"wait" default:"5s"`
		Limit  *int          `query:"limit" default:"20"`
		Status string        `json:"status" default:"draft"`
		Set    int           `query:"set" default:"3"`
	}
	all := in{1, true, []string{"name", "age"}, 5 * time.Second, new(20), "draft", 4}
	got := in{Set: 4}
	if err := bind.Struct(&got, bind.Source{Request: get("")}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Error(diff)
	}
	r := postJSON(`{"sure":false,"status":""}`)
	r.URL.RawQuery = "page=0&sort=x&limit=0&wait="
	got = in{}
	if err := bind.Struct(&got, bind.Source{Request: r}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in{0, false, []string{"x"}, 5 * time.Second, new(0), "", 3}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRequiredIsAboutPresence(t *testing.T) {
	t.Parallel()
	type inner struct {
		N int `json:"n" validate:"required"`
	}
	type in struct {
		Count int     `query:"count" json:"count" form:"count" validate:"required"`
		Sure  bool    `json:"sure" form:"sure" validate:"required"`
		Items []inner `json:"items" form:"items"`
	}
	for name, r := range map[string]*http.Request{
		"json":  postJSON(`{"Count":0,"sure":false,"items":[{"n":0}]}`),
		"form":  postForm("count=0&sure=off&items.0.n=0"),
		"query": get("count=0&sure=false"),
	} {
		if err := bind.Struct(new(in), bind.Source{Request: r}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantRefusal(t, bind.Struct(new(in), bind.Source{Request: postJSON(`{"count":null,"items":[{"n":0},{}]}`)}),
		400, "count required", "sure required", "items[1].n required")
	wantRefusal(t, bind.Struct(new(in), bind.Source{Request: postForm("count=&items.4.n=0&items.9.n=")}),
		400, "count required", "sure required", "items.9.n required")
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	type onlyJSON struct {
		A string `json:"a"`
	}
	type onlyForm struct {
		A string `form:"a"`
	}
	type either struct{ A string }
	type neither struct {
		A string `query:"a"`
	}
	const form, multi = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
	tests := []struct {
		dst  any
		kind string
		body string
		want int
	}{
		{new(onlyJSON), "application/json", `{"a":"b"}`, 0},
		{new(onlyJSON), "application/json; charset=UTF-8", `{"a":"b"}`, 0},
		{new(onlyJSON), "application/merge-patch+json", `{"a":"b"}`, 0},
		{new(onlyJSON), "APPLICATION/JSON", `{"a":"b"}`, 0},
		{new(onlyJSON), "application/json; charset=utf-16", `{"a":"b"}`, 415},
		{new(onlyJSON), "text/json", `{"a":"b"}`, 415},
		{new(onlyJSON), "text/plain", `{"a":"b"}`, 415},
		{new(onlyJSON), "", `{"a":"b"}`, 415},
		{new(onlyJSON), "", "", 0},
		{new(onlyJSON), "application/json", "", 400},
		{new(onlyJSON), form, "a=b", 415},
		{new(onlyJSON), multi, "--x--", 415},
		{new(onlyJSON), "nonsense; ;", "", 415},
		{new(onlyJSON), "application/jsonx", "{}", 415},
		{new(onlyForm), "application/json", `{"a":"b"}`, 415},
		{new(onlyForm), form, "a=b", 0},
		{new(onlyForm), form + "; charset=utf-8", "a=b", 0},
		{new(onlyForm), form + "; charset=iso-8859-1", "a=b", 415},
		{new(onlyForm), multi, "--x--\r\n", 0},
		{new(onlyForm), "multipart/form-data", "", 400},
		{new(onlyForm), "multipart/form-data; boundary=" + strings.Repeat("x", 71), "", 400},
		{new(onlyForm), "multipart/mixed; boundary=x", "--x--", 415},
		{new(either), "application/json", `{"a":"b"}`, 0},
		{new(either), form, "a=b", 0},
		{new(either), "text/csv", "a", 415},
		{new(neither), "text/csv", "a", 0},
	}
	for _, test := range tests {
		err := bind.Struct(test.dst, bind.Source{Request: post(test.kind, test.body)})
		if status, _ := refusal(err); status != test.want {
			t.Errorf("%T, %s: %v, want %d", test.dst, test.kind, err, test.want)
		}
	}
	r := postJSON(`{}`)
	r.Header.Set("Content-Encoding", "gzip")
	wantRefusal(t, bind.Struct(new(onlyJSON), bind.Source{Request: r}), 415, "the request body must not be compressed")
}

func TestFormOfGET(t *testing.T) {
	t.Parallel()
	type in struct {
		Search  string
		Page    int    `form:"p"`
		OnlyAPI string `json:"only_api"`
	}
	var got in
	r := get("search=go&p=2&only_api=x")
	r.Body = http.NoBody
	r.Header.Set("Content-Type", "application/json")
	if err := bind.Struct(&got, bind.Source{Request: r}); err != nil || got != (in{Search: "go", Page: 2}) {
		t.Errorf("got %v, %v", got, err)
	}
	got = in{}
	r = postForm("p=3")
	r.URL.RawQuery = "search=go&p=2"
	if err := bind.Struct(&got, bind.Source{Request: r}); err != nil || got != (in{Page: 3}) {
		t.Errorf("got %v, %v: a POST form took the query", got, err)
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	type in struct {
		ID   int    `path:"id"`
		Page int    `query:"page" default:"1" validate:"min=1"`
		Name string `form:"name"`
		Key  string `header:"X-Key"`
	}
	r := postJSON(`{`)
	r.URL.RawQuery = "page=2&name=x&id=5&X-Key=y"
	var got in
	if err := bind.Query(r, &got, bind.Limits{}); err != nil || got != (in{Page: 2, Name: "x"}) {
		t.Errorf("got %v, %v", got, err)
	}
	wantRefusal(t, bind.Query(get("page=-1"), new(in), bind.Limits{}), 400, "page min")
	wantRefusal(t, bind.Query(get("a&b&c"), new(in), bind.Limits{QueryFields: 2}), 413, "the request has more than 2 values in its query")
}

type Paging struct {
	Page int `query:"page" default:"1"`
	Size int `query:"size"`
}

type Owner struct {
	Name string `json:"name" form:"name" validate:"required"`
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	type in struct {
		Paging
		*Owner
		Title string `json:"title" form:"title"`
	}
	r := postForm("name=Ann&title=T")
	r.URL.RawQuery = "size=5"
	var got in
	if err := bind.Struct(&got, bind.Source{Request: r}); err != nil {
		t.Fatal(err)
	}
	want := in{Paging{1, 5}, &Owner{"Ann"}, "T"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = in{}
	r = postJSON(`{"name":"Ann","title":"T","Page":7,"size":"x"}`)
	r.URL.RawQuery = "size=5"
	if err := bind.Struct(&got, bind.Source{Request: r}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWholeBody(t *testing.T) {
	t.Parallel()
	type item struct {
		Name string `json:"name" validate:"required"`
	}
	type list struct {
		ID    int    `path:"id"`
		Items []item `body:""`
	}
	var l list
	src := bind.Source{Request: postJSON(`[{"name":"a"},{"name":"b"}]`), Path: pathOf("id", "3")}
	if err := bind.Struct(&l, src); err != nil || len(l.Items) != 2 || l.ID != 3 {
		t.Errorf("got %v, %v", l, err)
	}
	src.Request = postJSON(`[{"name":"a"},{"name":""},{"name":1}]`)
	wantRefusal(t, bind.Struct(&l, src), 400, "[2].name type", "[1].name required")
	src.Request = post("text/plain", "x")
	wantRefusal(t, bind.Struct(&l, src), 415, "the request body must be application/json")

	var raw struct {
		Data []byte `body:""`
	}
	if err := bind.Struct(&raw, bind.Source{Request: post("application/octet-stream", "\x00\xff")}); err != nil || string(raw.Data) != "\x00\xff" {
		t.Errorf("got %q, %v", raw.Data, err)
	}
	var text struct {
		Data string `body:""`
	}
	if err := bind.Struct(&text, bind.Source{Request: post("text/plain", "héllo")}); err != nil || text.Data != "héllo" {
		t.Errorf("got %q, %v", text.Data, err)
	}
	wantRefusal(t, bind.Struct(&text, bind.Source{Request: post("text/plain", "\xff")}), 400, "the request body must be text in UTF-8")
}

type failing struct {
	A string `query:"a"`
}

var errLost = errors.New("database is lost")

func (f *failing) Validate() error {
	if f.A == "lost" {
		return errLost
	}
	return validate.NewError("a", "taken", "is taken")
}

func TestValidateMethod(t *testing.T) {
	t.Parallel()
	err := bind.Struct(new(failing), bind.Source{Request: get("a=lost")})
	if _, client := errors.AsType[*bind.Error](err); client || !errors.Is(err, errLost) {
		t.Errorf("got %v", err)
	}
	wantRefusal(t, bind.Struct(new(failing), bind.Source{Request: get("a=x")}), 400, "a taken")
}

type contextual struct {
	A string `query:"a"`
}

type contextKey struct{}

func (contextual) Validate(ctx context.Context) error {
	if ctx.Value(contextKey{}) == nil {
		return errLost
	}
	return nil
}

func TestContext(t *testing.T) {
	t.Parallel()
	ctx := context.WithValue(context.Background(), contextKey{}, true)
	if err := bind.Struct(new(contextual), bind.Source{Request: get(""), Context: ctx}); err != nil {
		t.Error(err)
	}
	if err := bind.Struct(new(contextual), bind.Source{Request: get("").WithContext(ctx)}); err != nil {
		t.Error(err)
	}
}

func TestLocation(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("test", 3600)
	var in struct {
		At time.Time `query:"at"`
	}
	if err := bind.Struct(&in, bind.Source{Request: get("at=2026-01-31T15:04"), Location: zone}); err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 1, 31, 14, 4, 0, 0, time.UTC); !in.At.Equal(want) {
		t.Errorf("got %v, want %v", in.At, want)
	}
}

func TestCookieIsDecoded(t *testing.T) {
	t.Parallel()
	var in struct {
		Name string `cookie:"name"`
		Rate string `cookie:"rate"`
	}
	r := get("")
	r.Header.Set("Cookie", "name=caf%C3%A9%3B%20one; rate=100%")
	if err := bind.Struct(&in, bind.Source{Request: r}); err != nil || in.Name != "café; one" || in.Rate != "100%" {
		t.Errorf("got %+v, %v", in, err)
	}
}

func TestPathWithDefault(t *testing.T) {
	t.Parallel()
	var in struct {
		Page int `path:"page" default:"1"`
	}
	if err := bind.Struct(&in, bind.Source{Request: get("")}); err != nil || in.Page != 1 {
		t.Errorf("got %+v, %v", in, err)
	}
}

// TestLargeBodyMakesLittleGarbage is not parallel, as it counts the memory of the
// whole program.
func TestLargeBodyMakesLittleGarbage(t *testing.T) {
	const size = 8 << 20
	r := post("application/octet-stream", strings.Repeat("x", size))
	var in struct {
		Body []byte `body:""`
	}
	before, after := new(runtime.MemStats), new(runtime.MemStats)
	runtime.ReadMemStats(before)
	err := bind.Struct(&in, bind.Source{Request: r})
	runtime.ReadMemStats(after)
	if err != nil || len(in.Body) != size {
		t.Fatal(len(in.Body), err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 3*size/2 {
		t.Errorf("%d bytes allocated for a body of %d", used, size)
	}
	r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader("x"))
	r.ContentLength = size
	runtime.ReadMemStats(before)
	if err := bind.Struct(&in, bind.Source{Request: r}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(after)
	if used := after.TotalAlloc - before.TotalAlloc; used > size/16 {
		t.Errorf("%d bytes allocated for a body that was announced and did not come", used)
	}
}
