package testdb

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/retort-web/retort/orm"
	_ "github.com/retort-web/retort/orm/postgres" // the driver
)

// schemaPrefix begins the names of the schemas of tests. The time of making comes
// next, so that those of tests that were killed can be told.
const schemaPrefix = "retort_test_"

// leftOver is the age at which a schema belongs to no test any more.
const leftOver = time.Hour

// servers that tests have connected to, for making and dropping schemas.
var postgresServers sync.Map // URL -> func() (*orm.DB, error)

func postgresServer(server string) (*orm.DB, error) {
	once, _ := postgresServers.LoadOrStore(server, sync.OnceValues(func() (*orm.DB, error) {
		ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
		defer stop()
		db, err := orm.Open(ctx, withQuery(server, "pool_max_conns", "2", "statements", "0"))
		if err == nil {
			err = dropLeftOver(ctx, db)
		}
		return db, err
	}))
	return once.(func() (*orm.DB, error))()
}

// createPostgres makes a schema; by its URL it is the only one.
func createPostgres(t testing.TB, server string) database {
	t.Helper()
	db, err := postgresServer(server)
	if err != nil {
		t.Fatalf("the PostgreSQL that tests are to run on: %v", err)
	}
	name := schemaPrefix + strconv.FormatInt(time.Now().Unix(), 36) + "_" + strings.ToLower(rand.Text()[:12])
	if _, err := db.Exec(t.Context(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	url := withQuery(server, "search_path", name, "pool_max_conns", "12", "synchronous_commit", "off", "client_min_messages", "warning")
	return database{url, func(ctx context.Context) error {
		_, err := db.Exec(ctx, "DROP SCHEMA "+name+" CASCADE")
		return err
	}}
}

// schemaOfPostgres relies on every change of a table writing its rows in the catalog
// anew.
func schemaOfPostgres(ctx context.Context, db *orm.DB) (string, error) {
	return describe(ctx, db, `SELECT count(*), sum(c.xmin::text::bigint), sum(c.oid::bigint), (
		SELECT count(*) FROM pg_constraint k WHERE k.connamespace = current_schema()::regnamespace
	) FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace`)
}

func emptyPostgres(ctx context.Context, db *orm.DB) error {
	full, err := filled(ctx, db)
	if err != nil {
		return err
	}
	return db.Atomic(ctx, orm.TxOptions{}, func(ctx context.Context) error {
		// Without triggers nothing checks references, so any order will do.
		if _, err := db.Exec(ctx, "SET LOCAL session_replication_role = replica"); err != nil {
			return err
		}
		for _, table := range full {
			if _, err := db.Exec(ctx, `DELETE FROM "`+table+`"`); err != nil {
				return err
			}
		}
		_, err := db.Values(ctx, `SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
			FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL`)
		return err
	})
}

// dropLeftOver drops the schemas of tests that could not do it themselves.
func dropLeftOver(ctx context.Context, db *orm.DB) error {
	rows, err := db.Values(ctx, "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE '"+schemaPrefix+"%'")
	if err != nil {
		return err
	}
	for _, row := range rows {
		name, _ := row[0].(string)
		made, _, _ := strings.Cut(strings.TrimPrefix(name, schemaPrefix), "_")
		seconds, err := strconv.ParseInt(made, 36, 64)
		if err != nil || time.Since(time.Unix(seconds, 0)) < leftOver {
			continue
		}
		if _, err := db.Exec(ctx, fmt.Sprintf("DROP SCHEMA IF EXISTS %s CASCADE", name)); err != nil {
			return err
		}
	}
	return nil
}

// withQuery adds options to a URL.
func withQuery(server string, pairs ...string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server // the driver will say what is wrong
	}
	values := u.Query()
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	u.RawQuery = values.Encode()
	return u.String()
}
