package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// Options are the details of [Graph.Apply].
type Options struct {
	// Fake records migrations as applied or undone and changes nothing else.
	Fake bool
	// FakeInitial only records the first migration of an app when the tables
	// that it creates exist already: for a database that was made by other
	// means. It looks at their names alone.
	FakeInitial bool
	// Progress is told before and after each migration. Default: nobody is.
	Progress func(Event)
}

// Event is one moment of [Graph.Apply].
type Event struct {
	Step Step
	// Done is false before the migration and true after it.
	Done bool
	// Skipped says that another process did it in the meantime.
	Skipped bool
	Elapsed time.Duration
}

// lockName is the advisory lock that all processes take before they migrate.
const lockName = "retort migrate"

// Apply brings the database to the target and returns the steps that it took.
// When a step fails, those before it stay done, and are returned with the
// error.
//
// Everything that can be refused is refused before anything is changed: a
// conflict, an inconsistent history, a step backward that cannot be undone.
func (g *Graph) Apply(ctx context.Context, db Database, target Target, options Options) ([]Step, error) {
	unlock, err := db.Lock(ctx, lockName)
	if err != nil {
		return nil, fmt.Errorf("migrate: wait for other processes that migrate: %w", err)
	}
	defer unlock()
	return g.apply(ctx, db, target, options)
}

func (g *Graph) apply(ctx context.Context, db Database, target Target, options Options) ([]Step, error) {
	applied, err := readHistory(ctx, db)
	if err != nil {
		return nil, err
	}
	if !options.Fake {
		if err := g.consistent(applied); err != nil {
			return nil, err
		}
	}
	steps, err := g.plan(applied, target)
	if err != nil || len(steps) == 0 {
		return nil, err
	}
	work, err := g.prepare(steps, applied, db.Dialect(), options.Fake)
	if err != nil {
		return nil, err
	}
	if options.FakeInitial {
		if err := fakeInitial(ctx, db, work); err != nil {
			return nil, err
		}
	}
	if err := createHistory(ctx, db); err != nil {
		return nil, err
	}
	progress := options.Progress
	if progress == nil {
		progress = func(Event) {}
	}
	var done []Step
	for _, w := range work {
		start := time.Now()
		progress(Event{Step: w.step})
		skipped, err := w.run(ctx, db)
		if err != nil {
			return done, w.explain(err, db.Dialect())
		}
		progress(Event{Step: w.step, Done: true, Skipped: skipped, Elapsed: time.Since(start)})
		if !skipped {
			done = append(done, w.step)
		}
	}
	return done, nil
}

// fakeInitial makes the first migrations of apps do nothing where their tables
// exist.
func fakeInitial(ctx context.Context, db Database, all []*work) error {
	rows, err := db.Query(ctx, db.Dialect().TableNames())
	if err != nil {
		return fmt.Errorf("migrate: list the tables: %w", err)
	}
	exists := map[string]bool{}
	for _, row := range rows {
		exists[strings.ToLower(text(row[0]))] = true
	}
	for _, w := range all {
		n := w.step.node
		first := !w.step.Backward && !slices.ContainsFunc(n.parents, func(p *node) bool { return p.app == n.app })
		made, found := 0, 0
		for _, operation := range n.Operations {
			switch o := operation.(type) {
			case CreateModel:
				made++
				if exists[strings.ToLower(o.Table.Name)] {
					found++
				}
			case RunSQL, RunCode:
				first = false // nobody can tell whether that was done
			}
		}
		if first && made > 0 && made == found {
			w.operations, w.frame = nil, schema.Frame{}
		}
	}
	return nil
}

// work is a step made concrete for a dialect.
type work struct {
	step       Step
	operations []operationStep
	frame      schema.Frame
}

// prepare makes all steps concrete before the first one runs, so that an
// operation that is impossible or irreversible stops the whole plan.
func (g *Graph) prepare(steps []Step, applied history, dialect schema.Dialect, fake bool) ([]*work, error) {
	done := make(map[*node]bool, len(applied))
	for id := range applied {
		if n := g.nodes[id]; n != nil {
			done[n] = true
		}
	}
	all := make([]*work, len(steps))
	var state *State // after the steps so far, while they go forward
	for i, step := range steps {
		all[i] = &work{step: step}
		if fake {
			continue
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
func (w *work) run(ctx context.Context, db Database) (skipped bool, err error) {
	if !db.Dialect().TransactionalDDL() || w.step.node.NonAtomic {
		return w.runBare(ctx, db)
	}
	options := TransactionOptions{WithoutForeignKeys: w.frame.WithoutForeignKeys}
	err = transaction(ctx, db, options, func(ctx context.Context) error {
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
		return record(ctx, db, w.step.node, w.step.Backward)
	})
	return skipped, err
}

// runBare does the step without a transaction.
func (w *work) runBare(ctx context.Context, db Database) (skipped bool, err error) {
	if skipped, err = w.current(ctx, db); err != nil || skipped {
		return skipped, err
	}
	if w.frame.WithoutForeignKeys {
		return false, errors.New("it drops or rebuilds a table, which is only safe inside a transaction; leave NonAtomic out")
	}
	if err := w.begin(ctx, db); err != nil {
		return false, err
	}
	for i := range w.operations {
		if err := w.operate(ctx, db, i); err != nil {
			return false, err
		}
	}
	return false, record(ctx, db, w.step.node, w.step.Backward)
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
		if action.Code != nil {
			err = action.Code(ctx, db)
		} else {
			err = db.Exec(ctx, action.SQL)
		}
		if err != nil {
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

// explain says what a failed step leaves behind.
func (w *work) explain(err error, dialect schema.Dialect) error {
	verb := "apply"
	if w.step.Backward {
		verb = "undo"
	}
	left := "nothing of it was changed"
	if !dialect.TransactionalDDL() || w.step.node.NonAtomic {
		left = "it is not atomic, so look at what it has changed before you run it again"
	}
	return fmt.Errorf("migrate: %s %s: %w (%s)", verb, w.step.ID(), err, left)
}

// lockPatience is how long a transaction waits for other processes that
// migrate, and lockPause how long it sleeps between two tries.
const (
	lockPatience = 10 * time.Minute
	lockPause    = 50 * time.Millisecond
)

// transaction runs fn in a transaction, and waits while another process keeps
// it from beginning.
func transaction(ctx context.Context, db Database, options TransactionOptions, fn func(context.Context) error) error {
	deadline := time.Now().Add(lockPatience)
	for {
		began := false
		err := db.Transaction(ctx, options, func(ctx context.Context) error {
			began = true
			return fn(ctx)
		})
		if began || !db.Dialect().Busy(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPause):
		}
	}
}
