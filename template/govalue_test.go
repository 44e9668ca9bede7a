package template

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// renderInline compiles and renders with autoescape on, as inline templates are.
func renderInline(t *testing.T, o Options, src string, data any) (string, error) {
	t.Helper()
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := e.FromString(src)
	if err != nil {
		return "", err
	}
	out, err := tpl.Append(nil, Execution{Data: data})
	return string(out), err
}

func wantRender(t *testing.T, o Options, src string, data any, want string) {
	t.Helper()
	got, err := renderInline(t, o, src, data)
	if err != nil {
		t.Errorf("%s: %v", src, err)
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", src, diff)
	}
}

func wantError(t *testing.T, o Options, src string, data any, kind Kind, message string) {
	t.Helper()
	got, err := renderInline(t, o, src, data)
	var te *Error
	if !errors.As(err, &te) {
		t.Errorf("%s: got %q and error %v, want one of kind %s", src, got, err, kind)
		return
	}
	if te.Kind != kind || !strings.Contains(te.Message, message) {
		t.Errorf("%s: got %s error %q, want %s with %q", src, te.Kind, te.Message, kind, message)
	}
}

type status string

func (s status) String() string { return "status " + string(s) }

type plainStatus string

type entity struct{ ID int64 }

type hidden struct{ Promoted string }

type author struct {
	entity
	Username string
}

func (a *author) String() string { return "@" + a.Username }

type relation struct {
	ID  int64
	to  *author
	err error
}

func (r relation) TemplateValue() (any, error) { return r.to, r.err }

type markup struct{}

func (markup) HTML() string { return "<b>own</b>" }

type article struct {
	entity
	*hidden
	Title       string
	PublishedAt *time.Time
	AuthorID    int64
	HTMLBody    Safe
	Author      relation
	Lost        relation
	Status      status
	Plain       plainStatus
	Tags        []string
	Meta        map[string]any
	Counts      map[int]string
	Note        sql.NullString
	Empty       sql.Null[int]
	Any         any
	Err         error
	Price       *big.Int
	Raw         []byte
	Spent       time.Duration
	Addr        netip.Addr
	Widget      markup
	secret      string
	Next        *article
	Small       uint8
	Ratio       float32
	Grid        [2][2]int
}

func (a *article) AbsoluteURL() string { return "/articles/" + fmt.Sprint(a.ID) }

func (a article) Add(n ...int) int {
	for _, m := range n {
		a.ID += int64(m)
	}
	return int(a.ID)
}

func (a article) Fail() (string, error) { return "", errors.New("database is locked") }

func (a article) InLanguage(ctx context.Context, s string) string {
	return fmt.Sprint(ctx.Value(languageKey{}), ":", s)
}

func (a article) Pair() (int, string) { return 1, "x" }

func (a article) Crash() string { panic("boom") }

type languageKey struct{}

func exampleArticle() *article {
	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	return &article{
		entity: entity{7}, Title: "Go <1.26>", PublishedAt: &at, AuthorID: 3, HTMLBody: "<p>hi</p>",
		Author: relation{to: &author{entity{3}, "ada"}}, Lost: relation{ID: 9, err: errors.New("Author was not loaded")},
		Status: "draft", Plain: "live", Tags: []string{"go", "web"},
		Meta: map[string]any{"b": 1, "a": []int{1, 2}}, Counts: map[int]string{10: "ten", 9: "nine"},
		Note: sql.NullString{String: "n", Valid: true}, Any: map[string]string{"k": "v"}, Err: errors.New("bad"),
		Price: big.NewInt(12), Raw: []byte("raw"), Spent: 90 * time.Second, Addr: netip.MustParseAddr("10.0.0.1"),
		secret: "s", Small: 200, Ratio: 0.5, Grid: [2][2]int{{1, 2}, {3, 4}},
	}
}

func TestGoValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, src, want string }{
		{"exact field name", "{{ a.Title }}", "Go &lt;1.26&gt;"},
		{"snake case", "{{ a.title }} {{ a.author_id }} {{ a.published_at.year }} {{ a.html_body }}", "Go &lt;1.26&gt; 3 2024 <p>hi</p>"},
		{"promoted through an unexported struct", "{{ a.id }} {{ a.ID }}", "7 7"},
		{"promoted through a nil pointer is none", "{{ a.promoted }}", "None"},
		{"unexported fields do not exist", "{{ a.secret is defined }}", "False"},
		{"attribute by subscript", "{{ a['title'] }}", "Go &lt;1.26&gt;"},
		{"method in snake case", "{{ a.absolute_url() }} {{ a.AbsoluteURL() }}", "/articles/7 /articles/7"},
		{"variadic method", "{{ a.add() }} {{ a.add(1, 2) }}", "7 10"},
		{"several results are a tuple", "{{ a.pair() }} {{ a.pair()[1] }}", "(1, &#39;x&#39;) x"},
		{"relation stands for its object", "{{ a.author.username }} {{ a.author.id }} {{ a.author }}", "ada 3 @ada"},
		{"key of a relation that is not loaded", "{{ a.lost_id }} {{ a.LostID }}", "9 9"},
		{"a field wins over the key of a relation", "{{ a.author_id }}", "3"},
		{"an unused relation does no harm", "{{ a.lost if false else 'ok' }}", "ok"},
		{"stringer of a named string", "{{ a.status }} {{ a.status == 'draft' }} {{ a.status|upper }}", "status draft True STATUS DRAFT"},
		{"named string", "{{ a.plain }} {{ a.plain == 'live' }} {{ a.plain ~ '!' }} {{ a.plain is string }}", "live True live! True"},
		{"slice", "{{ a.tags }} {{ a.tags|join(', ') }} {{ a.tags[-1] }} {{ a.tags|length }} {{ 'go' in a.tags }} {{ a.tags[1:] }}", "[&#39;go&#39;, &#39;web&#39;] go, web web 2 True [&#39;web&#39;]"},
		{"array", "{{ a.grid[1][0] }} {{ a.grid }}", "3 [[1, 2], [3, 4]]"},
		{"map by key order", "{{ a.meta }} {% for k, v in a.meta.items() %}{{ k }}={{ v }};{% endfor %}", "{&#39;a&#39;: [1, 2], &#39;b&#39;: 1} a=[1, 2];b=1;"},
		{"map lookup", "{{ a.meta.b }} {{ a.meta['a'][0] }} {{ a.meta.nope is defined }} {{ a.meta.get('z', 5) }}", "1 1 False 5"},
		{"map with integer keys", "{{ a.counts[9] }} {% for k in a.counts %}{{ k }} {% endfor %}", "nine 9 10 "},
		{"sql null types", "{{ a.note }} {{ a.empty }}", "n None"},
		{"interface", "{{ a.any.k }}", "v"},
		{"error prints", "{{ a.err }}", "bad"},
		{"big integer", "{{ a.price + 1 }}", "13"},
		{"bytes as string", "{{ a.raw|upper }}", "RAW"},
		{"duration", "{{ a.spent }} {{ a.spent / 1000000000 }} {{ a.spent > 5 }}", "1m30s 90.0 True"},
		{"text marshaler", "{{ a.addr }}", "10.0.0.1"},
		{"own HTML form", "{{ a.widget }} {{ a.widget is escaped }}", "<b>own</b> True"},
		{"nil pointer is none", "{{ a.next }} {{ a.next is none }}", "None True"},
		{"time prints", "{{ a.published_at }} {{ a.published_at.strftime('%d %b') }} {{ a.published_at.Year() }}", "2024-05-06 07:08:09+00:00 06 May 2024"},
		{"small kinds", "{{ a.small + 100 }} {{ a.ratio }}", "300 0.5"},
		{"struct pointer with String", "{{ author }}", "@ada"},
		{"struct without text form shows its type only", "{{ a }}", "&lt;template.article&gt;"},
		{"iter.Seq", "{% for x in seq %}{{ x }}{{ ',' if not loop.last }}{% endfor %} {{ seq|list|length }}", "1,2,3 3"},
		{"iter.Seq2", "{% for k, v in seq2 %}{{ k }}{{ v }} {% endfor %}", "0a 1b "},
		{"unfinished iter.Seq", "{% for x in endless if x > 2 %}{{ x }}{% break %}{% endfor %}", "3"},
		{"function", "{{ double(4) }} {{ hello('x', 2) }}", "8 xx"},
		{"json.Number", "{{ number + 1 }} {{ huge }}", "43 123456789012345678901234567890"},
		{"url.Values method before mapping method", "{{ query.get('q') }}", "go"},
		{"slice of structs", "{% for x in list %}{{ x.username }}{{ x }} {% endfor %}{{ list|map(attribute='username')|join }}", "ada@ada bob@bob adabob"},
		{"sort and group structs", "{{ list|sort(attribute='username', reverse=true)|map(attribute='id')|join(',') }}", "2,1"},
		{"list the template may change", "{{ mine.append(3) or '' }}{{ mine }}", "[1, 2, 3]"},
		{"tojson of a struct", "{{ list[0].entity is defined }}{{ list[0]|tojson }}", `False{"ID":1,"Username":"ada"}`},
		{"tojson of data", "{{ a.meta|tojson }} {{ a.published_at|tojson }} {{ a.addr|tojson }}", `{"a": [1, 2], "b": 1} "2024-05-06T07:08:09Z" "10.0.0.1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			data := map[string]any{
				"a": exampleArticle(), "author": &author{entity{3}, "ada"},
				"seq": slices.Values([]int{1, 2, 3}), "seq2": slices.All([]string{"a", "b"}),
				"endless": iter.Seq[int](func(yield func(int) bool) {
					for i := 0; yield(i); i++ {
					}
				}),
				"double": func(n int) int { return 2 * n }, "hello": strings.Repeat,
				"number": json.Number("42"), "huge": json.Number("123456789012345678901234567890"),
				"query": url.Values{"q": {"go"}},
				"list":  []author{{entity{1}, "ada"}, {entity{2}, "bob"}},
				"mine":  NewList(1, 2),
			}
			wantRender(t, Options{Extensions: Extensions{LoopControls: true}}, c.src, data, c.want)
		})
	}
}

func TestGoValueErrors(t *testing.T) {
	t.Parallel()
	data := map[string]any{"a": exampleArticle(), "f": func(int8) {}, "tags": []string{"x"}, "m": map[string]int{}}
	for _, c := range []struct {
		name, src string
		kind      Kind
		message   string
	}{
		{"error result ends the render", "{{ a.fail() }}", Runtime, "database is locked"},
		{"relation that is not loaded", "{{ a.lost.username }}", Runtime, "Author was not loaded"},
		{"wrong number of arguments", "{{ a.absolute_url(1) }}", Runtime, "takes 0 arguments"},
		{"wrong type of argument", "{{ f('x') }}", Runtime, "argument 1: cannot use str as int8"},
		{"number that does not fit", "{{ f(300) }}", Runtime, "does not fit int8"},
		{"keyword arguments", "{{ f(n=1) }}", Runtime, "no keyword arguments"},
		{"undefined argument", "{{ f(nope) }}", Undefined, "'nope' is undefined"},
		{"slices of the program stay as they are", "{{ tags.append(1) }}", Runtime, "belongs to the program"},
		{"maps of the program too", "{{ m.update(a=1) }}", Runtime, "belongs to the program"},
		{"panic of a method", "{{ a.crash() }}", Runtime, "panic: boom"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wantError(t, Options{}, c.src, data, c.kind, c.message)
		})
	}
	_, err := renderInline(t, Options{}, "{{ a.crash() }}", data)
	var p *Panic
	if !errors.As(err, &p) || p.Value != "boom" || len(p.Stack) == 0 {
		t.Errorf("the cause of a panic is lost: %v", err)
	}
}

func TestDataAsStruct(t *testing.T) {
	t.Parallel()
	wantRender(t, Options{}, "{{ title }} {{ absolute_url() }} {{ nope is defined }}", exampleArticle(), "Go &lt;1.26&gt; /articles/7 False")
	wantRender(t, Options{}, "{{ k }}", map[string]string{"k": "<"}, "&lt;")
}

func TestContextReachesFunctions(t *testing.T) {
	t.Parallel()
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := e.FromString("{{ a.in_language('x') }}")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithValue(t.Context(), languageKey{}, "de")
	out, err := tpl.Append(nil, Execution{Context: ctx, Data: map[string]any{"a": exampleArticle()}})
	if err != nil || string(out) != "de:x" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestSnakeCase(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"PublishedAt": "published_at", "ID": "id", "AuthorID": "author_id", "HTMLBody": "html_body", "URL": "url",
		"AbsoluteURL": "absolute_url", "A": "a", "UserV2": "user_v2", "OAuth2Token": "o_auth2_token", "Already_Snake": "already_snake",
	} {
		if got := snakeCase(in); got != want {
			t.Errorf("snakeCase(%s) = %s, want %s", in, got, want)
		}
	}
}

// Reading a field of each row must not take memory per row.
func TestAttributeAccessDoesNotAllocate(t *testing.T) {
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := e.FromString("{% for r in rows %}{{ r.id }}{{ r.title }}{% endfor %}")
	if err != nil {
		t.Fatal(err)
	}
	data := map[string]any{"rows": benchRows(500)}
	buf := make([]byte, 0, 1<<16)
	n := testing.AllocsPerRun(20, func() {
		if _, err := tpl.Append(buf, Execution{Data: data}); err != nil {
			t.Error(err)
		}
	})
	if n > 20 {
		t.Errorf("%v allocations for 500 rows", n)
	}
}
