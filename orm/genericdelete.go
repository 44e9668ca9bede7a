package orm

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// genericCascade is rows that go with those of another model by a generic foreign key.
type genericCascade struct {
	model *ModelInfo
	field *genericField
}

var cascading sync.Mutex

// CascadeGeneric lets a delete of a row of the model of target take the rows with it that
// belong to it by a generic foreign key. It is called once, in an init function of the
// program or of an app:
//
//	func init() { orm.CascadeGeneric(&Comments.Fields().On, Posts) }
//
// The rows are deleted in the transaction of the delete, with their hooks, their listeners
// and what refers to them, also if the row goes because of a foreign key of its own;
// [Query.Deletion] counts them. A row that is only marked as deleted keeps them, and so does
// one that the database deletes alone, by on_delete=db_cascade or SQL. Both models must be
// in one database. Deletes of the model are no longer a single statement.
//
// A field that is no generic foreign key of a registered model is a mistake as in
// [Register].
func CascadeGeneric[T any](field *GenericForeignKey, target QuerySet[T]) {
	_, file, line, _ := runtime.Caller(1)
	if err := cascadeGeneric(field, target.use().model); err != nil {
		noteMistake(fmt.Errorf("%w (CascadeGeneric at %s:%d)", err, file, line))
	}
}

func cascadeGeneric(field *GenericForeignKey, m *ModelInfo) error {
	owner, g, err := genericOwner(field)
	if err != nil {
		return err
	}
	if m == nil || !m.registered {
		return fmt.Errorf("orm: CascadeGeneric of %s.%s is given a model that is not registered", owner.Name, g.name)
	}
	if m.extends != nil {
		m = m.extends
	}
	cascading.Lock()
	defer cascading.Unlock()
	list := m.genericCascades()
	own := genericCascade{owner, g}
	if !slices.Contains(list, own) {
		list = append(slices.Clip(list), own)
		m.cascades.Store(&list)
	}
	return nil
}

// genericCascades are the rows that go with those of the model.
func (m *ModelInfo) genericCascades() []genericCascade {
	if m.extends != nil {
		m = m.extends
	}
	if list := m.cascades.Load(); list != nil {
		return *list
	}
	return nil
}

// collectGeneric notes the rows that belong to rows of m that are to go.
func (c *collector) collectGeneric(m *ModelInfo, keys []any) error {
	if c.soft(m) {
		return nil
	}
	for _, cascade := range m.genericCascades() {
		db, err := cascade.model.database(c.ctx, Write)
		if err != nil {
			return err
		}
		if db != c.db {
			return fmt.Errorf("orm: rows of %s belong to those of %s, which are to be deleted, and are in another database; delete both there, without CascadeGeneric", cascade.model.Name, m.Name)
		}
		for batch := range slices.Chunk(keys, collectBatch) {
			texts := make([]string, len(batch))
			for i, key := range batch {
				if texts[i], err = m.PrimaryKey.KeyText(key); err != nil {
					return err
				}
			}
			named := cascade.field.named(cascade.model)
			belonging := &query{model: cascade.model, withDeleted: true, where: []expr{
				Eq(&named.Model, m.tableLabel()).e, In(&named.Key, texts...).e,
			}}
			found, rows, err := c.find(belonging)
			if err != nil {
				return err
			}
			if err := c.collect(cascade.model, found, rows); err != nil {
				return err
			}
		}
	}
	return nil
}
