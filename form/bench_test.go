package form_test

import (
	"fmt"
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

// Five is a form of five fields.
type Five struct {
	Name  string `validate:"required,max=80"`
	Email string `validate:"required,email"`
	Age   int    `validate:"min=0,max=150"`
	Born  string `widget:"date"`
	Text  string `widget:"textarea" validate:"max=5000"`
}

// BenchmarkFiveFields is a whole request's work on a form: it is read, checked, and shown
// again.
func BenchmarkFiveFields(b *testing.B) {
	r := post("name", "Ann", "email", "ann@example.com", "age", "30", "born", "1996-05-06", "text", "Some words")
	plain(b).serve(r, func(c *retort.Ctx) {
		b.ReportAllocs()
		for b.Loop() {
			f := form.For[Five](c)
			if !f.Valid() {
				b.Fatal(f.Errors())
			}
			if _, err := f.Render(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkFormsetOfTwenty(b *testing.B) {
	pairs := []string{"guests-TOTAL_FORMS", "20"}
	for i := range 20 {
		pairs = append(pairs, fmt.Sprintf("guests-%d-name", i), fmt.Sprint("guest ", i), fmt.Sprintf("guests-%d-age", i), "30")
	}
	plain(b).serve(post(pairs...), func(c *retort.Ctx) {
		b.ReportAllocs()
		for b.Loop() {
			s := form.FormsetFor(c, func(*Guest) form.FormsetOptions { return form.FormsetOptions{CanDelete: true} })
			if !s.Valid() {
				b.Fatal(s.Errors())
			}
			if _, err := s.Render(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
