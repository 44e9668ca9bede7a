package migrate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// setOf makes a set from lines of "name: dependency dependency".
func setOf(app string, lines ...string) *Set {
	s := NewSet(app, "")
	for _, line := range lines {
		name, dependencies, _ := strings.Cut(line, ":")
		s.Add(Migration{Name: name, Dependencies: strings.Fields(dependencies)})
	}
	return s
}

func ids(nodes []*node) string {
	all := make([]string, len(nodes))
	for i, n := range nodes {
		all[i] = n.id
	}
	return strings.Join(all, " ")
}

func planned(steps []Step) string {
	all := make([]string, len(steps))
	for i, s := range steps {
		all[i] = "+" + s.ID()
		if s.Backward {
			all[i] = "-" + s.ID()
		}
	}
	return strings.Join(all, " ")
}

func TestLoadOrdersAcrossApps(t *testing.T) {
	t.Parallel()
	blog := setOf("blog", "0001:auth.0002", "0002:blog.0001")
	auth := setOf("auth", "0001", "0002:auth.0001 shop.0001")
	shop := setOf("shop", "0001")
	for _, sets := range [][]*Set{{blog, auth, shop}, {shop, blog, auth}} {
		g, err := Load(sets...)
		if err != nil {
			t.Fatal(err)
		}
		if want := "auth.0001 shop.0001 auth.0002 blog.0001 blog.0002"; ids(g.order) != want {
			t.Errorf("got %s, want %s", ids(g.order), want)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		sets []*Set
		want []string
	}{
		{"a circle", []*Set{setOf("a", "0001:b.0001"), setOf("b", "0001:a.0001")}, []string{"circle", "a.0001 -> b.0001 -> a.0001"}},
		{"itself", []*Set{setOf("a", "0001:a.0001")}, []string{"circle", "a.0001 -> a.0001"}},
		{"an app that is not imported", []*Set{setOf("a", "0001:auth.0001")}, []string{"a.0001", "auth.0001", "import its migrations package"}},
		{"a missing migration", []*Set{setOf("a", "0001", "0002:a.0003")}, []string{"a.0003", "does not exist", "0001, 0002"}},
		{"not a name", []*Set{setOf("a", "0001:zero")}, []string{`"zero"`, "app.name"}},
		{"two sets for one app", []*Set{setOf("a"), setOf("a")}, []string{`"a"`, "graph_test.go:"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(test.sets...)
			contains(t, err, nil, test.want...)
		})
	}
}

func TestSeveralLeavesAreAConflict(t *testing.T) {
	t.Parallel()
	g, err := Load(setOf("a", "0001", "0002_left:a.0001", "0002_right:a.0001"), setOf("b", "0001"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, g.Conflicts(), ErrConflict, `"a"`, "0002_left and 0002_right", "--merge")
	_, err = g.Plan(t.Context(), openTest(t), Target{})
	contains(t, err, ErrConflict)
	_, err = g.Make(nil, MakeOptions{})
	contains(t, err, ErrConflict)
	drafts, err := g.drafts(nil, MakeOptions{Merge: true})
	if err != nil {
		t.Fatal(err)
	}
	merged := g.number(drafts, "")
	want := []Migration{{Name: "0003_merge", Dependencies: []string{"a.0002_left", "a.0002_right"}}}
	if diff := cmp.Diff(want, merged); diff != "" {
		t.Error(diff)
	}
}

func TestPlanReachesTheTarget(t *testing.T) {
	t.Parallel()
	g, err := Load(
		setOf("auth", "0001_initial", "0002_email:auth.0001_initial", "0003_name:auth.0002_email"),
		setOf("blog", "0001_initial:auth.0001_initial", "0002_slug:blog.0001_initial auth.0003_name", "0003_more:blog.0002_slug"))
	if err != nil {
		t.Fatal(err)
	}
	all := "auth.0001_initial auth.0002_email auth.0003_name blog.0001_initial blog.0002_slug blog.0003_more"
	for _, test := range []struct {
		applied string
		target  Target
		want    string
	}{
		{"", Target{}, "+auth.0001_initial +auth.0002_email +auth.0003_name +blog.0001_initial +blog.0002_slug +blog.0003_more"},
		{"", Target{App: "blog", Name: "0001"}, "+auth.0001_initial +blog.0001_initial"},
		{"", Target{App: "blog", Name: "0002_slug"}, "+auth.0001_initial +auth.0002_email +auth.0003_name +blog.0001_initial +blog.0002_slug"},
		{"auth.0001_initial", Target{App: "auth"}, "+auth.0002_email +auth.0003_name"},
		{all, Target{}, ""},
		{all, Target{App: "blog", Name: "0003"}, ""},
		{all, Target{App: "blog", Name: "0001_initial"}, "-blog.0003_more -blog.0002_slug"},
		{all, Target{App: "auth", Name: "0001"}, "-blog.0003_more -blog.0002_slug -auth.0003_name -auth.0002_email"},
		{all, Target{App: "blog", Name: Zero}, "-blog.0003_more -blog.0002_slug -blog.0001_initial"},
		{all, Target{App: "auth", Name: Zero}, "-blog.0003_more -blog.0002_slug -blog.0001_initial -auth.0003_name -auth.0002_email -auth.0001_initial"},
		{all + " old.0001_gone", Target{App: "auth", Name: "0003"}, ""},
	} {
		applied := history{}
		for _, id := range strings.Fields(test.applied) {
			applied[id] = instant("2026-01-01 00:00:00")
		}
		steps, err := g.plan(applied, test.target)
		if err != nil {
			t.Errorf("%+v: %v", test.target, err)
		}
		if got := planned(steps); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.target, got, test.want)
		}
	}
	for _, test := range []struct {
		target Target
		want   []string
	}{
		{Target{Name: "0001"}, []string{"needs the app"}},
		{Target{App: "shop"}, []string{`"shop"`, "auth, blog"}},
		{Target{App: "blog", Name: "0004"}, []string{`"0004"`, "0001_initial, 0002_slug, 0003_more"}},
		{Target{App: "blog", Name: "000"}, []string{"0001_initial and 0002_slug"}},
	} {
		_, err := g.plan(history{}, test.target)
		contains(t, err, nil, test.want...)
	}
}

func TestRegisteringTwicePanicsWithBothPlaces(t *testing.T) {
	t.Parallel()
	message := func(fn func()) (text string) {
		defer func() { text, _ = recover().(string) }()
		fn()
		return ""
	}
	for _, test := range []struct {
		name string
		fn   func()
		want string
	}{
		{"app", func() { Register("twice"); Register("twice") }, `"twice"`},
		{"migration", func() { setOf("a", "0001", "0001") }, "a.0001"},
	} {
		got := message(test.fn)
		if !strings.Contains(got, test.want) || strings.Count(got, "graph_test.go:") != 2 {
			t.Errorf("%s: %q", test.name, got)
		}
	}
	for _, fn := range []func(){
		func() { NewSet("", "") },
		func() { NewSet("a.b", "") },
		func() { setOf("a", "zero") },
		func() { setOf("a", "0001.x") },
	} {
		if got := message(fn); !strings.Contains(got, "want a word") || !strings.Contains(got, "graph_test.go:") {
			t.Errorf("bad name: %q", got)
		}
	}
	found := false
	for _, s := range Sets() {
		found = found || s.App() == "twice" && strings.HasSuffix(s.Directory(), "migrate")
	}
	if !found {
		t.Error("the registered set is not among Sets, or not in its folder")
	}
}
