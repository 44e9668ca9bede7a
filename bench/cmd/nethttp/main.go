// nethttp is the baseline: net/http's own router, pgx, signed cookies and
// pages written as appends. BENCH_TEMPLATES=html renders through
// html/template instead, to show what the template engine alone costs.
package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strconv"

	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"
	"github.com/retort-web/retort/bench/internal/pgstore"
	"github.com/retort-web/retort/bench/internal/view"
	"github.com/retort-web/retort/bench/internal/websec"
)

type store interface {
	World(context.Context, *model.World) error
	Worlds(context.Context, []model.World) error
	Update(context.Context, []model.World) error
	Fortunes(context.Context) ([]model.Fortune, error)
	Page(context.Context) ([]model.Post, error)
	List(context.Context, kit.PageArgs) (*model.PostList, error)
	Create(context.Context, model.Comment) (int, error)
}

var (
	db   store
	slow = os.Getenv("BENCH_TEMPLATES") == "html"

	// Set by the build with -tags sqlite, so that the other one is not the
	// larger for it.
	openLite func(driver string) store

	ctText = []string{"text/plain; charset=utf-8"}
	ctJSON = []string{"application/json"}
	ctHTML = []string{"text/html; charset=utf-8"}
)

func main() {
	if kit.DB == "pg" {
		db = pgstore.Open()
	} else {
		db = openLite(kit.DB)
	}
	m := http.NewServeMux()
	m.HandleFunc("GET /plaintext", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = ctText
		w.Write([]byte("Hello, World!"))
	})
	m.HandleFunc("GET /json", func(w http.ResponseWriter, r *http.Request) {
		sendJSON(w, model.Message{Message: "Hello, World!"}, nil)
	})
	m.HandleFunc("GET /db", func(w http.ResponseWriter, r *http.Request) {
		var v model.World
		err := db.World(r.Context(), &v)
		sendJSON(w, &v, err)
	})
	m.HandleFunc("GET /queries", func(w http.ResponseWriter, r *http.Request) {
		ws := make([]model.World, kit.N(r.URL.Query().Get("n")))
		err := db.Worlds(r.Context(), ws)
		sendJSON(w, ws, err)
	})
	m.HandleFunc("GET /updates", func(w http.ResponseWriter, r *http.Request) {
		ws := make([]model.World, kit.N(r.URL.Query().Get("n")))
		err := db.Update(r.Context(), ws)
		sendJSON(w, ws, err)
	})
	m.HandleFunc("GET /fortunes", fortunes)
	m.HandleFunc("GET /login", login)
	m.HandleFunc("GET /page", page)
	m.HandleFunc("POST /create", create)
	m.HandleFunc("GET /api/posts", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		a, ok := kit.ListArgs(q.Get("status"), q.Get("page"), q.Get("page_size"))
		if !ok {
			http.Error(w, "bad parameter", 400)
			return
		}
		l, err := db.List(r.Context(), a)
		sendJSON(w, l, err)
	})
	kit.Serve(m)
}

func sendJSON(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	h := w.Header()
	h["Content-Type"] = ctJSON
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.Write(b)
}

func sendHTML(w http.ResponseWriter, b []byte) {
	h := w.Header()
	h["Content-Type"] = ctHTML
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.Write(b)
}

func fortunes(w http.ResponseWriter, r *http.Request) {
	fs, err := db.Fortunes(r.Context())
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	b := view.GetBuf()
	defer view.PutBuf(b)
	if slow {
		err = view.Execute(b, "fortunes", fs)
	} else {
		b.B = view.AppendFortunes(b.B, fs)
	}
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	sendHTML(w, b.B)
}

func login(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: websec.CookieName, Value: websec.Seal(kit.Secret, r.URL.Query().Get("user")), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	w.Write([]byte("ok"))
}

// session returns the user and the cookie the CSRF token is bound to.
func session(r *http.Request) (user, cookie string) {
	c, err := r.Cookie(websec.CookieName)
	if err != nil {
		return "", ""
	}
	u, ok := websec.Open(kit.Secret, c.Value)
	if !ok {
		return "", ""
	}
	return u, c.Value
}

func page(w http.ResponseWriter, r *http.Request) {
	user, cookie := session(r)
	ps, err := db.Page(r.Context())
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	p := &model.Page{User: user, CSRFName: websec.FieldName, CSRFToken: websec.Token(kit.Secret, cookie), Posts: ps}
	b := view.GetBuf()
	defer view.PutBuf(b)
	if slow {
		err = view.Execute(b, "page", p)
	} else {
		b.B = view.AppendPage(b.B, p)
	}
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	h := w.Header()
	h["Vary"] = []string{"Cookie"}
	sendHTML(w, b.B)
}

func create(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	_, cookie := session(r)
	if cookie == "" || !websec.Check(kit.Secret, cookie, r.PostForm.Get(websec.FieldName)) {
		http.Error(w, "CSRF token missing or wrong", 403)
		return
	}
	c, errs := websec.Comment(r.PostForm.Get)
	if errs != nil {
		w.WriteHeader(422)
		json.NewEncoder(w).Encode(errs)
		return
	}
	id, err := db.Create(r.Context(), c)
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	w.Header()["Location"] = []string{"/posts/" + strconv.Itoa(int(c.PostID)) + "#c" + strconv.Itoa(id)}
	w.WriteHeader(303)
}
