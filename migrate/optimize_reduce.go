package migrate

import "github.com/retort-web/retort/orm/schema"

// reduce makes fewer of two operations that follow each other, if it can. What
// rows get is the same, since a table may have some that no CreateModel among
// the operations made.
func reduce(first, second Operation, app string) (result []Operation, ok bool) {
	if opaque(first) || opaque(second) {
		return nil, false
	}
	if create, isCreate := first.(CreateModel); isCreate {
		return reduceCreate(create, second, app)
	}
	model, column := subject(first)
	other, otherColumn := subject(second)
	if rename, isRename := first.(RenameModel); isRename {
		if other != rename.To {
			return nil, false
		}
		return reduceRenamed(rename, second)
	}
	if model == "" || model != other {
		return nil, false
	}
	if _, deleted := second.(DeleteModel); deleted {
		return []Operation{second}, true
	}
	switch a := first.(type) {
	case AddField:
		if column == otherColumn {
			return reduceAdded(a, second)
		}
	case AlterField:
		if column == otherColumn {
			return reduceAltered(a, second)
		}
	case RenameField:
		if a.To == otherColumn {
			return reduceRenamedField(a, second)
		}
	case AlterComment:
		if _, again := second.(AlterComment); again {
			return []Operation{second}, true
		}
	case AlterPrimaryKey:
		if _, again := second.(AlterPrimaryKey); again {
			return []Operation{second}, true
		}
	case AddIndex:
		switch b := second.(type) {
		case RemoveIndex:
			return nil, a.Index.Name == b.Name
		case RenameIndex:
			if a.Index.Name == b.From {
				a.Index = a.Index.Clone()
				a.Index.Name = b.To
				return []Operation{a}, true
			}
		}
	case RenameIndex:
		switch b := second.(type) {
		case RemoveIndex:
			if a.To == b.Name {
				return []Operation{RemoveIndex{Model: a.Model, Name: a.From}}, true
			}
		case RenameIndex:
			if a.To == b.From && a.From != b.To {
				return []Operation{RenameIndex{Model: a.Model, From: a.From, To: b.To}}, true
			}
			return nil, a.To == b.From
		}
	case AddCheck:
		b, removed := second.(RemoveCheck)
		return nil, removed && a.Check.Name == b.Name
	case AddForeignKey:
		b, removed := second.(RemoveForeignKey)
		return nil, removed && (&schema.Table{ForeignKeys: []schema.ForeignKey{a.ForeignKey}}).ForeignKey(b.Columns...) != nil
	}
	return nil, false
}

// subject returns the model and the column that an operation is about, by the
// names that they have before it.
func subject(operation Operation) (model, column string) {
	switch o := operation.(type) {
	case CreateModel:
		return o.Table.Model, ""
	case DeleteModel:
		return o.Model, ""
	case RenameModel:
		return o.From, ""
	case AlterComment:
		return o.Model, ""
	case AddField:
		return o.Model, o.Column.Name
	case RemoveField:
		return o.Model, o.Column
	case AlterField:
		return o.Model, o.Column.Name
	case RenameField:
		return o.Model, o.From
	case AlterPrimaryKey:
		return o.Model, ""
	case AddIndex:
		return o.Model, ""
	case RemoveIndex:
		return o.Model, ""
	case RenameIndex:
		return o.Model, ""
	case AddCheck:
		return o.Model, ""
	case RemoveCheck:
		return o.Model, ""
	case AddForeignKey:
		return o.Model, ""
	case RemoveForeignKey:
		return o.Model, ""
	case FillField:
		return o.Model, o.Column
	case SetNotNull:
		return o.Model, o.Column
	case AddUnique:
		return o.Model, o.Column
	case ValidateCheck:
		return o.Model, ""
	case ValidateForeignKey:
		return o.Model, ""
	}
	return "", ""
}

// reduceCreate lets a table begin as a later operation leaves it: it has no
// rows that could tell.
func reduceCreate(create CreateModel, second Operation, app string) ([]Operation, bool) {
	if model, _ := subject(second); model != create.Table.Model {
		return nil, false
	}
	switch second.(type) {
	case CreateModel:
		return nil, false
	case DeleteModel:
		return nil, true
	}
	t := create.Table.Clone()
	t.App = app
	alone := NewState(t)
	if second.ChangeState(app, alone) != nil {
		return nil, false
	}
	table := alone.Tables()[0].Clone()
	table.App = ""
	return []Operation{CreateModel{Table: *table}}, true
}

func reduceRenamed(a RenameModel, second Operation) ([]Operation, bool) {
	switch b := second.(type) {
	case RenameModel:
		merged := RenameModel{From: a.From, To: b.To, Table: b.Table}
		if b.Table == "" {
			merged.Table = a.Table
		}
		if merged.From == merged.To && merged.Table == "" {
			return nil, true
		}
		return []Operation{merged}, true
	case DeleteModel:
		return []Operation{DeleteModel{Model: a.From}}, true
	}
	return nil, false
}

func reduceAdded(a AddField, second Operation) ([]Operation, bool) {
	switch b := second.(type) {
	case RemoveField:
		return nil, true
	case RenameField:
		a.Column = a.Column.Clone()
		a.Column.Name = b.To
		if b.Field != "" {
			a.Column.Field = b.Field
		}
		return []Operation{a}, true
	case AlterField:
		if backfill, same := addedAltered(a, b); same {
			return []Operation{AddField{Model: a.Model, Column: b.Column.Clone(), Backfill: backfill}}, true
		}
	}
	return nil, false
}

// addedAltered returns what rows must get from one AddField so that they hold
// what they hold after AddField and AlterField.
func addedAltered(a AddField, b AlterField) (backfill *string, ok bool) {
	was, is := &a.Column, &b.Column
	if was.DefaultNow || is.DefaultNow || was.Generated != "" || is.Generated != "" || was.AutoIncrement || is.AutoIncrement {
		return nil, false
	}
	if was.Default == nil && a.Backfill == nil { // they hold NULL, or there are none
		switch {
		case is.Default != nil:
			return nil, !is.Null && b.Backfill == nil
		case is.Null:
			return nil, true
		}
		return b.Backfill, true
	}
	sameType := was.Type == is.Type && was.Elem == is.Elem && was.Size <= is.Size && was.Scale == is.Scale
	return a.Backfill, sameType && sameText(was.Default, is.Default)
}

func reduceAltered(a AlterField, second Operation) ([]Operation, bool) {
	switch b := second.(type) {
	case RemoveField:
		return []Operation{b}, true
	case AlterField:
		// Only if the step between leaves no trace in the rows: no other type,
		// and no value in place of NULL.
		was, is := &a.Column, &b.Column
		sameType := was.Type == is.Type && was.Elem == is.Elem && was.Size == is.Size && was.Scale == is.Scale
		if sameType && was.Null && a.Backfill == nil && was.Generated == is.Generated && !was.DefaultNow && !is.DefaultNow {
			return []Operation{b}, true
		}
	}
	return nil, false
}

func reduceRenamedField(a RenameField, second Operation) ([]Operation, bool) {
	switch b := second.(type) {
	case RemoveField:
		return []Operation{RemoveField{Model: a.Model, Column: a.From}}, true
	case RenameField:
		merged := RenameField{Model: a.Model, From: a.From, To: b.To, Field: b.Field}
		if b.Field == "" {
			merged.Field = a.Field
		}
		if merged.From == merged.To && merged.Field == "" {
			return nil, true
		}
		return []Operation{merged}, true
	}
	return nil, false
}
