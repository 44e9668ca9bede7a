package migrate

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// needsJournal reports that something is not done in one transaction.
func needsJournal(all []*work) bool {
	for _, w := range all {
		if w.bare {
			return true
		}
	}
	return false
}

// runBare does the step without a transaction around it. What is done of it is
// in the journal, so that it can go on when it is broken off.
func (w *work) runBare(ctx context.Context, db Database) (skipped bool, err error) {
	if skipped, err = w.current(ctx, db); err != nil || skipped {
		return skipped, err
	}
	if w.frame.WithoutForeignKeys {
		return false, errors.New("it drops or rebuilds a table, which is only safe inside a transaction; leave NonAtomic out")
	}
	if err := w.unchanged(); err != nil {
		return false, err
	}
	if err := w.begin(ctx, db); err != nil {
		return false, err
	}
	actions := w.actions()
	w.done = w.journal.done()
	for i := w.done; i < len(actions); i++ {
		if err := w.act(ctx, db, i, actions[i]); err != nil {
			return false, fmt.Errorf("operation %q: %w", actions[i].operation.Describe(), err)
		}
		w.done = i + 1
	}
	return false, db.Transaction(ctx, TransactionOptions{}, func(ctx context.Context) error {
		if err := forgetJournal(ctx, db, w.step.node); err != nil {
			return err
		}
		return record(ctx, db, w.step.node, w.step.Backward)
	})
}

// journaled is an action and how the journal calls it.
type journaled struct {
	Action
	operation Operation
	label     string
}

func (w *work) actions() []journaled {
	var all []journaled
	for _, o := range w.operations {
		for _, a := range o.actions {
			label := a.SQL
			if a.Code != nil {
				label = "-- " + o.operation.Describe()
			}
			all = append(all, journaled{a, o.operation, label})
		}
	}
	return all
}

// unchanged makes sure that the migration is, as far as it was done, the one
// that was broken off.
func (w *work) unchanged() error {
	actions := w.actions()
	for i, e := range w.journal[:w.journal.done()] {
		switch {
		case i >= len(actions):
			return fmt.Errorf("it was broken off after statement %d and has fewer now; put the migration back as it was", w.journal.done())
		case actions[i].label != e.statement:
			return fmt.Errorf("it was broken off after statement %d and has been changed since: statement %d was %q and is %q; put it back as it was, or do the rest by hand and record it with --fake",
				w.journal.done(), i+1, e.statement, actions[i].label)
		}
	}
	return nil
}

// act does one action and writes it down.
func (w *work) act(ctx context.Context, db Database, i int, a journaled) error {
	again := i < len(w.journal) // it began before, and nobody knows whether it ended
	if again && w.journal[i].statement != a.label {
		return fmt.Errorf("it was broken off in statement %d, which was %q and is %q now; put it back as it was, or do the rest by hand and record it with --fake", i+1, w.journal[i].statement, a.label)
	}
	if err := clearLeftover(ctx, db, a.SQL); err != nil {
		return err
	}
	if !again {
		if err := w.beginEntry(ctx, db, i, a.label); err != nil {
			return err
		}
		w.journal = append(w.journal, entry{backward: w.step.Backward, statement: a.label})
	}
	if !w.step.node.NonAtomic && (a.Code != nil || changesRows(a.SQL)) {
		// With its mark in one transaction it is done or not, and never twice.
		err := db.Transaction(ctx, TransactionOptions{}, func(ctx context.Context) error {
			if err := a.run(ctx, db); err != nil {
				return err
			}
			return w.endEntry(ctx, db, i)
		})
		return w.takeBack(ctx, db, i, a, err)
	}
	if a.Code != nil {
		b, err := newBookmark(w, i)
		if err != nil {
			return err
		}
		ctx = context.WithValue(ctx, bookmarkKey{}, b)
	}
	err := w.execute(ctx, db, a.Action)
	if err != nil && again && a.Code == nil && db.Dialect().AlreadyDone(err) {
		err = nil
	}
	if err != nil {
		// What is left now is cleared by the next run, too.
		if ctx.Err() == nil && db.Dialect().Refused(err) {
			err = errors.Join(err, clearLeftover(ctx, db, a.SQL))
		}
		return w.takeBack(ctx, db, i, a, err)
	}
	return w.endEntry(ctx, db, i)
}

// clearLeftover removes what an earlier run of a statement, of whoever, left behind and
// what keeps it from running.
func clearLeftover(ctx context.Context, db Database, statement string) error {
	query, cleanup := db.Dialect().Leftover(statement)
	if query == "" {
		return nil
	}
	rows, err := db.Query(ctx, query)
	if err != nil || len(rows) == 0 {
		return err
	}
	return db.Exec(ctx, cleanup)
}

// execute runs an action that is not in a transaction.
func (w *work) execute(ctx context.Context, db Database, a Action) error {
	if a.Code != nil {
		return a.Code(ctx, db)
	}
	return w.exec(ctx, db, a.SQL, a.Args...)
}

func (a Action) run(ctx context.Context, db Database) error {
	if a.Code != nil {
		return a.Code(ctx, db)
	}
	return db.Exec(ctx, a.SQL, a.Args...)
}

// takeBack takes the entry of an action back when it certainly did nothing.
func (w *work) takeBack(ctx context.Context, db Database, i int, a journaled, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if a.Code != nil && w.step.node.NonAtomic {
		return err // it may have done a part of its work
	}
	if a.Code != nil || db.Dialect().Refused(err) {
		if dropped := w.dropEntry(ctx, db, i); dropped != nil {
			return errors.Join(err, dropped)
		}
		w.journal = w.journal[:i]
	}
	return err
}

// rowChange is a statement that a transaction can take back on MySQL, too.
var rowChange = regexp.MustCompile(`(?i)^(\s|/\*.*?\*/|--[^\n]*\n)*(INSERT|UPDATE|DELETE|REPLACE|WITH)\s`)

func changesRows(sql string) bool { return rowChange.MatchString(sql) }

// explain says what a failed step leaves behind.
func (w *work) explain(err error) error {
	verb := "apply"
	if w.step.Backward {
		verb = "undo"
	}
	left := "nothing of it was changed"
	if actions := w.actions(); w.bare && (w.done > 0 || len(w.journal) > 0) {
		left = fmt.Sprintf("%d of its %d statements are done, and recorded in the table %s", w.done, len(actions), JournalTable)
		if w.done < len(actions) {
			next, _, _ := strings.Cut(actions[w.done].label, "\n")
			left += fmt.Sprintf("; when the cause is gone, migrate again, and it goes on with: %s", next)
		}
	}
	return fmt.Errorf("migrate: %s %s: %w (%s)", verb, w.step.ID(), err, left)
}
