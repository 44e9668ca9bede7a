package form

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort/orm"
)

// Choice is one allowed value and its label.
type Choice = orm.Choice

// Source is where the choices of a field come from: [Choices] or [Rows].
type Source interface {
	// suits says why the source is not for a field.
	suits(s *spec) error
	// has reports whether a text is one of the choices, of a source without rows.
	has(text string) bool
	// list returns at most limit choices, and whether there are more.
	list(ctx context.Context, f *Field, limit int) (options []Option, more bool, err error)
	// pick returns the rows that have the keys, in any order.
	pick(ctx context.Context, key *orm.FieldInfo, keys []any) ([]any, error)
}

// Choices are choices that are written down.
type Choices []Choice

func (c Choices) suits(s *spec) error {
	if s.shape != single && s.shape != list {
		return fmt.Errorf("%s takes no Choices; give it Rows", s.goName)
	}
	return nil
}

func (c Choices) has(text string) bool {
	return slices.ContainsFunc(c, func(choice Choice) bool { return plainText(choice.Value) == text })
}

func (c Choices) list(_ context.Context, f *Field, _ int) ([]Option, bool, error) {
	options := make([]Option, len(c))
	for i, choice := range c {
		options[i] = Option{Value: plainText(choice.Value), Label: f.form.translate(choice.Label)}
		if choice.Label == "" {
			options[i].Label = options[i].Value
		}
	}
	return options, false, nil
}

func (c Choices) pick(context.Context, *orm.FieldInfo, []any) ([]any, error) { return nil, nil }

// plainText is the text of a value by its kind: the String method of a type with
// choices is for people.
func plainText(value any) string {
	if value == nil {
		return ""
	}
	v := reflect.New(reflect.TypeOf(value)).Elem()
	v.Set(reflect.ValueOf(value))
	if c := codecOf(v.Type()); c != nil {
		return c.format(v, time.UTC, "")
	}
	return fmt.Sprint(value)
}

// choicesOf asks a type for its choices.
func choicesOf(t reflect.Type) Source {
	if t.Kind() == reflect.Interface {
		return nil
	}
	if chooser, ok := reflect.Zero(t).Interface().(orm.Chooser); ok {
		return Choices(chooser.Choices())
	}
	return nil
}

// choicesOfRule are those of the rule one_of=a|b.
func choicesOfRule(param string) Source {
	var c Choices
	for text := range strings.SplitSeq(param, "|") {
		c = append(c, Choice{Value: text, Label: words(text)})
	}
	return c
}

// Rows makes the rows of a query the choices of a relation: which they are, in
// which order. What the query leaves out cannot be chosen.
func Rows[T any](query orm.QuerySet[T]) Source { return rows{set: query.Any()} }

// rows are the rows of a query.
type rows struct {
	set orm.AnySet
	// byLabel puts them in the order of their labels, as one looks for them: for
	// rows that nobody gave an order.
	byLabel bool
}

// allRows are the rows of a model, in its own order if it has one.
func allRows(info *orm.ModelInfo) Source {
	if hasOrder(info) {
		return rows{set: info.Query()}
	}
	return rows{set: info.Query().OrderBy(orm.Asc(info.Pointer(info.PrimaryKey))), byLabel: true}
}

// hasOrder reports whether the model's Meta says in which order its rows are. No
// interface can say what a Meta method is, for it takes a pointer to the model.
func hasOrder(info *orm.ModelInfo) bool {
	method := reflect.Zero(info.Type).MethodByName("Meta")
	if !method.IsValid() {
		return false
	}
	fn := method.Type()
	if fn.NumIn() != 1 || fn.In(0) != reflect.PointerTo(info.Type) || fn.NumOut() != 1 || fn.Out(0) != reflect.TypeFor[orm.Meta]() {
		return false
	}
	out := method.Call([]reflect.Value{reflect.NewAt(info.Type, namesOf(info))})
	return len(out[0].Interface().(orm.Meta).OrderBy) > 0
}

func (r rows) suits(s *spec) error {
	if s.shape != toOne && s.shape != toMany || s.info.Relation.Target() != r.set.Info() {
		return fmt.Errorf("%s does not refer to rows of %s", s.goName, r.set.Info().Name)
	}
	return nil
}

func (r rows) has(string) bool { return false }

func (r rows) list(ctx context.Context, f *Field, limit int) ([]Option, bool, error) {
	found, err := r.set.Limit(limit + 1).All(ctx)
	if err != nil {
		return nil, false, err
	}
	more := len(found) > limit
	options := make([]Option, min(limit, len(found)))
	for i, row := range found[:len(options)] {
		key, err := f.keyText(row)
		if err != nil {
			return nil, false, err
		}
		options[i] = Option{Value: key, Label: r.set.Info().RowString(row)}
	}
	if r.byLabel {
		slices.SortStableFunc(options, func(a, b Option) int {
			return strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label))
		})
	}
	return options, more, nil
}

func (r rows) pick(ctx context.Context, key *orm.FieldInfo, keys []any) ([]any, error) {
	return r.set.Where(orm.Lookup(key.Snake+"__in", keys)).All(ctx)
}

// Group is a heading with the choices below it.
type Group struct {
	Label   string
	Choices Choices
}

// Groups are choices under headings:
//
//	form.Groups{
//		{"Audio", form.Choices{{Value: "vinyl", Label: "Vinyl"}, {Value: "cd", Label: "CD"}}},
//		{"Video", form.Choices{{Value: "vhs", Label: "VHS tape"}}},
//	}
//
// Choices of a Group without a label stand for themselves.
type Groups []Group

func (g Groups) suits(s *spec) error { return Choices(nil).suits(s) }

func (g Groups) has(text string) bool {
	return slices.ContainsFunc(g, func(group Group) bool { return group.Choices.has(text) })
}

func (g Groups) list(ctx context.Context, f *Field, limit int) ([]Option, bool, error) {
	var all []Option
	for _, group := range g {
		options, _, err := group.Choices.list(ctx, f, limit)
		if err != nil {
			return nil, false, err
		}
		for i := range options {
			options[i].Group = f.form.translate(group.Label)
		}
		all = append(all, options...)
	}
	return all, false, nil
}

func (g Groups) pick(context.Context, *orm.FieldInfo, []any) ([]any, error) { return nil, nil }

// Paths are choices that are the files of a file system which match a pattern of
// [fs.Glob], such as "reports/*.csv". They are listed when the function is called, once
// as a rule:
//
//	var reports = form.Paths(os.DirFS("data"), "*.csv")
//
// A file system that cannot be read has none.
func Paths(fsys fs.FS, pattern string) Choices {
	names, err := fs.Glob(fsys, pattern)
	if err != nil {
		return nil
	}
	choices := make(Choices, len(names))
	for i, name := range names {
		choices[i] = Choice{Value: name, Label: path.Base(name)}
	}
	return choices
}
