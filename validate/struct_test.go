package validate_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/retort-web/retort/validate"
)

type line struct {
	SKU   string  `json:"sku" validate:"required,slug"`
	Price float64 `json:"price" validate:"above=0"`
}

type address struct {
	City string `json:"city" validate:"required"`
}

type base struct {
	Note string `json:"note" validate:"max=3"`
}

type order struct {
	base
	Email    string             `json:"email" form:"mail" validate:"required,email"`
	Lines    []line             `json:"items" validate:"min=1"`
	More     []*line            `json:"more"`
	Address  address            `json:"address"`
	Billing  *address           `json:"billing"`
	ByName   map[string]address `json:"by_name"`
	Created  int                `validate:"min=1"`
	hidden   string             //nolint:unused // unexported fields are passed by
	Any      any                `json:"any"`
	Ignored  line               `json:"ignored" validate:"-"`
	Function func()             `json:"-"`
}

func TestStruct(t *testing.T) {
	t.Parallel()
	bad := &order{
		base:    base{Note: "long"},
		Email:   "nobody",
		Lines:   []line{{"ok", 1}, {"a b", 0}},
		More:    []*line{nil, {"", 2}},
		Billing: &address{},
		ByName:  map[string]address{"b": {}, "a": {}},
	}
	want := []string{
		"note max_length", "email email", "items[1].sku slug", "items[1].price above", "more[1].sku required",
		"address.city required", "billing.city required", "by_name.a.city required", "by_name.b.city required", "created min",
	}
	if diff := cmp.Diff(want, list(validate.Struct(bad))); diff != "" {
		t.Error(diff)
	}
	form := validate.StructWith(context.Background(), bad, validate.Options{Naming: validate.NamingForm})
	for _, name := range []string{"mail email", "items.1.sku slug", "created min"} {
		if !strings.Contains(strings.Join(list(form), ";"), name) {
			t.Errorf("as a form: %v lacks %s", list(form), name)
		}
	}
	good := order{Email: "a@b.co", Lines: []line{{"ok", 1}}, Address: address{"Oslo"}, Created: 1}
	if err := validate.Struct(good); err != nil {
		t.Error(err)
	}
}

func list(err error) []string {
	fields, ok := errors.AsType[validate.Errors](err)
	if !ok && err != nil {
		return []string{err.Error()}
	}
	var out []string
	for i := range fields {
		out = append(out, strings.TrimSpace(fields[i].Field+" "+fields[i].Code))
	}
	return out
}

type period struct {
	From int `json:"from" validate:"min=0"`
	To   int `json:"to"`
	err  error
}

func (p *period) Validate() error {
	if p.err != nil {
		return p.err
	}
	if p.To < p.From {
		return validate.NewError("to", "before_start", "must not be before from")
	}
	return nil
}

type weekday string

func (w weekday) Validate() error {
	if w == "sunday" {
		return validate.NewError("", "closed", "is not a working day")
	}
	return nil
}

type asks struct {
	Name string `json:"name"`
}

type contextKey struct{}

func (a asks) Validate(ctx context.Context) error {
	taken, _ := ctx.Value(contextKey{}).(string)
	if a.Name == taken {
		return validate.Errors{{Field: "name", Code: "unique", Message: "is taken"}, {Code: "other", Message: "and more"}}
	}
	return nil
}

type booking struct {
	Period  period    `json:"period"`
	Periods []period  `json:"periods"`
	Days    []weekday `json:"days"`
	Asks    asks      `json:"asks"`
}

func TestValidateMethods(t *testing.T) {
	t.Parallel()
	ctx := context.WithValue(context.Background(), contextKey{}, "x")
	in := booking{
		Period:  period{From: 2, To: 1},
		Periods: []period{{From: -1, To: -2}, {From: 3}},
		Days:    []weekday{"monday", "sunday"},
		Asks:    asks{"x"},
	}
	want := []string{"period.to before_start", "periods[0].from min", "periods[1].to before_start", "days[1] closed", "asks.name unique", "asks other"}
	for name, v := range map[string]any{"pointer": &in, "value": in} {
		if diff := cmp.Diff(want, list(validate.StructWith(ctx, v, validate.Options{}))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestValidateMethodsThatCannotDecide(t *testing.T) {
	t.Parallel()
	lost := errors.New("database is lost")
	if err := validate.Struct(&period{err: lost}); !errors.Is(err, lost) {
		t.Errorf("Struct = %v, want the error as it is", err)
	}
	var none *validate.FieldError
	if err := validate.Struct(&period{err: none}); err != nil {
		t.Errorf("a nil *FieldError counts as %v", err)
	}
}

type embeds struct {
	period
	Name string `json:"name" validate:"required"`
}

type Outer struct{ Inner }

type Inner struct {
	N int `json:"n"`
}

func (Inner) Validate() error { return validate.NewError("n", "always", "is wrong") }

func TestEmbeddedMethodRunsOnce(t *testing.T) {
	t.Parallel()
	if got := list(validate.Struct(Outer{})); !cmp.Equal(got, []string{"n always"}) {
		t.Errorf("got %v", got)
	}
	in := embeds{period: period{From: 1}, Name: "x"}
	if got := list(validate.Struct(&in)); !cmp.Equal(got, []string{"to before_start"}) {
		t.Errorf("got %v", got)
	}
}

type tree struct {
	Name     string `json:"name" validate:"required"`
	Next     *tree  `json:"next"`
	Children []tree `json:"children"`
}

func TestDataThatContainsItself(t *testing.T) {
	t.Parallel()
	ring := &tree{Name: "a"}
	ring.Next = ring
	got := list(validate.Struct(ring))
	if len(got) != 1 || !strings.HasSuffix(got[0], "next too_deep") {
		t.Errorf("got %v", got)
	}
	if got := list(validate.Struct(&tree{Name: "a", Children: []tree{{}}})); !cmp.Equal(got, []string{"children[0].name required"}) {
		t.Errorf("got %v", got)
	}
	type T []T
	if err := validate.Prepare(reflect.TypeFor[T]()); err != nil {
		t.Error(err)
	}
}

func TestNumberOfErrorsIsBounded(t *testing.T) {
	t.Parallel()
	lines := make([]line, 10_000)
	fields, _ := errors.AsType[validate.Errors](validate.Struct(lines))
	if len(fields) != 100 || fields[0].Field != "[0].sku" {
		t.Errorf("%d errors, first %v", len(fields), fields[0])
	}
	long := map[string]line{strings.Repeat("ä", 1000): {}}
	fields, _ = errors.AsType[validate.Errors](validate.Struct(long))
	if len(fields) == 0 || len(fields[0].Field) > 100 {
		t.Errorf("the name of a field is %d bytes long", len(fields[0].Field))
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	type in struct {
		Count int      `json:"count" validate:"required"`
		Sure  bool     `json:"sure" validate:"required"`
		Name  string   `json:"name" validate:"required"`
		Tags  []string `json:"tags" validate:"min=1"`
	}
	given := func(field string) bool { return field == "count" || field == "name" }
	known := validate.Errors{{Field: "tags[2]", Code: "type"}, {Field: "name", Code: "type"}}
	err := validate.StructWith(context.Background(), in{}, validate.Options{Given: given, Known: known})
	if diff := cmp.Diff([]string{"tags[2] type", "name type", "sure required", "tags min_items"}, list(err)); diff != "" {
		t.Error(diff)
	}
	asked := validate.StructWith(context.Background(), &booking{Period: period{From: 2, To: 1}, Asks: asks{"y"}}, validate.Options{Known: validate.Errors{{Field: "period.to", Code: "type"}}})
	if diff := cmp.Diff([]string{"period.to type"}, list(asked)); diff != "" {
		t.Errorf("a method was asked about a field that is wrong: %s", diff)
	}
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	type badRule struct {
		A struct {
			B []int `validate:"each,email"`
		}
	}
	for want, v := range map[string]any{
		"nil":        nil,
		"nil *":      (*order)(nil),
		"takes a":    3,
		`each,email`: badRule{},
		`no rule "foo"`: struct {
			X string `validate:"foo"`
		}{},
	} {
		if err := validate.Struct(v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Struct(%T) = %v, want %q", v, err, want)
		}
	}
	tagError, ok := errors.AsType[*validate.TagError](validate.Prepare(reflect.TypeFor[badRule]()))
	if !ok || tagError.Field != "B" || tagError.Reason == nil || !errors.Is(tagError, tagError.Reason) {
		t.Errorf("Prepare = %v", tagError)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	var e validate.Errors
	if e.Err() != nil {
		t.Error("no errors are an error")
	}
	e.Add("a", "required", "")
	e.Add("a", "custom", "is odd")
	e.Add("", "whole", "does not fit")
	if got, want := e.Err().Error(), "a: is required; a: is odd; does not fit"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !e.Has("a", "custom") || !e.Has("a", "") || e.Has("b", "") || e.Has("a", "whole") {
		t.Error("Has is wrong")
	}
	if by := e.ByField(); len(by["a"]) != 2 || len(by[""]) != 1 {
		t.Errorf("ByField() = %v", by)
	}
}

func TestFieldName(t *testing.T) {
	t.Parallel()
	type in struct {
		CreatedAt    int
		HTTPServerID int
		ID           int
		A            int `json:"a,omitempty" form:"b" query:"c"`
		B            int `json:"-" header:"X-B"`
		C            int `form:"c"`
		D            int `json:",omitempty"`
		Whole        int `body:""`
		address
	}
	want := [][3]string{
		{"created_at", "createdAt", "created_at"},
		{"http_server_id", "httpServerID", "http_server_id"},
		{"id", "id", "id"},
		{"a", "a", "b"},
		{"X-B", "X-B", "X-B"},
		{"c", "c", "c"},
		{"d", "d", "d"},
		{"", "", ""},
		{"", "", ""},
	}
	i := 0
	for field := range reflect.TypeFor[in]().Fields() {
		for naming, name := range want[i] {
			if got := validate.FieldName(field, validate.Naming(naming)); got != name {
				t.Errorf("FieldName(%s, %d) = %q, want %q", field.Name, naming, got, name)
			}
		}
		i++
	}
}

func BenchmarkStruct(b *testing.B) {
	in := &order{Email: "someone@example.com", Lines: []line{{"a", 1}, {"b", 2}}, Address: address{"Oslo"}, Created: 1}
	b.ReportAllocs()
	for b.Loop() {
		if err := validate.Struct(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEmail(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if !validate.Email("first.last@mail.example.com") {
			b.Fatal("refused")
		}
	}
}
