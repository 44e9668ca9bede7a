package blog_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/db"
	"github.com/retort-web/retort/examples/blog/blog"
	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/sqlite"
	"github.com/retort-web/retort/retorttest"
)

// site is the blog with a database of its own, filled as at the first start.
type site struct {
	*retorttest.Client
	app     *retort.App
	queries atomic.Int64
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{}
	s.app = retort.New(retort.Config{Name: "blog", BaseURL: "https://slow.example", Logger: slog.New(slog.DiscardHandler)})
	s.app.Install(db.Open("sqlite::memory:", db.Options{Hooks: []orm.QueryHook{s}}), blog.App)
	s.Client = retorttest.New(t, s.app)
	s.NoRepeatedQueries = true
	s.Header.Set("Accept", "text/html,*/*;q=0.8")
	return s
}

// demoPassword is that of the user whom the first start makes.
const demoPassword = "slow bread and old chairs"

func TestMain(m *testing.M) {
	os.Setenv("BLOG_DEMO_PASSWORD", demoPassword)
	os.Exit(m.Run())
}

// asDemo logs the client in as that user, the author Ines Varga.
func (s *site) asDemo() *site {
	s.PostForm("/login", url.Values{"email": {blog.DemoUser}, "password": {demoPassword}}).RedirectsTo("/")
	return s
}

// QueryStart and QueryEnd count the statements.
func (s *site) QueryStart(ctx context.Context, _ *orm.QueryEvent) context.Context { return ctx }

func (s *site) QueryEnd(context.Context, *orm.QueryEvent) { s.queries.Add(1) }

// ctx is a context with the site's database.
func (s *site) ctx() context.Context { return s.app.Context() }

// newest returns the newest post that readers see.
func (s *site) newest(t testing.TB) *blog.Post {
	t.Helper()
	p := blog.Posts.Fields()
	post, err := blog.Posts.Where(orm.Eq(&p.Status, blog.Live)).With(&p.Author, &p.Tags).First(s.ctx())
	if err != nil {
		t.Fatal(err)
	}
	return post
}

func TestFirstStartFillsTheSite(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := blog.Posts.Fields()
	for _, test := range []struct {
		what  string
		count func() (int64, error)
		least int64
	}{
		{"posts", func() (int64, error) { return blog.Posts.Count(s.ctx()) }, 300},
		{"live posts", func() (int64, error) {
			return blog.Posts.Where(orm.Eq(&p.Status, blog.Live), orm.Le(&p.Published, new(time.Now()))).Count(s.ctx())
		}, 290},
		{"authors", func() (int64, error) { return blog.Authors.Count(s.ctx()) }, 6},
		{"tags", func() (int64, error) { return blog.Tags.Count(s.ctx()) }, 15},
		{"comments", func() (int64, error) { return blog.Comments.Count(s.ctx()) }, 400},
		{"posts with tags", func() (int64, error) { return blog.Posts.Where(orm.Has(&p.Tags)).Count(s.ctx()) }, 300},
	} {
		if n, err := test.count(); err != nil || n < test.least {
			t.Errorf("%d %s, want %d (%v)", n, test.what, test.least, err)
		}
	}
	posts, err := blog.Posts.All(s.ctx())
	if err != nil {
		t.Fatal(err)
	}
	for _, post := range posts {
		if strings.ContainsAny(post.Title+post.Summary+post.Body, "{}") {
			t.Errorf("%s has a hole: %s", post.Slug, post.Body)
		}
	}
}

func TestSeveralProcessesStartAtOnce(t *testing.T) {
	t.Parallel()
	address := "sqlite:" + filepath.ToSlash(filepath.Join(t.TempDir(), "blog.db"))
	var running sync.WaitGroup
	for range 3 {
		running.Go(func() {
			app := retort.New(retort.Config{Logger: slog.New(slog.DiscardHandler)})
			app.Install(db.Open(address), blog.App)
			defer app.Shutdown(t.Context())
			if err := app.Startup(t.Context()); err != nil {
				t.Error(err)
			}
			if n, err := blog.Authors.Count(app.Context()); err != nil || n != 6 {
				t.Errorf("%d authors (%v)", n, err)
			}
		})
	}
	running.Wait()
}

// The number of statements does not grow with the number of rows.
func TestPagesNeedFewStatements(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	post := s.newest(t)
	for _, test := range []struct {
		path string
		most int64
	}{
		{"/", 4},                                           // count, posts with authors, tags, topics
		{"/tags/bread", 4},                                 // tag, count, posts with authors, tags
		{"/authors/ines-varga", 4},                         // author, count, posts with authors, tags
		{"/posts/" + post.Slug, 4},                         // post with author, tags, comments and their number
		{"/posts/" + post.Slug + "/edit", 0},               // asks for a login
		{"/search?q=water", 3},                             // count, posts with authors, tags
		{"/feed.xml", 2},                                   // posts with authors, tags
		{"/api/posts?size=100", 3},                         // count, posts with authors, tags
		{"/api/posts/" + fmt.Sprint(post.ID), 2},           // post with author, tags
		{"/posts/new", 0},                                  // asks for a login
		{"/static/blog/style.css", 0},                      // nothing
		{"/nothing/here", 0},                               // nothing
		{"/posts/" + strings.Repeat("x", 100), 1},          // post
		{"/search?q=" + strings.Repeat("water+", 50), 3},   // as above
		{"/?page=999999", 4},                               // the last page
		{"/posts/" + post.Slug + "?page=%zz", 4},           // a broken query is ignored
		{"/search?q=", 0},                                  // nothing is looked for
		{"/api/posts?page=0", 0},                           // refused
		{"/api/posts/99999999999999999999999999999999", 0}, // names nothing
	} {
		before := s.queries.Load()
		s.Get(test.path)
		if n := s.queries.Load() - before; n > test.most {
			t.Errorf("%s took %d statements, want at most %d", test.path, n, test.most)
		}
	}
}

// Those of a user take one more, for the user, and a post one to see whose it is.
func TestPagesOfUsersNeedFewStatements(t *testing.T) {
	t.Parallel()
	s := newSite(t).asDemo()
	s.PostForm("/posts/new", fields("slug", "mine")).Status(303)
	for _, test := range []struct {
		path string
		most int64
	}{
		{"/", 5},                // user, count, posts with authors, tags, topics
		{"/drafts", 4},          // user, count, posts with authors, tags
		{"/posts/mine", 6},      // user, post with author, tags, comments and their number, whose it is
		{"/posts/mine/edit", 4}, // user, post with author, tags, all tags
		{"/posts/new", 2},       // user, all tags
		{"/profile", 1},         // user
	} {
		before := s.queries.Load()
		s.Get(test.path).Status(200)
		if n := s.queries.Load() - before; n > test.most {
			t.Errorf("%s took %d statements, want at most %d", test.path, n, test.most)
		}
	}
}

func TestListHasPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.Get("/").Status(200).Contains(`aria-current="page"`, "?page=2", "Older", "Topics", "<title>Slow Notes</title>").Lacks("Newer").Text()
	if n := strings.Count(first, "<article>"); n != 10 {
		t.Errorf("the first page has %d posts", n)
	}
	s.Get("/?page=2").Status(200).Contains(`<a href="/" rel="prev">`, `<a href="/?page=3" rel="next">`)
	s.Get("/?page=999").Status(200).Lacks(`rel="next"`)
	s.Get("/?page=x").Status(400)
	s.Get("/tags/bread?page=2").Status(200).Contains("/tags/bread?page=3", `<a href="/tags/bread" rel="prev">`)
	s.Get("/search?q=the+water&page=2").Status(200).Contains("/search?page=3&amp;q=the+water")
}

func TestFiltersAndMisses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Get("/tags/hand-tools").Status(200).Contains("<h1>Hand tools</h1>")
	s.Get("/authors/priya-nandakumar").Status(200).Contains("<h1>Priya Nandakumar</h1>", "removing code")
	for _, path := range []string{"/tags/nothing", "/authors/nobody", "/posts/no-such-post", "/nothing", "/posts/a%00b"} {
		s.Get(path).Status(404).Contains("This page is not here", "Slow <span>Notes</span>")
	}
}

func TestDraftsAreNotPublic(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := blog.Posts.Fields()
	draft, err := blog.Posts.Where(orm.Eq(&p.Status, blog.Draft)).First(s.ctx())
	if err != nil {
		t.Fatal(err)
	}
	s.Get("/search?q=" + url.QueryEscape(draft.Title)).Status(200).Lacks("/posts/" + draft.Slug)
	s.Get("/api/posts/" + fmt.Sprint(draft.ID)).Status(404)
	s.Get("/posts/" + draft.Slug).Status(404)
	s.Get("/drafts").RedirectsTo("/login?next=%2Fdrafts")
	s.Get("/feed.xml").Lacks(draft.Slug)
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Get("/search?q=SALT+water").Status(200).Contains("<mark>Salt</mark>", "<mark>water</mark>", `value="SALT water"`)
	s.Get("/search").Status(200).Contains("Type a word or two")
	s.Get("/search?q=xyzzy").Status(200).Contains("0 posts found", "No post has all")
	s.Get("/search?q=%3Cscript%3E").Status(200).Lacks("<script>").Contains("&lt;script&gt;")
	s.Get("/search?q=%25").Status(200).Contains("0 posts found")
	s.Get("/search?q=%00%ff+salt").Status(200)
}

func TestAPI(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Header.Set("Accept", "application/json")
	var page struct {
		Page, Pages, Total int
		Posts              []struct {
			ID    int64
			Title string
			Body  string
			Tags  []string
		}
	}
	s.Get("/api/posts?tag=bread&size=5&page=2").Status(200).HasHeader("Content-Type", "application/json").JSON(&page)
	if page.Page != 2 || len(page.Posts) != 5 || page.Total < 20 || page.Posts[0].Body != "" {
		t.Errorf("got %+v", page)
	}
	for _, post := range page.Posts {
		if !strings.Contains(strings.Join(post.Tags, " "), "bread") {
			t.Errorf("%s is not tagged bread: %v", post.Title, post.Tags)
		}
	}
	s.Get(fmt.Sprintf("/api/posts/%d", page.Posts[0].ID)).Status(200).Contains(`"body":"`)
	s.Get("/api/posts?q=courgettes").Status(200).JSON(&page)
	if page.Total == 0 {
		t.Error("the search found nothing")
	}
	for _, path := range []string{"/api/posts?page=0", "/api/posts?page=x", "/api/posts?size=1000", "/api/posts?q=" + strings.Repeat("x", 201)} {
		s.Get(path).Status(400).HasHeader("Content-Type", "application/problem+json").Contains(`"errors":[{"field":`)
	}
	s.Get("/api/posts/0").Status(404).HasHeader("Content-Type", "application/problem+json")
	s.Get("/api/posts?tag=nothing").Status(200).Contains(`"posts":[]`)
}

func TestFeedIsWellFormed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Host, s.Secure = "slow.example", true
	response := s.Get("/feed.xml").Status(200).Contains("https://slow.example/posts/")
	var feed struct {
		Entries []struct {
			Title   string `xml:"title"`
			Updated string `xml:"updated"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(response.Body.Bytes(), &feed); err != nil {
		t.Fatal(err)
	}
	if len(feed.Entries) != 20 {
		t.Errorf("%d entries", len(feed.Entries))
	}
	for _, entry := range feed.Entries {
		if _, err := time.Parse(time.RFC3339, entry.Updated); err != nil || entry.Title == "" {
			t.Errorf("%+v (%v)", entry, err)
		}
	}
}

func TestStyleSheetIsSmallAndCached(t *testing.T) {
	t.Parallel()
	info, err := os.Stat("static/style.css")
	if err != nil || info.Size() > 12_000 {
		t.Errorf("%d bytes (%v)", info.Size(), err)
	}
	s := newSite(t)
	_, rest, _ := strings.Cut(s.Get("/").Text(), `<link rel="stylesheet" href="`)
	address, _, _ := strings.Cut(rest, `"`)
	s.Get(address).Status(200).HasHeader("Cache-Control", "public, max-age=31536000, immutable")
}

func TestPagesAllowNoForeignContent(t *testing.T) {
	t.Parallel()
	s := newSite(t).asDemo()
	strict := regexp.MustCompile(`(^|; )script-src 'nonce-[^']+' 'strict-dynamic'(;|$)`)
	for _, path := range []string{"/", "/search?q=salt", "/tags/bread", "/posts/" + s.newest(t).Slug, "/posts/new", "/drafts", "/profile", "/sessions", "/login", "/nothing/here"} {
		page := s.Get(path).Lacks("<script", " style=", " onclick=")
		policy := page.Header().Get("Content-Security-Policy")
		if !strict.MatchString(policy) || !strings.Contains(policy, "default-src 'self'") || strings.Contains(policy, "unsafe") {
			t.Errorf("the policy of %s is %q", path, policy)
		}
	}
}

func BenchmarkPages(b *testing.B) {
	s := newSite(b)
	post := s.newest(b)
	for _, page := range []struct{ name, path string }{
		{"list", "/"}, {"detail", "/posts/" + post.Slug}, {"search", "/search?q=salt+water"}, {"api", "/api/posts"},
	} {
		b.Run(page.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Get(page.path).Status(200)
			}
		})
	}
}
