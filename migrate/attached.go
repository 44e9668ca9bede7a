package migrate

import (
	"context"
	"fmt"
	"strings"
)

// attachment is an index or trigger as the database knows it.
type attachment struct{ name, sql string }

func readAttached(ctx context.Context, db Database, tables []string) ([]attachment, error) {
	var all []attachment
	for _, table := range tables {
		rows, err := db.Query(ctx, db.Dialect().Attached(table))
		if err != nil {
			return nil, fmt.Errorf("read the indexes and triggers of %s: %w", table, err)
		}
		for _, row := range rows {
			all = append(all, attachment{name: text(row[0]), sql: text(row[1])})
		}
	}
	return all, nil
}

func restoreAttached(ctx context.Context, db Database, tables []string, before []attachment, from *State) error {
	if len(before) == 0 {
		return nil
	}
	now, err := readAttached(ctx, db, tables)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, a := range now {
		known[strings.ToLower(a.name)] = true
	}
	for _, table := range tables {
		if t := from.named(table); t != nil {
			for _, index := range t.Indexes {
				known[strings.ToLower(index.Name)] = true
			}
		}
	}
	for _, a := range before {
		if known[strings.ToLower(a.name)] {
			continue
		}
		if err := db.Exec(ctx, a.sql); err != nil {
			return fmt.Errorf("%s, which no migration made, does not fit the changed table %s; drop it with RunSQL before and create it after: %w",
				a.name, strings.Join(tables, ", "), err)
		}
	}
	return nil
}
