package orm

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"unsafe"

	"github.com/retort-web/retort/orm/schema"
)

// genericBatch is how many rows of a model one query for generic foreign keys asks for.
const genericBatch = 10_000

// BelongsTo is true if the generic foreign key refers to row, which is saved and of any
// registered model:
//
//	Comments.Where(orm.BelongsTo(&c.On, post))
func BelongsTo(field *GenericForeignKey, row any) Cond {
	if field == nil {
		return unnamedGeneric()
	}
	key, err := GenericKeyTo(row)
	if err != nil {
		return Cond{&invalid{err}}
	}
	return And(Eq(&field.Model, key.Model), Eq(&field.Key, key.Key))
}

// BelongsToModel is true if the generic foreign key refers to a row of the model of a
// query, whether or not that row is there.
func BelongsToModel[T any](field *GenericForeignKey, rows QuerySet[T]) Cond {
	if field == nil {
		return unnamedGeneric()
	}
	m := rows.use().model
	if m == nil {
		return Cond{&invalid{fmt.Errorf("orm: BelongsToModel is given a query without a model")}}
	}
	return Eq(&field.Model, m.tableLabel())
}

// BelongsToQuery is true if the generic foreign key refers to one of the rows of a query,
// which the database looks up in a subquery. Primary keys that are whole numbers, texts
// and UUIDs can be compared so; of others, as those of several columns, find the rows first
// and use [BelongingTo].
func BelongsToQuery[T any](field *GenericForeignKey, rows QuerySet[T]) Cond {
	of := BelongsToModel(field, rows)
	if _, bad := of.e.(*invalid); bad {
		return of
	}
	m := rows.use().model
	if err := m.resolve(); err != nil {
		return Cond{&invalid{err}}
	}
	pk := m.PrimaryKey
	kind := pk.Kind
	if pk.Relation != nil {
		kind = pk.Relation.Key().Kind
	}
	switch kind {
	case schema.Int16, schema.Int32, schema.Int64, schema.String, schema.Text, schema.UUID:
		return And(of, F(&field.Key).InQuery(rows.Any(), Cast[string](m.Pointer(pk))))
	}
	return Cond{&invalid{fmt.Errorf("orm: BelongsToQuery cannot compare the primary key of %s, a %s, as text; find the rows and use BelongingTo", m.Name, pk.Type)}}
}

func unnamedGeneric() Cond {
	return Cond{&invalid{fmt.Errorf("orm: a generic foreign key is named by a nil pointer")}}
}

// LoadGeneric loads what a generic foreign key of rows refers to: one query for each model
// there is among them, and one for every 10,000 keys of it. Each goes to the database that
// its model's queries go to. The key is named in the prototype:
//
//	err := orm.LoadGeneric(ctx, comments, &c.On)
//
// A row that is not there any more is loaded as nil. A key that can lead to no row does
// not keep the others from being loaded: its Get returns the error.
func LoadGeneric[T any](ctx context.Context, rows []*T, field *GenericForeignKey) error {
	m, err := registeredInfo(reflect.TypeFor[T]())
	if err != nil {
		return err
	}
	g, err := m.genericAt(field)
	if err != nil {
		return err
	}
	keys := make([]*GenericForeignKey, len(rows))
	for i, row := range rows {
		if row == nil {
			return fmt.Errorf("orm: LoadGeneric of %s: row %d is nil", m.Name, i)
		}
		keys[i] = g.of(unsafe.Pointer(row))
	}
	return loadGeneric(ctx, keys)
}

// loadGeneric loads the keys that are not loaded, model by model.
func loadGeneric(ctx context.Context, keys []*GenericForeignKey) error {
	byModel := map[string][]*GenericForeignKey{}
	for _, g := range keys {
		if !g.Loaded() {
			byModel[g.Model] = append(byModel[g.Model], g)
		}
	}
	labels := make([]string, 0, len(byModel))
	for label := range byModel {
		labels = append(labels, label)
	}
	slices.SortFunc(labels, cmp.Compare)
	for _, label := range labels {
		m := InfoNamed(label)
		if m != nil {
			if err := m.resolve(); err != nil {
				return err
			}
		}
		if err := m.loadGenericOf(ctx, byModel[label]); err != nil {
			return err
		}
	}
	return nil
}

// loadGenericOf loads the keys that name the model, which is nil if there is none.
func (m *ModelInfo) loadGenericOf(ctx context.Context, keys []*GenericForeignKey) error {
	found := map[any]*genericTarget{}
	var plain []any
	waiting := map[*GenericForeignKey]any{}
	for _, g := range keys {
		key, err := g.checked(m)
		if err != nil {
			g.found = &genericTarget{g.Model, g.Key, nil, err}
			continue
		}
		waiting[g] = mapKey(key)
		if found[mapKey(key)] == nil {
			found[mapKey(key)] = &genericTarget{}
			plain = append(plain, key)
		}
	}
	for batch := range slices.Chunk(plain, genericBatch) {
		// As a foreign key does, it still leads to a row that is marked as deleted.
		rows, err := (&query{model: m, withDeleted: true, where: []expr{m.keyIn(batch)}}).all(ctx, nil)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if t := found[mapKey(m.mustKey(row))]; t != nil {
				t.row = m.rowOf(row)
			}
		}
	}
	for g, key := range waiting {
		g.found = &genericTarget{g.Model, g.Key, found[key].row, nil}
	}
	return nil
}

// BelongingTo reads the rows of a query that belong to each of targets, which are saved, in
// one query for every 10,000 of them. In the rows the generic foreign key is loaded.
//
//	comments, err := orm.BelongingTo(ctx, Comments.OrderBy(orm.Asc(&c.Posted)), &c.On, posts)
//	for _, post := range posts {
//		fmt.Println(post.Title, len(comments[post]))
//	}
//
// The rows of each target are in the order of the query. A query with Limit or Offset, which
// would count the rows of all targets together, is refused.
func BelongingTo[T, R any](ctx context.Context, rows QuerySet[T], field *GenericForeignKey, targets []*R) (map[*R][]*T, error) {
	q := rows.use()
	if err := q.ready(); err != nil {
		return nil, err
	}
	g, err := q.model.genericAt(field)
	if err != nil {
		return nil, err
	}
	if q.limited || q.offset > 0 {
		return nil, fmt.Errorf("orm: BelongingTo of %s: a Limit or Offset would be that of the rows of all targets together; leave it out", q.model.Name)
	}
	byKey := map[string][]*R{}
	var keys []string
	label := ""
	for i, row := range targets {
		key, err := GenericKeyTo(row)
		if err != nil {
			return nil, fmt.Errorf("%w (row %d)", err, i)
		}
		label = key.Model
		if byKey[key.Key] == nil {
			keys = append(keys, key.Key)
		}
		byKey[key.Key] = append(byKey[key.Key], row)
	}
	belonging := make(map[*R][]*T, len(targets))
	for batch := range slices.Chunk(keys, genericBatch) {
		found, err := rows.Where(Eq(&field.Model, label), In(&field.Key, batch...)).All(ctx)
		if err != nil {
			return nil, err
		}
		for _, row := range found {
			key := g.of(unsafe.Pointer(row))
			of := byKey[key.Key]
			for _, target := range of {
				belonging[target] = append(belonging[target], row)
			}
			if len(of) > 0 {
				if err := key.Set(of[0]); err != nil {
					return nil, err
				}
			}
		}
	}
	return belonging, nil
}
