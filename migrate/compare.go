package migrate

import (
	"reflect"
	"slices"

	"github.com/retort-web/retort/orm/schema"
)

// sameColumn reports whether two columns are the same to a database. The name
// of the Go field is not part of that, nor is the label of a referenced model.
func sameColumn(a, b *schema.Column) bool {
	return a.Name == b.Name && sameDefinition(a, b)
}

// sameDefinition compares two columns apart from their names.
func sameDefinition(a, b *schema.Column) bool {
	x, y := plainColumn(a), plainColumn(b)
	return reflect.DeepEqual(x, y) && sameText(a.Default, b.Default) && sameReference(a.References, b.References)
}

// plainColumn returns the plain part of a column, without what has no meaning
// for its type.
func plainColumn(c *schema.Column) schema.Column {
	n := *c
	n.Name, n.Field, n.Default, n.References = "", "", nil, nil
	if len(n.Native) == 0 {
		n.Native = nil
	}
	switch n.Type {
	case schema.Array:
	case schema.String:
		n.Scale = 0
	case schema.Decimal:
	default:
		n.Size, n.Scale = 0, 0
	}
	n.Null = n.Null && !n.PrimaryKey
	return n
}

func sameText(a, b *string) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}

func sameReference(a, b *schema.Reference) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Table == b.Table && a.Column == b.Column && action(a.OnDelete) == action(b.OnDelete)
}

// action is what a foreign key does, which is nothing if it does not say.
func action(o schema.OnDelete) schema.OnDelete {
	if o == "" {
		return schema.NoAction
	}
	return o
}

func sameIndex(a, b *schema.Index) bool {
	return a.Unique == b.Unique && a.Where == b.Where && a.Method == b.Method && a.NullsNotDistinct == b.NullsNotDistinct && a.Deferred == b.Deferred &&
		slices.Equal(a.Columns, b.Columns) && slices.Equal(a.Include, b.Include)
}
