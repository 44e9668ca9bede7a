package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/retort-web/retort/orm/schema"
)

// HistoryTable is the table that records what was applied, in the columns app,
// name and applied.
const HistoryTable = "retort_migrations"

// historyTime is the fixed-width form, in UTC, in which the time is recorded.
const historyTime = "2006-01-02 15:04:05.000000"

func historyTable() *schema.Table {
	return &schema.Table{
		App: "migrate", Model: "Migration", Name: HistoryTable,
		Columns: []schema.Column{
			{Name: "app", Type: schema.String, Size: 255, PrimaryKey: true},
			{Name: "name", Type: schema.String, Size: 255, PrimaryKey: true},
			{Name: "applied", Type: schema.DateTime},
		},
	}
}

// history is what a database has recorded, by id.
type history map[string]time.Time

// readHistory reads what was applied. A database without the table has applied
// nothing; it is not changed.
func readHistory(ctx context.Context, db Database) (history, error) {
	exists, err := hasTable(ctx, db, HistoryTable)
	if err != nil || !exists {
		return history{}, err
	}
	return readHistoryTable(ctx, db)
}

func hasTable(ctx context.Context, db Database, name string) (bool, error) {
	tables, err := db.Query(ctx, db.Dialect().TableNames())
	if err != nil {
		return false, fmt.Errorf("migrate: list the tables: %w", err)
	}
	return slices.ContainsFunc(tables, func(row []any) bool { return strings.EqualFold(text(row[0]), name) }), nil
}

func readHistoryTable(ctx context.Context, db Database) (history, error) {
	rows, err := db.Query(ctx, "SELECT app, name, applied FROM "+HistoryTable)
	if err != nil {
		return nil, fmt.Errorf("migrate: read what was applied: %w", err)
	}
	applied := make(history, len(rows))
	for _, row := range rows {
		applied[text(row[0])+"."+text(row[1])] = instant(row[2])
	}
	return applied, nil
}

// createTables makes the table of what was applied, and that of the journal if
// it is needed, where they are missing. Two processes may try at once: the
// second finds them inside its transaction.
func createTables(ctx context.Context, db Database, journal bool, waiting func(time.Duration)) error {
	tables := []*schema.Table{historyTable()}
	if journal {
		tables = append(tables, journalTable())
	}
	return transaction(ctx, db, TransactionOptions{}, waiting, func(ctx context.Context) error {
		for _, table := range tables {
			exists, err := hasTable(ctx, db, table.Name)
			if err != nil {
				return err
			}
			if exists {
				continue
			}
			for _, statement := range db.Dialect().CreateTable(table) {
				if err := db.Exec(ctx, statement); err != nil {
					return fmt.Errorf("migrate: create table %s: %w", table.Name, err)
				}
			}
		}
		return nil
	})
}

// record writes that a migration, and with it what it replaces, was applied or,
// backward, forgets it.
func record(ctx context.Context, db Database, n *node, backward bool) error {
	var applied history
	if len(n.Replaces) > 0 {
		var err error
		if applied, err = readHistoryTable(ctx, db); err != nil {
			return err
		}
	}
	for _, name := range n.Replaces {
		if _, recorded := applied[n.app+"."+name]; recorded == backward {
			if err := writeHistory(ctx, db, n.app, name, backward); err != nil {
				return err
			}
		}
	}
	return writeHistory(ctx, db, n.app, n.Name, backward)
}

// writeHistory writes one line of the history, or deletes it.
func writeHistory(ctx context.Context, db Database, app, name string, remove bool) error {
	p := db.Dialect().Placeholder
	var err error
	if remove {
		err = db.Exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE app = %s AND name = %s", HistoryTable, p(1), p(2)), app, name)
	} else {
		err = db.Exec(ctx, fmt.Sprintf("INSERT INTO %s (app, name, applied) VALUES (%s, %s, %s)", HistoryTable, p(1), p(2), p(3)),
			app, name, time.Now().UTC())
	}
	if err != nil {
		return fmt.Errorf("migrate: record %s.%s: %w", app, name, err)
	}
	return nil
}

func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return fmt.Sprint(value)
}

// instant reads a time as whatever a driver makes of it; the zero time if it
// makes nothing of it.
func instant(value any) time.Time {
	if t, ok := value.(time.Time); ok {
		return t.UTC()
	}
	for _, layout := range []string{historyTime, time.RFC3339Nano, "2006-01-02 15:04:05"} {
		if t, err := time.Parse(layout, text(value)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
