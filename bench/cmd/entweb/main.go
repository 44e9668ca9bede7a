// entweb is net/http with ent and html/template: db, queries, fortunes, page
// and api.
package main

import (
	"encoding/json"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/retort-web/retort/bench/internal/entstore"
	"github.com/retort-web/retort/bench/internal/entstore/ent"
	"github.com/retort-web/retort/bench/internal/entstore/ent/post"
	"github.com/retort-web/retort/bench/internal/entstore/ent/tag"
	"github.com/retort-web/retort/bench/internal/kit"
	"github.com/retort-web/retort/bench/internal/model"
	"github.com/retort-web/retort/bench/internal/view"
	"github.com/retort-web/retort/bench/internal/websec"
)

// ent keeps relations under Edges.
func pageTemplate() *template.Template {
	base, _ := fs.ReadFile(view.Files, "html/base.html")
	page, _ := fs.ReadFile(view.Files, "html/page.html")
	src := strings.NewReplacer(".Author.Name", ".Edges.Author.Name", "range .Tags", "range .Edges.Tags").Replace(string(page))
	return template.Must(template.Must(template.New("base").Parse(string(base))).Parse(src))
}

type author struct {
	ID   int32  `json:"id"`
	Name string `json:"name"`
}

type row struct {
	ID          int32     `json:"id"`
	Title       string    `json:"title"`
	Slug        string    `json:"slug"`
	Excerpt     string    `json:"excerpt"`
	Status      string    `json:"status"`
	PublishedAt time.Time `json:"published_at"`
	Author      author    `json:"author"`
}

type list struct {
	Count    int   `json:"count"`
	Page     int   `json:"page"`
	PageSize int   `json:"page_size"`
	Results  []row `json:"results"`
}

func sendJSON(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	b, _ := json.Marshal(v)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b)
}

func sendHTML(w http.ResponseWriter, t *template.Template, v any) {
	b := view.GetBuf()
	defer view.PutBuf(b)
	if err := t.Execute(b, v); err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(b.B)))
	w.Write(b.B)
}

func main() {
	db := entstore.Open()
	tpl := pageTemplate()
	m := http.NewServeMux()
	m.HandleFunc("GET /plaintext", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("Hello, World!")) })
	m.HandleFunc("GET /db", func(w http.ResponseWriter, r *http.Request) {
		v, err := db.World.Get(r.Context(), kit.RandID())
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		sendJSON(w, model.World{ID: v.ID, RandomNumber: v.Randomnumber}, nil)
	})
	m.HandleFunc("GET /queries", func(w http.ResponseWriter, r *http.Request) {
		ws := make([]model.World, kit.N(r.URL.Query().Get("n")))
		for i := range ws {
			v, err := db.World.Get(r.Context(), kit.RandID())
			if err != nil {
				http.Error(w, err.Error(), 500)
				return
			}
			ws[i] = model.World{ID: v.ID, RandomNumber: v.Randomnumber}
		}
		sendJSON(w, ws, nil)
	})
	m.HandleFunc("GET /fortunes", func(w http.ResponseWriter, r *http.Request) {
		fs, err := db.Fortune.Query().All(r.Context())
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		fs = append(fs, &ent.Fortune{Message: model.ExtraFortune})
		slices.SortFunc(fs, func(a, b *ent.Fortune) int { return strings.Compare(a.Message, b.Message) })
		sendHTML(w, view.Fortunes, fs)
	})
	m.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: websec.CookieName, Value: websec.Seal(kit.Secret, r.URL.Query().Get("user")), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		w.Write([]byte("ok"))
	})
	m.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) {
		var user, value string
		if c, err := r.Cookie(websec.CookieName); err == nil {
			value = c.Value
			user, _ = websec.Open(kit.Secret, value)
		}
		ps, err := db.Post.Query().Where(post.StatusEQ("published")).
			WithAuthor().
			WithTags(func(q *ent.TagQuery) { q.Order(ent.Asc(tag.FieldID)) }).
			Order(ent.Desc(post.FieldID)).Limit(model.PageSize).All(r.Context())
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		sendHTML(w, tpl, map[string]any{"User": user, "CSRFName": websec.FieldName, "CSRFToken": websec.Token(kit.Secret, value), "Posts": ps})
	})
	m.HandleFunc("GET /api/posts", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		a, ok := kit.ListArgs(q.Get("status"), q.Get("page"), q.Get("page_size"))
		if !ok {
			http.Error(w, "bad parameter", 400)
			return
		}
		n, err := db.Post.Query().Where(post.StatusEQ(a.Status)).Count(r.Context())
		var ps []*ent.Post
		if err == nil {
			ps, err = db.Post.Query().Where(post.StatusEQ(a.Status)).WithAuthor().Order(ent.Desc(post.FieldID)).Limit(a.Size).Offset((a.Page - 1) * a.Size).All(r.Context())
		}
		l := list{Count: n, Page: a.Page, PageSize: a.Size, Results: make([]row, 0, len(ps))}
		for _, p := range ps {
			l.Results = append(l.Results, row{p.ID, p.Title, p.Slug, p.Excerpt, p.Status, p.PublishedAt, author{p.Edges.Author.ID, p.Edges.Author.Name}})
		}
		sendJSON(w, l, err)
	})
	kit.Serve(m)
}
