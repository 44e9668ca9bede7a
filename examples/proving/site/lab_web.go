package site

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/auth"
	"github.com/retort-web/retort/orm"
	"github.com/retort-web/retort/security"
	"github.com/retort-web/retort/signing"
	"github.com/retort-web/retort/template"
)

// Partner is the other site whose scripts may read what the laboratory has for it.
const Partner = "https://partner.example"

// webExperiments are those about what goes back to browsers, and what comes from them.
func (s *Site) webExperiments(b *retort.Blueprint) {
	b.Get("/posts", labPosts).Name("posts")
	b.Get("/separator", labSeparator).Name("separator")
	b.Get("/explain", labExplain).Name("explain")
	b.Get("/contexts", labContexts).Name("contexts")
	b.Get("/attributes", labAttributes).Name("attributes")
	b.Get("/people", labPeople).Name("people")
	b.Get("/template", labTemplate).Name("template")
	b.Get("/redirect", labRedirect).Name("redirect")
	b.Get("/header", labHeader).Name("header")
	b.Get("/cookie", labCookie).Name("cookie")
	b.Get("/file", labFile).Name("file")
	b.Get("/sign", s.labSign).Name("sign")
	b.Get("/open", s.labOpen).Name("open")
	b.Get("/shared", labShared).Name("shared").Use(security.CORS(security.CORSOptions{Origins: []string{Partner}, Credentials: true}))
}

// postFilters are what a visitor may ask of the posts: nothing that leads to the
// author's address or password.
var postFilters = orm.Allow(Posts, "title__icontains", "created__year", "author__name").OrderBy("created", "title")

// labPosts takes filters and an order from the query.
func labPosts(c *retort.Ctx) error {
	query := c.QueryValues()
	order, err := postFilters.Order(query.Get("order"))
	if err != nil {
		return err
	}
	list, err := auth.Visible(c, auth.View, Posts)
	if err != nil {
		return err
	}
	rows, err := list.Where(postFilters.Where(query)...).OrderBy(order...).Limit(50).All(c)
	if err != nil {
		return err
	}
	titles := make([]string, len(rows))
	for i, row := range rows {
		titles[i] = row.Title
	}
	return c.JSON(map[string]any{"count": len(titles), "titles": titles})
}

// labSeparator joins names with the separator that is asked for.
func labSeparator(c *retort.Ctx) error {
	s := Samples.Fields()
	type joined struct{ Names string }
	first := Samples.Where(orm.Le(&s.Amount, 9))
	all, err := orm.Aggregate[joined](c, first, orm.As("Names", orm.StringAgg(&s.Name, c.Query("by")).OrderBy(orm.Asc(&s.Name))))
	if err != nil {
		return err
	}
	return c.JSON(all)
}

func labExplain(c *retort.Ctx) error {
	plan, err := Samples.Limit(10).Explain(c, orm.ExplainOptions{Format: c.Query("format")})
	if err != nil {
		return err
	}
	return c.Text(plan)
}

// labContexts shows a text in all the places of a page that have rules of their own.
func labContexts(c *retort.Ctx) error {
	return render(c, http.StatusOK, "contexts.html", map[string]any{"text": c.Query("text")})
}

// labAttributes makes an attribute of a name and a value.
func labAttributes(c *retort.Ctx) error {
	err := c.RenderString("<!doctype html><title>Attributes</title><p {{ given|xmlattr }}>some text</p>",
		map[string]any{"given": map[string]string{c.Query("name"): c.Query("value")}})
	return notRendered(err)
}

// person has a secret that a template is not to reach, whatever it is asked for.
type person struct {
	Name   string
	Age    int
	secret string
}

// labPeople sorts, groups and lists by the attribute that is asked for.
func labPeople(c *retort.Ctx) error {
	people := []*person{{"Ada", 36, "the secret of Ada"}, {"Ben", 21, "the secret of Ben"}}
	_ = people[0].secret
	err := c.RenderString("<!doctype html><title>People</title>"+
		"{{ people|sort(attribute=by)|map(attribute='name')|join(' ') }} {{ people|map(attribute=by)|join(' ') }} {{ people|groupby(by)|length }} "+
		"{{ people|selectattr(by)|list|length }} {{ people[0]|attr(by) }} {{ ('{0.' ~ by ~ '}').format(people[0]) }}",
		map[string]any{"people": people, "by": c.Query("by")})
	return notRendered(err)
}

// visitorTemplates renders what visitors write, which may read but nothing else.
var visitorTemplates = func() *template.Engine {
	e, err := template.New(template.Options{
		Contextual: true,
		Sandbox:    &template.Sandbox{Immutable: true},
		Limits:     template.Limits{Output: 100_000, Range: 1_000, Items: 10_000, Steps: 100_000, Depth: 20},
	})
	if err != nil {
		panic(err)
	}
	return e
}()

// maxLabTemplate is the longest template of a visitor.
const maxLabTemplate = 2_000

func labTemplate(c *retort.Ctx) error {
	source := c.Query("source")
	if len(source) > maxLabTemplate {
		return retort.NewError(http.StatusRequestEntityTooLarge, "The template is too long.")
	}
	t, err := visitorTemplates.FromString(source)
	var page []byte
	if err == nil {
		page, err = t.Append(nil, template.Execution{Context: c, Data: map[string]any{"person": &person{"Ada", 36, "the secret of Ada"}}})
	}
	if err != nil {
		return notRendered(err)
	}
	return c.Text(string(page)) // what visitors write is no page of this site
}

// notRendered answers what a template cannot do with what a visitor gave it.
func notRendered(err error) error {
	if fault, ok := errors.AsType[*template.Error](err); ok {
		return retort.NewError(http.StatusUnprocessableEntity, "It cannot be rendered.").Wrap(fault)
	}
	return err
}

// labRedirect goes where it is told to, as far as that is on this site.
func labRedirect(c *retort.Ctx) error { return c.Redirect(c.Query("to")) }

// labHeader puts a value into headers, of which one names a file.
func labHeader(c *retort.Ctx) error {
	value := c.Query("value")
	c.SetHeader("X-Lab", value)
	return c.Download(strings.NewReader("what was asked for"), value)
}

// labCookie keeps a value with the browser, and shows the one that it has.
func labCookie(c *retort.Ctx) error {
	if value, ok := c.QueryValues()["value"]; ok {
		c.SetCookie(retort.Cookie{Name: "lab", Value: value[0], MaxAge: time.Hour})
	}
	kept, _ := c.Cookie("lab")
	return c.JSON(map[string]any{"lab": kept})
}

// labFile sends a file of the site by its name.
func labFile(c *retort.Ctx) error { return c.File(files, "static/"+c.Query("name")) }

const labPurpose = "laboratory"

// labSign signs a text for this purpose and no other.
func (s *Site) labSign(c *retort.Ctx) error {
	return c.Text(s.app.Keys().Sign(labPurpose, []byte(c.Query("text"))))
}

func (s *Site) labOpen(c *retort.Ctx) error {
	text, err := s.app.Keys().Verify(labPurpose, c.Query("token"), signing.Forever)
	if err != nil {
		return retort.BadRequest("The signature is not right.").Wrap(err)
	}
	return c.Text(base64.StdEncoding.EncodeToString(text))
}

// labShared is what scripts of the partner may read, with the visitor's cookies.
func labShared(c *retort.Ctx) error {
	user, err := auth.Current(c)
	if err != nil {
		return err
	}
	return c.JSON(map[string]any{"known": user != nil})
}
