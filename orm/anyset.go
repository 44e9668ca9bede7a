package orm

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// AnySet is a [QuerySet] for code that does not know the model's type, such as forms
// and admin pages: rows are pointers to the model's struct, as any. It is an immutable
// value too. [ModelInfo.Query] and [Query.Any] make one.
type AnySet struct{ q *query }

// Query is the query of all rows of the model.
func (m *ModelInfo) Query() AnySet { return AnySet{&query{model: m}} }

// Any is the same query without the type.
func (s *Query[P]) Any() AnySet { return AnySet{s.use()} }

// use returns the query; that of a zero AnySet, which ready refuses, is empty.
func (s AnySet) use() *query {
	if s.q == nil {
		return &query{}
	}
	return s.q
}

// Info is the model.
func (s AnySet) Info() *ModelInfo { return s.q.model }

// Where is [Query.Where].
func (s AnySet) Where(conds ...Cond) AnySet { return AnySet{s.use().filter(conds)} }

// Exclude is [Query.Exclude].
func (s AnySet) Exclude(conds ...Cond) AnySet { return AnySet{s.use().exclude(conds)} }

// OrderBy is [Query.OrderBy].
func (s AnySet) OrderBy(terms ...Order) AnySet { return AnySet{s.use().orderBy(terms)} }

// Limit is [Query.Limit].
func (s AnySet) Limit(n int) AnySet { return AnySet{s.use().limitTo(n)} }

// Offset is [Query.Offset].
func (s AnySet) Offset(n int) AnySet { return AnySet{s.use().skip(n)} }

// With is [Query.With].
func (s AnySet) With(relations ...any) AnySet { return AnySet{s.use().loading(relations)} }

// Distinct is [Query.Distinct].
func (s AnySet) Distinct() AnySet { return AnySet{s.use().onlyDistinct()} }

// Derived is [Query.Derived].
func (s AnySet) Derived() AnySet { return AnySet{s.use().derived()} }

// ForUpdate is [Query.ForUpdate].
func (s AnySet) ForUpdate(options ...LockOption) AnySet {
	return AnySet{s.use().forUpdate(options)}
}

// Union is [Query.Union].
func (s AnySet) Union(others ...AnySet) AnySet { return s.combine("UNION", others) }

// UnionAll is [Query.UnionAll].
func (s AnySet) UnionAll(others ...AnySet) AnySet { return s.combine("UNION ALL", others) }

// Intersect is [Query.Intersect].
func (s AnySet) Intersect(others ...AnySet) AnySet { return s.combine("INTERSECT", others) }

// Except is [Query.Except].
func (s AnySet) Except(others ...AnySet) AnySet { return s.combine("EXCEPT", others) }

// combine checks what the types check in a QuerySet: that all are of one model.
func (s AnySet) combine(operator string, others []AnySet) AnySet {
	arms := make([]*query, len(others))
	var err error
	for i, other := range others {
		arms[i] = other.use()
		if m := arms[i].model; m != s.q.model && err == nil {
			err = fmt.Errorf("orm: a set operation on rows of %s and of another model", s.q.model.Name)
		}
	}
	combined := s.use().combine(operator, arms)
	if combined.rare().err == nil {
		combined.own().err = err
	}
	return AnySet{combined}
}

// Explain is [Query.Explain].
func (s AnySet) Explain(ctx context.Context, options ...ExplainOptions) (string, error) {
	return s.use().explain(ctx, options)
}

// First returns the first row; see [Query.First].
func (s AnySet) First(ctx context.Context) (any, error) {
	row, err := s.use().first(ctx)
	if err != nil {
		return nil, err
	}
	return s.q.model.rowOf(row), nil
}

// Count is [Query.Count].
func (s AnySet) Count(ctx context.Context) (int64, error) { return s.q.count(ctx) }

// Exists is [Query.Exists].
func (s AnySet) Exists(ctx context.Context) (bool, error) { return s.q.exists(ctx) }

// All returns the rows, each a pointer to the model's struct.
func (s AnySet) All(ctx context.Context) ([]any, error) {
	rows, err := s.q.all(ctx, s.q.orderTerms())
	return s.anys(rows), err
}

func (s AnySet) anys(rows []unsafe.Pointer) []any {
	list := make([]any, len(rows))
	for i, row := range rows {
		list[i] = s.q.model.rowOf(row)
	}
	return list
}

// rowOf is the row at an address as a *T.
func (m *ModelInfo) rowOf(row unsafe.Pointer) any { return reflect.NewAt(m.Type, row).Interface() }

// Get returns the only row; see [Query.Get].
func (s AnySet) Get(ctx context.Context) (any, error) {
	row, err := s.use().get(ctx)
	if err != nil {
		return nil, err
	}
	return s.q.model.rowOf(row), nil
}

// Page is [Query.Page].
func (s AnySet) Page(ctx context.Context, number, size int) (AnyPage, error) {
	info, rows, err := s.use().page(ctx, number, size)
	return AnyPage{info, s.anys(rows)}, err
}

// Insert inserts rows; see [Query.Insert].
func (s AnySet) Insert(ctx context.Context, rows ...any) error {
	list, err := s.bases(rows)
	if err != nil {
		return err
	}
	return s.q.insert(ctx, list)
}

// UpdateRow writes the fields named of a row; see [Query.UpdateRow].
func (s AnySet) UpdateRow(ctx context.Context, row any, fields ...*FieldInfo) error {
	list, err := s.bases([]any{row})
	if err != nil {
		return err
	}
	pointers := make([]any, len(fields))
	for i, f := range fields {
		if !slices.Contains(s.q.model.Fields, f) {
			return fmt.Errorf("orm: UpdateRow of %s is given a field of another model", s.q.model.Name)
		}
		pointers[i] = s.q.model.Pointer(f)
	}
	return s.q.updateNamed(ctx, list[0], pointers)
}

// DeleteRow deletes rows; see [Query.DeleteRow].
func (s AnySet) DeleteRow(ctx context.Context, rows ...any) error {
	list, err := s.bases(rows)
	if err != nil {
		return err
	}
	return s.q.deleteRows(ctx, list)
}

func (s AnySet) bases(rows []any) ([]unsafe.Pointer, error) {
	if err := s.use().ready(); err != nil {
		return nil, err
	}
	list := make([]unsafe.Pointer, len(rows))
	for i, row := range rows {
		var err error
		if list[i], err = s.q.model.rowBase(row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// SetMany relates exactly the rows of the given keys to a row by a many-to-many field,
// as [ManyToManyOf.Set] does. Keys are of the related model's primary key, or its text
// form.
func (f *FieldInfo) SetMany(ctx context.Context, row any, keys ...any) error {
	base, err := f.model.rowBase(row)
	if err != nil {
		return err
	}
	if f.Relation == nil || f.Relation.Kind != ManyMany {
		return fmt.Errorf("orm: %s.%s is not a many-to-many relation", f.model.Name, f.Name)
	}
	if err := f.model.resolve(); err != nil {
		return err
	}
	owner, err := f.model.savedKey(base)
	if err != nil {
		return err
	}
	plain := make([]any, len(keys))
	for i, key := range keys {
		if plain[i], err = f.Relation.Target().PrimaryKey.convert(key, true); err != nil {
			return f.fault(err)
		}
	}
	err = (&relationChange{field: f, owner: owner, keys: plain, exactly: true}).run(ctx)
	*(*bool)(unsafe.Add(base, f.offset+f.Relation.spec.loadedOffset)) = false
	return err
}

// RowString names a row for people: what its String method says, or the model's name
// and the primary key.
func (m *ModelInfo) RowString(row any) string {
	if s, ok := row.(fmt.Stringer); ok {
		return s.String()
	}
	key, err := m.PrimaryKey.Get(row)
	if err != nil {
		return m.VerboseName
	}
	return fmt.Sprintf("%s %v", capital(m.VerboseName), key)
}
