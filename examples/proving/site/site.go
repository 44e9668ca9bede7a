// Package site is the proving ground, joined to an app by installing what [New]
// returns.
package site

import (
	"embed"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/accounts"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/db"
	_ "github.com/retort-web/retort/examples/proving/site/migrations"
	"github.com/retort-web/retort/form"
	"github.com/retort-web/retort/mail"
	"github.com/retort-web/retort/password"
	"github.com/retort-web/retort/security"
)

//go:embed templates static
var files embed.FS

// Options are where the site keeps its things.
type Options struct {
	Reset    bool   // begin with nothing but the seed
	Folder   string // of the database
	Mails    string // folder, one file each
	Uploads  string // folder
	Mail     string // URL of a mailer, if it is not the folder Mails
	Database string // URL, if it is not the SQLite file in Folder
	Redis    string // URL of a server for sessions and counts, if they are not in the database and the process
	Password string // of the seeded users

	// Hash is the cost of passwords. Default: that of package auth.
	Hash password.Options
}

// Site is the extension.
type Site struct {
	options Options
	app     *retort.App
	auth    *auth.Extension
	uploads *store
}

// New returns the site as an extension.
func New(o Options) *Site { return &Site{options: o} }

// Name returns "site".
func (s *Site) Name() string { return "site" }

// Install implements [retort.Extension].
func (s *Site) Install(app *retort.App) (err error) {
	s.app = app
	if s.options.Reset {
		if err := s.clear(); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(s.options.Folder, 0o700); err != nil {
		return err
	}
	if s.uploads, err = openStore(s.options.Uploads); err != nil {
		return err
	}
	sessions, counts, err := s.sessions(app)
	if err != nil {
		return err
	}
	s.auth = auth.New(auth.Options{LoginURL: "accounts.login", Hash: s.options.Hash, Counts: counts})
	app.Install(
		db.Open(""), sessions, security.New(),
		mail.New(mail.Options{URL: s.mailer(), From: "Proving <site@proving.example>"}),
		s.auth, form.New(), accounts.New(accounts.Options{
			LoginLinks: true, MailCodes: true, TokenScopes: []auth.Permission{auth.On(Posts, auth.View), auth.On(Posts, auth.Add), auth.On(Posts, auth.Change)},
		}),
	)
	app.SetConfig(func(cfg *retort.Config) { cfg.Assets = retort.Embed(files) })

	app.Get("/", s.posts).Name("posts")
	app.Methods(both, "/posts/new", s.editPost).Name("post_new").Use(auth.RequirePermission(auth.On(Posts, auth.Add)))
	app.Methods(both, "/posts/{id:int}", s.post).Name("post")
	app.Methods(both, "/posts/{id:int}/edit", s.editPost).Name("post_edit").Use(auth.RequirePermission(auth.On(Posts, auth.Change)))
	app.Get("/notes", s.notes).Name("notes").Use(auth.RequireLogin)
	app.Get("/notes.csv", s.notesCSV).Name("notes_csv").Use(auth.RequireLogin)
	app.Methods(both, "/notes/new", s.editNote).Name("note_new").Use(auth.RequireLogin)
	app.Methods(both, "/notes/all", s.allNotes).Name("notes_all").Use(auth.RequireLogin)
	app.Get("/notes/{id:int}", s.note).Name("note").Use(auth.RequireLogin)
	app.Methods(both, "/notes/{id:int}/edit", s.editNote).Name("note_edit").Use(auth.RequireLogin)
	app.Methods(both, "/notes/{id:int}/delete", s.deleteNote).Name("note_delete").Use(auth.RequireLogin)
	app.Methods(both, "/files", s.files).Name("files").Use(auth.RequireLogin)
	app.Get("/files/{id:int}", s.download).Name("file").Use(auth.RequireLogin)
	app.Methods(both, "/contact", s.contact).Name("contact")
	app.Get("/healthz", func(c *retort.Ctx) error { return c.Text("ok") })
	app.Post("/echo", echo).DisableCSRF()
	app.Get("/abs/", s.absolute).Name("abs")
	app.Get("/whoami", whoami).Name("whoami")
	app.Get("/api/whoami", whoami).Name("api_whoami").Use(auth.Bearer).DisableCSRF()
	app.Post("/api/posts", addPost).Name("api_post_new").Use(auth.Bearer, auth.RequirePermission(auth.On(Posts, auth.Add))).DisableCSRF()
	s.laboratory(app)

	for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		app.OnStatus(status, sorry)
	}
	app.OnStartup(s.prepare)
	return nil
}

var both = []string{"GET", "POST"}

// clear takes away what an earlier run has left; a database on a server is emptied by
// the seed.
func (s *Site) clear() error {
	for _, path := range []string{s.options.Mails, s.options.Uploads} {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	for _, ending := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(s.options.Folder + "/proving.db" + ending); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// echo tells how much was sent; it needs no cookies, so it takes any origin.
func echo(c *retort.Ctx) error {
	n, err := io.Copy(io.Discard, c.Request().Body)
	if err != nil {
		return err
	}
	return c.Text("len=" + strconv.FormatInt(n, 10))
}

// absolute prints the address that the site believes to have.
func (s *Site) absolute(c *retort.Ctx) error {
	address, err := c.URL("abs", "_external", true)
	if err != nil {
		return err
	}
	return c.Text(address)
}

func whoami(c *retort.Ctx) error {
	user, err := auth.Current(c)
	if err != nil {
		return err
	}
	if user == nil {
		return c.JSON(map[string]any{"user": nil})
	}
	return c.JSON(map[string]any{
		"user": user.Email, "name": user.Name, "staff": user.Staff, "superuser": user.Superuser, "verified": user.Verified != nil,
	})
}

// sorry is the page of an error; programs get the problem document.
func sorry(c *retort.Ctx, err error) error {
	if c.App().Config().Debug || c.Accepts("text/html", "application/json") != "text/html" {
		return err
	}
	status := retort.StatusOf(err)
	return c.Status(status).Render("error.html", map[string]any{"status": status, "title": http.StatusText(status), "request_id": c.RequestID()})
}

// render shows a page of the site.
func render(c *retort.Ctx, status int, name string, data map[string]any) error {
	return c.Status(status).Render(name, data)
}
