package orm

import "time"

// Timestamps is embedded in a model that keeps when a row was inserted and when it was
// last written as a row.
type Timestamps struct {
	Created time.Time `orm:"auto_now_add"`
	Updated time.Time `orm:"auto_now"`
}

// SoftDelete is embedded in a model whose rows are marked in place of being deleted.
//
// Queries of the model, and relations to many that lead to it, leave marked rows out;
// [Query.WithDeleted] has them too. A foreign key still leads to a marked row. DeleteRow and Delete
// mark, and mark with them the rows of other soft-deleted models that refer to them with
// on_delete=cascade; rows of models that are not soft-deleted stay as they are.
// [Query.Restore] takes the marks away, HardDelete deletes in earnest.
//
// A marked row still has its unique values. To let a new row take them, make the
// constraint one over the rows that are not marked:
//
//	Unique: orm.Uniques(orm.UniqueTogether(&p.Slug).Where(orm.IsNull(&p.DeletedAt)))
type SoftDelete struct {
	// DeletedAt is when the row was marked, nil while it is not.
	DeletedAt *time.Time `orm:"soft_delete,index,editable=false"`
}

// IsDeleted reports whether the row is marked as deleted.
func (s SoftDelete) IsDeleted() bool { return s.DeletedAt != nil }
