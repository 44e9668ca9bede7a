package orm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// GenericForeignKey is a reference to a row of any registered model: what a comment, a
// tag or an entry of a history is about.
//
//	type Comment struct {
//		orm.Model
//		On   orm.GenericForeignKey
//		Text string
//	}
//
// It has two columns, on_model with the label of the model and on_key with the primary
// key as text, and an index over both; no constraint of the database holds it. A key that
// may be NULL is tagged "null", one that needs no index "no_index"; "label" and "help" are
// as in other fields. A model may have several. In forms it has no place: a visitor must
// not choose what a row belongs to.
//
// A row of a model that [Extend] has made is one of the model that it extends, by that
// model's label. The label changes with the name of a model or its package: a migration
// then has to update the rows that hold the old one.
type GenericForeignKey struct {
	// Model is the label of the model, such as "blog.Post"; empty for NULL. At most 100
	// characters.
	Model string
	// Key is the primary key as [FieldInfo.KeyText] writes it. At most 255 characters.
	Key string

	found *genericTarget
}

// genericTarget is what a generic foreign key was found to lead to. It counts while the
// key is still the same.
type genericTarget struct {
	model, key string
	row        any // nil if there is none
	err        error
}

// GenericKeyError is a generic foreign key that can lead to no row: the model is not
// registered in this program, or the key is not one of that model. It is a fault of the
// row that holds it.
type GenericKeyError struct {
	Model string // as in [GenericForeignKey]
	Key   string
	Err   error // what is wrong
}

// Error names the model and the key.
func (e *GenericKeyError) Error() string {
	return fmt.Sprintf("orm: the generic foreign key to %q of %q: %v", e.Key, e.Model, e.Err)
}

// Unwrap returns what is wrong.
func (e *GenericKeyError) Unwrap() error { return e.Err }

// GenericKeyTo returns the generic foreign key to a row, a pointer to the struct of a
// registered model. A row that has no primary key yet is an error: insert it first.
func GenericKeyTo(row any) (GenericForeignKey, error) {
	v := reflect.ValueOf(row)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return GenericForeignKey{}, fmt.Errorf("orm: a generic foreign key leads to a row, by its pointer, not to a %T", row)
	}
	m, err := registeredInfo(v.Type().Elem())
	if err != nil {
		return GenericForeignKey{}, err
	}
	if m.extends != nil {
		if row, err = m.Part(row); err != nil {
			return GenericForeignKey{}, err
		}
		m = m.extends
	}
	base, err := m.rowBase(row)
	if err != nil {
		return GenericForeignKey{}, err
	}
	key := m.keyOf(base).value()
	if key == nil {
		return GenericForeignKey{}, fmt.Errorf("orm: a generic foreign key is to lead to a %s that is not saved; insert it first", m.Name)
	}
	text, err := m.PrimaryKey.KeyText(key)
	if err != nil {
		return GenericForeignKey{}, err
	}
	return GenericForeignKey{m.Label(), text, &genericTarget{m.Label(), text, row, nil}}, nil
}

// Set makes the key refer to a row, which is then loaded, or to none if row is nil. See
// [GenericKeyTo] for what a row may be; after an error the key is what it was.
func (g *GenericForeignKey) Set(row any) error {
	if v := reflect.ValueOf(row); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		*g = GenericForeignKey{}
		return nil
	}
	key, err := GenericKeyTo(row)
	if err == nil {
		*g = key
	}
	return err
}

// IsNull reports whether the key refers to nothing.
func (g *GenericForeignKey) IsNull() bool { return g.Model == "" && g.Key == "" }

// Equal reports whether two keys refer to the same row, loaded or not.
func (g GenericForeignKey) Equal(other GenericForeignKey) bool {
	return g.Model == other.Model && g.Key == other.Key
}

// Loaded reports whether Get has an answer.
func (g *GenericForeignKey) Loaded() bool {
	return g.IsNull() || g.found != nil && g.found.model == g.Model && g.found.key == g.Key
}

// Get returns the row, as a pointer to the struct of its model, to be told apart by a
// type switch. It is nil for NULL, and for a row that is not there any more. A row that
// was not loaded is a *NotLoadedError, and a key that can lead to none a
// *GenericKeyError.
func (g *GenericForeignKey) Get() (any, error) {
	switch {
	case !g.Loaded():
		return nil, &NotLoadedError{Model: g.Model, generic: true}
	case g.found == nil || g.IsNull():
		return nil, nil
	}
	return g.found.row, g.found.err
}

// Load fetches the row with a query of its own, unless it is loaded, and returns what Get
// does. [LoadGeneric] does it for many.
func (g *GenericForeignKey) Load(ctx context.Context) (any, error) {
	if !g.Loaded() {
		if err := loadGeneric(ctx, []*GenericForeignKey{g}); err != nil {
			return nil, err
		}
	}
	return g.Get()
}

// Columns are the two columns of a key in a prototype, for what names fields one by one:
//
//	Comments.UpdateRow(ctx, comment, c.On.Columns()...)
func (g *GenericForeignKey) Columns() []any { return Fields(&g.Model, &g.Key) }

// String is the model's label and the key, or "NULL".
func (g GenericForeignKey) String() string {
	if g.IsNull() {
		return "NULL"
	}
	return g.Model + " " + g.Key
}

// MarshalJSON writes {"model":"blog.Post","key":"5"}, or null.
func (g GenericForeignKey) MarshalJSON() ([]byte, error) {
	if g.IsNull() {
		return []byte("null"), nil
	}
	return json.Marshal(struct {
		Model string `json:"model"`
		Key   string `json:"key"`
	}{g.Model, g.Key})
}

// UnmarshalJSON refuses everything but null, which changes nothing: JSON comes from
// visitors, who must not choose what a row belongs to.
func (g *GenericForeignKey) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	return errGenericInput
}

// UnmarshalText refuses the key in forms and queries for the same reason.
func (g *GenericForeignKey) UnmarshalText([]byte) error { return errGenericInput }

var errGenericInput = errors.New("orm: a generic foreign key is not read from what a visitor sends; find the row, and call Set")

// checked is the model and the plain primary key that a key names.
func (g *GenericForeignKey) checked(m *ModelInfo) (key any, err error) {
	if m == nil {
		return nil, &GenericKeyError{g.Model, g.Key, errors.New("no such model is registered; its package must be imported, and a model that was renamed needs a migration of the rows")}
	}
	if key, err = m.PrimaryKey.parse(g.Key); err != nil {
		return nil, &GenericKeyError{g.Model, g.Key, err}
	}
	return key, nil
}
