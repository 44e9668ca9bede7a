package retort_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort"
)

// TestJSONKept: what an After hook takes of a JSON answer is its own, though
// the buffers of answers are used again.
func TestJSONKept(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	var mu sync.Mutex
	kept := map[string][]byte{}
	app.After(func(c *retort.Ctx) error {
		if c.Query("keep") != "" {
			mu.Lock()
			kept[c.Param("word")] = c.ResponseBody()
			mu.Unlock()
		}
		return nil
	})
	app.Get("/{word}", func(c *retort.Ctx) error {
		if err := c.JSON("first " + c.Param("word")); err != nil {
			return err
		}
		return c.JSON(c.Param("word"))
	})
	var wait sync.WaitGroup
	for _, letter := range "abcdefgh" {
		wait.Go(func() {
			word := strings.Repeat(string(letter), 20)
			for i := range 50 {
				target := "/" + word
				if i == 20 {
					target += "?keep=1"
				}
				w := httptest.NewRecorder()
				app.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
				if want := `"` + word + "\"\n"; w.Body.String() != want {
					t.Errorf("got %q, want %q", w.Body, want)
				}
			}
		})
	}
	wait.Wait()
	for word, body := range kept {
		if string(body) != `"`+word+"\"\n" {
			t.Errorf("the answer kept of %s became %q", word, body)
		}
	}
}

// failingWriter keeps what it was given and fails, as a stream of HTTP/2 that
// was reset while its frame is being written.
type failingWriter struct {
	http.ResponseWriter
	kept []byte
}

func (w *failingWriter) Write(p []byte) (int, error) {
	w.kept = p
	return 0, errors.New("the client has gone")
}

func TestJSONUnsent(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Get("/{word}", func(c *retort.Ctx) error { return c.JSON(c.Param("word")) })
	for range 100 {
		lost := &failingWriter{ResponseWriter: httptest.NewRecorder()}
		func() {
			defer func() { _ = recover() }()
			app.ServeHTTP(lost, httptest.NewRequest("GET", "/mine", nil))
		}()
		app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/others", nil))
		if string(lost.kept) != "\"mine\"\n" {
			t.Fatalf("a failed answer became %q", lost.kept)
		}
	}
}
