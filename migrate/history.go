package migrate

import (
	"context"
	"fmt"
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
	tables, err := db.Query(ctx, db.Dialect().TableNames())
	if err != nil {
		return nil, fmt.Errorf("migrate: list the tables: %w", err)
	}
	for _, row := range tables {
		if strings.EqualFold(text(row[0]), HistoryTable) {
			return readHistoryTable(ctx, db)
		}
	}
	return history{}, nil
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

// createHistory makes the table if it is missing. Two processes may try at
// once: the second finds it inside its transaction.
func createHistory(ctx context.Context, db Database) error {
	return transaction(ctx, db, TransactionOptions{}, func(ctx context.Context) error {
		tables, err := db.Query(ctx, db.Dialect().TableNames())
		if err != nil {
			return fmt.Errorf("migrate: list the tables: %w", err)
		}
		for _, row := range tables {
			if strings.EqualFold(text(row[0]), HistoryTable) {
				return nil
			}
		}
		for _, statement := range db.Dialect().CreateTable(historyTable()) {
			if err := db.Exec(ctx, statement); err != nil {
				return fmt.Errorf("migrate: create table %s: %w", HistoryTable, err)
			}
		}
		return nil
	})
}

// record writes that a migration was applied or, backward, forgets it.
func record(ctx context.Context, db Database, n *node, backward bool) error {
	p := db.Dialect().Placeholder
	var err error
	if backward {
		err = db.Exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE app = %s AND name = %s", HistoryTable, p(1), p(2)), n.app, n.Name)
	} else {
		err = db.Exec(ctx, fmt.Sprintf("INSERT INTO %s (app, name, applied) VALUES (%s, %s, %s)", HistoryTable, p(1), p(2), p(3)),
			n.app, n.Name, time.Now().UTC().Format(historyTime))
	}
	if err != nil {
		return fmt.Errorf("migrate: record %s: %w", n.id, err)
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
