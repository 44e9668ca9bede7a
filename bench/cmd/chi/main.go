// chi is chi with hand SQL over pgx, html/template, gorilla/csrf,
// gorilla/sessions and go-playground/validator.
package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"
	"github.com/retort-web/retort/bench/internal/pgstore"
	"github.com/retort-web/retort/bench/internal/view"

	"github.com/go-chi/chi/v5"
	"github.com/go-playground/validator/v10"
	"github.com/gorilla/csrf"
	"github.com/gorilla/sessions"
)

type commentForm struct {
	PostID int    `validate:"required,min=1,max=1000"`
	Name   string `validate:"required,max=100"`
	Email  string `validate:"required,email"`
	Body   string `validate:"required,max=2000"`
}

var bufs = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func sendJSON(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func render(w http.ResponseWriter, name string, data any, err error) {
	b := bufs.Get().(*bytes.Buffer)
	defer bufs.Put(b)
	b.Reset()
	if err == nil {
		err = view.Execute(b, name, data)
	}
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b.Bytes())
}

func main() {
	db := pgstore.Open()
	valid := validator.New(validator.WithRequiredStructEnabled())
	r := chi.NewRouter()
	r.Get("/plaintext", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte("Hello, World!"))
	})
	r.Get("/json", func(w http.ResponseWriter, r *http.Request) {
		sendJSON(w, map[string]string{"message": "Hello, World!"}, nil)
	})
	r.Get("/db", func(w http.ResponseWriter, r *http.Request) {
		var v model.World
		err := db.World(r.Context(), &v)
		sendJSON(w, &v, err)
	})
	r.Get("/queries", func(w http.ResponseWriter, r *http.Request) {
		ws := make([]model.World, kit.N(r.URL.Query().Get("n")))
		err := db.Worlds(r.Context(), ws)
		sendJSON(w, ws, err)
	})
	r.Get("/updates", func(w http.ResponseWriter, r *http.Request) {
		ws := make([]model.World, kit.N(r.URL.Query().Get("n")))
		err := db.Update(r.Context(), ws)
		sendJSON(w, ws, err)
	})
	r.Get("/fortunes", func(w http.ResponseWriter, r *http.Request) {
		fs, err := db.Fortunes(r.Context())
		render(w, "fortunes", fs, err)
	})
	r.Get("/api/posts", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		a, ok := kit.ListArgs(q.Get("status"), q.Get("page"), q.Get("page_size"))
		if !ok {
			http.Error(w, "bad parameter", 400)
			return
		}
		l, err := db.List(r.Context(), a)
		sendJSON(w, l, err)
	})
	store := sessions.NewCookieStore(kit.Secret)
	r.Group(func(r chi.Router) {
		r.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, csrf.PlaintextHTTPRequest(r)) })
		})
		r.Use(csrf.Protect(kit.Secret, csrf.Secure(false), csrf.FieldName("csrf_token"), csrf.Path("/")))
		r.Get("/login", func(w http.ResponseWriter, r *http.Request) {
			s, _ := store.Get(r, "session")
			s.Values["user"] = r.URL.Query().Get("user")
			if err := s.Save(r, w); err != nil {
				http.Error(w, err.Error(), 500)
				return
			}
			w.Write([]byte("ok"))
		})
		r.Get("/page", func(w http.ResponseWriter, r *http.Request) {
			s, _ := store.Get(r, "session")
			user, _ := s.Values["user"].(string)
			ps, err := db.Page(r.Context())
			render(w, "page", &model.Page{User: user, CSRFName: "csrf_token", CSRFToken: csrf.Token(r), Posts: ps}, err)
		})
		r.Post("/create", func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil {
				http.Error(w, err.Error(), 400)
				return
			}
			id, _ := strconv.Atoi(r.PostForm.Get("post_id"))
			f := commentForm{id, r.PostForm.Get("name"), r.PostForm.Get("email"), r.PostForm.Get("body")}
			if err := valid.Struct(&f); err != nil {
				http.Error(w, err.Error(), 422)
				return
			}
			n, err := db.Create(r.Context(), model.Comment{PostID: int32(f.PostID), Name: f.Name, Email: f.Email, Body: f.Body})
			if err != nil {
				http.Error(w, err.Error(), 500)
				return
			}
			http.Redirect(w, r, "/posts/"+strconv.Itoa(id)+"#c"+strconv.Itoa(n), 303)
		})
	})
	kit.Serve(r)
}
