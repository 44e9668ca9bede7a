package bind_test

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/retort-web/retort/bind"
)

func TestMistakesOfTheProgram(t *testing.T) {
	t.Parallel()
	tests := []struct {
		dst  any
		want string
	}{
		{nil, "must be a pointer to a struct"},
		{kinds{}, "must be a pointer to a struct"},
		{(*kinds)(nil), "must be a pointer to a struct"},
		{new(int), "must be a pointer to a struct"},
		{new(struct {
			A chan int `query:"a"`
		}), "A has the tag query, but a chan int cannot"},
		{new(struct {
			A map[string]int `form:"a"`
		}), "A has the tag form, but a map"},
		{new(struct {
			A []string `path:"a"`
		}), "cannot be made from one text"},
		{new(struct {
			A kinds `header:"a"`
		}), "cannot be made from one text"},
		{new(struct {
			A *bind.File `query:"a"`
		}), "only a form can send"},
		{new(struct {
			A int `query:"a" default:"x"`
		}), "must be a whole number"},
		{new(struct {
			A Owner `json:"a" default:"x"`
		}), "has a default tag"},
		{new(struct {
			A int `query:"a" validate:"email"`
		}), "is for strings"},
		{new(struct {
			A int `query:"a" validate:"foo"`
		}), `no rule "foo"`},
		{new(struct {
			A []byte `body:""`
			B string `body:""`
		}), "two fields with the tag body"},
		{new(struct {
			A []byte `body:""`
			B string `json:"b"`
		}), "other fields that want to be in the body"},
		{new(struct {
			A struct {
				B []struct {
					C chan int `form:"c" default:"x"`
				}
			} `form:"a"`
		}), "C has a default tag"},
		{new(struct {
			A int `path:"a"`
		}), `no variable of this name`},
	}
	for _, test := range tests {
		err := bind.Struct(test.dst, bind.Source{Request: get("")})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%T: %v, want %q", test.dst, err, test.want)
		}
		if _, client := errors.AsType[*bind.Error](err); client {
			t.Errorf("%T: the client is blamed: %v", test.dst, err)
		}
	}
	if err := bind.Struct(new(kinds), bind.Source{}); err == nil {
		t.Error("no request is no error")
	}
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	if err := bind.Prepare(reflect.TypeFor[*everything]()); err != nil {
		t.Error(err)
	}
	for _, bad := range []reflect.Type{
		reflect.TypeFor[int](),
		reflect.TypeFor[struct {
			A chan int `query:"a"`
		}](),
		reflect.TypeFor[struct {
			A struct {
				B int `validate:"email"`
			} `json:"a"`
		}](),
	} {
		if err := bind.Prepare(bad); err == nil {
			t.Errorf("Prepare accepts %s", bad)
		}
	}
}

// The first requests for a type come at once.
func TestPlansAreMadeConcurrently(t *testing.T) {
	t.Parallel()
	type node struct {
		Name  string `form:"name" validate:"required"`
		Nodes []node `form:"nodes"`
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			var in node
			if err := bind.Struct(&in, bind.Source{Request: postForm("name=a&nodes.0.name=b&nodes.0.nodes.0.name=c")}); err != nil || in.Nodes[0].Nodes[0].Name != "c" {
				t.Errorf("got %v, %v", in, err)
			}
		})
	}
	group.Wait()
}
