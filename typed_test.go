package retort_test

import (
	"context"
	"strings"
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/retorttest"
)

type typedIn struct {
	ID    int64  `path:"id"`
	Draft bool   `query:"draft"`
	Title string `json:"title" validate:"required,max=10"`
}

type typedOut struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
	Draft bool   `json:"draft"`
}

func TestTypedHandlers(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	app.Put("/posts/{id:int}", retort.Typed(func(ctx context.Context, in *typedIn) (*typedOut, error) {
		switch in.Title {
		case "nothing":
			return nil, nil
		case "taken":
			return nil, retort.Conflict("The title is taken.")
		case "status":
			retort.From(ctx).Status(201)
		}
		return &typedOut{in.ID, in.Title, in.Draft}, nil
	}))
	client := retorttest.New(t, app)
	put := func(path string, title any) *retorttest.Response {
		return client.JSON("PUT", path, map[string]any{"title": title})
	}
	put("/posts/3?draft=true", "T").Status(200).Contains(`{"id":3,"title":"T","draft":true}`)
	put("/posts/3", "nothing").Status(204)
	put("/posts/3", "taken").Status(409).Contains("The title is taken.")
	put("/posts/3", "status").Status(201)
	put("/posts/3", "").Status(400).Contains(`"field":"title"`)
	put("/posts/3", strings.Repeat("x", 11)).Status(400)
	put("/posts/3", 7).Status(400)
	put("/posts/3?draft=maybe", "T").Status(400).Contains(`"field":"draft"`)
	put("/posts/x", "T").Status(404)
}

func TestTypedPanicsAtOnceForAStructThatMakesNoSense(t *testing.T) {
	t.Parallel()
	defer func() {
		v, _ := recover().(string)
		if !strings.Contains(v, "typed_test.go:") || !strings.Contains(v, "Age") {
			t.Errorf("panic %q", v)
		}
	}()
	retort.Typed(func(context.Context, *struct {
		Age int `query:"age" validate:"no_such_rule"`
	},
	) (*typedOut, error) {
		return nil, nil
	})
}

// TestTypedNeedsItsVariables: a path tag that the route cannot serve fails at
// the start, with the place.
func TestTypedNeedsItsVariables(t *testing.T) {
	t.Parallel()
	app := retort.New(quiet())
	typed := retort.Typed(func(_ context.Context, in *typedIn) (*typedOut, error) { return &typedOut{ID: in.ID}, nil })
	app.Put("/right/{id:int}", typed)
	app.Put("/host", typed).Host("{id}.example.com")
	app.Put("/wrong/{post:int}/{day}", typed)
	app.Put("/none", typed)
	app.Get("/optional", retort.Typed(func(context.Context, *struct {
		ID *int `path:"id"`
		To int  `path:"to" default:"3"`
		By int  `path:"by" query:"by"`
	},
	) (*typedOut, error) {
		return nil, nil
	}))
	err := app.Prepare()
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 {
		t.Errorf("got %q", lines)
	}
	for i, want := range []string{"/wrong/{post:int}/{day} at ", "/none at "} {
		if !strings.Contains(lines[i], want) || !strings.Contains(lines[i], "/typed_test.go:") || !strings.Contains(lines[i], "takes the variable id into retort_test.typedIn.ID") {
			t.Errorf("got %s", lines[i])
		}
	}
	if !strings.Contains(lines[0], "has post, day;") || !strings.Contains(lines[1], "has no variables;") {
		t.Errorf("got %q", lines)
	}
}
