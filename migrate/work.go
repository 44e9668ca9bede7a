package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// work is a step made concrete for a dialect.
type work struct {
	step       Step
	operations []operationStep
	frame      schema.Frame
	bare       bool    // it does not run in one transaction
	journal    entries // what was done of it before it was broken off
	done       int     // how many of its actions are done, if it is bare
	locks      *locks
}

// prepare makes all steps concrete before the first one runs, so that an
// operation that is impossible or irreversible stops the whole plan.
func (g *Graph) prepare(steps []Step, applied history, dialect schema.Dialect, options Options) ([]*work, error) {
	done := make(map[*node]bool, len(applied))
	for id := range applied {
		if n := g.nodes[id]; n != nil {
			done[n] = true
		}
	}
	all := make([]*work, len(steps))
	var state *State // after the steps so far, while they go forward
	for i, step := range steps {
		all[i] = &work{step: step, bare: !options.Fake && runsBare(&step.node.Migration, dialect)}
		if options.Fake {
			continue
		}
		if err := checkBesides(&step.node.Migration, dialect); err != nil {
			return nil, fmt.Errorf("migrate: %s: %w", step.ID(), err)
		}
		if step.Backward || state == nil {
			done[step.node] = false
			var err error
			if state, err = g.replay(func(n *node) bool { return done[n] }); err != nil {
				return nil, err
			}
		}
		operations, err := operationSteps(step.node.Operations, step.App, dialect, state, step.Backward)
		if err != nil {
			return nil, fmt.Errorf("migrate: %s: %w", step.ID(), err)
		}
		if options.Allows != nil {
			leaveOut(operations, step.App, options.Allows)
		}
		all[i].operations = operations
		all[i].frame = dialect.Frame(sqlOf(operations))
		if !step.Backward && len(operations) > 0 {
			state = operations[len(operations)-1].to
		}
	}
	return all, nil
}

func sqlOf(operations []operationStep) []string {
	var all []string
	for _, o := range operations {
		for _, action := range o.actions {
			if action.SQL != "" {
				all = append(all, action.SQL)
			}
		}
	}
	return all
}

// run does the step, with its record, in one transaction where that is
// possible. It reports whether another process had done it already.
func (w *work) run(ctx context.Context, db Database, waiting func(time.Duration)) (skipped bool, err error) {
	if w.bare {
		return w.runBare(ctx, db)
	}
	err = w.locks.try(ctx, db, w.step, func(begin, end func(context.Context) error) error {
		skipped, err = w.runOnce(ctx, db, waiting, begin, end)
		return err
	})
	return skipped, err
}

// runOnce is an attempt to do the step in one transaction, in which begin is called first
// and end last.
func (w *work) runOnce(ctx context.Context, db Database, waiting func(time.Duration), begin, end func(context.Context) error) (skipped bool, err error) {
	options := TransactionOptions{WithoutForeignKeys: w.frame.WithoutForeignKeys}
	err = transaction(ctx, db, options, waiting, func(ctx context.Context) error {
		if err := begin(ctx); err != nil {
			return err
		}
		skipped, err = w.current(ctx, db)
		if err != nil || skipped {
			return err
		}
		if err := w.begin(ctx, db); err != nil {
			return err
		}
		for i := range w.operations {
			if err := w.operate(ctx, db, i); err != nil {
				return err
			}
		}
		if err := w.checkForeignKeys(ctx, db); err != nil {
			return err
		}
		if len(w.journal) > 0 {
			if err := forgetJournal(ctx, db, w.step.node); err != nil {
				return err
			}
		}
		if err := record(ctx, db, w.step.node, w.step.Backward); err != nil {
			return err
		}
		return end(ctx)
	})
	return skipped, err
}

// current looks again at what is applied, now that nobody else can change it.
func (w *work) current(ctx context.Context, db Database) (skip bool, err error) {
	applied, err := readHistoryTable(ctx, db)
	if err != nil {
		return false, err
	}
	n := w.step.node
	if _, done := applied[n.id]; done != w.step.Backward {
		return true, nil
	}
	if w.operations == nil {
		return false, nil // faked: the order does not matter
	}
	if w.step.Backward {
		for _, child := range n.children {
			if _, done := applied[child.id]; done {
				return false, fmt.Errorf("another process has applied %s meanwhile, which depends on it", child.id)
			}
		}
		return false, nil
	}
	for _, parent := range n.parents {
		if _, done := applied[parent.id]; !done {
			return false, fmt.Errorf("another process has undone %s meanwhile, on which it depends", parent.id)
		}
	}
	return false, nil
}

// begin makes sure that what the frame demands of the transaction holds.
func (w *work) begin(ctx context.Context, db Database) error {
	if w.frame.Guard != "" {
		rows, err := db.Query(ctx, w.frame.Guard)
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			return errors.New("foreign keys are enforced, so that building a table anew would delete the rows that reference it; do not migrate inside another transaction")
		}
	}
	for _, statement := range w.frame.Begin {
		if err := db.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// operate runs one operation. A dialect that builds a table anew loses the
// triggers and indexes on it that no migration knows: they are put back.
func (w *work) operate(ctx context.Context, db Database, i int) error {
	o := w.operations[i]
	rebuilt := db.Dialect().Frame(sqlOf(w.operations[i : i+1])).Rebuilt
	attached, err := readAttached(ctx, db, rebuilt)
	if err != nil {
		return err
	}
	for _, action := range o.actions {
		if err := action.run(ctx, db); err != nil {
			return fmt.Errorf("operation %q: %w", o.operation.Describe(), err)
		}
	}
	return restoreAttached(ctx, db, rebuilt, attached, o.from)
}

// maxViolations is how many dangling references an error names.
const maxViolations = 5

func (w *work) checkForeignKeys(ctx context.Context, db Database) error {
	if w.frame.Check == "" {
		return nil
	}
	rows, err := db.Query(ctx, w.frame.Check)
	if err != nil {
		return fmt.Errorf("check the foreign keys: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	var b strings.Builder
	for i, row := range rows {
		if i == maxViolations {
			fmt.Fprintf(&b, ", and %d more", len(rows)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "row %s of %s points to a missing row of %s", text(row[1]), text(row[0]), text(row[2]))
	}
	return fmt.Errorf("foreign keys would be broken: %s; mend or delete those rows first", b.String())
}
