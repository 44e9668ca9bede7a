package router

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	routes := []string{
		"/x", "api.example.com/x", "api.example.com/only", "POST api.example.com/any", "/any",
		"{tenant}.example.com/x", "{tenant}.example.com/{y}/z", "{a}.{b}.example.com/x", "{t:int}.example.com/x",
		"shop-{n:int}.example.com/x", "{lang:any(en,de)}.example.org/x",
	}
	cases := []struct{ host, request, want string }{
		{"api.example.com", "/x", "api.example.com/x"},
		{"API.Example.COM", "/x", "api.example.com/x"},
		{"api.example.com:8443", "/x", "api.example.com/x"},
		{"api.example.com.", "/x", "api.example.com/x"},
		{"api.example.com.:80", "/x", "api.example.com/x"},
		{"other.example.net", "/x", "/x"},
		{"", "/x", "/x"},
		{"[::1]:80", "/x", "/x"},
		{"[::1]", "/x", "/x"},
		{"api.example.com", "/only", "api.example.com/only"},
		{"example.net", "/only", "404"},
		{"acme.example.com", "/x", "{tenant}.example.com/x tenant=acme"},
		{"Acme.example.com", "/x", "{tenant}.example.com/x tenant=acme"},
		{"acme.example.com", "/1/z", "{tenant}.example.com/{y}/z tenant=acme y=1"},
		{"acme.example.com", "/any", "/any"},
		{".example.com", "/only", "404"},
		{"a.b.example.com", "/x", "{a}.{b}.example.com/x a=a b=b"},
		{"a.b.c.example.com", "/x", "/x"},
		{"12.example.com", "/x", "{t:int}.example.com/x t=12"},
		{"12.example.com", "/1/z", "{tenant}.example.com/{y}/z tenant=12 y=1"},
		{"shop-3.example.com", "/x", "shop-{n:int}.example.com/x n=3"},
		{"shop-x.example.com", "/x", "{tenant}.example.com/x tenant=shop-x"},
		{"shop-.example.com", "/x", "{tenant}.example.com/x tenant=shop-"},
		{"de.example.org", "/x", "{lang:any(en,de)}.example.org/x lang=de"},
		{"fr.example.org", "/x", "/x"},
		{strings.Repeat("a", 300) + ".example.com", "/x", "/x"},
		{"api.example.com", "PUT /any", "405 GET, HEAD, OPTIONS, POST"},
		{"api.example.com", "GET /any", "/any"},
	}
	for range 5 {
		rand.Shuffle(len(routes), func(i, j int) { routes[i], routes[j] = routes[j], routes[i] })
		r := newRouter(t, Options{}, routes...)
		for _, c := range cases {
			method, target, found := strings.Cut(c.request, " ")
			if !found {
				method, target = "GET", c.request
			}
			if got := outcome(r, method, c.host, target); got != c.want {
				t.Errorf("%s %s%s: got %s, want %s", method, c.host, target, got, c.want)
			}
		}
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	r := newRouter(t, Options{}, "{tenant}.{region:any(eu,us)}.example.com/{id:int(min=1)}/{name}.{ext:slug}")
	got := r.Routes()[0].Variables()
	want := []Variable{
		{"tenant", "str", "str", true},
		{"region", "any", `any("eu","us")`, true},
		{"id", "int", "int(min=1)", false},
		{"name", "str", "str", false},
		{"ext", "slug", "slug", false},
	}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got[i], want[i])
		}
	}
}
