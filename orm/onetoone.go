package orm

// OneToOne is a foreign key of which no two rows have the same: it is unique without
// being tagged so. The other side is a [HasOne].
//
//	type Profile struct {
//		orm.Model
//		User orm.OneToOne[User] `orm:"on_delete=cascade"`
//	}
type OneToOne[T any] = UniqueForeignKey[T, int64]

// UniqueForeignKey is [OneToOne] for a model whose primary key is a K. All that it can do
// it has from its ForeignKey, and to everybody else it is one: templates and forms show
// the row it refers to, JSON has its key.
type UniqueForeignKey[T any, K comparable] struct{ ForeignKey[T, K] }

func (f *UniqueForeignKey[T, K]) spec() relationSpec {
	s := f.ForeignKey.spec()
	s.one = true
	return s
}
