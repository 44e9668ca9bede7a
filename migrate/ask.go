package migrate

import (
	"errors"
	"fmt"
	"strings"

	"github.com/retort-web/retort/orm/schema"
)

// ErrUnanswered is in the error of [Graph.Make] when a question has no answer
// and there is nobody to ask.
var ErrUnanswered = errors.New("migrate: a question needs an answer")

// Asker answers what a comparison of models with migrations cannot know.
type Asker interface {
	// RenamedModel tells whether the model that is gone lives on as the new
	// one, which has the same columns.
	RenamedModel(gone, added *schema.Table) (bool, error)
	// MovedModel tells whether the model that is gone from one app lives on as
	// the new one of another, which has the same columns.
	MovedModel(gone, added *schema.Table) (bool, error)
	// RenamedField tells whether the column that is gone lives on as the new
	// one, which is defined alike.
	RenamedField(table *schema.Table, gone, added *schema.Column) (bool, error)
	// Backfill gives the value for existing rows of a column that is NOT NULL
	// and has no default, as text in the form that [Literal] reads. added says
	// that the column is new; otherwise it was nullable until now, and nil
	// says that no row holds NULL.
	Backfill(table *schema.Table, column *schema.Column, added bool) (*string, error)
	// Merge tells whether two branches of an app's migrations may be done in
	// any order, although what they do cannot be compared: why says what.
	Merge(app, why string) (bool, error)
}

// Answers is an [Asker] that knows the answers beforehand, from the flags of a
// command. A question without an answer is an error that names the flag, since
// a wrong guess would lose data.
type Answers struct {
	// Renames maps what is gone to its new name: "blog.Post" to "Article",
	// "blog.Article.title" to "headline" (the model by its new name, the
	// columns by their names in the database), "blog.Post" to "news.Post" if
	// it moved to another app. They hold even where the definitions differ; one
	// that fits nothing is an error.
	Renames map[string]string
	// NoRenames says that nothing was renamed beyond Renames.
	NoRenames bool
	// Backfills maps a column to the value of existing rows:
	// "blog.Post.subtitle" to "".
	Backfills map[string]string
	// MergeAnyway says that branches may be merged although what they do cannot be
	// compared.
	MergeAnyway bool
}

// RenamedModel implements [Asker].
func (a Answers) RenamedModel(gone, added *schema.Table) (bool, error) {
	return a.renamed(gone.Key(), added.Model, "model")
}

// MovedModel implements [Asker].
func (a Answers) MovedModel(gone, added *schema.Table) (bool, error) {
	to, known := a.Renames[gone.Key()]
	switch {
	case known:
		return to == added.Key(), nil
	case a.NoRenames || a.moved(added.Key()):
		return false, nil
	}
	return false, fmt.Errorf("%w: model %s is gone and %s is new and alike; if it was moved to that app give --rename %s=%s, if nothing was renamed or moved --no-rename",
		ErrUnanswered, gone.Key(), added.Key(), gone.Key(), added.Key())
}

// moved reports whether another model was moved to this key.
func (a Answers) moved(added string) bool {
	for _, to := range a.Renames {
		if to == added {
			return true
		}
	}
	return false
}

// Merge implements [Asker].
func (a Answers) Merge(app, why string) (bool, error) {
	if a.MergeAnyway {
		return true, nil
	}
	return false, fmt.Errorf("%w: whether the branches of %s may be done in any order: %s; if so give --yes, otherwise put one after the other with rebasemigrations", ErrUnanswered, app, why)
}

// RenamedField implements [Asker].
func (a Answers) RenamedField(table *schema.Table, gone, added *schema.Column) (bool, error) {
	return a.renamed(table.Key()+"."+gone.Name, added.Name, "field")
}

func (a Answers) given() Answers { return a }

func (a Answers) renamed(gone, added, kind string) (bool, error) {
	to, known := a.Renames[gone]
	switch {
	case known:
		return to == added, nil
	case a.NoRenames || a.taken(gone, added):
		return false, nil
	}
	return false, fmt.Errorf("%w: %s %s is gone and %s is new and alike; if it was renamed give --rename %s=%s, if nothing was renamed --no-rename",
		ErrUnanswered, kind, gone, added, gone, added)
}

// taken reports whether another rename of the same parent ends in this name.
func (a Answers) taken(gone, added string) bool {
	parent := gone[:strings.LastIndex(gone, ".")+1]
	for from, to := range a.Renames {
		if to == added && from[:strings.LastIndex(from, ".")+1] == parent {
			return true
		}
	}
	return false
}

// Backfill implements [Asker].
func (a Answers) Backfill(table *schema.Table, column *schema.Column, added bool) (*string, error) {
	name := table.Key() + "." + column.Name
	if value, ok := a.Backfills[name]; ok {
		return &value, nil
	}
	what := "no longer allows NULL and has no default"
	if added {
		what = "is new, does not allow NULL and has no default"
	}
	return nil, fmt.Errorf("%w: %s %s; give the value of existing rows with --default %s=VALUE, or a default to the field, or let it be NULL",
		ErrUnanswered, name, what, name)
}
