package session_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/retort-web/retort/session"
	"github.com/retort-web/retort/signing"
)

// A page that counts its visits, without the rest of the framework.
func Example() {
	keys, err := signing.New("a secret that only this program knows")
	if err != nil {
		fmt.Println(err)
		return
	}
	sessions, err := session.NewManager(session.NewCookieStore(keys, session.CookieOptions{}), session.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := sessions.Load(r.Context(), r, r.TLS != nil)
		if err != nil {
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		visits, _ := session.Get[int](s, "visits")
		s.Set("visits", visits+1)
		if err := sessions.Commit(r.Context(), w, r, s, r.TLS != nil); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "visit %d", visits+1)
	}))
	defer server.Close()

	jar, _ := cookiejar.New(nil)
	browser := http.Client{Jar: jar}
	for range 3 {
		response, err := browser.Get(server.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		var text [20]byte
		n, _ := response.Body.Read(text[:])
		response.Body.Close()
		fmt.Println(string(text[:n]))
	}
	// Output:
	// visit 1
	// visit 2
	// visit 3
}

// A value is a copy: change it, then set it again.
func ExampleGet() {
	s := session.New()
	s.Set("cart", map[string]int{"apple": 1})

	cart, ok := session.Get[map[string]int](s, "cart")
	cart["pear"] = 2
	s.Set("cart", cart)

	fmt.Println(ok, s.Get("cart"))
	// Output: true map[apple:1 pear:2]
}

// Messages for the next page.
func ExampleSession_Flash() {
	s := session.New()
	s.Flash("success", "Your post is online")
	s.Flash("warning", "It has no picture yet")

	for _, m := range s.Flashes() {
		fmt.Printf("%s: %s\n", m.Category, m.Text)
	}
	// Output:
	// success: Your post is online
	// warning: It has no picture yet
}

// A login changes the session's identity, a logout ends it.
func ExampleSession_Rotate() {
	s := session.New()
	s.Set("cart", "full")

	s.Rotate()
	s.Set("user", 42)
	fmt.Println(s.Keys())

	s.Clear()
	fmt.Println(s.Keys())
	// Output:
	// [cart user]
	// []
}
