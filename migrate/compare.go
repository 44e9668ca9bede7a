package migrate

import (
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
	return x == y && sameText(a.Default, b.Default) && sameReference(a.References, b.References)
}

// plainColumn returns the plain part of a column, without what has no meaning
// for its type.
func plainColumn(c *schema.Column) schema.Column {
	n := *c
	n.Name, n.Field, n.Default, n.References = "", "", nil, nil
	switch n.Type {
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
	return a.Table == b.Table && a.Column == b.Column && onDelete(a) == onDelete(b)
}

func onDelete(r *schema.Reference) schema.OnDelete {
	if r.OnDelete == "" {
		return schema.NoAction
	}
	return r.OnDelete
}

func sameIndex(a, b *schema.Index) bool {
	return a.Unique == b.Unique && a.Where == b.Where && slices.Equal(a.Columns, b.Columns)
}
