package form_test

import (
	"testing"

	"github.com/retort-web/retort"
	"github.com/retort-web/retort/form"
)

// Contribution is a form of six fields.
type Contribution struct {
	Name    string `validate:"required,max=80"`
	Email   string `validate:"required,email"`
	Subject string `validate:"required,one_of=idea|bug|other"`
	Text    string `widget:"textarea" validate:"required,max=5000" help:"In plain words"`
	Stars   int    `validate:"min=1,max=5"`
	Public  bool
}

func BenchmarkRenderSixFields(b *testing.B) {
	plain(b).serve(get(), func(c *retort.Ctx) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := form.For[Contribution](c).Render(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkValidateSixFields(b *testing.B) {
	r := post("name", "Ann", "email", "ann@example.com", "subject", "idea", "text", "Some words", "stars", "4", "public", "on")
	plain(b).serve(r, func(c *retort.Ctx) {
		b.ReportAllocs()
		for b.Loop() {
			if f := form.For[Contribution](c); !f.Valid() {
				b.Fatal(f.Errors())
			}
		}
	})
}

func BenchmarkOptionsOfAModel(b *testing.B) {
	s := newSite(b)
	s.serve(get(), func(c *retort.Ctx) {
		b.ReportAllocs()
		for b.Loop() {
			if err := form.For(c, postForm).Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRenderAModel(b *testing.B) {
	s := newSite(b)
	s.serve(get(), func(c *retort.Ctx) {
		row, err := Posts.First(c)
		must(b, err)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := form.For(c, postForm).Instance(row).Render(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
