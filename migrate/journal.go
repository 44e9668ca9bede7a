package migrate

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// JournalTable is the table of what was done within migrations that are not
// done in one transaction: on MySQL all, elsewhere those that are NonAtomic. It
// holds rows only while such a migration runs, or has been broken off.
const JournalTable = "retort_migration_steps"

func journalTable() *schema.Table {
	return &schema.Table{
		App: "migrate", Model: "Journal", Name: JournalTable,
		Columns: []schema.Column{
			{Name: "app", Type: schema.String, Size: 255, PrimaryKey: true},
			{Name: "name", Type: schema.String, Size: 255, PrimaryKey: true},
			{Name: "step", Type: schema.Int32, PrimaryKey: true},
			{Name: "backward", Type: schema.Bool},
			{Name: "done", Type: schema.Bool},
			{Name: "statement", Type: schema.Text},
			{Name: "position", Type: schema.Text, Null: true},
			{Name: "began", Type: schema.DateTime},
		},
	}
}

// entry is one statement, or piece of Go code, that was begun.
type entry struct {
	backward, done bool
	statement      string
	position       string // how far Go code came in the rows of a table
}

// entries are those of one migration, in order. All but the last are done.
type entries []entry

// done is how many are done.
func (e entries) done() int {
	if n := len(e); n > 0 && !e[n-1].done {
		return n - 1
	}
	return len(e)
}

// journal is the migrations that were broken off, by id.
type journal map[string]entries

func readJournal(ctx context.Context, db Database) (journal, error) {
	exists, err := hasTable(ctx, db, JournalTable)
	if err != nil || !exists {
		return nil, err
	}
	rows, err := db.Query(ctx, "SELECT app, name, backward, done, statement, position FROM "+JournalTable+" ORDER BY app, name, step")
	if err != nil {
		return nil, fmt.Errorf("migrate: read the journal of steps: %w", err)
	}
	j := journal{}
	for _, row := range rows {
		id := text(row[0]) + "." + text(row[1])
		e := entry{backward: truth(row[2]), done: truth(row[3]), statement: text(row[4])}
		if row[5] != nil {
			e.position = text(row[5])
		}
		j[id] = append(j[id], e)
	}
	return j, nil
}

// truth reads a boolean as whatever a driver makes of it.
func truth(value any) bool {
	s := strings.ToLower(text(value))
	return s == "true" || s == "1" || s == "t"
}

// first puts the migrations that were broken off at the beginning of a plan:
// what they depend on is done. It refuses a plan without them.
func (j journal) first(steps []Step) ([]Step, error) {
	var resumed, rest []Step
	for _, s := range steps {
		if e := j[s.ID()]; len(e) > 0 && e[0].backward == s.Backward {
			resumed = append(resumed, s)
		} else {
			rest = append(rest, s)
		}
	}
	if len(resumed) == len(j) {
		return append(resumed, rest...), nil
	}
	ids := make([]string, 0, len(j))
	for id := range j {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	var problems []string
	for _, id := range ids {
		e := j[id]
		app, name, _ := strings.Cut(id, ".")
		verb, command := "being applied", "migrate "+app+" "+name
		if e[0].backward {
			verb, command = "being undone", "migrate "+app+" to the migration before it"
		}
		problems = append(problems, fmt.Sprintf("%s was broken off while %s, with %d of its statements done (they are in the table %s); finish it first with %s, or, if you have done the rest by hand, record it with --fake",
			id, verb, e.done(), JournalTable, command))
	}
	return nil, fmt.Errorf("migrate: %s", strings.Join(problems, "; "))
}

// begin writes down that a statement begins, and end that it is done.
func (w *work) beginEntry(ctx context.Context, db Database, step int, statement string) error {
	p := db.Dialect().Placeholder
	return journalError(w.step, db.Exec(ctx,
		fmt.Sprintf("INSERT INTO %s (app, name, step, backward, done, statement, began) VALUES (%s, %s, %s, %s, %s, %s, %s)", JournalTable, p(1), p(2), p(3), p(4), p(5), p(6), p(7)),
		w.step.App, w.step.Name, step, w.step.Backward, false, statement, time.Now().UTC()))
}

func (w *work) endEntry(ctx context.Context, db Database, step int) error {
	p := db.Dialect().Placeholder
	return journalError(w.step, db.Exec(ctx,
		fmt.Sprintf("UPDATE %s SET done = %s WHERE app = %s AND name = %s AND step = %s", JournalTable, p(1), p(2), p(3), p(4)),
		true, w.step.App, w.step.Name, step))
}

// noteEntry writes down how far Go code has come.
func (w *work) noteEntry(ctx context.Context, db Database, step int, position string) error {
	p := db.Dialect().Placeholder
	return journalError(w.step, db.Exec(ctx,
		fmt.Sprintf("UPDATE %s SET position = %s WHERE app = %s AND name = %s AND step = %s", JournalTable, p(1), p(2), p(3), p(4)),
		position, w.step.App, w.step.Name, step))
}

// dropEntry takes back that a statement began, since it did nothing.
func (w *work) dropEntry(ctx context.Context, db Database, step int) error {
	p := db.Dialect().Placeholder
	return journalError(w.step, db.Exec(ctx,
		fmt.Sprintf("DELETE FROM %s WHERE app = %s AND name = %s AND step = %s", JournalTable, p(1), p(2), p(3)),
		w.step.App, w.step.Name, step))
}

func forgetJournal(ctx context.Context, db Database, n *node) error {
	p := db.Dialect().Placeholder
	return journalError(Step{App: n.app, Name: n.Name},
		db.Exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE app = %s AND name = %s", JournalTable, p(1), p(2)), n.app, n.Name))
}

func journalError(s Step, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write the steps of %s into %s: %w", s.ID(), JournalTable, err)
}
