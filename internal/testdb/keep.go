package testdb

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/orm"
)

// Main runs the tests of a package that asks for [Kind.Context] often. Making the
// tables of all models costs a server far more than emptying the few that a test
// wrote to, so the databases of tests that have ended are emptied and given to later
// ones; all are dropped at the end.
//
//	func TestMain(m *testing.M) { testdb.Main(m) }
func Main(m *testing.M) {
	kept.keeping = true
	code := m.Run()
	if err := kept.drop(); err != nil {
		fmt.Fprintln(os.Stderr, "testdb:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// keptDatabase is a database with the tables of all models and no rows.
type keptDatabase struct {
	database
	schema string // what the server says of its tables while nobody has altered them
}

// kept are the databases that no test uses now.
var kept keeper

type keeper struct {
	keeping bool // set before the first test
	mu      sync.Mutex
	idle    map[string][]keptDatabase // by name of the kind
}

// take takes a database of the kind, if there is one.
func (k *keeper) take(kind string) (keptDatabase, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	idle := k.idle[kind]
	if len(idle) == 0 {
		return keptDatabase{}, false
	}
	last := len(idle) - 1
	k.idle[kind] = idle[:last]
	return idle[last], true
}

func (k *keeper) put(kind string, d keptDatabase) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.idle == nil {
		k.idle = map[string][]keptDatabase{}
	}
	k.idle[kind] = append(k.idle[kind], d)
}

func (k *keeper) drop() error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, databases := range k.idle {
		for _, d := range databases {
			if err := d.drop(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// withTables returns the URL of a database that has the tables of all models, for
// use by one test.
func (k Kind) withTables(t testing.TB) string {
	t.Helper()
	d, found := kept.take(k.Name)
	if !found {
		d.database = k.create(t, k.server)
	}
	ready := false
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
		defer stop()
		if ready && !t.Failed() && d.empty(ctx, emptiers[k.Name]) {
			kept.put(k.Name, d)
		} else if err := d.drop(ctx); err != nil {
			t.Error(err)
		}
	})
	if !found {
		db := OpenURL(t, d.url)
		CreateTables(t, db)
		var err error
		if d.schema, err = emptiers[k.Name].schema(t.Context(), db); err != nil {
			t.Fatal(err)
		}
	}
	ready = true
	return d.url
}

// empty makes the database as it was before the test. It reports false if it cannot,
// or if the test altered the tables.
func (d *keptDatabase) empty(ctx context.Context, e emptier) bool {
	db, err := orm.Open(ctx, d.url)
	if err != nil {
		return false
	}
	defer func() { _ = db.Close() }()
	if now, err := e.schema(ctx, db); err != nil || now != d.schema {
		return false
	}
	if err := e.empty(ctx, db); err != nil {
		return false
	}
	d.schema, err = e.schema(ctx, db)
	return err == nil
}

// emptier empties databases of a kind.
type emptier struct {
	// schema describes the tables, so that two descriptions differ if one was altered.
	schema func(ctx context.Context, db *orm.DB) (string, error)
	// empty deletes all rows and makes the next keys 1 again.
	empty func(ctx context.Context, db *orm.DB) error
}

// emptiers are the kinds whose databases are kept.
var emptiers = map[string]emptier{
	"mysql":    {schemaOfMySQL, emptyMySQL},
	"postgres": {schemaOfPostgres, emptyPostgres},
}

// describe joins what a query tells.
func describe(ctx context.Context, db *orm.DB, query string) (string, error) {
	rows, err := db.Values(ctx, query)
	return fmt.Sprint(rows), err
}

// texts returns the only column of a query.
func texts(ctx context.Context, db *orm.DB, query string) ([]string, error) {
	rows, err := db.Values(ctx, query)
	var list []string
	for _, row := range rows {
		list = append(list, fmt.Sprint(row[0]))
	}
	return list, err
}

// filled returns the tables that have rows.
func filled(ctx context.Context, db *orm.DB) ([]string, error) {
	tables, err := orm.Tables()
	if err != nil {
		return nil, err
	}
	quote := func(name string) string {
		if db.Dialect() == "mysql" {
			return "`" + name + "`"
		}
		return `"` + name + `"`
	}
	var full []string
	for batch := range slices.Chunk(tables, 40) {
		var query []string
		for _, t := range batch {
			query = append(query, fmt.Sprintf("SELECT '%s' FROM (SELECT 1) one WHERE EXISTS (SELECT 1 FROM %s)", t.Name, quote(t.Name)))
		}
		names, err := texts(ctx, db, strings.Join(query, " UNION ALL "))
		if err != nil {
			return nil, err
		}
		full = append(full, names...)
	}
	return full, nil
}
