package breach_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/password/breach"
)

// list is a list of stolen passwords with "password1", which is 100 times in it; its
// SHA-1 is E38AD214943DAAD1D64C102FAEC29DE4AFE9DA3D.
func list(t *testing.T, asked *[]string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.Path)
		if r.Header.Get("Add-Padding") != "true" {
			t.Error("the answer would tell by its length")
		}
		_, _ = fmt.Fprint(w, "00000000000000000000000000000000001:7\r\n214943DAAD1D64C102FAEC29DE4AFE9DA3D:100\r\nFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF:0\r\n")
	}))
	t.Cleanup(s.Close)
	return s
}

func TestRule(t *testing.T) {
	t.Parallel()
	var asked []string
	s := list(t, &asked)
	for _, test := range []struct {
		secret string
		times  int
		code   string
	}{{"password1", 0, breach.Code}, {"password1", 100, breach.Code}, {"password1", 101, ""}, {"correct horse battery", 0, ""}} {
		policy := password.Policy{AllowCommon: true, Rules: []password.Rule{breach.Rule(breach.Options{URL: s.URL + "/range/", Times: test.times})}}
		var codes []string
		for _, e := range policy.Check(test.secret) {
			codes = append(codes, e.Code)
		}
		if got := strings.Join(codes, " "); got != test.code {
			t.Errorf("%s, %d times: %q, want %q", test.secret, test.times, got, test.code)
		}
	}
	// The list learns five digits and no more.
	for _, path := range asked {
		if len(path) != len("/range/")+5 {
			t.Errorf("it was asked for %s", path)
		}
	}
}

// While the list cannot be asked passwords are accepted, and somebody is told.
func TestRuleWithoutTheList(t *testing.T) {
	t.Parallel()
	hangs := make(chan struct{})
	broken := map[string]http.HandlerFunc{
		"error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"silence": func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-hangs:
			}
		},
		"nonsense": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, "214943DAAD1D64C102FAEC29DE4AFE9DA3D:many")
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, strings.Repeat("x", 3<<20))
		},
	}
	for name, handler := range broken {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(handler)
			defer s.Close()
			var told error
			rule := breach.Rule(breach.Options{URL: s.URL + "/", Timeout: 200 * time.Millisecond, OnError: func(err error) { told = err }})
			if found := rule("password1", nil); found != nil || told == nil {
				t.Errorf("%v, told %v", found, told)
			}
		})
	}
	close(hangs)
	if found := breach.Rule(breach.Options{URL: "http://127.0.0.1:1/"})("password1", nil); found != nil {
		t.Error(found)
	}
}
