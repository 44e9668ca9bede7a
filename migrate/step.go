package migrate

import (
	"fmt"

	"github.com/retort-web/retort/orm/schema"
)

// operationStep is an operation made concrete: what it runs, between which
// states.
type operationStep struct {
	operation Operation
	from, to  *State
	actions   []Action
	elsewhere bool // it is about tables of another database
}

// operationSteps makes operations concrete. before is the state before all of
// them, in both directions; the steps come in the order in which they run.
func operationSteps(operations []Operation, app string, dialect schema.Dialect, before *State, reverse bool) ([]operationStep, error) {
	steps := make([]operationStep, len(operations))
	state := before
	for i, operation := range operations {
		next := state.clone()
		if err := operation.ChangeState(app, next); err != nil {
			return nil, fmt.Errorf("operation %d (%s): %w", i+1, operation.Describe(), err)
		}
		at, change := i, Change{App: app, Dialect: dialect, From: state, To: next}
		run := operation.Forward
		if reverse {
			at, run = len(operations)-1-i, operation.Reverse
			change.From, change.To = next, state
		}
		actions, err := run(change)
		if err != nil {
			return nil, fmt.Errorf("operation %d (%s): %w", i+1, operation.Describe(), err)
		}
		steps[at] = operationStep{operation: operation, from: change.From, to: change.To, actions: actions}
		state = next
	}
	if rebuilder, ok := dialect.(schema.Rebuilder); ok {
		mergeRebuilds(steps, app, dialect, rebuilder, reverse)
	}
	return steps, nil
}

// tableChange is an operation on the columns, key, references or checks of one table.
type tableChange interface {
	// touches returns the model, the column if it is about one, and what rows
	// get when the operation is done (not when it is undone).
	touches() (model, column string, backfill *string)
}

func (o AddField) touches() (model, column string, backfill *string) {
	return o.Model, o.Column.Name, o.Backfill
}

func (o AlterField) touches() (model, column string, backfill *string) {
	return o.Model, o.Column.Name, o.Backfill
}

func (o RemoveField) touches() (model, column string, backfill *string) {
	return o.Model, o.Column, nil
}

func (o AlterPrimaryKey) touches() (model, column string, backfill *string) { return o.Model, "", nil }

func (o AddForeignKey) touches() (model, column string, backfill *string) { return o.Model, "", nil }

func (o RemoveForeignKey) touches() (model, column string, backfill *string) {
	return o.Model, "", nil
}

func (o AddCheck) touches() (model, column string, backfill *string) { return o.Model, "", nil }

func (o RemoveCheck) touches() (model, column string, backfill *string) { return o.Model, "", nil }

// mergeRebuilds lets steps that follow each other and build the same table
// anew do so once, in the last of them.
func mergeRebuilds(steps []operationStep, app string, dialect schema.Dialect, rebuilder schema.Rebuilder, reverse bool) {
	for start := 0; start < len(steps); {
		end, changes := mergeable(steps[start:], app, reverse)
		rebuilds := 0
		for _, s := range steps[start : start+end] {
			if len(dialect.Frame(sqlOf([]operationStep{s})).Rebuilt) > 0 {
				rebuilds++
			}
		}
		if rebuilds > 1 {
			model, _, _ := steps[start].operation.(tableChange).touches()
			last := &steps[start+end-1]
			for i := start; i < start+end; i++ {
				steps[i].actions = nil
			}
			last.from = steps[start].from
			last.actions = statements(rebuilder.Rebuild(last.from.Table(app, model), last.to.Table(app, model), changes))
		}
		start += max(end, 1)
	}
}

// mergeable returns how many of the first steps are about one table and each
// about another column, with what they change.
func mergeable(steps []operationStep, app string, reverse bool) (int, []schema.ColumnChange) {
	var table string
	var changes []schema.ColumnChange
	seen := map[string]bool{}
	for i, s := range steps {
		o, ok := s.operation.(tableChange)
		if !ok {
			return i, changes
		}
		model, column, backfill := o.touches()
		if i > 0 && model != table || seen[column] {
			return i, changes
		}
		table = model
		if column == "" {
			continue
		}
		seen[column] = true
		if reverse {
			backfill = nil
		}
		changes = append(changes, schema.ColumnChange{
			From: s.from.Table(app, model).Column(column), To: s.to.Table(app, model).Column(column), Backfill: backfill,
		})
	}
	return len(steps), changes
}
