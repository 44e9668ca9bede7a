package blog_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/retort-web/retort/examples/blog/blog"
	"github.com/retort-web/retort/orm"
)

// fields is a form that is filled in correctly, with some fields changed; a
// value "-" leaves the field out.
func fields(changes ...string) url.Values {
	values := url.Values{
		"title": {"A new kettle"}, "summary": {"It sings."}, "body": {"First.\n\nSecond."},
		"status": {"live"}, "published": {""}, "slug": {""}, "tags": {"1", "3"},
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "-" {
			values.Del(changes[i])
		} else {
			values.Set(changes[i], changes[i+1])
		}
	}
	return values
}

func TestWriteEditAndDeleteAPost(t *testing.T) {
	t.Parallel()
	s := newSite(t).asDemo()
	s.EnforceCSRF = true
	token := s.Get("/posts/new").Status(200).Contains("<h1>Write a post</h1>").Field("csrf_token")
	s.PostForm("/posts/new", fields()).Status(403).Contains("This is not allowed")
	s.PostForm("/posts/new", fields("csrf_token", token)).RedirectsTo("/posts/a-new-kettle")
	s.Get("/posts/a-new-kettle").Status(200).
		Contains("“A new kettle” is saved.", "<p>First.</p>", "<p>Second.</p>", "/tags/bread", "/tags/fermentation", "Ines Varga")
	s.Get("/posts/a-new-kettle").Lacks("is saved") // a message shows once
	s.Get("/").Contains("A new kettle")

	edit := s.Get("/posts/a-new-kettle/edit").Status(200).Contains("A new kettle", "It sings.", "First.\n\nSecond.")
	if edit.Field("slug") != "a-new-kettle" || edit.Field("published") == "" {
		t.Error("the form does not show what is stored")
	}
	changed := fields("title", "An old kettle", "slug", "a-new-kettle", "published", edit.Field("published"),
		"tags", "2", "csrf_token", edit.Field("csrf_token"))
	s.PostForm("/posts/a-new-kettle/edit", changed).RedirectsTo("/posts/a-new-kettle")
	s.Get("/posts/a-new-kettle").Contains("An old kettle", "/tags/kitchen").Lacks("/tags/bread", "/tags/fermentation")

	token = s.Get("/posts/a-new-kettle/delete").Status(200).Contains("Delete “An old kettle”?").Field("csrf_token")
	s.PostForm("/posts/a-new-kettle/delete", url.Values{"csrf_token": {token}}).RedirectsTo("/")
	s.Get("/").Contains("“An old kettle” was deleted.")
	s.Get("/posts/a-new-kettle").Status(404)
}

func TestPostFormShowsWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t).asDemo()
	taken := s.newest(t).Slug
	for _, test := range []struct {
		name    string
		changes []string
		want    []string
	}{
		{"no title", []string{"title", ""}, []string{`aria-invalid="true"`, "Title is required", "It sings.", "Second."}},
		{"long title", []string{"title", strings.Repeat("x", 201)}, []string{"200", strings.Repeat("x", 201)}},
		{"unknown tag", []string{"tags", "999"}, []string{"id_tags_errors"}},
		{"unknown status", []string{"status", "gone"}, []string{"id_status_errors"}},
		{"no date", []string{"published", "soon"}, []string{"id_published_errors", `value="soon"`}},
		{"address of another page", []string{"slug", "new"}, []string{"is the address of another page"}},
		{"address with spaces", []string{"slug", "a b"}, []string{"lower-case letters", `value="a b"`}},
		{"address that is taken", []string{"slug", taken}, []string{"id_slug_errors", `value="` + taken + `"`}},
		{"NUL", []string{"title", "a\x00b"}, []string{"id_title_errors"}},
		{"bad UTF-8", []string{"body", "\xff"}, []string{"id_body_errors"}},
		{"script", []string{"title", "<script>", "summary", ""}, []string{"&lt;script&gt;"}},
		{"nothing", []string{"title", "-", "summary", "-", "body", "-", "status", "-"}, []string{"Title is required", "Body is required"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			response := s.PostForm("/posts/new", fields(test.changes...)).Status(422).Contains(`class="error-summary"`).Lacks("<script>")
			response.Contains(test.want...)
		})
	}
}

func TestAddressOfAPost(t *testing.T) {
	t.Parallel()
	s := newSite(t).asDemo()
	s.PostForm("/posts/new", fields("title", "Crème brûlée, again & again")).RedirectsTo("/posts/creme-brulee-again-again")
	s.PostForm("/posts/new", fields("title", "Crème brûlée: again, again")).RedirectsTo("/posts/creme-brulee-again-again-2")
	s.PostForm("/posts/new", fields("title", "New")).RedirectsTo("/posts/post")
	s.PostForm("/posts/new", fields("title", "水")).RedirectsTo("/posts/post-2")
	s.PostForm("/posts/new", fields("slug", "my-kettle")).RedirectsTo("/posts/my-kettle")
}

func TestPublishing(t *testing.T) {
	t.Parallel()
	s := newSite(t).asDemo()
	published := func(slug string) *time.Time {
		p := blog.Posts.Fields()
		post, err := blog.Posts.Where(orm.Eq(&p.Slug, slug)).Get(s.ctx())
		if err != nil {
			t.Fatal(err)
		}
		return post.Published
	}
	s.PostForm("/posts/new", fields("slug", "now")).Status(303)
	if at := published("now"); at == nil || time.Since(*at) > time.Minute {
		t.Errorf("published at %v", at)
	}
	s.PostForm("/posts/new", fields("slug", "waiting", "status", "draft")).Status(303)
	if at := published("waiting"); at != nil {
		t.Errorf("a draft is published at %v", at)
	}
	tomorrow := time.Now().UTC().AddDate(0, 0, 1).Format("2006-01-02T15:04")
	s.PostForm("/posts/new", fields("slug", "later", "published", tomorrow)).Status(303)
	s.Get("/").Lacks("/posts/later", "/posts/waiting").Contains("/posts/now")
	s.Get("/drafts").Contains("/posts/later", "/posts/waiting").Lacks("/posts/now")
}

func TestComments(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	path := "/posts/" + s.newest(t).Slug
	s.PostForm(path, url.Values{"name": {"Ada"}, "text": {"One.\n\n<b>Two.</b>"}}).RedirectsTo(path + "#comments")
	s.Get(path).Status(200).Contains("Thank you.", ">Ada</span>", "<p>One.</p>", "&lt;b&gt;Two.&lt;/b&gt;")
	s.PostForm(path, url.Values{"name": {"Links"}, "text": {"See https://example.com/a?b=1&c=2.\n\nAnd javascript:alert(1)"}}).Status(303)
	s.Get(path).Contains(`<p>See <a href="https://example.com/a?b=1&amp;c=2" rel="noopener">https://example.com/a?b=1&amp;c=2</a>.</p>`, "<p>And javascript:alert(1)</p>")
	s.PostForm(path, url.Values{"name": {""}, "text": {"Nameless."}}).Status(422).Contains("Your name is required", "Nameless.")
	s.PostForm(path, url.Values{"name": {strings.Repeat("x", 81)}, "text": {"x"}}).Status(422).Contains("id_name_errors")
	s.PostForm("/posts/no-such-post", url.Values{"name": {"Ada"}, "text": {"x"}}).Status(404)
	// Only what the form lists is taken from a request.
	s.PostForm(path, url.Values{"name": {"Eve"}, "text": {"x"}, "post": {"1"}, "id": {"1"}, "created": {"2001-01-01"}}).Status(303)
	c := blog.Comments.Fields()
	eve, err := blog.Comments.Where(orm.Eq(&c.Name, "Eve")).With(&c.Post).Get(s.ctx())
	if err != nil {
		t.Fatal(err)
	}
	if eve.Post.To().Slug != s.newest(t).Slug || eve.Created.Year() < 2020 {
		t.Errorf("the request chose post %s and date %v", eve.Post.To().Slug, eve.Created)
	}
}

func TestManyCommentsDoNotMakeAnEndlessPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	post := s.newest(t)
	var many []*blog.Comment
	for i := range 1200 {
		c := &blog.Comment{Name: fmt.Sprintf("Reader %d.", i), Text: "x"}
		c.Post.Set(post)
		many = append(many, c)
	}
	if err := blog.Comments.Insert(s.ctx(), many...); err != nil {
		t.Fatal(err)
	}
	page := s.Get("/posts/"+post.Slug).Status(200).Contains("1,20", "The newest 100 are shown.", "Reader 1199.").Lacks("Reader 1000.").Text()
	if strings.Index(page, "Reader 1198.") > strings.Index(page, "Reader 1199.") {
		t.Error("the newest is not the last")
	}
}

func TestDeletingAPostTakesItsCommentsAlong(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.asDemo().PostForm("/posts/new", fields("slug", "soon-gone")).Status(303)
	post := s.newest(t)
	path := "/posts/soon-gone"
	s.Fresh().PostForm(path, url.Values{"name": {"Ada"}, "text": {"x"}}).Status(303)
	s.PostForm(path+"/delete", nil).RedirectsTo("/")
	c := blog.Comments.Fields()
	if n, err := blog.Comments.Where(orm.Eq(&c.Post.ID, post.ID)).Count(s.ctx()); err != nil || n != 0 {
		t.Errorf("%d comments are left (%v)", n, err)
	}
	s.PostForm(path+"/delete", nil).Status(404)
}
