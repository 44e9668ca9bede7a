package bind_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/retort-web/retort/bind"
)

type product struct {
	Name   string            `json:"name" validate:"required"`
	Price  float64           `json:"price"`
	Stock  uint8             `json:"stock"`
	Made   time.Time         `json:"made"`
	ID     uuid.UUID         `json:"id"`
	Owner  *Owner            `json:"owner"`
	Parts  []product         `json:"parts"`
	Labels map[string]string `json:"labels"`
	Extra  json.RawMessage   `json:"extra"`
	Any    any               `json:"any"`
	Code   int               `json:"code,string"`
	Wait   time.Duration     `json:"wait"`
	Raw    []byte            `json:"raw"`
	Flags  [2]bool           `json:"flags"`
	ByID   map[int]string    `json:"by_id"`
	Sub    Paging            `json:"sub"`
}

func TestJSON(t *testing.T) {
	t.Parallel()
	const body = ` {"name":"A\u00e4","price":1.5,"stock":255,"made":"2026-01-31T15:04:05Z","id":"018f2f6c-7a1e-7c3b-9d51-0a1b2c3d4e5f",
		"owner":{"name":"x"},"parts":[{"name":"p"}],"labels":{"a":"b"},"extra":[1],"any":null,"code":"7","raw":"AAE=","unknown":1} `
	var got, want product
	if err := bind.JSON(postJSON(body), &got, bind.Limits{}); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(body), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJSONOfOtherTypes(t *testing.T) {
	t.Parallel()
	var list []Owner
	if err := bind.JSON(postJSON(`[{"name":"a"}]`), &list, bind.Limits{}); err != nil || len(list) != 1 {
		t.Errorf("got %v, %v", list, err)
	}
	wantRefusal(t, bind.JSON(postJSON(`[{"name":"a"},{}]`), &list, bind.Limits{}), 400, "[1].name required")
	var free map[string]any
	if err := bind.JSON(postJSON(`{"a":{"b":[1]}}`), &free, bind.Limits{}); err != nil || len(free) != 1 {
		t.Errorf("got %v, %v", free, err)
	}
	var n int
	if err := bind.JSON(postJSON(`5`), &n, bind.Limits{}); err != nil || n != 5 {
		t.Errorf("got %v, %v", n, err)
	}
	wantRefusal(t, bind.JSON(postJSON(`"x"`), &n, bind.Limits{}), 400, "the JSON must be a whole number")
	wantRefusal(t, bind.JSON(postJSON(`[]`), &free, bind.Limits{}), 400, "the JSON must be an object")
	wantRefusal(t, bind.JSON(postJSON(`null`), new(product), bind.Limits{}), 400, "name required")
	for _, dst := range []any{nil, n, (*int)(nil)} {
		err := bind.JSON(postJSON(`5`), dst, bind.Limits{})
		if _, client := errors.AsType[*bind.Error](err); err == nil || client {
			t.Errorf("target %T: %v", dst, err)
		}
	}
}

func TestMalformedJSON(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                          "the request has no body",
		" ":                         "the request body is JSON that breaks off",
		`{`:                         "the request body is JSON that breaks off",
		`{"name":"a"`:               "the request body is JSON that breaks off",
		`{"name":"a",}`:             "the request body is not JSON from byte 13",
		`{name:"a"}`:                "the request body is not JSON from byte 2",
		`{"name":"a"} x`:            "the request body is not JSON from byte 14",
		`{"name":"a"}{}`:            "the request body is not JSON from byte 13",
		`{"name":"a"}]`:             "the request body is not JSON from byte 13",
		"\ufeff{}":                  "the request body is not JSON from byte 1",
		`{"name":"` + "\xff" + `"}`: "the request body must be in UTF-8",
		`{"name":"` + "\x00" + `"}`: "the request body is not JSON from byte 10",
		`{"price":01}`:              "the request body is not JSON from byte 11",
		`{"price":NaN}`:             "the request body is not JSON from byte 10",
	} {
		for _, strict := range []bool{false, true} {
			err := bind.JSON(postJSON(body), new(product), bind.Limits{RefuseUnknown: strict})
			wantRefusal(t, err, 400, want)
			if t.Failed() {
				t.Fatalf("%q", body)
			}
		}
	}
}

func TestJSONFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body string
		want []string
	}{
		{`{"name":1,"price":"x","stock":256,"made":"y","id":"z","owner":3}`, []string{"name type", "price type", "stock range", "made type", "id invalid", "owner type"}},
		{`{"name":"a","stock":1.5}`, []string{"stock type"}},
		{`{"name":"a","stock":-1}`, []string{"stock range"}},
		{`{"name":"a","price":1e999}`, []string{"price range"}},
		{`{"name":"a","parts":[{"name":"b"},{"name":[]},{"price":true,"name":""}]}`, []string{"parts[1].name type", "parts[2].price type", "parts[2].name required"}},
		{`{"name":"a","parts":{}}`, []string{"parts type"}},
		{`{"name":"a","owner":{"name":true}}`, []string{"owner.name type"}},
		{`{"name":"a","labels":{"x":1,"y":"ok"}}`, []string{"labels.x type"}},
		{`{"name":"a","labels":[]}`, []string{"labels type"}},
		{`{"name":"a","code":7}`, []string{"code type"}},
		{`{"name":"a","code":"x"}`, []string{"code type"}},
		{`{"name":"a","wait":"5s"}`, []string{"wait type"}},
		{`{"name":"a","raw":"%%%"}`, []string{"raw invalid"}},
		{`{"name":"a","raw":"?"}`, []string{"raw invalid"}},
		{`{"name":"a","flags":[1]}`, []string{"flags type"}},
		{`{"name":"a","by_id":{"x":"y"}}`, []string{"by_id type"}},
		{`{"name":"a","sub":{"page":"y"}}`, []string{"sub.page type"}},
		{`{"name":"a\u0000"}`, []string{"name null_character"}},
		{`{"name":"a","labels":{"k":"\u0000"}}`, []string{"labels.k null_character"}},
		{`{"name":"a","labels":{"\u0000":"k"}}`, []string{"labels null_character"}},
		{`{"name":"a","any":{"k":["\u0000"]}}`, []string{"any null_character"}},
		{`{"name":"a","made":null,"owner":{"name":""}}`, []string{"owner.name required"}},
		{`{"Name":"a","PRICE":"x"}`, []string{"price type"}},
		{`{"price":"x"}`, []string{"price type", "name required"}},
	}
	for _, test := range tests {
		err := bind.JSON(postJSON(test.body), new(product), bind.Limits{})
		if status, got := refusal(err); status != 400 || !cmp.Equal(got, test.want) {
			t.Errorf("%s: %d %v, want %v", test.body, status, got, test.want)
		}
	}
	var in product
	if err := bind.JSON(postJSON(`{"name":"a\\u0000"}`), &in, bind.Limits{}); err != nil || in.Name != `a\u0000` {
		t.Errorf("an escaped backslash: %q, %v", in.Name, err)
	}
	if err := bind.JSON(postJSON(`{"name":"a","unknown":"\u0000"}`), &in, bind.Limits{}); err != nil {
		t.Errorf("a member that is ignored: %v", err)
	}
}

func TestFaultsKeepTheRest(t *testing.T) {
	t.Parallel()
	var in product
	err := bind.JSON(postJSON(`{"id":"x","name":"after the fault","labels":{"a":"b"},"parts":[{"name":"p","stock":3}]}`), &in, bind.Limits{})
	wantRefusal(t, err, 400, "id invalid")
	if in.Name != "after the fault" || in.Labels["a"] != "b" || in.Parts[0].Stock != 3 {
		t.Errorf("got %+v", in)
	}
}

func TestRefuseUnknown(t *testing.T) {
	t.Parallel()
	strict := bind.Limits{RefuseUnknown: true}
	err := bind.JSON(postJSON(`{"name":"a","nmae":1,"owner":{"name":"x","age":3},"parts":[{"name":"b","x":1}],"sub":{"Page":1}}`), new(product), strict)
	wantRefusal(t, err, 400, "nmae unknown", "owner.age unknown", "parts[0].x unknown")
	if err := bind.JSON(postJSON(`{"name":"a","NAME":"b"}`), new(product), strict); err != nil {
		t.Error(err)
	}
}

func TestJSONLimits(t *testing.T) {
	t.Parallel()
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct {
		name, body string
		limits     bind.Limits
		want       int
	}{
		{"depth at the limit", nest(100), bind.Limits{}, 0},
		{"depth over the limit", nest(101), bind.Limits{}, 400},
		{"a million brackets", strings.Repeat("[", 1<<20), bind.Limits{}, 400},
		{"a million braces", strings.Repeat(`{"a":`, 1<<20), bind.Limits{}, 400},
		{"brackets in text", `"` + strings.Repeat(`[\"{`, 1000) + `"`, bind.Limits{}, 0},
		{"brackets side by side", "[" + strings.TrimSuffix(strings.Repeat("[],", 1000), ",") + "]", bind.Limits{}, 0},
		{"values", "[" + strings.Repeat("1,", 99_998) + "1]", bind.Limits{}, 0},
		{"too many values", "[" + strings.Repeat("1,", 100_001) + "1]", bind.Limits{}, 413},
		{"too many empty objects", "[" + strings.Repeat("{},", 100_001) + "1]", bind.Limits{}, 413},
		{"commas in text", `"` + strings.Repeat(",", 200_000) + `"`, bind.Limits{}, 0},
		{"body", `"` + strings.Repeat("x", 98) + `"`, bind.Limits{Body: 100}, 0},
		{"body over the limit", `"` + strings.Repeat("x", 99) + `"`, bind.Limits{Body: 100}, 413},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var dst any
			r := postJSON(test.body)
			if status, what := refusal(bind.JSON(r, &dst, test.limits)); status != test.want {
				t.Errorf("Content-Length known: %d %v, want %d", status, what, test.want)
			}
			r = postJSON(test.body)
			r.ContentLength = -1 // chunked
			if status, what := refusal(bind.JSON(r, &dst, test.limits)); status != test.want {
				t.Errorf("chunked: %d %v, want %d", status, what, test.want)
			}
			r = postJSON(test.body)
			r.ContentLength = 1 // a lie, which net/http would not let through
			if status, what := refusal(bind.JSON(r, &dst, test.limits)); status != test.want {
				t.Errorf("Content-Length too small: %d %v, want %d", status, what, test.want)
			}
		})
	}
}

// The names that a client chooses must not be copied for each value below them,
// 12 GB in this test, nor fill the answer.
func TestLongNamesAreNotMultiplied(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("k", 400<<10)
	var dst struct {
		Zero int                       `json:"zero" validate:"required"`
		Map  map[string]map[string]int `json:"map"`
	}
	body := `{"map":{"` + name + `":{` + strings.TrimSuffix(strings.Repeat(`"a":"x",`, 30_000), ",") + `}}}`
	err := bind.JSON(postJSON(body), &dst, bind.Limits{})
	if refused, ok := errors.AsType[*bind.Error](err); !ok || len(refused.Fields) == 0 || len(err.Error()) > 50_000 {
		t.Errorf("%d bytes of error", len(err.Error()))
	}
	body = `{"x":{"` + name + `":[` + strings.Repeat("1,", 50_000) + `1]}}`
	wantRefusal(t, bind.JSON(postJSON(body), &dst, bind.Limits{}), 400, "zero required")
}

func TestLargeFaultyBody(t *testing.T) {
	t.Parallel()
	pad := `,"any":"` + strings.Repeat("x", 1<<20) + `"}`
	wantRefusal(t, bind.JSON(postJSON(`{"name":1`+pad), new(product), bind.Limits{}), 400, "name type")
	wantRefusal(t, bind.JSON(postJSON(`{"name":"\u0000"`+pad), new(product), bind.Limits{}), 400, "the JSON holds the null character")
	if err := bind.JSON(postJSON(`{"name":"\\u0000"`+pad), new(product), bind.Limits{}); err != nil {
		t.Errorf("an escaped backslash: %v", err)
	}
	wantRefusal(t, bind.JSON(postJSON(`{"nmae":1`+pad), new(product), bind.Limits{RefuseUnknown: true}), 400, "the JSON has a member that is not known")
	wantRefusal(t, bind.JSON(postJSON(`{"id":"x"`+pad), new(product), bind.Limits{}), 400, "the JSON must be an object")
}

// Numbers of many digits, as in CVE-2020-10735 for other languages, are refused
// by their range without much work.
func TestHugeNumbers(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("9", 1<<20)
	wantRefusal(t, bind.JSON(postJSON(`{"name":"a","stock":`+digits[:1<<17]+`}`), new(product), bind.Limits{}), 400, "stock range")
	wantRefusal(t, bind.Struct(new(kinds), bind.Source{Request: get("i=" + digits)}), 400, "i range")
	wantRefusal(t, bind.Struct(new(kinds), bind.Source{Request: get("f=" + digits)}), 400, "f range")
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

func TestBodyThatBreaksOff(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]int{
		io.ErrUnexpectedEOF:            400,
		os.ErrDeadlineExceeded:         408,
		&http.MaxBytesError{Limit: 5}:  413,
		errors.New("connection reset"): 400,
	} {
		for _, kind := range []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
			r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("--x\r\n"), brokenReader{err}))
			r.Header.Set("Content-Type", kind)
			var in struct{ A string }
			got := bind.Struct(&in, bind.Source{Request: r})
			if status, _ := refusal(got); status != want {
				t.Errorf("%s, %v: %v, want %d", kind, err, got, want)
			}
			if !errors.Is(got, err) {
				t.Errorf("%s: the cause of %v is lost", kind, got)
			}
		}
	}
}

// Over the limit the answer is 413 and the connection is closed, so that the
// server does not read on.
func TestTooLargeClosesTheConnection(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ A string }
		err := bind.Struct(&in, bind.Source{Request: r, Response: w, Limits: bind.Limits{Body: 1000}})
		status, _ := refusal(err)
		w.WriteHeader(status)
	}))
	defer server.Close()
	for _, kind := range []string{"application/json", "application/x-www-form-urlencoded"} {
		for _, known := range []bool{true, false} {
			body := io.Reader(strings.NewReader(`"` + strings.Repeat("x", 5000) + `"`))
			if !known {
				body = io.MultiReader(body) // chunked
			}
			response, err := http.Post(server.URL, kind, body)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != 413 || !response.Close {
				t.Errorf("%s, length known %v: status %d, close %v", kind, known, response.StatusCode, response.Close)
			}
		}
	}
}

// Buffers are reused: what was decoded may not change by the next request.
func TestDecodedValuesDoNotShareTheBuffer(t *testing.T) {
	t.Parallel()
	type in struct {
		A string          `json:"a"`
		B json.RawMessage `json:"b"`
	}
	var all []in
	for i := range 100 {
		var one in
		if err := bind.JSON(postJSON(fmt.Sprintf(`{"a":"%03d","b":[%d]}`, i, i)), &one, bind.Limits{}); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	for i, one := range all {
		if one.A != fmt.Sprintf("%03d", i) || string(one.B) != fmt.Sprintf("[%d]", i) {
			t.Errorf("%d became %v", i, one)
		}
	}
}
